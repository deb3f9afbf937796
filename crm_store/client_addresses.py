"""Addresses of clients, as many as they like: what a change, a merge and an import make of them.

Two spellings of one phone or e-mail are one address (`sameness`). The main ones stand in lines of
the card, see `hub/card_addresses.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_store.sameness import normal_form
from hub.card_addresses import LINES, CardAddress, every, kept
from hub.records.people import Client

Values = dict[str, object]
"""The lines of a card, and its property."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What a row of a file says of a card's addresses."""

    phone: str = ""
    email: str = ""
    site: str = ""
    addresses: Sequence[CardAddress] = ()


def changed(values: Mapping[str, object], known: Sequence[CardAddress] = ()) -> Values:
    """Give checked values with what they mean for the `known` addresses of a card.

    `addresses` are all that it is to have. A line sets the main one of its kind: one that is there
    already changes places with it, another one takes its place and its label; emptied, the next
    one of the kind is the main one.
    """
    named = {kind: str(values[kind]) for kind in LINES if kind in values}
    if not named and "addresses" not in values:
        return dict(values)
    given: Any = values.get("addresses", known)
    whole = unique(given)
    if "addresses" in values:
        # What a line says beside them is one of them.
        named = {kind: line for kind, line in named.items() if line}
        whole = unique([*whole, *(CardAddress(kind=kind, value=named[kind]) for kind in named)])
    for kind, line in named.items():
        whole = _with_main(whole, kind, line)
    return {**values, **_stored(whole)}


def joined(mine: Client, theirs: Client, lines: Mapping[str, object]) -> Values:
    """Give what a card has that got the addresses of another one; `lines` say which are the main."""
    whole = unique([*mine.every_address, *_others(theirs.every_address)])
    for kind in LINES:
        if line := str(lines.get(kind, getattr(mine, kind))):
            whole = _with_main(whole, kind, line)
    return _stored(whole)


def added(mine: Client, theirs: Client) -> list[list[str]]:
    """Give what a card gets of another one, as pairs of a kind and an address."""
    known = {_form(one) for one in mine.every_address}
    return [[one.kind, one.value] for one in theirs.every_address if _form(one) not in known]


def parted(card: Client, gone: Iterable[Sequence[str]], lines: Mapping[str, object]) -> Values:
    """Give what a card has when addresses that it got leave it; `lines` are main ones from before."""
    leaving = {_form(CardAddress(kind=kind, value=value)) for kind, value in gone}
    whole = [one for one in card.every_address if _form(one) not in leaving]
    for kind in LINES:
        if line := str(lines.get(kind) or ""):
            whole = _with_main(whole, kind, line)
    return _stored(whole)


def imported(card: Client, values: Mapping[str, Any], *, overwrite: bool) -> Values:
    """Give what a card has after a row of a file: its addresses come to those that are there."""
    row = _Row(
        **{kind: str(values.get(kind) or "") for kind in LINES},
        addresses=values.get("addresses", ()),
    )
    whole = list(card.every_address)
    for kind in LINES:
        if overwrite and (line := getattr(row, kind)):
            whole = _with_main(whole, kind, line)
    return _stored(unique([*whole, *_others(every(row))]))


def unique(addresses: Iterable[CardAddress]) -> list[CardAddress]:
    """Give addresses without further spellings of the same ones; their labels are kept."""
    found: dict[tuple[str, str], CardAddress] = {}
    for one in addresses:
        known = found.setdefault(_form(one), one)
        label, main = known.label or one.label, known.main or one.main
        found[_form(one)] = replace(known, label=label, main=main)
    return list(found.values())


def _stored(whole: Iterable[CardAddress]) -> Values:
    lines, more = kept(whole)
    return {**lines, "addresses": more}


def _form(one: CardAddress) -> tuple[str, str]:
    return one.kind, normal_form(one.kind, one.value) or one.value.casefold()


def _others(addresses: Iterable[CardAddress]) -> list[CardAddress]:
    return [replace(one, main=False) for one in addresses]


def _with_main(whole: Sequence[CardAddress], kind: str, value: str) -> list[CardAddress]:
    own = [one for one in whole if one.kind == kind]
    was = next((one for one in own if one.main), own[0] if own else None)
    if not value:
        return [one for one in whole if one is not was]
    given = CardAddress(kind=kind, value=value, main=True)
    met = next((one for one in own if _form(one) == _form(given)), was)
    if met is None:
        return [*whole, given]
    given = replace(given, label=met.label)
    return [
        given if one is met else replace(one, main=False) if one.kind == kind else one
        for one in whole
    ]
