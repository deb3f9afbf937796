"""Support levels: what clients have bought, as the organisation's own list.

A request names its level by a word; which words there are, what they are called and in which order
they are offered, is kept here. The rules of deadlines ask for them like for any other property.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from crm_store.nouns import Noun
from crm_store.tables.requests import support_levels
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.filters import Choice
from hub.records.requests import SupportLevel

LEVELS = "support_level"
"""What a property says whose choices are support levels (`Property.choices_from`)."""


def all_levels(reader: Reader) -> list[SupportLevel]:
    """Give every level, in the order in which they are offered."""
    return levels_of(reader.conn)


def levels_of(conn: Connection) -> list[SupportLevel]:
    """Give the same to whoever has a connection."""
    rows = conn.execute(
        select(support_levels).order_by(support_levels.c.position, support_levels.c.name)
    )
    return [
        SupportLevel(name=row.name, label=row.label, label_ru=row.label_ru, position=row.position)
        for row in rows
    ]


def with_levels(conn: Connection, noun: Noun) -> Noun:
    """Give a noun whose levels are those that the organisation has now."""
    kind = noun.kind
    own = {one.name: one for one in kind.properties if one.choices_from == LEVELS}
    if not own:
        return noun
    offered = tuple(
        Choice(one.name, one.label, {"ru": one.label_ru or one.label}) for one in levels_of(conn)
    )
    if all(one.choices == offered for one in own.values()):
        return noun
    fields = {f"{kind.name}.{name}" for name in own}
    return replace(
        noun,
        kind=replace(
            kind,
            properties=tuple(
                replace(one, choices=offered) if one.name in own else one for one in kind.properties
            ),
            fields=tuple(
                replace(one, choices=offered) if one.name in fields else one for one in kind.fields
            ),
        ),
    )


def chosen(uow: UnitOfWork, values: Mapping[str, Any], *, new: bool) -> dict[str, object]:
    """Give the values with a level that is there; a new request without one has the first.

    Raises Invalid for a level that nobody knows.
    """
    given = dict(values)
    if not given.get("level") and not (new or "level" in given):
        return given
    known = [one.name for one in levels_of(uow.conn)]
    level = given.get("level") or (known[0] if known else "")
    if level and level not in known:
        raise Invalid(f"one of these is needed: {', '.join(known)}", field="level")
    return {**given, "level": level}
