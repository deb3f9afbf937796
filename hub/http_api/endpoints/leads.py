"""Leads: the list, one, and its ways to a client or to a reason why not."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response

from crm_store import merge_reading, survivors
from crm_store import objects as reads
from crm_store.objects import NOUNS
from crm_store.viewer import Reader
from hub import commands as c
from hub.http_api import resource, rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import WithTag
from hub.http_api.errors import failures, moved
from hub.http_api.resource import Shapes, add_history, add_list, add_one
from hub.http_api.shapes import objects as s
from hub.http_api.shapes import people as p
from hub.ids import ClientId, DialogId, LeadId, MergeId, PipelineId, StageId
from hub.shapes import GivenId, Listing, Made

router = rights.router("Leads")

LEAD = NOUNS["lead"]
SHAPES = Shapes(shown=s.Lead, create=s.CreateLead, change=s.ChangeLead)
LeadKey = Annotated[GivenId, Path(alias="lead_id", description="The lead.")]
add_list(router, LEAD, SHAPES)
add_history(router, LEAD, "lead_id")


@router.get(
    "/leads/{lead_id}",
    summary="One lead",
    responses={**WithTag, **failures(308)},
    response_model=s.Lead,
)
async def one(caller: rights.MayViewLeads, lead_id: LeadKey, response: Response) -> Any:
    """Give a lead; of a merged one the way to the lead that lives on."""
    living = await caller.hub.read(_living, lead_id)
    if living != lead_id:
        raise moved(f"/api/v1/leads/{living}")
    return await shown(caller, lead_id, response)


def _living(reader: Reader, lead_id: int) -> int:
    living = survivors.living_of(reader.conn, LEAD.kind.name, lead_id)
    # Whoever may not see the one hears nothing of the other.
    reads.one(reader, LEAD, living)
    return living


add_one(router, LEAD, SHAPES, "lead_id", reading=False)


async def shown(caller: Caller, lead_id: int, response: Response) -> Any:
    """Give a lead as it is now, with its version as ETag."""
    return await resource.shown(caller, LEAD, s.Lead, lead_id, response)


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
            interest=body.interest,
            pipeline_id=PipelineId(body.pipeline_id or 0),
            stage_id=StageId(body.stage_id or 0),
            amount=body.amount,
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


@router.get("/leads/{lead_id}/merge", summary="What a merge of leads would do")
async def merge_preview(
    caller: rights.MayViewLeads,
    lead_id: LeadKey,
    other: Annotated[GivenId, Query(alias="with", description="The lead that would be merged in.")],
) -> p.MergePreview:
    """Give what would go over to this lead, and the properties that differ."""
    found = await caller.hub.read(merge_reading.merge_preview, LEAD.kind.name, lead_id, other)
    return p.MergePreview.model_validate(found)


@router.post(
    "/leads/{lead_id}/merge", status_code=201, summary="Merge leads", responses=failures(409)
)
async def merge(caller: rights.MayEditLeads, lead_id: LeadKey, body: p.MergeCards) -> Made:
    """Make another lead a part of this one; gives the number that undoes it. 409 `converted`: a
    converted lead lives on."""
    command = c.MergeLeads(
        survivor_id=LeadId(lead_id),
        merged_id=LeadId(body.merged_id),
        take=tuple(body.take),
        survivor_version=body.version,
        merged_version=body.merged_version,
    )
    return Made(id=(await caller.hub.do(command))[0])


@router.get("/leads/{lead_id}/merges", summary="Its merges")
async def merges(caller: rights.MayViewLeads, lead_id: LeadKey) -> Listing[p.Merge]:
    """Give the merges into this lead that can be undone, the newest first."""
    await caller.hub.read(reads.one, LEAD, lead_id)
    found = await caller.hub.read(merge_reading.merges_of, LEAD.kind.name, lead_id)
    return Listing[p.Merge](items=[p.Merge.model_validate(one) for one in found])


@router.delete("/leads/merges/{merge_id}", summary="Undo a merge of leads", responses=failures(409))
async def undo_merge(
    caller: rights.MayEditLeads,
    merge_id: Annotated[GivenId, Path(description="The merge.")],
) -> Made:
    """Make one lead two again; gives the id of the one that comes back."""
    return Made(id=(await caller.hub.do(c.UndoMergeLeads(merge_id=MergeId(merge_id))))[0])
