"""What runs and timers of rules keep of a person's words, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update

from crm_store.tables.rules import rule_runs, rule_timers

CHUNK = 500


def forget_person(
    conn: Connection,
    contact_id: int,
    dialog_ids: Sequence[int],
    objects: Mapping[str, Sequence[int]],
) -> int:
    """Empty what was seen by rules about a person, his dialogs and his objects, by their kinds;
    that they ran stays. Gives how many runs."""
    for mine in _of(rule_timers, contact_id, dialog_ids, objects):
        conn.execute(delete(rule_timers).where(mine))
    runs: set[int] = set()
    for mine in _of(rule_runs, contact_id, dialog_ids, objects):
        runs.update(conn.execute(select(rule_runs.c.id).where(mine)).scalars())
    for chunk in _chunks(sorted(runs)):
        emptied = update(rule_runs).where(rule_runs.c.id.in_(chunk))
        conn.execute(emptied.values(why={}, reason="", steps=[]))
    return len(runs)


def _of(
    table: Table,
    contact_id: int,
    dialog_ids: Sequence[int],
    objects: Mapping[str, Sequence[int]],
) -> Iterator[ColumnElement[bool]]:
    yield table.c.contact_id == contact_id
    for chunk in _chunks(dialog_ids):
        yield table.c.dialog_id.in_(chunk)
    for kind, ids in objects.items():
        for chunk in _chunks(ids):
            yield (table.c.subject_kind == kind) & table.c.subject_id.in_(chunk)


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
