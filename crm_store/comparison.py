"""Two cards compared: what they share, how alike their names are, and the keys that say whom to compare."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations

from crm_store.sameness import name_parts, normal_form, phone_form

ALIKE = 92
END = 6
"""Digits at the end of a phone that every spelling of it has."""
LONG = 390
"""Of what is longer, the folded twin in the database may be cut short."""
_NO_DIGIT = re.compile(r"\D")
_WEIGHTS = {"inn": 95, "phone": 75, "email": 80}
Compare = Callable[["Card", int], tuple[int, tuple[str, ...]] | None]


@dataclass(slots=True)
class Card:
    """What cards are compared by.

    `phone` and `email` are as they are written: bringing them to their one spelling takes longer than
    all the rest, so that of many namesakes it is done only where the end of the phone, or the e-mail
    in its folded twin, is the one that is looked for.
    """

    id: int
    name: str
    is_organisation: bool = False
    phone: str = ""
    email: str = ""
    email_folded: str = ""
    marks: dict[str, set[str]] = field(default_factory=dict)

    def mark(self, reason: str, value: str) -> None:
        """Note a phone, an e-mail or a number in its one spelling, "" for none."""
        if value:
            self.marks.setdefault(reason, set()).add(value)

    def all_marks(self) -> dict[str, set[str]]:
        """Give everything noted, phone and e-mail as well."""
        if self.phone:
            self.mark("phone", phone_form(self.phone))
            self.phone = ""
        if self.email:
            self.mark("email", normal_form("email", self.email))
            self.email = ""
        return self.marks

    def numbers(self) -> set[int]:
        """Give the keys by which a card is found."""
        found = {value for values in self.all_marks().values() for value in values}
        return {key_number(one) for one in found | _name_keys(self)}


def key_number(text: str) -> int:
    """Give the number of a key: of two halves, so that two keys hardly ever meet by accident."""
    raw = text.encode()
    return (zlib.crc32(raw) << 31) | (zlib.adler32(raw[::-1] + raw) & 0x7FFFFFFF)


def _name_keys(card: Card) -> set[str]:
    parts = name_parts(card.name)
    found = set()
    for one, other in combinations(parts, 2):
        if len(one) > 1:
            found.add(f"n:{one[:5]}|{other[0]}")
        if len(other) > 1:
            found.add(f"n:{other[:5]}|{one[0]}")
    if card.is_organisation and len(parts) == 1 and len(parts[0]) > 3:
        found.add(f"n:{parts[0][:8]}")
    return found


def comparing(one: Card) -> Compare:
    """Give what compares a card with others, of which it is told how alike the names are.

    It gives a score and the reasons why both may be one, None where nothing says so.
    """
    mine = one.all_marks()
    ends = {phone[-END:] for phone in mine.get("phone", ())}
    mails = {mail.removeprefix("e:") for mail in mine.get("email", ())}
    named = len(name_parts(one.name)) > 1
    by_name = ("name",)

    def compare(other: Card, alike: int) -> tuple[int, tuple[str, ...]] | None:
        phone, mail = other.phone, other.email_folded
        if (phone and _end(phone) in ends) or (mail and (mail in mails or len(mail) > LONG)):
            other.all_marks()
        is_same = alike >= ALIKE and (named or (one.is_organisation and other.is_organisation))
        theirs = other.marks
        if not theirs:
            return (alike - 50, by_name) if is_same else None
        reasons = [one for one in _WEIGHTS if mine.get(one, _NONE) & theirs.get(one, _NONE)]
        score = max((_WEIGHTS[reason] for reason in reasons), default=0)
        if is_same:
            reasons.append("name")
            score = score + (100 - score) // 2 if score else alike - 50
        elif score and alike < 50:
            score -= 20
        return (score, tuple(reasons)) if reasons else None

    return compare


_NONE: frozenset[str] = frozenset()


def _end(phone: str) -> str:
    """Give the last digits of a phone: whatever stands before them, all its spellings have these."""
    last = phone[-END:]
    return last if last.isdecimal() else _NO_DIGIT.sub("", phone)[-END:]
