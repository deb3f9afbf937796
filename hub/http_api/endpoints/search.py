"""Search: messages by their words, dialogs by subject and person, people by anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from sqlalchemy import and_

from crm_store import search as reads
from crm_store.tables.dialogs import messages
from hub.http_api import rights
from hub.http_api.shapes import people as s
from hub.http_api.shapes.dialogs import Dialog
from hub.shapes import GivenId, Listing

router = rights.router("Search")

Asked = Annotated[str, Query(min_length=1, max_length=400, description="What to find.")]
Limit = Annotated[int, Query(ge=1, le=100)]
Before = Annotated[str, Query(max_length=50, description="`next` of the page before.")]


@router.get("/search", summary="Search everything")
async def everything(
    caller: rights.MayViewDialogs, q: Asked, limit: Limit = 20, before: Before = ""
) -> s.SearchResults:
    """Find messages, dialogs and, with the right to see contacts, people; Russian and English
    word forms are one word. `before` continues the messages."""
    found = await caller.hub.read(reads.search, q, limit, before)
    people = found.contacts if caller.viewer.may("contacts.view") else ()
    return s.SearchResults(
        messages=[s.SearchHit.model_validate(one) for one in found.messages],
        dialogs=[Dialog.model_validate(one) for one in found.dialogs],
        contacts=[s.Contact.model_validate(one) for one in people],
        next=found.next,
    )


@router.get("/search/messages", summary="Search messages")
async def in_messages(
    caller: rights.MayViewDialogs,
    q: Asked,
    dialog_id: GivenId | None = None,
    account_id: GivenId | None = None,
    limit: Limit = 20,
    before: Before = "",
) -> Listing[s.SearchHit]:
    """Find messages that have all the words, the newest first."""
    parts = []
    if dialog_id is not None:
        parts.append(messages.c.dialog_id == dialog_id)
    if account_id is not None:
        parts.append(messages.c.account_id == account_id)
    clause = and_(*parts) if parts else None
    hits, following = await caller.hub.read(reads.search_messages, q, limit, before, clause)
    return Listing[s.SearchHit](
        items=[s.SearchHit.model_validate(one) for one in hits], next=following
    )


@router.get("/search/dialogs", summary="Search dialogs")
async def in_dialogs(caller: rights.MayViewDialogs, q: Asked, limit: Limit = 20) -> list[Dialog]:
    """Find dialogs by subject, or by the name or address of their person; the newest first."""
    found = await caller.hub.read(reads.search_dialogs, q, limit)
    return [Dialog.model_validate(one) for one in found]
