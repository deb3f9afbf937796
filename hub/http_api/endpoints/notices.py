"""Notices to oneself, and which of them come by e-mail and push."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request, Response

from crm_store import notices as notice_reads
from crm_store.notice_letters import letter_state
from hub import commands as c
from hub.errors import Invalid
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.shapes import requests as s
from hub.ids import AccountId
from hub.shapes import GivenId, Listing

router = rights.router("Notices")


@router.get("/notices", summary="List notices to you")
async def notices(
    caller: rights.MayEditProfile,
    unread: Annotated[bool, Query(description="Only what you have not read.")] = False,
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Notice]:
    """Give your own notices, the newest first."""
    found = await caller.hub.read(
        lambda reader: notice_reads.page(reader, before or 0, limit, unread=unread)
    )
    return Listing[s.Notice](
        items=[s.Notice.model_validate(one) for one in found],
        next=str(found[-1].id) if len(found) == limit else "",
    )


@router.post("/notices/read", status_code=204, summary="Mark notices as read")
async def read(caller: rights.MayEditProfile, body: s.ReadNotices) -> Response:
    """Mark your notices as read, or as new again."""
    await caller.hub.do(c.ReadNotices(notice_ids=tuple(body.ids), unread=body.unread))
    return Response(status_code=204)


async def _choices(request: Request, caller: Caller) -> s.NoticeChoices:
    user = await caller.hub.user(caller.user_id)
    state = await caller.hub.read(letter_state, runtime_of(request).database.channels)
    return s.NoticeChoices(
        kinds=[
            s.NoticeChoice(kind=kind, on_screen=one.shown, by_email=one.mailed, by_push=one.pushed)
            for kind, one in notice_reads.choices(user.preferences).items()
        ],
        chosen_account_id=state.chosen,
        account_id=state.account_id,
        last_letter_at=state.last_at,
        last_letter_status=state.last_status,
        last_letter_reason=state.last_reason,
    )


@router.get("/notices/choices", summary="How you are told")
async def choices(request: Request, caller: rights.MayEditProfile) -> s.NoticeChoices:
    """Give which kinds of notices you get, and which of them by e-mail and push too."""
    return await _choices(request, caller)


@router.patch("/notices/choices", summary="Choose how you are told")
async def choose(
    request: Request, caller: rights.MayEditProfile, body: s.ChooseNotices
) -> s.NoticeChoices:
    """Choose kind by kind. What comes by e-mail or push stands on the screen too."""
    user = await caller.hub.user(caller.user_id)
    before = notice_reads.choices(user.preferences)
    wanted = dict(before)
    for one in body.kinds:
        if one.kind not in wanted:
            raise Invalid(f"there is no such kind of notice: {one.kind}", field="kinds")
        known = wanted[one.kind]
        if one.on_screen is not None:
            kept = one.on_screen
            known = replace(
                known, shown=kept, mailed=known.mailed and kept, pushed=known.pushed and kept
            )
        if one.by_email is not None:
            known = replace(known, mailed=one.by_email)
        if one.by_push is not None:
            known = replace(known, pushed=one.by_push)
        wanted[one.kind] = known
    await caller.hub.do(c.UpdateProfile(preferences=notice_reads.chosen(wanted, before)))
    return await _choices(request, caller)


@router.put("/notices/mailbox", status_code=204, summary="Choose where letters to colleagues leave")
async def mailbox(caller: rights.MayManageSystem, body: s.NoticeMailbox) -> Response:
    """Choose the account by which letters to your own people leave."""
    await caller.hub.do(c.ChooseNoticeMailbox(account_id=AccountId(body.account_id)))
    return Response(status_code=204)
