"""Clients: who buys from us, and the people who belong to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from crm_store import objects as reads
from crm_store import people
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
from hub.http_api.shapes import people as p
from hub.http_api.shapes.base import GivenId, Listing
from hub.ids import ClientId, ContactId

# One section of the reference with the people: a client is nothing without them.
router = rights.router("Contacts")

CLIENT = NOUNS["client"]
ClientKey = Annotated[GivenId, Path(alias="client_id", description="The client.")]


async def shown(caller: Caller, client_id: int, response: Response) -> Any:
    """Give a client as it is now, with its version as ETag."""
    found = await caller.hub.read(reads.one, CLIENT, client_id)
    response.headers["etag"] = f'"{found.version}"'
    return s.Client.model_validate(found)


@router.get("/clients", summary="List clients", response_model=Listing[s.Client])
async def page(
    caller: rights.MayViewContacts,
    q: Annotated[str, Query(max_length=200, description="Parts of name, phone, e-mail.")] = "",
    filter: Annotated[
        str, Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON.")
    ] = "",
    sort: Annotated[
        str, Query(max_length=50, description="id, name or created_at, with a minus to turn it")
    ] = "",
    removed: Annotated[bool, Query(description="What is in the bin.")] = False,
    before: Annotated[str, Query(max_length=450, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Any:
    """Give a page of clients, the newest first."""
    query = ObjectQuery(
        filter=tree_of(filter), text=q, sort=sort, before=before, limit=limit, removed=removed
    )
    found = await caller.hub.read(reads.page, CLIENT, query)
    return Listing[s.Client](
        items=[s.Client.model_validate(one) for one in found.items], next=found.next
    )


@router.post("/clients", status_code=201, summary="Add a client", response_model=s.Client)
async def create(caller: rights.MayEditContacts, body: s.CreateClient, response: Response) -> Any:
    """Make a client card, of a person or an organisation."""
    values = body.model_dump(exclude_unset=True, exclude={"contact_id", "name", "organisation"})
    made = await caller.hub.do(
        c.CreateClient(
            name=body.name or "",
            organisation=bool(body.organisation),
            contact_id=ContactId(body.contact_id or 0),
            values=values,
        )
    )
    return await shown(caller, made[0], response)


@router.get(
    "/clients/export",
    summary="Export clients",
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
    """Give every client that the list would show on all its pages; headings are property names."""
    query = ObjectQuery(filter=tree_of(filter), text=q, sort=sort)
    # What is wrong with the question is said before the first line.
    await caller.hub.read(reads.page, CLIENT, query)
    lines = csv_lists.rows(caller.hub, CLIENT, query, lambda one: one.name)
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="clients.csv"'},
    )


@router.get("/clients/{client_id}/history", summary="What changed on it")
async def history(
    caller: rights.MayViewContacts,
    client_id: ClientKey,
    before: Annotated[
        GivenId | None, Query(description="The last event of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.ChangeLine]:
    """Give each change with its actor and cause, the newest first; `next` goes into `before`."""
    await caller.hub.read(reads.one, CLIENT, client_id)
    found = await caller.hub.read(changes_of, CLIENT, client_id, before or 0, limit)
    full = len({one.event_id for one in found}) == limit
    return Listing[s.ChangeLine](
        items=[s.ChangeLine.model_validate(one) for one in found],
        next=str(found[-1].event_id) if full else "",
    )


@router.get(
    "/clients/{client_id}", summary="One client", responses=WithTag, response_model=s.Client
)
async def one(caller: rights.MayViewContacts, client_id: ClientKey, response: Response) -> Any:
    """Give one client."""
    return await shown(caller, client_id, response)


@router.get("/clients/{client_id}/contacts", summary="Its contact persons")
async def contacts(caller: rights.MayViewContacts, client_id: ClientKey) -> Listing[p.Contact]:
    """Give the people who belong to a client, by name, at most 200."""
    await caller.hub.read(reads.one, CLIENT, client_id)
    found = await caller.hub.read(people.people_of, ClientId(client_id))
    return Listing[p.Contact](items=[p.Contact.model_validate(one) for one in found])


@router.patch(
    "/clients/{client_id}",
    summary="Change a client",
    responses=failures(409, 412),
    response_model=s.Client,
)
async def change(
    caller: rights.MayEditContacts,
    client_id: ClientKey,
    body: s.ChangeClient,
    response: Response,
    if_match: Annotated[
        str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
    ] = "",
) -> Any:
    """Change properties; with `If-Match` nobody's change is overwritten unseen."""
    values = body.model_dump(exclude_unset=True)
    try:
        await caller.hub.do(
            c.ChangeClient(
                client_id=ClientId(client_id), values=values, version=version_of(if_match)
            )
        )
    except Conflict as error:
        if error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise
    return await shown(caller, client_id, response)


@router.delete("/clients/{client_id}", status_code=204, summary="Remove a client")
async def remove(caller: rights.MayEditContacts, client_id: ClientKey) -> Response:
    """Put a client into the bin; its people stay."""
    await caller.hub.do(c.RemoveClient(client_id=ClientId(client_id)))
    return Response(status_code=204)


@router.post("/clients/{client_id}/restore", summary="Restore a client", response_model=s.Client)
async def restore(caller: rights.MayEditContacts, client_id: ClientKey, response: Response) -> Any:
    """Take a client out of the bin."""
    await caller.hub.do(c.RemoveClient(client_id=ClientId(client_id), restore=True))
    return await shown(caller, client_id, response)
