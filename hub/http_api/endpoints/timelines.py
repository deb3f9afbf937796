"""What happened with a person or a client, in one stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from crm_store import journey as ways
from crm_store import person_timeline as reads
from crm_store.person_timeline import Subject
from crm_store.survivors import living
from crm_store.viewer import Reader
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import ContactKey
from hub.http_api.shapes import people as s
from hub.ids import ClientId, ContactId
from hub.records.people import JourneyStep
from hub.shapes import GivenId, Listing

router = rights.router("Contacts")
ClientKey = Annotated[GivenId, Path(alias="client_id", description="The client.")]
Kinds = Annotated[
    list[str],
    Query(
        alias="kind",
        max_length=20,
        description="Only these: message, note, call, meeting, act, move, lead, request, interest, "
        "task, mailing.",
    ),
]
Before = Annotated[str, Query(max_length=50, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


async def _page(
    caller: Caller, subject: Subject, kinds: list[str], before: str, limit: int
) -> Listing[s.TimelineEntry]:
    found, following = await caller.hub.read(reads.timeline, subject, kinds, before, limit)
    return Listing[s.TimelineEntry](
        items=[s.TimelineEntry.model_validate(one) for one in found], next=following
    )


@router.get("/contacts/{contact_id}/timeline", summary="What happened with a person")
async def of_contact(
    caller: rights.MayViewContacts,
    contact_id: ContactKey,
    kinds: Kinds = [],  # noqa: B006 - FastAPI copies it
    before: Before = "",
    limit: Limit = 50,
) -> Listing[s.TimelineEntry]:
    """Give messages of all channels, calls, meetings, notes, acts and objects, the newest first."""

    def subject(reader: Reader) -> Subject:
        return reads.of_contact(reader, living(reader.conn, ContactId(contact_id)))

    return await _page(caller, await caller.hub.read(subject), kinds, before, limit)


@router.get("/clients/{client_id}/timeline", summary="What happened with a client")
async def of_client(
    caller: rights.MayViewContacts,
    client_id: ClientKey,
    kinds: Kinds = [],  # noqa: B006 - FastAPI copies it
    before: Before = "",
    limit: Limit = 50,
) -> Listing[s.TimelineEntry]:
    """Give the same of a client with all of its people."""
    subject = await caller.hub.read(reads.of_client, ClientId(client_id))
    return await _page(caller, subject, kinds, before, limit)


@router.get("/clients/{client_id}/journey", summary="The way of a client")
async def journey(caller: rights.MayViewContacts, client_id: ClientKey) -> Listing[s.JourneyStep]:
    """Give first touch, channels, sources, leads, stages and money in their order."""
    found = await caller.hub.read(ways.journey, ClientId(client_id))
    return Listing[s.JourneyStep](items=[s.JourneyStep.model_validate(one) for one in found])


@router.get("/contacts/{contact_id}/journey", summary="The way of a person")
async def journey_of_contact(
    caller: rights.MayViewContacts, contact_id: ContactKey
) -> Listing[s.JourneyStep]:
    """Give first touch, channels, leads, stages, mailings and money of one person."""

    def read(reader: Reader) -> list[JourneyStep]:
        return ways.journey_of_contact(reader, living(reader.conn, ContactId(contact_id)))

    found = await caller.hub.read(read)
    return Listing[s.JourneyStep](items=[s.JourneyStep.model_validate(one) for one in found])
