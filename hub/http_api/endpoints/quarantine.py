"""Quarantine: what came in and could not be read, kept until somebody decides."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from crm_store import quarantine as quarantine_reads
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import runtime_of
from hub.http_api.endpoints.messages import BYTES, download
from hub.http_api.errors import failures
from hub.http_api.shapes import system as s
from hub.ids import QuarantineId
from hub.replay import replay as replay_input
from hub.replay import replay_all
from hub.shapes import GivenId, Listing

router = rights.router("Quarantine")

InputKey = Annotated[GivenId, Path(alias="quarantine_id", description="The input.")]


@router.get("/quarantine", summary="List unreadable inputs")
async def page(
    caller: rights.MayManageAccounts,
    state: Literal["", "waiting", "replayed", "dropped"] = "waiting",
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Quarantined]:
    """Give inputs that nobody could read, the newest first."""
    found = await caller.hub.read(quarantine_reads.quarantined, state, before or 0, limit + 1)
    shown = [s.Quarantined.model_validate(one) for one in found[:limit]]
    return Listing[s.Quarantined](items=shown, next=shown[-1].id if len(found) > limit else "")


@router.post("/quarantine/replay", summary="Read all of it again")
async def replay_many(
    request: Request,
    caller: rights.MayManageAccounts,
    after: Annotated[GivenId | None, Query(description="`next` of the call before.")] = None,
) -> s.ReplayedAll:
    """Read again what nobody could read, oldest first, for some seconds. What a filter refused is
    let in one by one only."""
    done = await replay_all(runtime_of(request), QuarantineId(after or 0))
    return s.ReplayedAll(read=done.read, failed=done.failed, next=done.next)


@router.get("/quarantine/{quarantine_id}", summary="One unreadable input")
async def one(caller: rights.MayManageAccounts, quarantine_id: InputKey) -> s.QuarantinedWhole:
    """Give one input with its error and trace."""
    found = await caller.hub.read(quarantine_reads.quarantine_item, QuarantineId(quarantine_id))
    return s.QuarantinedWhole.model_validate(found)


@router.get(
    "/quarantine/{quarantine_id}/raw",
    summary="Its bytes",
    response_class=Response,
    responses=BYTES,
)
async def raw(caller: rights.MayManageAccounts, quarantine_id: InputKey) -> Response:
    """Give the raw bytes as a download."""
    found = await caller.hub.read(quarantine_reads.quarantine_item, QuarantineId(quarantine_id))
    return download(found.raw, f"{quarantine_id}.bin")


@router.post("/quarantine/{quarantine_id}/replay", summary="Read it again", responses=failures(409))
async def replay(
    request: Request, caller: rights.MayManageAccounts, quarantine_id: InputKey
) -> s.Replayed:
    """Read an input once more, after the channel was mended; 409 `unreadable` with the reason
    where it still cannot be read. What a filter refused is let in."""
    count = await replay_input(runtime_of(request), QuarantineId(quarantine_id))
    return s.Replayed(arrivals=count)


@router.post("/quarantine/{quarantine_id}/drop", status_code=204, summary="Drop it")
async def drop(caller: rights.MayManageAccounts, quarantine_id: InputKey) -> Response:
    """Say that nobody needs it; the bytes stay where they are."""
    await caller.hub.do(
        c.SettleQuarantine(quarantine_id=QuarantineId(quarantine_id), state="dropped")
    )
    return Response(status_code=204)
