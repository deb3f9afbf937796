"""Repeating tasks: when the next one is due, on the executor's wall clock. Pure."""

from __future__ import annotations

import calendar as months
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.calendars import Calendar
from hub.ids import Micros

NEVER = "never"
RULES = ("daily", "workdays", "weekly", "monthly", "yearly")
MOST_STEPS = 4000


def next_due(
    due_at: Micros, rule: str, zone: str, work: Calendar, now: Micros, day: int = 0
) -> Micros:
    """Give the first instant of the rule after both the last one and now.

    The hour on the wall stays, over the change of summer time too; the 31st of a month that has
    none is its last day, and the next month it is the 31st again: `day` says which one was meant.
    """
    if rule not in RULES:
        raise ValueError(f"a task repeats by one of: {', '.join(RULES)}")
    where = ZoneInfo(zone)
    first = datetime.fromtimestamp(due_at / 1_000_000, UTC).astimezone(where)
    for step in range(1, MOST_STEPS):
        moment = _moved(first, rule, step, day)
        at = Micros(int(moment.timestamp()) * 1_000_000 + first.microsecond)
        if rule == "workdays" and not work.hours(moment.date()):
            continue
        if at > now and at > due_at:
            return at
    raise ValueError("the next repeat is too far away")


def meant_day(due_at: Micros, zone: str, day: int) -> int:
    """Give the day of the month that a date means: a later one where its month was too short."""
    on = datetime.fromtimestamp(due_at / 1_000_000, UTC).astimezone(ZoneInfo(zone))
    is_last = on.day == months.monthrange(on.year, on.month)[1]
    return day if is_last and day > on.day else on.day


def _moved(first: datetime, rule: str, step: int, day: int) -> datetime:
    match rule:
        case "daily" | "workdays":
            return first + timedelta(days=step)
        case "weekly":
            return first + timedelta(weeks=step)
        case "monthly":
            month = first.month - 1 + step
            return _in_month(first, first.year + month // 12, month % 12 + 1, day)
    return _in_month(first, first.year + step, first.month, day)


def _in_month(first: datetime, year: int, month: int, day: int) -> datetime:
    last = months.monthrange(year, month)[1]
    return first.replace(year=year, month=month, day=min(day or first.day, last))
