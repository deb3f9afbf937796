"""Leads: the list, one, and its ways to a client or to a reason why not."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from crm_store import objects as reads
from crm_store.history import changes_of
from crm_store.objects import NOUNS, ObjectQuery
from hub import commands as c
from hub import csv_lists
from hub.errors import Conflict
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import WithTag, version_of
from hub.http_api.endpoints.dialogs import MAX_FILTER, tree_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import objects as s
from hub.http_api.shapes.base import GivenId, Listing
from hub.ids import ClientId, DialogId, LeadId

router = rights.router("Leads")

LEAD = NOUNS["lead"]
LeadKey = Annotated[GivenId, Path(alias="lead_id", description="The lead.")]


async def shown(caller: Caller, lead_id: int, response: Response) -> Any:
    """Give a lead as it is now, with its version as ETag."""
    found = await caller.hub.read(reads.one, LEAD, lead_id)
    response.headers["etag"] = f'"{found.version}"'
    return s.Lead.model_validate(found)


@router.get("/leads", summary="List leads", response_model=Listing[s.Lead])
async def page(
    caller: rights.MayViewLeads,
    q: Annotated[str, Query(max_length=200, description="Parts of title, name, phone.")] = "",
    filter: Annotated[
        str, Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON.")
    ] = "",
    sort: Annotated[
        str, Query(max_length=50, description="id or created_at, with a minus for the newest first")
    ] = "",
    removed: Annotated[bool, Query(description="What is in the bin.")] = False,
    before: Annotated[str, Query(max_length=450, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """Give a page of leads, the newest first."""
    query = ObjectQuery(
        filter=tree_of(filter), text=q, sort=sort, before=before, limit=limit, removed=removed
    )
    found = await caller.hub.read(reads.page, LEAD, query)
    return Listing[s.Lead](
        items=[s.Lead.model_validate(one) for one in found.items], next=found.next
    )


@router.post("/leads", status_code=201, summary="Add a lead", response_model=s.Lead)
async def create(caller: rights.MayEditLeads, body: s.CreateLead, response: Response) -> Any:
    """Make a lead, by hand or of a dialog. An earlier lead of the same person is `repeat_of`."""
    values = body.model_dump(exclude_unset=True, exclude={"dialog_id", "unless_open"})
    made = await caller.hub.do(
        c.CreateLead(
            values=values,
            dialog_id=DialogId(body.dialog_id or 0),
            unless_open=body.unless_open,
        )
    )
    return await shown(caller, made[0], response)


@router.get(
    "/leads/export",
    summary="Export leads",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "description": "All rows, as CSV.",
        }
    },
)
async def export(
    caller: rights.MayExport,
    q: Annotated[str, Query(max_length=200, description="As in the list.")] = "",
    filter: Annotated[
        str, Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON.")
    ] = "",
    sort: Annotated[str, Query(max_length=50, description="As in the list.")] = "",
) -> StreamingResponse:
    """Give every lead that the list would show on all its pages; headings are property names."""
    query = ObjectQuery(filter=tree_of(filter), text=q, sort=sort)
    # What is wrong with the question is said before the first line.
    await caller.hub.read(reads.page, LEAD, query)
    lines = csv_lists.rows(caller.hub, LEAD, query, lambda one: one.name)
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="leads.csv"'},
    )


@router.get("/leads/{lead_id}/history", summary="What changed on it")
async def history(
    caller: rights.MayViewLeads,
    lead_id: LeadKey,
    before: Annotated[
        GivenId | None, Query(description="The last event of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.ChangeLine]:
    """Give each change with its actor and cause, the newest first; `next` goes into `before`."""
    await caller.hub.read(reads.one, LEAD, lead_id)
    found = await caller.hub.read(changes_of, LEAD, lead_id, before or 0, limit)
    full = len({one.event_id for one in found}) == limit
    return Listing[s.ChangeLine](
        items=[s.ChangeLine.model_validate(one) for one in found],
        next=str(found[-1].event_id) if full else "",
    )


@router.get("/leads/{lead_id}", summary="One lead", responses=WithTag, response_model=s.Lead)
async def one(caller: rights.MayViewLeads, lead_id: LeadKey, response: Response) -> Any:
    """Give a lead."""
    return await shown(caller, lead_id, response)


@router.patch(
    "/leads/{lead_id}",
    summary="Change a lead",
    responses=failures(409, 412),
    response_model=s.Lead,
)
async def change(
    caller: rights.MayEditLeads,
    lead_id: LeadKey,
    body: s.ChangeLead,
    response: Response,
    if_match: Annotated[
        str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
    ] = "",
) -> Any:
    """Change properties; with `If-Match` nobody's change is overwritten unseen."""
    values = body.model_dump(exclude_unset=True)
    try:
        await caller.hub.do(
            c.ChangeLead(lead_id=LeadId(lead_id), values=values, version=version_of(if_match))
        )
    except Conflict as error:
        if error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise
    return await shown(caller, lead_id, response)


@router.post(
    "/leads/{lead_id}/take", summary="Take", responses=failures(409), response_model=s.Lead
)
async def take(caller: rights.MayEditLeads, lead_id: LeadKey, response: Response) -> Any:
    """Begin to work on a lead; it becomes yours unless somebody has it."""
    await caller.hub.do(c.TakeLead(lead_id=LeadId(lead_id)))
    return await shown(caller, lead_id, response)


@router.post(
    "/leads/{lead_id}/reject", summary="Reject", responses=failures(409), response_model=s.Lead
)
async def reject(
    caller: rights.MayEditLeads, lead_id: LeadKey, body: s.RejectLead, response: Response
) -> Any:
    """Close a lead with a reason."""
    await caller.hub.do(c.RejectLead(lead_id=LeadId(lead_id), reason=body.reason))
    return await shown(caller, lead_id, response)


@router.post(
    "/leads/{lead_id}/reopen", summary="Reopen", responses=failures(409), response_model=s.Lead
)
async def reopen(caller: rights.MayEditLeads, lead_id: LeadKey, response: Response) -> Any:
    """Take a rejected lead into work again."""
    await caller.hub.do(c.ReopenLead(lead_id=LeadId(lead_id)))
    return await shown(caller, lead_id, response)


@router.post(
    "/leads/{lead_id}/convert", summary="Convert", responses=failures(409), response_model=s.Lead
)
async def convert(
    caller: rights.MayEditLeads, lead_id: LeadKey, body: s.ConvertLead, response: Response
) -> Any:
    """Make a client of a lead; its person becomes a contact person of the client."""
    await caller.hub.do(
        c.ConvertLead(
            lead_id=LeadId(lead_id),
            client_id=ClientId(body.client_id or 0),
            name=body.name,
            organisation=body.organisation,
        )
    )
    return await shown(caller, lead_id, response)


@router.delete(
    "/leads/{lead_id}/conversion",
    summary="Undo the conversion",
    responses=failures(409),
    response_model=s.Lead,
)
async def undo(caller: rights.MayEditLeads, lead_id: LeadKey, response: Response) -> Any:
    """Take a conversion back; 409 `worked_on` where the new client was changed since."""
    await caller.hub.do(c.UndoConversion(lead_id=LeadId(lead_id)))
    return await shown(caller, lead_id, response)


@router.delete("/leads/{lead_id}", status_code=204, summary="Remove a lead")
async def remove(caller: rights.MayEditLeads, lead_id: LeadKey) -> Response:
    """Put a lead into the bin."""
    await caller.hub.do(c.RemoveLead(lead_id=LeadId(lead_id)))
    return Response(status_code=204)


@router.post("/leads/{lead_id}/restore", summary="Restore a lead", response_model=s.Lead)
async def restore(caller: rights.MayEditLeads, lead_id: LeadKey, response: Response) -> Any:
    """Take a lead out of the bin."""
    await caller.hub.do(c.RemoveLead(lead_id=LeadId(lead_id), restore=True))
    return await shown(caller, lead_id, response)
