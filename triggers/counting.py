"""Counting: what each rule did in an hour; what fails too often or runs wild is paused."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from crm_store.rows import insert_returning
from crm_store.sql import locked
from crm_store.tables.rules import rule_hours, rules
from crm_store.unit_of_work import UnitOfWork
from triggers.rules import HOUR_US, pause

ERRORS = 5
"""A rule that fails so often in a row is paused."""
NAMES = ("runs", "failures", "held", "misses")
ADDED = (
    "ON CONFLICT (rule_id, hour) DO UPDATE SET "
    + ", ".join(f"{name} = rule_hours.{name} + excluded.{name}" for name in NAMES)
    + " RETURNING rule_id, runs"
)


class Counts:
    """What one plan counts."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._counts: dict[int, dict[str, int]] = {}
        self._outcomes: dict[int, list[bool]] = {}
        self._limits: dict[int, int] = {}

    def add(self, rule_id: int, **more: int) -> None:
        """Count something of a rule in this hour."""
        counts = self._counts.setdefault(rule_id, {})
        for name, number in more.items():
            counts[name] = counts.get(name, 0) + number

    def ran(self, rule_id: int, *, failed: bool, habit: int) -> None:
        """Count a run; `habit` is how many an hour are too many, 0 for no such limit."""
        self.add(rule_id, runs=1, failures=int(failed))
        self._outcomes.setdefault(rule_id, []).append(failed)
        if habit:
            self._limits[rule_id] = habit

    def write(self) -> None:
        """Write the counters; pause what failed too often or runs far above its own habit."""
        uow = self._uow
        hour = uow.now // HOUR_US
        rows = [
            {"rule_id": rule_id, "hour": hour, **{name: counts.get(name, 0) for name in NAMES}}
            for rule_id, counts in sorted(self._counts.items())
            if any(counts.values())
        ]
        if not rows:
            return
        counted = insert_returning(uow.conn, rule_hours, rows, ADDED)
        if self._outcomes:
            self._judge({row.rule_id: row.runs for row in counted})

    def _judge(self, runs: Mapping[int, int]) -> None:
        uow, ids = self._uow, sorted(self._outcomes)
        columns = (rules.c.id, rules.c.name, rules.c.paused, rules.c.author_id)
        statement = select(*columns, rules.c.errors_in_row).where(rules.c.id.in_(ids))
        for row in uow.conn.execute(locked(uow.dialect, statement.order_by(rules.c.id))).all():
            errors = row.errors_in_row
            for failed in self._outcomes[row.id]:
                errors = errors + 1 if failed else 0
            if errors != row.errors_in_row:
                uow.conn.execute(
                    update(rules).where(rules.c.id == row.id).values(errors_in_row=errors)
                )
            most, number = self._limits.get(row.id, 0), runs.get(row.id, 0)
            if errors >= ERRORS:
                pause(uow, row, "errors", f"failed {errors} times in a row")
            elif most and number > most:
                pause(uow, row, "fuse", f"ran {number} times in an hour, far above its habit")
