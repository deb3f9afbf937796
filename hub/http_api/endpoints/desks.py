"""Who works now, how new dialogs are given out, who is away, and work that changes hands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Response

from crm_store import absences as away
from crm_store import desks as reads
from hub import commands as c
from hub.errors import NotAllowed, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import work as s
from hub.ids import DialogId, TeamId, UserId
from hub.shapes import GivenId

router = rights.router("Work")

UserKey = Annotated[GivenId, Path(alias="user_id", description="The colleague.")]
StatusKey = Annotated[GivenId, Path(alias="status_id", description="The status.")]
AbsenceKey = Annotated[GivenId, Path(alias="absence_id", description="The absence.")]
HandoverKey = Annotated[GivenId, Path(alias="handover_id", description="The handover.")]
DialogKey = Annotated[GivenId, Path(alias="dialog_id", description="The dialog.")]
SubjectKey = Annotated[GivenId, Path(alias="subject_id", description="The account or team.")]
RouteKind = Annotated[Literal["account", "team"], Path(alias="kind")]


@router.get("/desks", summary="Who works now")
async def desks(caller: rights.MayViewUsers) -> list[s.Desk]:
    """Give everybody who may answer dialogs, with status and load."""
    return [s.Desk.model_validate(one) for one in await caller.hub.read(reads.all_desks)]


@router.get("/desks/{user_id}", summary="One desk")
async def desk(caller: rights.MayViewUsers, user_id: UserKey) -> s.Desk:
    """Give the status and load of one colleague."""
    return s.Desk.model_validate(await caller.hub.read(reads.desk, UserId(user_id)))


@router.patch("/desks/{user_id}", summary="Choose a status")
async def set_desk(caller: rights.MayEditProfile, user_id: UserKey, body: s.SetDesk) -> s.Desk:
    """Set your own status; that of others with the right to register absences. How many dialogs
    are given to one is set by who manages colleagues."""
    await caller.hub.do(
        c.SetDesk(
            user_id=UserId(user_id),
            status_id=body.status_id,
            comment=body.comment,
            capacity=body.capacity,
        )
    )
    return s.Desk.model_validate(await caller.hub.read(reads.desk, UserId(user_id)))


@router.get("/desk-statuses", summary="Statuses to choose from")
async def statuses(caller: rights.MayViewUsers) -> list[s.DeskStatus]:
    """Give the statuses of the house."""
    return [s.DeskStatus.model_validate(one) for one in await caller.hub.read(reads.statuses)]


async def _status(caller: Caller, status_id: int) -> s.DeskStatus:
    for one in await caller.hub.read(reads.statuses):
        if one.id == status_id:
            return s.DeskStatus.model_validate(one)
    raise NotFound("there is no such status")


@router.post("/desk-statuses", status_code=201, summary="Add a status")
async def add_status(caller: rights.MayManageUsers, body: s.SaveStatus) -> s.DeskStatus:
    """Add a status under a name of your own."""
    made = await caller.hub.do(c.SaveDeskStatus(**body.model_dump()))
    return await _status(caller, made[0])


@router.put("/desk-statuses/{status_id}", summary="Change a status")
async def change_status(
    caller: rights.MayManageUsers, status_id: StatusKey, body: s.SaveStatus
) -> s.DeskStatus:
    """Change a status."""
    await caller.hub.do(c.SaveDeskStatus(status_id=status_id, **body.model_dump()))
    return await _status(caller, status_id)


@router.delete(
    "/desk-statuses/{status_id}",
    status_code=204,
    summary="Remove a status",
    responses=failures(409),
)
async def remove_status(caller: rights.MayManageUsers, status_id: StatusKey) -> Response:
    """Delete a status that nobody has now."""
    await caller.hub.do(c.RemoveDeskStatus(status_id=status_id))
    return Response(status_code=204)


@router.get("/routes/{kind}/{subject_id}", summary="How new dialogs are given out")
async def route(
    caller: rights.MayViewAccounts, kind: RouteKind, subject_id: SubjectKey
) -> s.RoutingRule:
    """Give the rule of an account or a team; one that was never set gives out nothing."""
    return s.RoutingRule.model_validate(await caller.hub.read(reads.route, kind, subject_id))


@router.put("/routes/{kind}/{subject_id}", summary="Set how new dialogs are given out")
async def set_route(
    caller: rights.MayManageAccounts, kind: RouteKind, subject_id: SubjectKey, body: s.SetRoute
) -> s.RoutingRule:
    """Set the rule of an account or a team."""
    await caller.hub.do(c.SaveRoute(kind=kind, subject_id=subject_id, **body.model_dump()))
    return s.RoutingRule.model_validate(await caller.hub.read(reads.route, kind, subject_id))


@router.get("/routing/waiting", summary="What waits to be given out")
async def waiting(caller: rights.MayViewDialogs) -> list[s.WaitingDialog]:
    """Give the dialogs that wait for somebody, the oldest first, and why they still do."""
    found = await caller.hub.read(reads.waiting_dialogs)
    return [s.WaitingDialog.model_validate(one) for one in found]


@router.post("/dialogs/{dialog_id}/route", summary="Give a dialog out")
async def give(caller: rights.MayAssign, dialog_id: DialogKey, body: s.GiveOut) -> s.Given:
    """Give a dialog to whoever should have it now; nobody found leaves it waiting."""
    made = await caller.hub.do(
        c.RouteDialog(
            dialog_id=DialogId(dialog_id),
            team_id=TeamId(body.team_id),
            mode=body.mode,
            last_days=body.last_days,
            again=body.again,
        )
    )
    return s.Given.model_validate({"user_id": made[0]})


# -- absences ------------------------------------------------------------------------------


@router.get("/absences", summary="List absences")
async def absences(
    caller: rights.MayViewUsers,
    current: Annotated[bool, Query(description="Only those that are not over.")] = True,
) -> list[s.Absence]:
    """Give absences, the latest first."""
    found = await caller.hub.read(lambda reader: away.all_absences(reader, current=current))
    return [s.Absence.model_validate(one) for one in found]


@router.post("/absences", status_code=201, summary="Register an absence", responses=failures(409))
async def register(caller: rights.MayEditProfile, body: s.RegisterAbsence) -> s.Absence:
    """Register your own absence, or with the right to that of a colleague."""
    made = await caller.hub.do(
        c.RegisterAbsence(
            user_id=UserId(body.user_id),
            kind=body.kind,
            from_at=body.from_at,
            to_at=body.to_at,
            substitute_id=UserId(body.substitute_id),
            what=tuple(body.what),
            access=body.access,
        )
    )
    return s.Absence.model_validate(await caller.hub.read(away.absence, made[0]))


@router.get("/absences/{absence_id}", summary="One absence")
async def absence(caller: rights.MayViewUsers, absence_id: AbsenceKey) -> s.Absence:
    """Give one absence, and how far what it hands over has come."""
    return s.Absence.model_validate(await caller.hub.read(away.absence, absence_id))


@router.post("/absences/{absence_id}/end", summary="End an absence", responses=failures(409))
async def end(caller: rights.MayEditProfile, absence_id: AbsenceKey) -> s.Absence:
    """End an absence now, or call off one that has not begun."""
    await caller.hub.do(c.EndAbsence(absence_id=absence_id))
    return s.Absence.model_validate(await caller.hub.read(away.absence, absence_id))


# -- handovers -----------------------------------------------------------------------------


@router.get("/handovers", summary="List handovers")
async def handovers(caller: rights.MayHandOver) -> list[s.Handover]:
    """Give handovers with their progress, the newest first."""
    return [s.Handover.model_validate(one) for one in await caller.hub.read(away.all_handovers)]


@router.post("/handovers/preview", summary="Count what a handover would move")
async def preview(caller: rights.MayHandOver, body: s.HandOver) -> s.HandoverPreview:
    """Count, by sort, what would change hands; nothing is changed."""
    found = await caller.hub.read(
        away.preview, UserId(body.from_id), tuple(body.what), body.filters
    )
    return s.HandoverPreview(counts=found)


@router.post("/handovers", status_code=201, summary="Hand work over", responses=failures(409))
async def hand_over(caller: rights.MayHandOver, body: s.HandOver) -> s.Handover:
    """Give the work of one colleague to another; it is carried out in steps."""
    if not body.to_id:
        raise NotAllowed("say who gets it")
    made = await caller.hub.do(
        c.HandOver(
            from_id=UserId(body.from_id),
            to_id=UserId(body.to_id),
            what=tuple(body.what),
            filters=body.filters,
        )
    )
    return s.Handover.model_validate(await caller.hub.read(away.handover, made[0]))


@router.get("/handovers/{handover_id}", summary="One handover")
async def handover(caller: rights.MayHandOver, handover_id: HandoverKey) -> s.Handover:
    """Give one handover with its progress."""
    return s.Handover.model_validate(await caller.hub.read(away.handover, handover_id))


@router.post("/handovers/{handover_id}/undo", summary="Undo a handover", responses=failures(409))
async def undo(caller: rights.MayHandOver, handover_id: HandoverKey) -> s.Handover:
    """Give back what is still with its receiver."""
    await caller.hub.do(c.UndoHandover(handover_id=handover_id))
    return s.Handover.model_validate(await caller.hub.read(away.handover, handover_id))
