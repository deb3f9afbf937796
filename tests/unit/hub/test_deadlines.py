"""Clocks of promises: warned once, missed once, paused, met, taken back; repeats of tasks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.calendars import HOUR, MINUTE, OFFICE_WEEK, calendar_from
from hub.deadlines import (
    FAILED,
    MET,
    MISSED,
    NEAR,
    PAUSED,
    Clock,
    begin,
    by_hand,
    meet,
    pause,
    reopen,
    resume,
    solve,
    tick,
    unmeet,
)
from hub.ids import Micros
from hub.repeats import meant_day, next_due

OFFICE = calendar_from("Europe/Moscow", OFFICE_WEEK, {})
MOSCOW = ZoneInfo("Europe/Moscow")


def at(text: str, zone: ZoneInfo = MOSCOW) -> Micros:
    return Micros(int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000)


def told(clock: Clock, *moments: str) -> list[str]:
    found = []
    for one in moments:
        clock, now = tick(clock, at(one))
        found += [f"{one} {what}" for what in now]
    return found


FRIDAY = "2026-03-06 16:00"


def test_a_promise_warns_once_and_is_missed_once_over_a_weekend() -> None:
    clock = begin(OFFICE, 4 * HOUR, 30 * MINUTE, at(FRIDAY))
    assert clock.due_at == at("2026-03-09 11:00")
    moments = ["2026-03-07 12:00", "2026-03-09 10:29", "2026-03-09 10:30", "2026-03-09 10:45"]
    assert told(clock, *moments, "2026-03-09 11:00", "2026-03-09 18:00") == [
        "2026-03-09 10:30 near",
        "2026-03-09 11:00 missed",
    ]
    # Whoever looks only after the end tells only the end.
    assert told(clock, "2026-03-10 11:00", "2026-03-11 11:00") == ["2026-03-10 11:00 missed"]


def test_a_pause_keeps_what_was_used_and_warns_nobody_twice() -> None:
    clock = begin(OFFICE, 4 * HOUR, 3 * HOUR, at("2026-03-02 10:00"))
    clock, _ = tick(clock, at("2026-03-02 11:00"))
    assert clock.state == NEAR
    paused = pause(clock, OFFICE, at("2026-03-02 12:00"))
    assert (paused.state, paused.used_us, paused.watch_at) == (PAUSED, 2 * HOUR, 0)
    assert told(paused, "2026-03-09 12:00") == []
    again = resume(paused, OFFICE, at("2026-03-05 17:00"))
    assert (again.state, again.due_at) == (NEAR, at("2026-03-06 10:00"))
    assert told(again, "2026-03-05 17:30", "2026-03-06 10:00") == ["2026-03-06 10:00 missed"]


def test_met_in_time_too_late_and_taken_back() -> None:
    clock = begin(OFFICE, 2 * HOUR, 0, at("2026-03-02 10:00"))
    early = meet(clock, at("2026-03-02 11:00"))
    assert (early.state, early.was_missed, early.watch_at) == (MET, False, 0)
    assert meet(early, at("2026-03-03 11:00")) == early
    back = unmeet(early)
    assert (back.state, back.due_at) == (clock.state, clock.due_at)
    missed, _ = tick(clock, at("2026-03-02 12:00"))
    assert missed.state == MISSED
    late = meet(missed, at("2026-03-02 13:00"))
    assert (late.state, late.was_missed) == (FAILED, True)
    assert unmeet(late) == missed


def test_work_that_begins_again_has_the_time_that_was_left() -> None:
    clock = begin(OFFICE, 9 * HOUR, 0, at("2026-03-02 09:00"))
    done = solve(clock, OFFICE, at("2026-03-02 12:00"))
    assert (done.state, done.used_us) == (MET, 3 * HOUR)
    again = reopen(done, OFFICE, at("2026-03-10 09:00"))
    assert again.due_at == at("2026-03-10 15:00")
    moved = by_hand(again, OFFICE, at("2026-03-12 12:00"), at("2026-03-10 09:00"))
    assert (moved.due_at, moved.state) == (at("2026-03-12 12:00"), "running")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.booleans()), max_size=12), st.integers(1, 40))
def test_only_time_that_is_not_paused_is_used(steps: list[tuple[int, bool]], hours: int) -> None:
    """However often it stands: it is missed when its norm of running working time is over."""
    now = at("2026-03-02 09:00")
    clock = begin(OFFICE, hours * HOUR, 0, now)
    used, running, missed = 0, True, 0
    for minutes, wish in steps:
        later = Micros(now + minutes * MINUTE)
        used += OFFICE.working_between(now, later) if running else 0
        now = later
        clock, what = tick(clock, now)
        missed += what.count(MISSED)
        if wish is not running:
            clock = resume(clock, OFFICE, now) if wish else pause(clock, OFFICE, now)
            running = wish
        assert (missed == 1) is (used >= hours * HOUR)
        if missed:
            break


@pytest.mark.parametrize(
    ("due", "rule", "now", "expected"),
    [
        ("2026-03-02 15:00", "daily", "2026-03-02 16:00", "2026-03-03 15:00"),
        ("2026-03-02 15:00", "daily", "2026-03-05 16:00", "2026-03-06 15:00"),
        ("2026-03-06 15:00", "workdays", "2026-03-06 16:00", "2026-03-09 15:00"),
        ("2026-03-02 15:00", "weekly", "2026-03-02 10:00", "2026-03-09 15:00"),
        ("2026-01-31 15:00", "monthly", "2026-01-31 16:00", "2026-02-28 15:00"),
        ("2026-01-31 15:00", "monthly", "2026-02-28 16:00", "2026-03-31 15:00"),
        ("2024-02-29 15:00", "yearly", "2024-03-01 16:00", "2025-02-28 15:00"),
    ],
)
def test_a_repeat_keeps_its_hour_and_its_day(due: str, rule: str, now: str, expected: str) -> None:
    assert next_due(at(due), rule, "Europe/Moscow", OFFICE, at(now)) == at(expected)


def test_a_repeat_remembers_the_day_that_a_short_month_has_not() -> None:
    zone = "Europe/Moscow"
    short = at("2026-02-28 15:00")
    day = meant_day(short, zone, 31)
    assert next_due(short, "monthly", zone, OFFICE, short, day) == at("2026-03-31 15:00")
    # Somebody has put it to another day: that one is meant from now on.
    moved = at("2026-02-20 15:00")
    day = meant_day(moved, zone, 31)
    assert next_due(moved, "monthly", zone, OFFICE, moved, day) == at("2026-03-20 15:00")


def test_a_repeat_keeps_its_hour_over_summer_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = next_due(
        at("2026-03-28 09:00", berlin),
        "daily",
        "Europe/Berlin",
        OFFICE,
        at("2026-03-28 10:00", berlin),
    )
    moment = datetime.fromtimestamp(found / 1_000_000, UTC).astimezone(berlin)
    assert moment.strftime("%d %H:%M") == "29 09:00"
