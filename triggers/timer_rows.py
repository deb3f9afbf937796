"""Timers as they are stored: what is due, when the next one is, and what waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from crm_store.rows import among, listed
from crm_store.sql import page_key
from crm_store.tables.rules import rule_timers, rules
from crm_store.viewer import Reader
from hub.ids import ContactId, DialogId, EventId, Micros, RuleId, TimerId
from hub.records.rules import RuleTimer


def due(reader: Reader, rule_ids: Iterable[int], now: int, limit: int) -> list[RuleTimer]:
    """Give what is due, the longest waiting first."""
    ids = sorted(rule_ids)
    if not ids:
        return []
    rows = reader.conn.execute(
        _select()
        .where(~rule_timers.c.held, rule_timers.c.due_at <= now, _of_rules(reader))
        .order_by(rule_timers.c.due_at, rule_timers.c.id)
        .limit(limit),
        {"rules": listed(reader.conn.dialect.name, ids)},
    )
    return [_record(row) for row in rows]


def next_due(reader: Reader, rule_ids: Iterable[int]) -> int:
    """Give when the next timer of these rules is due, 0 where nothing waits.

    What a rule that is off holds is passed over: it is due for ever.
    """
    ids = sorted(rule_ids)
    if not ids:
        return 0
    found = reader.conn.execute(
        select(rule_timers.c.due_at)
        .where(~rule_timers.c.held, _of_rules(reader))
        .order_by(rule_timers.c.due_at, rule_timers.c.id)
        .limit(1),
        {"rules": listed(reader.conn.dialect.name, ids)},
    ).scalar()
    return int(found or 0)


def _of_rules(reader: Reader) -> ColumnElement[bool]:
    """Say that a timer is one of some rules, so that it is still looked for by when it is due.

    By the index of rules all that they wait for would be read, and then sorted.
    """
    return among(reader.conn.dialect.name, rule_timers.c.rule_id + 0, "rules")


def _select() -> Any:
    return select(rule_timers, rules.c.name.label("rule_name")).join(
        rules, rules.c.id == rule_timers.c.rule_id
    )


def waiting(
    reader: Reader,
    *,
    rule_id: int = 0,
    dialog_id: int = 0,
    contact_id: int = 0,
    before: str = "",
    limit: int = 50,
) -> list[RuleTimer]:
    """Give what rules wait to do, the next first; `before` is `<due>-<id>` of the last one."""
    reader.viewer.need("rules.view")
    statement = _select()
    for column, value in (
        ("rule_id", rule_id),
        ("dialog_id", dialog_id),
        ("contact_id", contact_id),
    ):
        if value:
            statement = statement.where(rule_timers.c[column] == value)
    if before:
        at, number = page_key(before)
        statement = statement.where(
            (rule_timers.c.due_at > at)
            | ((rule_timers.c.due_at == at) & (rule_timers.c.id > number))
        )
    rows = reader.conn.execute(
        statement.order_by(rule_timers.c.due_at, rule_timers.c.id).limit(limit)
    )
    return [_record(row) for row in rows]


def _record(row: Row[Any]) -> RuleTimer:
    return RuleTimer(
        id=TimerId(row.id),
        rule_id=RuleId(row.rule_id),
        rule_name=row.rule_name,
        version=row.version,
        kind=row.kind,
        episode=row.episode,
        step=row.step,
        occurrence=row.occurrence,
        due_at=Micros(row.due_at),
        held=row.held,
        dialog_id=DialogId(row.dialog_id),
        contact_id=ContactId(row.contact_id),
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        event_id=EventId(row.event_id),
        created_at=Micros(row.created_at),
        data=row.data,
    )


def causes(rows: Sequence[RuleTimer]) -> list[int]:
    """Give the facts that armed these timers."""
    return sorted({one.event_id for one in rows if one.event_id})
