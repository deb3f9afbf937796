"""The run log: what rules did and why, by rule, dialog, person, object or words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from crm_store.tables.dialogs import dialogs
from crm_store.tables.rules import rule_effects, rule_runs, rules
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.ids import ContactId, DialogId, EventId, Micros, RuleId, RunId
from hub.records.rules import RuleRun, StepDone
from hub.terms import fold


def page(
    reader: Reader,
    *,
    rule_id: int = 0,
    dialog_id: int = 0,
    contact_id: int = 0,
    kind: str = "",
    object_id: int = 0,
    state: str = "",
    text: str = "",
    before: int = 0,
    limit: int = 50,
) -> list[RuleRun]:
    """Give runs, the newest first; `kind` and `object_id` give those that made or changed it."""
    reader.viewer.need("rules.view")
    statement = _select(reader)
    for column, value in (
        ("rule_id", rule_id),
        ("dialog_id", dialog_id),
        ("contact_id", contact_id),
    ):
        if value:
            statement = statement.where(rule_runs.c[column] == value)
    if kind:
        made = select(rule_effects.c.run_id).where(
            rule_effects.c.kind == kind, rule_effects.c.object_id == object_id
        )
        statement = statement.where(rule_runs.c.id.in_(made))
    if state:
        statement = statement.where(rule_runs.c.state == state)
    if before:
        statement = statement.where(rule_runs.c.id < before)
    words = fold(text).split()
    rows = reader.conn.execute(
        statement.order_by(rule_runs.c.id.desc()).limit(limit if not words else 2000)
    )
    found = []
    for row in rows:
        if all(word in fold(_words(row)) for word in words):
            found.append(_record(row))
        if len(found) == limit:
            break
    return found


def one(reader: Reader, run_id: RunId) -> RuleRun:
    """Give one run; raises NotFound, also for one of a dialog that this reader may not see."""
    reader.viewer.need("rules.view")
    row = reader.conn.execute(_select(reader).where(rule_runs.c.id == run_id)).first()
    if row is None:
        raise NotFound("there is no such run")
    return _record(row)


def made_by(reader: Reader, kind: str, ids: Sequence[int]) -> dict[int, RuleRun]:
    """Give, of each object, the first run that made or changed it."""
    if not ids or not reader.viewer.may("rules.view"):
        return {}
    rows = reader.conn.execute(
        _select(reader)
        .join(rule_effects, rule_effects.c.run_id == rule_runs.c.id)
        .add_columns(rule_effects.c.object_id.label("made"))
        .where(rule_effects.c.kind == kind, rule_effects.c.object_id.in_(ids))
        .order_by(rule_runs.c.id.desc())
    )
    return {row.made: _record(row) for row in rows}


def _select(reader: Reader) -> Any:
    statement = select(rule_runs, rules.c.name.label("rule_name")).outerjoin(
        rules, rules.c.id == rule_runs.c.rule_id
    )
    viewer = reader.viewer
    if viewer.hidden_accounts or not viewer.sees_all_dialogs:
        seen = select(dialogs.c.id).where(
            dialogs.c.id == rule_runs.c.dialog_id, viewer.dialogs_clause()
        )
        statement = statement.where((rule_runs.c.dialog_id == 0) | seen.exists())
    return statement


def _words(row: Row[Any]) -> str:
    steps = " ".join(" ".join(str(value) for value in one.values()) for one in row.steps)
    return f"{row.rule_name} {row.trigger} {row.state} {row.reason} {steps} {row.why}"


def _record(row: Row[Any]) -> RuleRun:
    return RuleRun(
        id=RunId(row.id),
        rule_id=RuleId(row.rule_id),
        rule_name=row.rule_name or "",
        version=row.version,
        cause=row.cause,
        step=row.step,
        occurrence=row.occurrence,
        trigger=row.trigger,
        event_id=EventId(row.event_id),
        dialog_id=DialogId(row.dialog_id),
        contact_id=ContactId(row.contact_id),
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        at=Micros(row.at),
        state=row.state,
        reason=row.reason,
        why=row.why,
        steps=tuple(StepDone(**one) for one in row.steps),
    )
