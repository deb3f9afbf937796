"""The clocks of requests: started, met, paused, watched; each transition in one transaction.

A request's row is the lock of its clocks. What is near or missed goes on record together with the
clock's new state, so it is told exactly once, whoever looks and whenever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    delete,
    false,
    insert,
    select,
)

from crm_store import calendars, object_writes, sla
from crm_store.notices import tell
from crm_store.nouns import NOUNS
from crm_store.tables.dialogs import messages
from crm_store.tables.objects import dialog_links
from crm_store.tables.requests import request_clocks
from crm_store.tables.users import team_members
from crm_store.unit_of_work import UnitOfWork
from hub.calendars import MINUTE, Calendar
from hub.deadlines import (
    FIRST,
    GOALS,
    MISSED,
    NEXT,
    SOLUTION,
    Clock,
    begin,
    by_hand,
    meet,
    pause,
    renorm,
    reopen,
    resume,
    solve,
    tick,
    unmeet,
)
from hub.events import (
    RequestDeadlineMet,
    RequestDeadlineMissed,
    RequestDeadlineNear,
    RequestStatusChanged,
)
from hub.ids import DialogId, MessageId, Micros, RequestId
from hub.objects import Ref
from hub.records.requests import SlaPolicy

REQUEST = NOUNS["request"]
OVER = ("solved", "closed")
BY_STARTING = 1
"""Stands for the answer where there is no dialog: work was begun."""
_DUES = {FIRST: "first_response_due", NEXT: "next_response_due", SOLUTION: "solution_due"}


class Clocks:
    """The clocks of one locked request while a command works on them."""

    def __init__(self, uow: UnitOfWork, row: Any, policy: SlaPolicy | None) -> None:
        self._uow, self.row, self.policy = uow, row, policy
        self.answers: dict[str, int] = {}
        self.clocks: dict[str, Clock] = {}
        self._calendar: Calendar | None = None
        self._told: list[tuple[str, str]] = []
        self._met: list[tuple[str, bool]] = []

    @classmethod
    def of(cls, uow: UnitOfWork, row: Any) -> Clocks:
        """Read the clocks of a locked request."""
        found = cls(uow, row, sla.by_id(uow, row.policy_id) if row.policy_id else None)
        for one in uow.conn.execute(
            select(request_clocks).where(request_clocks.c.request_id == row.id)
        ):
            found.answers[one.goal] = one.message_id
            found.clocks[one.goal] = Clock(
                norm_us=one.norm_us,
                warn_us=one.warn_us,
                used_us=one.used_us,
                started_at=Micros(one.started_at),
                near_at=Micros(one.near_at),
                due_at=Micros(one.due_at),
                state=one.state,
                before=one.before,
                set_by_hand=one.set_by_hand,
            )
        return found

    @property
    def calendar(self) -> Calendar:
        """The working time that counts."""
        if self._calendar is None:
            chosen = self.policy.calendar_id if self.policy else 0
            self._calendar = calendars.working(self._uow.conn, chosen)
        return self._calendar

    def is_open(self, goal: str) -> bool:
        """Say whether a promise is still to be kept."""
        return goal in self.clocks and self.clocks[goal].is_open

    def start(self, goal: str, at: int) -> None:
        """Begin a promise, where the policy makes it."""
        norm, warn = self._norms(goal)
        if norm:
            self.clocks[goal] = begin(self.calendar, norm, warn, Micros(at))
            self.answers[goal] = 0

    def _norms(self, goal: str) -> tuple[int, int]:
        """Give how long a promise of the policy lasts, and how long before its end it warns."""
        if self.policy is None:
            return 0, 0
        minutes = getattr(self.policy, f"{goal}_minutes")
        return minutes * MINUTE, min(self.policy.warn_minutes, minutes) * MINUTE

    def pass_time(self) -> None:
        """Let the time until now pass, before anything else happens."""
        for goal, clock in self.clocks.items():
            self.clocks[goal], told = tick(clock, self._uow.now)
            self._told += [(goal, one) for one in told]

    def meet(self, goal: str, message_id: int = 0) -> bool:
        """Say that a promise was kept; False where none was open."""
        if not self.is_open(goal):
            return False
        clock = self.clocks[goal]
        done = (
            solve(clock, self.calendar, self._uow.now)
            if goal == SOLUTION
            else meet(clock, self._uow.now)
        )
        self.clocks[goal], self.answers[goal] = done, message_id
        self._met.append((goal, done.was_missed))
        return True

    def move(self, before: str, after: str) -> None:
        """Follow the request from one status to another."""
        now, pauses = self._uow.now, self.policy.pause_statuses if self.policy else ()
        if after in OVER:
            for goal in GOALS:
                self.meet(goal)
            return
        solution = self.clocks.get(SOLUTION)
        if solution is None:
            return
        if before in OVER:
            solution = reopen(solution, self.calendar, now)
        if after in pauses:
            solution = pause(solution, self.calendar, now)
        elif before in pauses:
            solution = resume(solution, self.calendar, now)
        self.clocks[SOLUTION] = solution

    def set_solution(self, due_at: int) -> None:
        """Give the solution another end, by hand; 0 takes the promise away."""
        if not due_at:
            self.clocks.pop(SOLUTION, None)
            return
        clock = self.clocks.get(SOLUTION)
        if clock is None:
            warn = self.policy.warn_minutes * MINUTE if self.policy else 0
            clock = Clock(norm_us=0, warn_us=warn)
        self.clocks[SOLUTION] = by_hand(clock, self.calendar, Micros(due_at), self._uow.now)

    def replace_policy(self, policy: SlaPolicy | None) -> None:
        """Another policy applies: open promises count by it, from where they began.

        What was used before a pause stays used, and an end that a person has set stays.
        """
        if policy == self.policy:
            return
        self.policy, self._calendar = policy, None
        for goal in GOALS:
            self._follow_policy(goal)
        if solution := self.clocks.get(SOLUTION):
            turn = pause if policy and self.row.status in policy.pause_statuses else resume
            self.clocks[SOLUTION] = turn(solution, self.calendar, self._uow.now)
        self.pass_time()

    def _follow_policy(self, goal: str) -> None:
        clock = self.clocks.get(goal)
        if clock is None:
            answered = goal == NEXT or (goal == FIRST and self.row.first_responded_at)
            if not answered and self.row.status not in OVER:
                self.start(goal, self.row.created_at)
        elif clock.is_open and not clock.set_by_hand:
            norm, warn = self._norms(goal)
            if norm:
                self.clocks[goal] = renorm(clock, self.calendar, norm, warn)
            else:
                del self.clocks[goal]

    def take_back(self, message_id: int) -> bool:
        """An answer was taken back: what it met is open again, unless there is another answer.

        The other answer may stand in any dialog of the request.
        """
        found = [goal for goal, one in self.answers.items() if one == message_id]
        theirs = select(dialog_links.c.dialog_id).where(
            dialog_links.c.kind == "request", dialog_links.c.object_id == self.row.id
        )
        for goal in found:
            clock = unmeet(self.clocks[goal])
            other = self._uow.conn.execute(
                select(messages.c.id, messages.c.received_at)
                .where(
                    messages.c.dialog_id.in_(theirs),
                    messages.c.direction == "out",
                    messages.c.automated == false(),
                    messages.c.deleted_at == 0,
                    messages.c.id != message_id,
                    messages.c.received_at >= clock.started_at,
                )
                .order_by(messages.c.received_at)
                .limit(1)
            ).first()
            self.answers[goal] = other.id if other else 0
            self.clocks[goal] = meet(clock, Micros(other.received_at)) if other else clock
        return bool(found)

    def unmeet_answers(self) -> None:
        """What only closing has ended is open again."""
        for goal in (FIRST, NEXT):
            if goal in self.clocks and not self.answers.get(goal):
                self.clocks[goal] = unmeet(self.clocks[goal])

    def columns(self) -> dict[str, object]:
        """Give what the request's own row shows of its clocks."""
        dues = [one.due_at for one in self.clocks.values() if one.is_open and one.due_at]
        shown: dict[str, object] = {
            name: self.clocks[goal].due_at
            if goal in self.clocks and (goal != NEXT or self.is_open(goal))
            else Micros(0)
            for goal, name in _DUES.items()
        }
        return {
            **shown,
            "due_at": min(dues, default=Micros(0)),
            "overdue": any(one.state == MISSED for one in self.clocks.values()),
            "policy_id": self.policy.id if self.policy else 0,
        }

    def write(self) -> None:
        """Write the clocks, and put on record what is near, missed and met."""
        number = self.row.id
        self._uow.conn.execute(delete(request_clocks).where(request_clocks.c.request_id == number))
        quiet = bool(self.row.deleted_at)
        rows = [
            {
                "request_id": number,
                "goal": goal,
                "state": one.state,
                "before": one.before,
                "norm_us": one.norm_us,
                "warn_us": one.warn_us,
                "used_us": one.used_us,
                "set_by_hand": one.set_by_hand,
                "started_at": one.started_at,
                "near_at": one.near_at,
                "due_at": one.due_at,
                "watch_at": 0 if quiet else one.watch_at,
                "message_id": self.answers.get(goal, 0),
            }
            for goal, one in self.clocks.items()
        ]
        if rows:
            self._uow.conn.execute(insert(request_clocks), rows)
        self._tell()

    def _tell(self) -> None:
        request_id = RequestId(self.row.id)
        dialog_id = _newest_dialog(self._uow, request_id) if self._told else DialogId(0)
        for goal, what in self._told:
            due_at = self.clocks[goal].due_at
            kind = RequestDeadlineMissed if what == MISSED else RequestDeadlineNear
            self._uow.record(
                kind(request_id=request_id, goal=goal, due_at=due_at, dialog_id=dialog_id)
            )
            tell(
                self._uow,
                self._listeners(escalate=what == MISSED),
                f"request.deadline_{what}",
                Ref(kind="request", id=request_id),
                dialog_id=dialog_id,
                key=f"{what}:{request_id}:{goal}:{due_at}",
            )
        for goal, late in self._met:
            answer = self.answers.get(goal, 0)
            self._uow.record(
                RequestDeadlineMet(
                    request_id=request_id,
                    goal=goal,
                    late=late,
                    message_id=MessageId(answer if answer != BY_STARTING else 0),
                )
            )
        self._told, self._met = [], []

    def _listeners(self, *, escalate: bool) -> list[int]:
        found = [self.row.owner_id] if self.row.owner_id else []
        if not found and self.row.team_id:
            found = list(
                self._uow.conn.execute(
                    select(team_members.c.user_id).where(team_members.c.team_id == self.row.team_id)
                ).scalars()
            )
        if escalate and self.policy and self.policy.escalate_to:
            found.append(self.policy.escalate_to)
        return found

    def save(self, **more: object) -> int:
        """Write everything: the clocks, and the row with what else changed; gives the version."""
        self.write()
        return object_writes.change(self._uow, REQUEST, self.row, {**self.columns(), **more})


def _newest_dialog(uow: UnitOfWork, request_id: int) -> DialogId:
    """Give the dialog that a request was linked to last, 0 for none."""
    found = uow.conn.execute(
        select(dialog_links.c.dialog_id)
        .where(dialog_links.c.kind == "request", dialog_links.c.object_id == request_id)
        .order_by(dialog_links.c.created_at.desc())
        .limit(1)
    ).scalar()
    return DialogId(found or 0)


def status_values(uow: UnitOfWork, row: Any, status: str, reason: str = "") -> dict[str, object]:
    """Give what the row of a request says in another status, and put the move on record."""
    values: dict[str, object] = {"status": status, "pause_reason": reason}
    if row.paused_at:
        values["paused_us"] = row.paused_us + max(0, uow.now - row.paused_at)
        values["paused_at"] = Micros(0)
    if status in ("waiting", "on_hold"):
        values["paused_at"] = uow.now
    values["solved_at"] = (row.solved_at or uow.now) if status in OVER else Micros(0)
    values["closed_at"] = uow.now if status == "closed" else Micros(0)
    uow.record(RequestStatusChanged(request_id=RequestId(row.id), before=row.status, after=status))
    return values
