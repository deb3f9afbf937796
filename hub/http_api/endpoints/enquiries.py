"""Enquiries without a verdict, and what somebody says they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import dialogs as dialog_reads
from crm_store import enquiries as reads
from crm_store.viewer import Reader
from hub.http_api import rights
from hub.http_api.shapes import dialogs as s
from hub.http_api.shapes.enquiries import Said, SayVerdict
from hub.ids import DialogId
from hub.objects import Ref
from hub.records.dialogs import Dialog
from hub.shapes import GivenId, Listing
from hub.verdicts import MADE, Verdict, carried_out, taken_back

router = rights.router("Dialogs")
DialogKey = Annotated[GivenId, Path(alias="dialog_id", description="The dialog.")]


@router.get("/enquiries", summary="Enquiries without a verdict")
async def page(
    caller: rights.MayViewDialogs,
    after: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Dialog]:
    """Give open dialogs that are linked to nothing and whose sender is not rejected, oldest first."""

    def load(reader: Reader) -> list[Dialog]:
        ids = reads.waiting(reader, after=after or 0, limit=limit)
        found = {one.id: one for one in dialog_reads.several(reader, ids)}
        return [found[one] for one in ids if one in found]

    found = await caller.hub.read(load)
    return Listing[s.Dialog](
        items=[s.Dialog.model_validate(one) for one in found],
        next=str(found[-1].id) if len(found) == limit else "",
    )


def _verdict(body: SayVerdict) -> Verdict:
    return Verdict(
        what=body.verdict,
        reason=body.reason,
        remember=body.remember,
        to=Ref(kind=body.kind, id=body.object_id or 0),
    )


@router.post("/enquiries/{dialog_id}/verdict", summary="Say what an enquiry is")
async def say(caller: rights.MayAnswer, dialog_id: DialogKey, body: SayVerdict) -> Said:
    """Make a lead, a request or an interest of it, attach it, or reject it with a reason.

    A rejected sender is remembered: what comes from the address is not taken in any more. What
    comes back is the body that takes the verdict back.
    """
    dialog = await caller.hub.dialog(DialogId(dialog_id))
    made = (await caller.hub.do(*carried_out(dialog, _verdict(body))))[0]
    is_made = body.verdict in MADE
    return Said(
        verdict=body.verdict,
        kind=body.verdict if is_made else body.kind,
        object_id=made if is_made else body.object_id or 0,
        remember=body.remember,
    )


@router.post("/enquiries/{dialog_id}/back", status_code=204, summary="Take a verdict back")
async def back(caller: rights.MayAnswer, dialog_id: DialogKey, body: SayVerdict) -> Response:
    """Put what was made into the bin, detach, or take the sender in again."""
    dialog = await caller.hub.dialog(DialogId(dialog_id))
    await caller.hub.do(*taken_back(dialog, _verdict(body)))
    return Response(status_code=204)
