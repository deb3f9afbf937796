"""Requests: the list, one, its status, checklist, merging; and the policies of deadlines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response

from crm_store import objects as reads
from crm_store import request_checklists, request_times, sla, support_levels
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.request_deadlines import deadlines_of
from crm_store.viewer import Reader
from hub import commands as c
from hub.http_api import resource, rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.resource import Shapes
from hub.http_api.shapes import requests as s
from hub.ids import CalendarId, RequestId, SlaPolicyId, UserId
from hub.objects import Ref
from hub.shapes import GivenId

REQUEST = NOUNS["request"]
SHAPES = Shapes(shown=s.Request, create=s.CreateRequest, change=s.ChangeRequest)
router = resource.resource(REQUEST, SHAPES, "Requests", "request_id")
RequestKey = Annotated[GivenId, Path(alias="request_id", description="The request.")]
EntryKey = Annotated[GivenId, Path(alias="entry_id", description="The noted time.")]
LevelName = Annotated[str, Path(alias="name", max_length=50, description="The level's name.")]
MoveTo = Annotated[str, Query(max_length=50, description="The level that its requests get.")]
PolicyKey = Annotated[GivenId, Path(alias="policy_id", description="The policy.")]


async def _shown(caller: Caller, request_id: int, response: Response) -> Any:
    return await resource.shown(caller, REQUEST, s.Request, request_id, response)


@router.get("/requests/{request_id}/details", summary="Its deadlines, checklist, dialogs")
async def details(caller: rights.MayViewRequests, request_id: RequestKey) -> s.RequestDetails:
    """Give what belongs to a request."""

    def load(reader: Reader) -> dict[str, Any]:
        reads.one(reader, REQUEST, request_id)
        is_part = {"field": "request.parent", "operator": "equals", "value": str(request_id)}
        parts = reads.page(reader, REQUEST, ObjectQuery(filter=is_part, limit=200))
        return {
            "deadlines": deadlines_of(reader.conn, request_id),
            "checklist": request_checklists.checklist(reader, request_id),
            "dialogs": reads.dialogs_of(reader, Ref(kind="request", id=request_id)),
            "parts": [one.id for one in parts.items],
            "times": request_times.times(reader, request_id),
        }

    return s.RequestDetails.model_validate(await caller.hub.read(load))


@router.put(
    "/requests/{request_id}/status",
    summary="Move a request",
    responses=failures(409),
    response_model=s.Request,
)
async def set_status(
    caller: rights.MayEditRequests,
    request_id: RequestKey,
    body: s.SetRequestStatus,
    response: Response,
) -> Any:
    """Move a request; waiting and on_hold stop the clock of its solution."""
    await caller.hub.do(c.SetRequestStatus(request_id=RequestId(request_id), **body.model_dump()))
    return await _shown(caller, request_id, response)


@router.post("/requests/{request_id}/checklist", summary="Change its checklist")
async def change_checklist(
    caller: rights.MayEditRequests, request_id: RequestKey, body: s.ChangeChecklist
) -> list[s.ChecklistItem]:
    """Add, tick, untick and drop points; gives the whole checklist."""
    await caller.hub.do(
        c.ChangeChecklist(
            request_id=RequestId(request_id),
            add=tuple(body.add),
            tick=tuple(body.tick),
            untick=tuple(body.untick),
            drop=tuple(body.drop),
        )
    )
    found = await caller.hub.read(request_checklists.checklist, request_id)
    return [s.ChecklistItem.model_validate(one) for one in found]


@router.post("/requests/{request_id}/times", status_code=201, summary="Note time spent")
async def log_time(
    caller: rights.MayEditRequests, request_id: RequestKey, body: s.LogTime
) -> list[s.TimeSpent]:
    """Note minutes of your own work; gives all that was noted."""
    await caller.hub.do(c.LogTime(request_id=RequestId(request_id), minutes=body.minutes))
    found = await caller.hub.read(request_times.times, request_id)
    return [s.TimeSpent.model_validate(one) for one in found]


@router.delete(
    "/requests/{request_id}/times/{entry_id}", status_code=204, summary="Take noted time back"
)
async def remove_time(
    caller: rights.MayEditRequests, request_id: RequestKey, entry_id: EntryKey
) -> Response:
    """Take back what you noted; another person's needs the right to manage the system."""
    await caller.hub.do(c.RemoveTime(request_id=RequestId(request_id), entry_id=entry_id))
    return Response(status_code=204)


@router.post(
    "/requests/{request_id}/merge",
    summary="Merge into another",
    responses=failures(409),
    response_model=s.Request,
)
async def merge(
    caller: rights.MayEditRequests, request_id: RequestKey, body: s.MergeRequest, response: Response
) -> Any:
    """Close a request in favour of another, which has its dialogs from now on."""
    await caller.hub.do(
        c.MergeRequests(request_id=RequestId(request_id), into_id=RequestId(body.into_id))
    )
    return await _shown(caller, request_id, response)


@router.delete(
    "/requests/{request_id}/merge",
    summary="Undo the merge",
    responses=failures(409),
    response_model=s.Request,
)
async def undo_merge(
    caller: rights.MayEditRequests, request_id: RequestKey, response: Response
) -> Any:
    """Give a merged request its status and its dialogs back."""
    await caller.hub.do(c.UndoMergeRequests(request_id=RequestId(request_id)))
    return await _shown(caller, request_id, response)


# -- policies ------------------------------------------------------------------------------


@router.get("/sla-policies", summary="List policies of deadlines")
async def policies(caller: rights.MayViewRequests) -> list[s.SlaPolicy]:
    """Give every policy in the order in which they are asked."""
    return [s.SlaPolicy.model_validate(one) for one in await caller.hub.read(sla.all_policies)]


def _command(policy_id: int, body: s.SaveSlaPolicy) -> c.SaveSlaPolicy:
    given = body.model_dump(exclude={"calendar_id", "escalate_to", "pause_statuses"})
    pauses = body.pause_statuses
    return c.SaveSlaPolicy(
        policy_id=SlaPolicyId(policy_id),
        calendar_id=CalendarId(body.calendar_id) if body.calendar_id is not None else None,
        escalate_to=UserId(body.escalate_to) if body.escalate_to is not None else None,
        pause_statuses=tuple(pauses) if pauses is not None else None,
        **given,
    )


async def _policy(caller: Caller, policy_id: int) -> s.SlaPolicy:
    return s.SlaPolicy.model_validate(await caller.hub.read(sla.one, SlaPolicyId(policy_id)))


@router.post("/sla-policies", status_code=201, summary="Add a policy")
async def create_policy(caller: rights.MayManageSystem, body: s.SaveSlaPolicy) -> s.SlaPolicy:
    """Add a policy; it is asked after the others unless `position` says otherwise."""
    made = await caller.hub.do(_command(0, body))
    return await _policy(caller, made[0])


@router.patch("/sla-policies/{policy_id}", summary="Change a policy", responses=failures(409))
async def change_policy(
    caller: rights.MayManageSystem, policy_id: PolicyKey, body: s.SaveSlaPolicy
) -> s.SlaPolicy:
    """Change a policy; deadlines that are already set stay as they are."""
    await _policy(caller, policy_id)
    await caller.hub.do(_command(policy_id, body))
    return await _policy(caller, policy_id)


@router.delete("/sla-policies/{policy_id}", status_code=204, summary="Remove a policy")
async def remove_policy(caller: rights.MayManageSystem, policy_id: PolicyKey) -> Response:
    """Delete a policy."""
    await caller.hub.do(c.RemoveSlaPolicy(policy_id=SlaPolicyId(policy_id)))
    return Response(status_code=204)


# -- support levels ------------------------------------------------------------------------


async def _levels(caller: Caller) -> list[s.SupportLevel]:
    found = await caller.hub.read(support_levels.all_levels)
    return [s.SupportLevel.model_validate(one) for one in found]


@router.get("/support-levels", summary="List support levels")
async def levels(caller: rights.MayViewRequests) -> list[s.SupportLevel]:
    """Give every level in the order in which they are offered."""
    return await _levels(caller)


@router.post("/support-levels", status_code=201, summary="Add a support level")
async def add_level(
    caller: rights.MayManageSystem, body: s.SaveSupportLevel
) -> list[s.SupportLevel]:
    """Add a level; gives all of them. Its name is made of its label and never changes."""
    await caller.hub.do(c.SaveSupportLevel(**body.model_dump()))
    return await _levels(caller)


@router.put("/support-levels/{name}", summary="Change a support level")
async def change_level(
    caller: rights.MayManageSystem, name: LevelName, body: s.SaveSupportLevel
) -> list[s.SupportLevel]:
    """Change what a level is called, and where it stands; gives all of them."""
    await caller.hub.do(c.SaveSupportLevel(name=name, **body.model_dump()))
    return await _levels(caller)


@router.delete(
    "/support-levels/{name}",
    status_code=204,
    summary="Remove a support level",
    responses=failures(409),
)
async def remove_level(
    caller: rights.MayManageSystem, name: LevelName, move_to: MoveTo = ""
) -> Response:
    """Remove a level; where requests have it, say which one they get."""
    await caller.hub.do(c.RemoveSupportLevel(name=name, move_to=move_to))
    return Response(status_code=204)
