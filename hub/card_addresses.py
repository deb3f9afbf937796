"""Addresses of a card: as many as it likes, of any kind, each with a label, one of a kind the main.

The main phone, e-mail and site of a card stand in lines of its own, which lists, filters and
imports ask for. Its property `addresses` keeps what those lines cannot: the others, and the labels
of the main ones, there with an empty value. So nothing is kept twice; `every` puts it together,
`kept` takes it apart. Of a kind without a line the first is the main one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

LINES = ("phone", "email", "site")
"""The kinds whose main address is a line of the card."""
SEVERAL = ("phone", "email")
"""Those of which a cell of a file, and further columns, may hold several."""
MOST = 50
LONGEST = 400
"""Characters of a value; a label and a kind have a quarter of it."""
_KIND = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
_KNOWN = re.compile(r"([a-z][a-z0-9_.-]{0,99}):(?!//)\s*(.+)", re.IGNORECASE | re.DOTALL)
_LABELLED = re.compile(r"(.+?)\s*\(([^()]*[^()\d\s+-][^()]*)\)", re.DOTALL)
_CUTS = re.compile(r"[();]+")
_PHONE = re.compile(r"\+?[\d\s().,/-]{5,}")
_SITE = re.compile(r"(https?://|www\.)\S+|[\w-]+(\.[\w-]+)+(/\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAddress:
    """One address: `kind` is phone, email, site or how a channel calls its own; "" is no label."""

    kind: str
    value: str
    label: str = ""
    main: bool = False


class HasAddresses(Protocol):
    """A card with lines for the main addresses and a property for the others."""

    @property
    def addresses(self) -> Sequence[CardAddress]:
        """What the card's lines do not hold."""


def every(card: HasAddresses) -> tuple[CardAddress, ...]:
    """Give all addresses of a card by their kinds, of each the main one first."""
    labels = {one.kind: one.label for one in card.addresses if not one.value}
    found: dict[tuple[str, str], CardAddress] = {}
    for kind in LINES:
        if line := str(getattr(card, kind, "")):
            address = CardAddress(kind=kind, value=line, label=labels.get(kind, ""), main=True)
            found[kind, line.casefold()] = address
    mains = {kind for kind, _ in found}
    for one in card.addresses:
        if one.value:
            found.setdefault(
                (one.kind, one.value.casefold()), replace(one, main=one.kind not in mains)
            )
            mains.add(one.kind)
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    return tuple(sorted(found.values(), key=lambda one: kinds.index(one.kind)))


def said(card: HasAddresses) -> str:
    """Give the values of all addresses of a card, each in a line."""
    return "\n".join(one.value for one in every(card))


def kept(addresses: Iterable[CardAddress]) -> tuple[dict[str, str], tuple[CardAddress, ...]]:
    """Give the lines of a card and its property, of all the addresses that it is to have."""
    addresses = list(addresses)
    mains = {one.kind: one for one in reversed(addresses)}
    mains |= {one.kind: one for one in reversed(addresses) if one.main}
    lines = {kind: mains[kind].value if kind in mains else "" for kind in LINES}
    labels = [
        CardAddress(kind=kind, value="", label=mains[kind].label)
        for kind in LINES
        if kind in mains and mains[kind].label
    ]
    others = [one for one in addresses if one.kind not in LINES or one is not mains[one.kind]]
    # Those of a line's kind keep their order, of every other one the main comes first.
    others.sort(key=lambda one: one is not mains[one.kind] and one.kind not in LINES)
    return lines, (*labels, *(replace(one, main=False) for one in others))


def read(given: object) -> tuple[CardAddress, ...]:
    """Read addresses from outside: a list, or a text as `written`; raises ValueError."""
    if isinstance(given, str):
        given = [_said(part) for part in re.split(r"[;\n]", given) if part.strip()]
    if not isinstance(given, list | tuple):
        raise ValueError("a list of addresses is needed")
    found: dict[tuple[str, str], CardAddress] = {}
    for one in given:
        address = _checked(one)
        found.setdefault((address.kind, address.value.casefold()), address)
    if len(found) > MOST:
        raise ValueError(f"at most {MOST} addresses")
    return tuple(found.values())


def written(addresses: Iterable[CardAddress]) -> str:
    """Write addresses in one cell of a file: `phone: +7 495 000-00-00 (reception); site: ...`."""
    return "; ".join(
        f"{one.kind}: {one.value} ({one.label})" if one.label else f"{one.kind}: {one.value}"
        for one in addresses
    )


def _checked(given: object) -> CardAddress:
    if isinstance(given, CardAddress):
        given = {name: getattr(given, name) for name in ("kind", "value", "label", "main")}
    if not isinstance(given, Mapping):
        raise ValueError("an address has a kind and a value")
    kind = _line(given.get("kind"), 100).lower()
    value = _line(given.get("value"), LONGEST)
    if not _KIND.fullmatch(kind):
        raise ValueError("the kind of an address is a word, as phone, email, site or telegram")
    if not value:
        raise ValueError("the address is empty")
    if kind == "email":
        value = value.lower()
        if "@" not in value:
            raise ValueError("this is not an e-mail address")
    # What a cell of a file is cut by stands in no label.
    label = " ".join(_CUTS.sub(" ", _line(given.get("label"), LONGEST // 4)).split())
    return CardAddress(kind=kind, value=value, label=label, main=given.get("main") is True)


def _line(given: object, most: int) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise ValueError("this is not a text")
    if "\x00" in given or any("\ud800" <= one <= "\udfff" for one in given):
        raise ValueError("the text has a character that cannot be kept")
    if len(given) > most:
        raise ValueError(f"at most {most} characters")
    return " ".join(given.split())


def _said(text: str) -> dict[str, object]:
    """Read one address as people write it: with its kind before it, or plain to see."""
    text, label, kind = text.strip(), "", ""
    if len(text) > 2 * LONGEST:
        raise ValueError(f"at most {LONGEST} characters")
    if known := _KNOWN.fullmatch(text):
        kind, text = known[1].lower(), known[2].strip()
    if labelled := _LABELLED.fullmatch(text):
        text, label = labelled[1], labelled[2].strip()
    return {"kind": kind or _kind_of(text), "value": text, "label": label}


def _kind_of(text: str) -> str:
    if re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", text):
        return "email"
    if _PHONE.fullmatch(text):
        return "phone"
    if _SITE.fullmatch(text):
        return "site"
    raise ValueError("say what sort of address this is, as telegram: @shop")
