"""Who is away and who stands in; what was handed over, and how far that is: reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from crm_store import objects
from crm_store.filter_sql import dialog_clause
from crm_store.nouns import Noun
from crm_store.tables.absences import absences, handovers, work_moves
from crm_store.tables.dialogs import dialogs
from crm_store.viewer import Reader
from hub.errors import Invalid, NotFound
from hub.filters import Use, conditions_of, parse
from hub.ids import Micros, UserId
from hub.records.absences import Absence, HandoverRecord

DIALOGS = "dialogs"
INTAKE = "intake"
KINDS = ("vacation", "sick", "trip", "other")
Filters = Mapping[str, Mapping[str, object]]


def movable(nouns: Mapping[str, Noun]) -> dict[str, Noun]:
    """Give the kinds, plugins' too, whose objects somebody is responsible for."""
    return {name: one for name, one in nouns.items() if one.kind.owner}


def substitutes(conn: Connection, now: int) -> dict[int, int]:
    """Give who stands in for whom when something new or returning comes."""
    rows = conn.execute(
        select(absences.c.user_id, absences.c.substitute_id, absences.c.what).where(
            absences.c.state.in_(("planned", "active")),
            absences.c.from_at <= now,
            absences.c.to_at > now,
            absences.c.substitute_id > 0,
        )
    )
    return {row.user_id: row.substitute_id for row in rows if INTAKE in row.what}


def work_of(reader: Reader, user_id: UserId, what: str, filters: Filters) -> Select[Any]:
    """Give the ids of one's work of a sort, as far as the reader can see it.

    What is done stays with whoever did it, unless the filter itself asks for a status.
    """
    given = filters.get(what)
    if what == DIALOGS:
        statement = select(dialogs.c.id).where(
            dialogs.c.assignee_id == user_id,
            dialogs.c.is_open,
            dialogs.c.merged_into == 0,
            reader.viewer.dialogs_clause(),
        )
        return statement.where(dialog_clause(reader, given)) if given else statement
    noun = movable(reader.nouns).get(what)
    if noun is None:
        raise Invalid(f"there is nothing called {what!r} to hand over", field="what")
    query = objects.ObjectQuery(filter=given)
    statement = objects.found(reader, noun, query, select(noun.table.c.id))
    if noun.kind.over and not _asks_status(noun, given):
        statement = statement.where(noun.table.c.status.not_in(noun.kind.over))
    return statement.where(noun.table.c[noun.kind.owner] == user_id)


def _asks_status(noun: Noun, given: Mapping[str, object] | None) -> bool:
    if not given:
        return False
    tree = parse(given, noun.kind.registered(), Use.QUERY)
    return any(one.field == f"{noun.kind.name}.status" for one in conditions_of(tree))


def preview(
    reader: Reader, user_id: UserId, what: Sequence[str], filters: Filters
) -> dict[str, int]:
    """Count what a handover would move, by sort."""
    found = {}
    for one in what:
        if one == INTAKE:
            continue
        ids = work_of(reader, user_id, one, filters).subquery()
        found[one] = int(reader.conn.execute(select(func.count()).select_from(ids)).scalar_one())
    return found


def all_absences(
    reader: Reader, *, user_id: UserId = UserId(0), current: bool = False, limit: int = 200
) -> list[Absence]:
    """Give absences, the latest first: one's own and those one stands in for; or everybody's."""
    statement = select(absences).order_by(absences.c.from_at.desc(), absences.c.id.desc())
    if user_id:
        mine = or_(absences.c.user_id == user_id, absences.c.substitute_id == user_id)
        statement = statement.where(mine)
    if current:
        statement = statement.where(absences.c.state.in_(("planned", "active")))
    rows = reader.conn.execute(statement.limit(limit)).all()
    counted = _moves(reader, [row.id for row in rows])
    return [_absence(row, counted.get(row.id, {})) for row in rows]


def absence(reader: Reader, absence_id: int) -> Absence:
    """Give one absence."""
    row = reader.conn.execute(select(absences).where(absences.c.id == absence_id)).first()
    if row is None:
        raise NotFound("there is no such absence")
    return _absence(row, _moves(reader, [row.id]).get(row.id, {}))


def away_now(reader: Reader) -> dict[UserId, Absence]:
    """Give who is away at this moment."""
    rows = reader.conn.execute(
        select(absences).where(
            absences.c.state.in_(("planned", "active")),
            absences.c.from_at <= reader.now,
            absences.c.to_at > reader.now,
        )
    )
    return {UserId(row.user_id): _absence(row, {}) for row in rows}


def all_handovers(reader: Reader, limit: int = 50) -> list[HandoverRecord]:
    """Give handovers, the newest first."""
    rows = reader.conn.execute(select(handovers).order_by(handovers.c.id.desc()).limit(limit)).all()
    counted = _moves(reader, [row.id for row in rows])
    return [_handover(row, counted.get(row.id, {})) for row in rows]


def handover(reader: Reader, handover_id: int) -> HandoverRecord:
    """Give one handover with its progress."""
    row = reader.conn.execute(select(handovers).where(handovers.c.id == handover_id)).first()
    if row is None:
        raise NotFound("there is no such handover")
    return _handover(row, _moves(reader, [row.id]).get(row.id, {}))


def _moves(reader: Reader, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for row in reader.conn.execute(
        select(work_moves.c.batch_id, work_moves.c.state, func.count().label("number"))
        .where(work_moves.c.batch_id.in_(ids))
        .group_by(work_moves.c.batch_id, work_moves.c.state)
    ):
        found.setdefault(row.batch_id, {})[row.state] = row.number
    return found


def _absence(row: Any, moves: Mapping[str, int]) -> Absence:
    return Absence(
        id=row.id,
        user_id=UserId(row.user_id),
        kind=row.kind,
        from_at=Micros(row.from_at),
        to_at=Micros(row.to_at),
        substitute_id=UserId(row.substitute_id),
        what=tuple(row.what),
        access=row.access,
        state=row.state,
        made_by=UserId(row.made_by),
        ended_at=Micros(row.ended_at),
        moves=moves,
    )


def _handover(row: Any, moves: Mapping[str, int]) -> HandoverRecord:
    return HandoverRecord(
        id=row.id,
        from_id=UserId(row.from_id),
        to_id=UserId(row.to_id),
        what=tuple(row.what),
        state=row.state,
        total=row.total,
        moves=moves,
        made_by=UserId(row.made_by),
        created_at=Micros(row.created_at),
        undone_at=Micros(row.undone_at),
    )
