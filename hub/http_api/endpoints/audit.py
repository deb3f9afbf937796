"""The audit: who changed what and when, on every object."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from crm_store.audit import AuditQuery
from hub.http_api import rights
from hub.http_api.caller import runtime_of
from hub.http_api.shapes import audit as s
from hub.ids import NEVER
from hub.shapes import GivenId, GivenInstant, Listing
from hub.web.audit_words import as_csv, lines

router = rights.router("Audit")

CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "Every line, as CSV.",
    }
}
Who = Annotated[GivenId | None, Query(description="Only this colleague's acts.")]
What = Annotated[str, Query(max_length=100, description="client, lead, contact, user ...")]
Which = Annotated[GivenId | None, Query(description="Only this object of that kind.")]
Since = Annotated[GivenInstant | None, Query(description="From here on.")]
Until = Annotated[GivenInstant | None, Query(description="Before this.")]
Automatic = Annotated[bool, Query(description="What rules, plugins and the hub did too.")]


def _query(
    user_id: Who = None,
    kind: What = "",
    object_id: Which = None,
    since: Since = None,
    until: Until = None,
    automatic: Automatic = False,
) -> AuditQuery:
    return AuditQuery(
        user_id=user_id or 0,
        kind=kind,
        object_id=object_id or 0,
        since=since or NEVER,
        until=until or NEVER,
        automatic=automatic,
    )


@router.get("/audit", summary="Who changed what")
async def page(
    request: Request,
    caller: rights.MayAudit,
    user_id: Who = None,
    kind: What = "",
    object_id: Which = None,
    since: Since = None,
    until: Until = None,
    automatic: Automatic = False,
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.AuditLine]:
    """Give acts, the newest first; what the caller may not see is left out."""
    asked = _query(user_id, kind, object_id, since, until, automatic)
    query = replace(asked, before=before or 0, limit=limit)
    found, following = await caller.hub.read(lines, runtime_of(request).registry, query, "en")
    return Listing[s.AuditLine](
        items=[s.AuditLine.model_validate(one) for one in found],
        next=str(following) if following else "",
    )


@router.get("/audit/export", summary="Export the audit", response_class=Response, responses=CSV)
async def export(
    request: Request,
    caller: rights.MayAudit,
    user_id: Who = None,
    kind: What = "",
    object_id: Which = None,
    since: Since = None,
    until: Until = None,
    automatic: Automatic = False,
) -> StreamingResponse:
    """Give every act that the list would show on all its pages."""
    query = _query(user_id, kind, object_id, since, until, automatic)
    return StreamingResponse(
        as_csv(caller.hub, runtime_of(request).registry, query, "en"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )
