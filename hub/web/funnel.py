"""The funnel tab: how far interests came, every bar with the list behind it, and a table twin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store.funnel import FunnelQuery, funnel
from crm_store.pipelines import my_pipelines
from crm_store.viewer import Reader
from hub.ids import Micros, PipelineId, UserId
from hub.properties import DAY
from hub.records.interests import Funnel
from hub.web.filter_bar import written
from hub.web.objects import _, colleagues, page

PERIODS = {
    "30": _("last 30 days"),
    "90": _("last 90 days"),
    "365": _("last year"),
    "all": _("all time"),
}


def _day(given: str) -> int:
    try:
        at = datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return 0
    return max(0, (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


def _period(request: Request, now: int) -> tuple[int, int]:
    """Give from when to when: two days of the address, else one of the periods."""
    params = request.query_params
    since, until = _day(params.get("since", "")), _day(params.get("until", ""))
    if since or until:
        return since, until + DAY if until else 0
    period = params.get("period", "90")
    days = int(period) if period in PERIODS and period != "all" else 0
    return (now - days * DAY if days else 0), 0


def _query(request: Request, line: int, since: int, until: int) -> FunnelQuery:
    params = request.query_params
    owner = params.get("owner", "")
    return FunnelQuery(
        pipeline_id=PipelineId(line),
        since=Micros(since),
        until=Micros(until),
        owner_id=UserId(int(owner)) if owner.isascii() and owner.isdecimal() else UserId(0),
        source=params.get("source", "")[:200],
    )


def _list_of(query: FunnelQuery, *more: dict[str, object]) -> str:
    """Give the address of the list behind a number."""
    parts: list[dict[str, object]] = [
        {"field": "interest.pipeline", "operator": "equals", "value": str(query.pipeline_id)}
    ]
    created = "interest.created_at"
    if query.since:
        # The bar begins at this instant, and "after" leaves it out.
        at = _written(query.since - 1)
        parts.append({"field": created, "operator": "greater", "value": at})
    if query.until:
        parts.append({"field": created, "operator": "less", "value": _written(query.until)})
    if query.owner_id:
        parts.append(
            {"field": "interest.owner", "operator": "equals", "value": str(query.owner_id)}
        )
    if query.source:
        parts.append({"field": "interest.source", "operator": "equals", "value": query.source})
    found = {"view": "all", "filter": written({"all": [*parts, *more]})}
    return f"/interests/list?{urlencode(found)}"


def _written(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()


async def show(request: Request) -> Response:
    """Show the funnel of a pipeline, cut as the address says."""
    params = request.query_params
    now = int(request.state.hub.now())
    since, until = _period(request, now)

    def load(reader: Reader) -> dict[str, Any]:
        reader.viewer.need("interests.view")
        known = my_pipelines(reader)
        line = next((one for one in known if str(one.id) == params.get("pipeline", "")), None)
        line = line or (known[0] if known else None)
        found: Funnel | None = None
        before: Funnel | None = None
        if line is not None:
            found = funnel(reader, _query(request, line.id, since, until))
            if params.get("compare") and since:
                length = (until or now) - since
                before = funnel(reader, _query(request, line.id, max(1, since - length), since))
        return {
            "pipelines": known,
            "line": line,
            "found": found,
            "before": before,
            **colleagues(reader),
        }

    values = await request.state.hub.read(load)
    line = values["line"]
    query = _query(request, line.id if line else 0, since, until)

    def reached(name: str) -> str:
        return _list_of(query, {"field": "interest.reached", "operator": "contains", "value": name})

    def closed(status: str) -> str:
        return _list_of(query, {"field": "interest.status", "operator": "in", "value": [status]})

    return page(
        request,
        "funnel",
        section="interests",
        periods=PERIODS,
        period="" if params.get("since") or params.get("until") else params.get("period", "90"),
        query=query,
        reached=reached,
        closed=closed,
        **values,
    )


def routes() -> list[BaseRoute]:
    """Give the route of the funnel."""
    return [Route("/interests/funnel", show, methods=["GET"])]
