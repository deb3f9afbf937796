"""The audit: who changed what and when, on every object, in sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from crm_store import users as user_reads
from crm_store.audit import AuditQuery, kinds_of
from crm_store.viewer import Reader
from hub.ids import NEVER, Micros
from hub.list_words import ListWords
from hub.web.audit_words import SUBJECTS, as_csv, lines
from hub.web.settings.common import hub_of, needs, number, runtime_of, say, show

PATH = "/settings/audit"
PER_PAGE = 50
HREFS = {"dialog": "/inbox/", "contact": "/contacts/"}


def _day(text: str, zone: ZoneInfo, days: int = 0) -> Micros:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone) + timedelta(days=days)
        return Micros(int(day.astimezone(UTC).timestamp() * 1_000_000))
    except (ValueError, OverflowError):
        return NEVER


@needs("audit.view")
async def audit(request: Request) -> Response:
    """Show who changed what, the newest first, or give it as a file."""
    runtime, hub = runtime_of(request), hub_of(request)
    params = request.query_params
    given = {
        name: params.get(name, "")[:100]
        for name in ("user", "kind", "object", "since", "until", "automatic")
    }
    zone = ZoneInfo(request.state.user.time_zone or (await hub.brand()).time_zone or "UTC")
    query = AuditQuery(
        user_id=number(given["user"] or "0"),
        kind=given["kind"],
        object_id=number(given["object"] or "0"),
        since=_day(given["since"], zone),
        until=_day(given["until"], zone, 1),
        before=number(params.get("before", "0") or "0"),
        limit=PER_PAGE,
        automatic=given["automatic"] == "yes",
    )
    language = request.state.language
    if params.get("as") == "csv":
        return StreamingResponse(
            as_csv(
                hub,
                runtime.registry,
                query,
                language,
                ListWords(language=language, zone=request.state.zone),
            ),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )

    def load(reader: Reader) -> dict[str, Any]:
        found, following = lines(reader, runtime.registry, query, language)
        return {"lines": found, "next": following, "users": user_reads.all_users(reader)}

    kinds = {}
    for name in kinds_of(runtime.registry, list(runtime.nouns)):
        noun = runtime.nouns.get(name)
        label = noun.kind.translations.get(language, noun.kind.label) if noun else None
        kinds[name] = str(label or say(request, SUBJECTS.get(name, name)))
    kept = {name: value for name, value in given.items() if value}
    return show(
        request,
        "audit",
        "audit",
        given=given,
        kinds=sorted(kinds.items(), key=lambda one: one[1]),
        hrefs=_hrefs(request),
        address=lambda **more: f"{PATH}?{urlencode({**kept, **more})}",
        **await hub.read(load),
    )


def _hrefs(request: Request) -> dict[str, str]:
    """Give where what is told of has a page that this reader may open."""
    may = request.state.may
    found = {
        name: f"/{one.kind.path}/"
        for name, one in runtime_of(request).nouns.items()
        if one.kind.read in may
    }
    people = {"user": "/settings/users/"} if "users.manage" in may else {}
    return found | HREFS | people


def routes() -> list[BaseRoute]:
    """Give the route of the audit."""
    return [Route(PATH, audit)]
