"""Two cards compared: what they share, how alike their names are, and the keys that say whom to compare."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from itertools import combinations

from crm_store.sameness import name_parts, phone_form
from hub.records.people import Likeness

ALIKE = 92
END = 4
_NO_DIGIT = re.compile(r"\D")
_WEIGHTS = {"inn": 95, "phone": 75, "email": 80}


@dataclass(slots=True)
class Card:
    """What cards are compared by.

    `phone` is one as it is written: bringing it to its one spelling takes longer than all the rest, so
    that of many namesakes it is done only where its end is the one that is looked for.
    """

    id: int
    name: str
    is_organisation: bool = False
    phone: str = ""
    marks: dict[str, set[str]] = field(default_factory=dict)

    def mark(self, reason: str, value: str) -> None:
        """Note a phone, an e-mail or a number in its one spelling, "" for none."""
        if value:
            self.marks.setdefault(reason, set()).add(value)

    def all_marks(self) -> dict[str, set[str]]:
        """Give everything noted, the phone as well."""
        if self.phone:
            self.mark("phone", phone_form(self.phone))
            self.phone = ""
        return self.marks

    def numbers(self) -> set[int]:
        """Give the keys by which a card is found."""
        found = {value for values in self.all_marks().values() for value in values}
        return {_number(one) for one in found | _name_keys(self)}


def _number(text: str) -> int:
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


def compare(one: Card, other: Card, alike: int) -> Likeness | None:
    """Say why a card and another may be one, None where nothing says so; `alike` are their names."""
    mine = one.all_marks()
    ends = {phone[-END:] for phone in mine.get("phone", ())}
    # Whatever stands before them, two spellings of a number have the same last digits.
    near = other.phone and _NO_DIGIT.sub("", other.phone)[-END:] in ends
    theirs = other.all_marks() if near else other.marks
    reasons = [reason for reason in _WEIGHTS if mine.get(reason, set()) & theirs.get(reason, set())]
    score = max((_WEIGHTS[reason] for reason in reasons), default=0)
    tells = len(name_parts(one.name)) > 1 or (one.is_organisation and other.is_organisation)
    if alike >= ALIKE and tells:
        reasons.append("name")
        score = score + (100 - score) // 2 if score else alike - 50
    elif score and alike < 50:
        score -= 20
    if not reasons:
        return None
    return Likeness(id=other.id, score=score, reasons=tuple(reasons))
