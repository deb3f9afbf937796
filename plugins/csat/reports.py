"""The numbers: how many were asked, how many answered, and the mean mark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import case, func, select

from hub import Hub
from plugins.csat.tables import asks

WEEKS = 12
WEEK_US = 7 * 86_400_000_000
# The first Monday of the epoch: weeks are counted from there.
MONDAY_US = 4 * 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The marks of one week, colleague and channel."""

    week: str
    user_id: int
    channel: str
    asked: int
    rated: int
    total: int

    @property
    def mean(self) -> float:
        """The mean mark, 0 where nobody answered."""
        return round(self.total / self.rated, 2) if self.rated else 0.0


async def report(hub: Hub) -> list[Line]:
    """Give the lines of the last twelve weeks, the newest first."""
    week = ((asks.c.asked_at - MONDAY_US) // WEEK_US).label("week")
    rows = await hub.store.all(
        select(
            week,
            asks.c.user_id,
            asks.c.channel,
            func.count().label("asked"),
            func.sum(case((asks.c.mark > 0, 1), else_=0)).label("rated"),
            func.sum(asks.c.mark).label("total"),
        )
        .where(asks.c.asked_at > hub.now() - WEEKS * WEEK_US)
        .group_by(week, asks.c.user_id, asks.c.channel)
    )
    lines = [
        Line(
            week=_monday(int(row["week"])),
            user_id=row["user_id"],
            channel=row["channel"],
            asked=row["asked"],
            rated=int(row["rated"]),
            total=int(row["total"]),
        )
        for row in rows
    ]
    return sorted(lines, key=lambda one: (one.week, one.total), reverse=True)


def _monday(week: int) -> str:
    start = datetime.fromtimestamp(MONDAY_US / 1_000_000, UTC) + timedelta(weeks=week)
    return start.date().isoformat()
