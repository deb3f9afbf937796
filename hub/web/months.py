"""The calendar of a kind: its objects month by month, on the days that one of their instants names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm_store import objects as reads
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from crm_store.viewer import Reader
from hub.web.filter_bar import Tree, parts_of
from hub.web.objects import _, page

AT_ONCE = 200
MOST = 1_000
"""So many are shown of a month at most; beyond it the page says so."""
YEARS = range(1970, 3000)


class Line(NamedTuple):
    """One object on its day."""

    at: int
    number: int
    title: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What is particular about the calendar of a kind.

    `at` names the property by which its objects stand on a day, `shown` filters those that stand
    there at all, `looks` are the other pages of the same objects beside their list. What is a
    deadline is late when it is past; of what merely happens nothing is. `empty` is said of a month
    without any.
    """

    noun: Noun
    at: str
    section: str
    shown: Tree | None = None
    looks: tuple[str, ...] = ("calendar",)
    is_deadline: bool = True
    empty: str = _("Nothing falls into this month.")

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"/{self.noun.kind.path}/calendar"

    def route(self) -> Route:
        """Give its route."""
        return Route(self.path, self.show, methods=["GET"])

    async def show(self, request: Request) -> Response:
        """Show a month."""
        zone = ZoneInfo(request.state.zone or "UTC")
        now = request.state.hub.now()
        today = _day(now, zone)
        month = _month(request.query_params.get("month", ""), today)
        following = (month + timedelta(days=32)).replace(day=1)
        first = month - timedelta(days=month.weekday())
        last = following + timedelta(days=(7 - following.weekday()) % 7)
        mine = request.query_params.get("view") == "mine"
        lines, more = await request.state.hub.read(
            self._between, _micros(first, zone), _micros(last, zone), mine
        )
        found: dict[date, list[Line]] = {}
        for one in lines:
            found.setdefault(_day(one.at, zone), []).append(one)
        days = [first + timedelta(days=n) for n in range((last - first).days)]
        return page(
            request,
            "calendar",
            calendar=self,
            kind=self.noun.kind,
            section=self.section,
            list_path=self.path,
            month=month,
            today=today,
            mine=mine,
            before=(month - timedelta(days=1)).strftime("%Y-%m"),
            after=following.strftime("%Y-%m"),
            weeks=[days[n : n + 7] for n in range(0, len(days), 7)],
            found=found,
            most=len(lines) if more else 0,
            now=now,
        )

    def _between(
        self, reader: Reader, begins: int, ends: int, mine: bool
    ) -> tuple[list[Line], bool]:
        """Give what stands between two instants, and whether there is more than is shown."""
        kind = self.noun.kind
        asked: list[Tree] = [
            *parts_of(self.shown),
            {"field": f"{kind.name}.{self.at}", "operator": "greater", "value": begins - 1},
            {"field": f"{kind.name}.{self.at}", "operator": "less", "value": ends},
        ]
        if mine:
            owner = f"{kind.name}.{kind.owner.removesuffix('_id')}"
            asked.append({"field": owner, "operator": "equals", "value": "me"})
        numbered = any(one.name == "number" for one in kind.properties)
        names = (kind.title, self.at, *(("number",) if numbered else ()))
        lines: list[Line] = []
        before = ""
        while len(lines) < MOST:
            query = ObjectQuery(filter={"all": asked}, sort=self.at, before=before, limit=AT_ONCE)
            [part] = reads.pages(reader, self.noun, [query], names)
            lines += [_line(one, kind.title, self.at) for one in part.items]
            before = part.next
            if not before:
                break
        return lines, bool(before)


def _line(one: Any, title: str, at: str) -> Line:
    return Line(getattr(one, at), getattr(one, "number", 0), str(getattr(one, title)), one.id)


def _day(micros: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone).date()


def _month(given: str, today: date) -> date:
    try:
        month = date.fromisoformat(f"{given}-01")
    except ValueError:
        return today.replace(day=1)
    return month if month.year in YEARS else today.replace(day=1)


def _micros(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000
