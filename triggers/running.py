"""Runs: who of the planned may run, what each did, and the rows that say so."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from crm_store.rows import find_rows, insert_missing, insert_returning, insert_rows
from crm_store.sql import upsert
from crm_store.tables.rules import rule_effects, rule_marks, rule_runs, rule_timers
from crm_store.unit_of_work import UnitOfWork
from hub.commands import Command, SendMessage
from hub.events import RuleFailed, RuleFired
from hub.ids import ContactId, DialogId, RuleId, RunId, bounded_key
from hub.objects import Actor, ActorKind, Cause
from triggers.counting import Counts
from triggers.doing import NeedsCare, Steps
from triggers.plans import PlannedRun
from triggers.rules import HOUR_US
from triggers.waits import Waits

MARKED = "ON CONFLICT DO NOTHING RETURNING rule_id, mark"
KEY = ("rule_id", "cause", "step", "occurrence")
PART = 500


class Runs:
    """The runs of one plan."""

    def __init__(self, uow: UnitOfWork, counts: Counts, waits: Waits, *, careful: bool) -> None:
        self._uow = uow
        self._counts = counts
        self._waits = waits
        self._careful = careful
        self._rows: list[dict[str, Any]] = []
        self._effects: list[dict[str, Any]] = []
        self._left: deque[PlannedRun] = deque()
        self._done: dict[int, Any] = {}
        self.made: list[RunId] = []

    # -- who may run -------------------------------------------------------------------------

    def allowed(self, planned: Sequence[PlannedRun]) -> list[PlannedRun]:
        """Leave out what was carried out before, whose timer is gone, and what a guard holds.

        The engine's place is locked: nobody else writes runs meanwhile.
        """
        planned = self._not_made(self._with_timers(planned))
        found = [one for one in planned if one.error or not self._over_ceiling(one)]
        free = self._unmarked(found)
        for one in planned:
            if id(one) not in free:
                self._counts.add(one.rule_id, held=1)
        found = [one for one in planned if id(one) in free]
        self._left.extend(found)
        return found

    def _with_timers(self, planned: Sequence[PlannedRun]) -> list[PlannedRun]:
        """Take the timers of due runs away: a timer that is gone already runs nothing."""
        ids = [one.timer_id for one in planned if one.timer_id]
        gone: set[int] = set()
        for start in range(0, len(ids), PART):
            part = rule_timers.c.id.in_(ids[start : start + PART])
            statement = delete(rule_timers).where(part).returning(rule_timers.c.id)
            gone |= set(self._uow.conn.execute(statement).scalars())
        return [one for one in planned if not one.timer_id or one.timer_id in gone]

    def _not_made(self, planned: Sequence[PlannedRun]) -> list[PlannedRun]:
        keys = [{"rule_id": one.rule_id, "cause": bounded_key(one.cause, 200)} for one in planned]
        rows = find_rows(self._uow.conn, rule_runs, keys, KEY)
        made = {(row.rule_id, row.cause, row.step, row.occurrence) for row in rows}
        found = []
        for one in planned:
            key = (one.rule_id, bounded_key(one.cause, 200), one.step, one.occurrence)
            if key not in made:
                made.add(key)
                found.append(one)
        return found

    def _over_ceiling(self, planned: PlannedRun) -> bool:
        uow = self._uow
        for most, length in ((planned.most_an_hour, HOUR_US), (planned.most_a_day, 24 * HOUR_US)):
            if most:
                recent = uow.conn.execute(
                    select(rule_runs.c.id)
                    .where(
                        rule_runs.c.rule_id == planned.rule_id,
                        rule_runs.c.at > uow.now - length,
                        rule_runs.c.contact_id == planned.contact_id,
                        rule_runs.c.step == 0,
                    )
                    .limit(most)
                ).all()
                if len(recent) >= most:
                    return True
        return False

    def _unmarked(self, planned: Sequence[PlannedRun]) -> set[int]:
        """Make the marks of "once per"; gives who may run, by identity."""
        free = {id(one) for one in planned if one.error or not one.mark}
        once: dict[tuple[int, str], PlannedRun] = {}
        for one in planned:
            if id(one) in free:
                continue
            if one.mark_after:
                if self._again(one):
                    free.add(id(one))
            else:
                once.setdefault((one.rule_id, bounded_key(one.mark, 200)), one)
        if once:
            rows = [
                {"rule_id": rule_id, "mark": mark, "at": self._uow.now} for rule_id, mark in once
            ]
            for row in insert_returning(self._uow.conn, rule_marks, rows, MARKED):
                free.add(id(once[row.rule_id, row.mark]))
        return free

    def _again(self, planned: PlannedRun) -> bool:
        uow = self._uow
        statement = upsert(uow.dialect, rule_marks).values(
            rule_id=planned.rule_id, mark=bounded_key(planned.mark, 200), at=uow.now
        )
        statement = statement.on_conflict_do_update(
            index_elements=["rule_id", "mark"],
            set_={"at": uow.now},
            where=rule_marks.c.at <= uow.now - planned.mark_after,
        )
        return uow.conn.execute(statement.returning(rule_marks.c.mark)).first() is not None

    # -- running -----------------------------------------------------------------------------

    def run(self, planned: PlannedRun) -> None:
        """Carry out one run that is allowed; they come in the order of the plan."""
        uow, run_id = self._uow, RunId(self._uow.new_id())
        if not self._careful:
            self._send_ahead()
        self._left.popleft()
        inner = self._acting(planned)
        doing = Steps(inner, run_id, self._done, careful=self._careful)
        steps = [doing.do(one) for one in planned.steps]
        state = _state(planned, steps)
        self._effects += doing.effects
        self._rows.append(_row(planned, run_id, uow.now, state, steps))
        for timer in planned.timers:
            self._waits.arm(timer)
        self._record(inner, planned, run_id, steps, state)
        self.made.append(run_id)

    def _acting(self, planned: PlannedRun) -> UnitOfWork:
        """Give the transaction as a run's rule acts in it."""
        uow = self._uow
        return UnitOfWork(
            uow.tx,
            actor=Actor(kind=ActorKind.RULE, id=planned.rule_id, name=planned.rule_name),
            cause=Cause(
                kind="rule",
                id=planned.rule_id,
                event=planned.event_id,
                depth=min(planned.depth, 3),
                text=planned.rule_name,
            ),
            viewer=uow.viewer,
            carry_out=uow.carry_out,
        )

    def _send_ahead(self) -> None:
        """Carry out at once what the next runs begin with, where it is an answer to each of different
        people: nothing that comes before it in the plan can touch it."""
        carry, first = self._uow.carry_together, _first(self._left[0])
        if carry is None or first is None or id(first) in self._done:
            return
        answers: list[tuple[UnitOfWork, Command]] = []
        dialogs: set[int] = set()
        people: set[int] = set()
        for one in self._left:
            command = _first(one)
            if command is None or one.dialog_id in dialogs or one.contact_id in people:
                break
            dialogs.add(one.dialog_id)
            people.add(one.contact_id)
            answers.append((self._acting(one), command))
        if len(answers) == 1:
            return
        try:
            given = carry(answers)
        except DBAPIError:
            raise
        except Exception as error:
            raise NeedsCare(str(error)) from error
        self._done |= {
            id(command): result for (_, command), result in zip(answers, given, strict=True)
        }

    def _record(
        self,
        inner: UnitOfWork,
        planned: PlannedRun,
        run_id: RunId,
        steps: list[dict[str, str]],
        state: str,
    ) -> None:
        rule_id, failed = RuleId(planned.rule_id), state in ("failed", "partial")
        done = sum(one["state"] == "done" for one in steps)
        self._counts.ran(planned.rule_id, failed=failed, habit=planned.habit)
        if failed:
            inner.record(
                RuleFailed(
                    rule_id=rule_id,
                    run_id=run_id,
                    version=planned.version,
                    dialog_id=DialogId(planned.dialog_id),
                )
            )
        if done:
            inner.record(
                RuleFired(
                    rule_id=rule_id,
                    run_id=run_id,
                    version=planned.version,
                    dialog_id=DialogId(planned.dialog_id),
                    contact_id=ContactId(planned.contact_id),
                    done=done,
                )
            )

    def write(self) -> None:
        """Write the rows of all runs and of what they made."""
        insert_rows(self._uow.conn, rule_runs, self._rows)
        insert_missing(self._uow.conn, rule_effects, self._effects)


def _first(planned: PlannedRun) -> SendMessage | None:
    """Give the answer that a run begins with, None where it begins otherwise."""
    if planned.error or not planned.steps or planned.steps[0].state:
        return None
    commands = planned.steps[0].commands
    first = commands[0] if commands else None
    if isinstance(first, SendMessage) and first.dialog_id == planned.dialog_id:
        return first
    return None


def _row(
    planned: PlannedRun, run_id: RunId, now: int, state: str, steps: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "id": run_id,
        "rule_id": planned.rule_id,
        "version": planned.version,
        "cause": bounded_key(planned.cause, 200),
        "step": planned.step,
        "occurrence": planned.occurrence,
        "trigger": planned.trigger,
        "event_id": planned.event_id,
        "dialog_id": planned.dialog_id,
        "contact_id": planned.contact_id,
        "subject_kind": planned.about.kind,
        "subject_id": planned.about.id,
        "at": now,
        "state": state,
        "reason": planned.error[:2000],
        "why": dict(planned.why),
        "steps": steps,
    }


def _state(planned: PlannedRun, steps: list[dict[str, str]]) -> str:
    if planned.error:
        return "failed"
    states = {one["state"] for one in steps}
    if "failed" in states:
        return "partial" if "done" in states else "failed"
    for one in ("waiting", "done", "held"):
        if one in states:
            return one
    return "done"
