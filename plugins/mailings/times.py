"""When a mailing comes round: by the wall clock of the organisation, whatever the sun does."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from plugins.mailings.plans import US, Plan, clock_at, local_time, moment

LATE_US = 6 * 3_600 * US
"""A mailing that is later than this asks before it goes: a restored backup surprises nobody."""

EARLIEST = "Etc/GMT-14"
"""Nowhere is an hour of the clock sooner."""


def _(text: str) -> str:
    return text


def passed(plan: Plan, zone: str, now: int) -> list[tuple[str, str]]:
    """Say what of the times has passed already or means nothing, and how grave that is."""
    found = []
    if plan.local and not plan.at:
        found.append(("bad", _("The local time of each person needs a time: say when")))
    late = now - moment(plan.at, zone) if plan.at else 0
    if late > LATE_US:
        text = _("Its time has passed: choose another, or leave it empty to send at once")
        found.append(("bad", text))
    elif late > 0:
        found.append(("warn", _("Its time has just passed: it leaves at once")))
    if plan.repeat and plan.repeat_until and moment(plan.repeat_until, zone) < now:
        found.append(("warn", _("It would not come round: the end of its repeating has passed")))
    return found


def past(plan: Plan, zone: str, now: int, people: Mapping[str, int]) -> list[tuple[str, int]]:
    """Give the zones of some people where the hour of a plan has passed, those of most first.

    `zone` is the organisation's: whose own is not known get it by that one.
    """
    found = Counter[str]()
    for own, n in people.items():
        if moment(plan.at, own or zone) < now:
            found[own or zone] += n
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


def untimely(plan: Plan) -> list[str]:
    """Say where trying two wordings and the times of a plan do not go together."""
    if not plan.tests:
        return []
    found = []
    if plan.local and plan.share < 100:
        text = _("The others get the better wording when it is chosen, not at their own time")
        found.append(text)
    days = {"day": 1, "week": 7}.get(plan.repeat, 0) * max(1, plan.repeat_every)
    if days and plan.winner_hours >= days * 24:
        found.append(_("It comes round before the better wording is chosen: choose it sooner"))
    return found


def past_somewhere(plan: Plan, now: int) -> bool:
    """Say whether a plan goes by everybody's own clock and its hour has passed in the world's first zone."""
    return plan.local and bool(plan.at) and moment(plan.at, EARLIEST) < now


def wall_clock(plan: Plan, occurrence: int, begun: str = "") -> str:
    """Give the wall clock of an occurrence; the first one is what the plan says, or when it began."""
    start = local_time(plan.at or begun)
    count = occurrence * max(1, plan.repeat_every)
    if plan.repeat == "month":
        month = start.month - 1 + count
        year, month = start.year + month // 12, month % 12 + 1
        # The 31st is the last day where there is none.
        day = min(start.day, monthrange(year, month)[1])
        return start.replace(year=year, month=month, day=day).isoformat()
    days = {"day": 1, "week": 7}.get(plan.repeat, 0) * count
    return (start + timedelta(days=days)).isoformat()


def next_occurrence(plan: Plan, zone: str, now: int, done: int, begun: int = 0) -> tuple[int, int]:
    """Give the number and the instant of what comes next, (0, 0) where nothing does.

    What was missed while nobody was here is not made up for.
    """
    if plan.repeat not in ("day", "week", "month"):
        return 0, 0
    number, began = done, clock_at(begun, zone)
    while True:
        number += 1
        text = wall_clock(plan, number, began)
        if plan.repeat_until and local_time(text) > local_time(plan.repeat_until):
            return 0, 0
        at = moment(text, zone)
        if at > now - LATE_US:
            return number, at
