"""Waits: the timers that a plan arms and calls off, written many at once.

Within one plan a timer may be armed by one fact and called off by a later one: what a plan undoes
itself is never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select

from crm_store.rows import insert_missing, insert_returning
from crm_store.tables.rules import rule_runs, rule_timers
from crm_store.unit_of_work import UnitOfWork
from hub.ids import bounded_key
from triggers.plans import Cancel, PlannedTimer

PART = 500
MOVED = ("due_at", "event_id", "depth", "episode", "data", "version", "subject_kind", "subject_id")
AGAIN = (
    "ON CONFLICT (rule_id, slot) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in MOVED)
    + " RETURNING id"
)
Key = tuple[int, str]


class Waits:
    """The timers of one plan."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._armed: dict[Key, PlannedTimer] = {}
        self._cancels: list[Cancel] = []
        self._called_off: list[dict[str, Any]] = []

    def settle(self, ids: Sequence[int]) -> None:
        """End waitings without a run."""
        self._delete(ids)

    def arm(self, timer: PlannedTimer) -> None:
        """Wait for something; a slot that waits already is moved."""
        key = (timer.rule_id, bounded_key(timer.slot, 200))
        before = self._armed.pop(key, None)
        if timer.keep and before is not None and before.due_at:
            timer = _merged(timer, before.episode, before.version, before.data)
        self._armed[key] = timer

    def cancel(self, item: Cancel) -> None:
        """End waitings that were armed before an event."""
        self._cancels.append(item)
        for key, timer in list(self._armed.items()):
            slot = timer.slot in item.slots
            if timer.due_at and _is_off(item, timer, slot=slot) and _of_same(item, timer):
                del self._armed[key]
                if timer.kind == "step":
                    self._called_off.append(self._run(timer, item.reason))

    def write(self) -> None:
        """Write what is called off, then what is armed."""
        self._write_cancels()
        over = [key for key, timer in self._armed.items() if not timer.due_at]
        waiting = self._kept({key: one for key, one in self._armed.items() if one.due_at})
        self._forget(over)
        rows = [
            timer_values(one) | {"id": self._uow.new_id(), "created_at": self._uow.now}
            for one in waiting
        ]
        for start in range(0, len(rows), PART):
            insert_returning(self._uow.conn, rule_timers, rows[start : start + PART], AGAIN)
        insert_missing(self._uow.conn, rule_runs, self._called_off)

    # -- ending ------------------------------------------------------------------------------

    def _write_cancels(self) -> None:
        dialogs = sorted({one.dialog_id for one in self._cancels if one.dialog_id})
        found = self._rows(rule_timers.c.dialog_id, dialogs)
        by_kind: dict[str, set[int]] = {}
        for one in self._cancels:
            if not one.dialog_id and one.about.id:
                by_kind.setdefault(one.about.kind, set()).add(one.about.id)
        for kind, ids in by_kind.items():
            found += self._rows(
                rule_timers.c.subject_id, sorted(ids), rule_timers.c.subject_kind == kind
            )
        gone: dict[int, None] = {}
        for item in self._cancels:
            for row in found:
                if row.id in gone or not _is_off(item, row, slot=row.slot in item.slots):
                    continue
                if not _of_same(item, row):
                    continue
                gone[row.id] = None
                if row.kind == "step":
                    self._called_off.append(self._run(row, item.reason))
        self._delete(list(gone))

    def _rows(
        self, column: ColumnElement[int], ids: Sequence[int], *more: ColumnElement[bool]
    ) -> list[Row[Any]]:
        rows: list[Row[Any]] = []
        for start in range(0, len(ids), PART):
            where = column.in_(ids[start : start + PART])
            rows += self._uow.conn.execute(
                select(rule_timers).where(where, ~rule_timers.c.held, *more)
            ).all()
        return rows

    def _delete(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), PART):
            part = rule_timers.c.id.in_(ids[start : start + PART])
            self._uow.conn.execute(delete(rule_timers).where(part))

    def _forget(self, keys: Iterable[Key]) -> None:
        for rule_id, slots in _by_rule(keys).items():
            mine = (rule_timers.c.rule_id == rule_id) & rule_timers.c.slot.in_(slots)
            self._uow.conn.execute(delete(rule_timers).where(mine))

    def _run(self, timer: Any, reason: str) -> dict[str, Any]:
        """Put on record that a later part of a run will not be."""
        about = getattr(timer, "about", None)
        return {
            "id": self._uow.new_id(),
            "rule_id": timer.rule_id,
            "version": timer.version,
            "cause": bounded_key(timer.episode, 200),
            "step": timer.step + 1,
            "occurrence": timer.occurrence,
            "trigger": str(timer.data.get("trigger", "")),
            "event_id": timer.event_id,
            "dialog_id": timer.dialog_id,
            "contact_id": timer.contact_id,
            "subject_kind": about.kind if about is not None else timer.subject_kind,
            "subject_id": about.id if about is not None else timer.subject_id,
            "at": self._uow.now,
            "state": "cancelled",
            "reason": reason,
            "why": {},
            "steps": [],
        }

    # -- bursts ------------------------------------------------------------------------------

    def _kept(self, armed: Mapping[Key, PlannedTimer]) -> list[PlannedTimer]:
        """A burst that waits already keeps its name and goes from its first value to the last."""
        bursts = [key for key, one in armed.items() if one.keep]
        stored: dict[Key, Any] = {}
        for rule_id, slots in _by_rule(bursts).items():
            mine = (rule_timers.c.rule_id == rule_id) & rule_timers.c.slot.in_(slots)
            for row in self._uow.conn.execute(select(rule_timers).where(mine)):
                stored[row.rule_id, row.slot] = row
        found = []
        for key, one in armed.items():
            known = stored.get(key)
            found.append(
                one if known is None else _merged(one, known.episode, known.version, known.data)
            )
        return found


def _is_off(item: Cancel, timer: Any, *, slot: bool) -> bool:
    if timer.event_id >= item.before_event:
        return False
    return slot or (timer.kind == "step" and f",{item.reason}," in timer.cancel_on)


def _of_same(item: Cancel, timer: Any) -> bool:
    if item.dialog_id:
        return bool(timer.dialog_id == item.dialog_id)
    about = getattr(timer, "about", None)
    kind = about.kind if about is not None else timer.subject_kind
    number = about.id if about is not None else timer.subject_id
    return (kind, number) == (item.about.kind, item.about.id)


def _by_rule(keys: Iterable[Key]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for rule_id, slot in keys:
        found.setdefault(rule_id, []).append(slot)
    return found


def _merged(
    timer: PlannedTimer, episode: str, version: int, data: Mapping[str, Any]
) -> PlannedTimer:
    """A burst of edits is one change: from what was first before to what is last after."""
    changes: dict[str, Any] = dict(data.get("changes", {}))
    given = timer.data.get("changes")
    for name, pair in (given if isinstance(given, dict) else {}).items():
        changes[name] = [changes[name][0] if name in changes else pair[0], pair[1]]
    return replace(timer, episode=episode, version=version, data={**data, "changes": changes})


def timer_values(timer: PlannedTimer) -> dict[str, Any]:
    """Give a timer's row, but for its id."""
    return {
        "rule_id": timer.rule_id,
        "version": timer.version,
        "kind": timer.kind,
        "slot": bounded_key(timer.slot, 200),
        "episode": bounded_key(timer.episode, 200),
        "step": timer.step,
        "occurrence": timer.occurrence,
        "due_at": timer.due_at,
        "dialog_id": timer.dialog_id,
        "contact_id": timer.contact_id,
        "subject_kind": timer.about.kind,
        "subject_id": timer.about.id,
        "event_id": timer.event_id,
        "depth": timer.depth,
        "cancel_on": timer.cancel_on,
        "data": dict(timer.data),
    }
