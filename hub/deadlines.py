"""Deadlines: one clock per promise, counted in working time; pure, so that a test can turn it.

A clock runs from an instant until its norm of working time is used up. It may be paused (what was
used stays used), it warns once before the end, it is missed once, and it is met by what it waits
for. An answer that was taken back gives the clock its former state again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.calendars import Calendar
from hub.ids import Micros

FIRST, NEXT, SOLUTION = "first", "next", "solution"
GOALS = (FIRST, NEXT, SOLUTION)

RUNNING, NEAR, MISSED, MET, FAILED, PAUSED = (
    "running",
    "near",
    "missed",
    "met",
    "failed",
    "paused",
)
_COUNTS = (RUNNING, NEAR)
_NONE = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One promise. Amounts are microseconds of working time, 0 instants are "not set".

    `before` is the state that a meeting or a pause replaced. `watch_at` is when it must be looked
    at next. `set_by_hand` is true where a person gave its end: no policy moves it.
    """

    norm_us: int
    warn_us: int = 0
    used_us: int = 0
    started_at: Micros = _NONE
    near_at: Micros = _NONE
    due_at: Micros = _NONE
    state: str = RUNNING
    before: str = ""
    set_by_hand: bool = False

    @property
    def watch_at(self) -> Micros:
        """When something happens to this clock by itself, 0 for never."""
        if self.state == RUNNING:
            return self.near_at or self.due_at
        return self.due_at if self.state == NEAR else _NONE

    @property
    def is_open(self) -> bool:
        """True while what it waits for has not happened."""
        return self.state in (RUNNING, NEAR, MISSED, PAUSED)

    @property
    def was_missed(self) -> bool:
        """True where the promise was broken, whatever came later."""
        return MISSED in (self.state, self.before) or self.state == FAILED


def begin(calendar: Calendar, norm_us: int, warn_us: int, at: Micros) -> Clock:
    """Start a promise."""
    return _wound(calendar, Clock(norm_us=norm_us, warn_us=warn_us), at)


def _wound(calendar: Calendar, clock: Clock, at: Micros) -> Clock:
    """Set the ends of a clock that begins to run again at an instant."""
    left = max(0, clock.norm_us - clock.used_us)
    due = calendar.add_working(at, left)
    early = left - clock.warn_us
    near = calendar.add_working(at, early) if clock.warn_us and early > 0 else _NONE
    if clock.warn_us and early <= 0:
        near = at
    return replace(clock, started_at=at, due_at=due, near_at=near)


def by_hand(clock: Clock, calendar: Calendar, due_at: Micros, at: Micros) -> Clock:
    """Give a promise another end: what was missed may be kept again."""
    left = calendar.working_between(at, due_at)
    near = calendar.add_working(at, left - clock.warn_us) if left > clock.warn_us > 0 else at
    return replace(
        clock,
        norm_us=left,
        used_us=0,
        started_at=at,
        due_at=due_at,
        near_at=near if clock.warn_us else _NONE,
        state=RUNNING,
        before="",
        set_by_hand=True,
    )


def renorm(clock: Clock, calendar: Calendar, norm_us: int, warn_us: int) -> Clock:
    """Count an open promise by another norm: what was used stays used, a pause stays a pause."""
    fresh = replace(clock, norm_us=norm_us, warn_us=warn_us)
    if clock.state == PAUSED:
        return replace(fresh, before=RUNNING)
    return _wound(calendar, replace(fresh, state=RUNNING, before=""), clock.started_at)


def pause(clock: Clock, calendar: Calendar, at: Micros) -> Clock:
    """Stop counting; a promise that is met or missed stays what it is."""
    if clock.state not in _COUNTS:
        return clock
    used = clock.used_us + calendar.working_between(clock.started_at, at)
    return replace(
        clock, state=PAUSED, before=clock.state, used_us=used, due_at=_NONE, near_at=_NONE
    )


def resume(clock: Clock, calendar: Calendar, at: Micros) -> Clock:
    """Count on; who was warned is not warned again."""
    if clock.state != PAUSED:
        return clock
    running = replace(clock, state=clock.before or RUNNING, before="")
    return _wound(calendar, running, at)


def meet(clock: Clock, at: Micros) -> Clock:
    """The awaited thing happened: in time, or too late."""
    if not clock.is_open:
        return clock
    late = clock.state == MISSED or (clock.state != PAUSED and at > clock.due_at)
    return replace(clock, state=FAILED if late else MET, before=clock.state)


def unmeet(clock: Clock) -> Clock:
    """It did not happen after all (an answer was taken back)."""
    if clock.state not in (MET, FAILED):
        return clock
    return replace(clock, state=clock.before or RUNNING, before="")


def solve(clock: Clock, calendar: Calendar, at: Micros) -> Clock:
    """The work is done; what was used is kept for the case that it begins again."""
    used = clock.used_us
    if clock.state in (*_COUNTS, MISSED):
        used += calendar.working_between(clock.started_at, at)
    return replace(meet(clock, at), used_us=used) if clock.is_open else clock


def reopen(clock: Clock, calendar: Calendar, at: Micros) -> Clock:
    """The work begins again, with the time that was left; what was missed stays missed."""
    if clock.state not in (MET, FAILED):
        return clock
    back = unmeet(clock)
    if back.state == PAUSED:
        return resume(back, calendar, at)
    return _wound(calendar, back, at) if back.state in _COUNTS else back


def tick(clock: Clock, now: Micros) -> tuple[Clock, tuple[str, ...]]:
    """Let time pass; gives the clock, and what is to be told: near, missed, both or nothing.

    Whoever looks late (after a standstill) tells only that it is missed.
    """
    if clock.state in _COUNTS and clock.due_at and now >= clock.due_at:
        return replace(clock, state=MISSED), (MISSED,)
    if clock.state == RUNNING and clock.near_at and now >= clock.near_at:
        return replace(clock, state=NEAR), (NEAR,)
    return clock, ()
