"""Support levels: what clients have bought, as the organisation's own list.

A client or a request names its level by a word; which words there are, what they are called and in
which order they are offered, is kept here. The rules of deadlines ask for a request's level like
for any other property; where it has none of its own, it takes its client's when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, select

from crm_store.nouns import Noun
from crm_store.rows import gathered_in, gathered_rows
from crm_store.tables.people import clients
from crm_store.tables.requests import support_levels
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.filters import Choice
from hub.nouns.parts import FROM_LEVELS
from hub.records.requests import SupportLevel


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


def every_level(dialect: str) -> Select[tuple[str]]:
    """Ask for every level as one value (`levels_in`), as part of another question."""
    level = support_levels.c
    return select(gathered_rows(dialect, level.position, level.name, level.label, level.label_ru))


def levels_in(told: str | None) -> list[SupportLevel]:
    """Give the levels of such a value, in the order in which they are offered."""
    return [
        SupportLevel(name=name, label=label, label_ru=label_ru, position=position)
        for position, name, label, label_ru in sorted(gathered_in(told))
    ]


def with_levels(noun: Noun, levels: Sequence[SupportLevel]) -> Noun:
    """Give a noun whose levels are those that the organisation has now."""
    kind = noun.kind
    own = {one.name: one for one in kind.properties if one.choices_from == FROM_LEVELS}
    if not own:
        return noun
    known = tuple(Choice(one.name, one.label, {"ru": one.label_ru or one.label}) for one in levels)
    # A property that may be "not set" keeps its word for that.
    offered = {
        name: (*(each for each in one.choices if not each.value), *known)
        for name, one in own.items()
    }
    if all(one.choices == offered[name] for name, one in own.items()):
        return noun
    fields = {f"{kind.name}.{name}" for name in own}
    return replace(
        noun,
        kind=replace(
            kind,
            properties=tuple(
                replace(one, choices=offered.get(one.name, one.choices)) for one in kind.properties
            ),
            fields=tuple(
                replace(one, choices=known) if one.name in fields else one for one in kind.fields
            ),
        ),
    )


def checked(uow: UnitOfWork, values: Mapping[str, object]) -> Mapping[str, object]:
    """Give the values of a client; raises Invalid for a level that nobody knows."""
    if values.get("level"):
        _known(uow, str(values["level"]))
    return values


def chosen(uow: UnitOfWork, values: Mapping[str, Any], row: Any = None) -> dict[str, object]:
    """Give the values of a request with its level; `row` is the request that is changed.

    A request without a level of its own has its client's, else the first. One that gets another
    client and had the level of the one before, gets that of the new one. Raises Invalid for a
    level that nobody knows.
    """
    given = dict(values)
    client_id = given.get("client_id", row.client_id if row is not None else 0)
    if given.get("level"):
        _known(uow, str(given["level"]))
        return given
    takes = row is None or "level" in given
    if not takes and client_id != row.client_id:
        takes = row.level == inherited(uow, row.client_id)
    if takes:
        given["level"] = inherited(uow, client_id)
    return given


def inherited(uow: UnitOfWork, client_id: object) -> str:
    """Give the level of a client's requests: what the client has bought, else the first."""
    statement = select(clients.c.level).where(clients.c.id == client_id, clients.c.level != "")
    level = uow.conn.execute(statement).scalar() if client_id else None
    if level:
        return str(level)
    known = levels_of(uow.conn)
    return known[0].name if known else ""


def _known(uow: UnitOfWork, level: str) -> None:
    names = [one.name for one in levels_of(uow.conn)]
    if level not in names:
        raise Invalid(f"one of these is needed: {', '.join(names)}", field="level")
