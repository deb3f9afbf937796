"""Clients: who buys from us, and the people who belong to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from crm_store import clients as client_reads
from crm_store import objects as reads
from crm_store.objects import NOUNS
from hub import commands as c
from hub.http_api import rights
from hub.http_api.endpoints.contacts import WithTag
from hub.http_api.errors import failures, moved
from hub.http_api.resource import Shapes, add_history, add_list, add_one, shown
from hub.http_api.shapes import objects as s
from hub.http_api.shapes import people as p
from hub.ids import ClientId, ContactId
from hub.shapes import GivenId, Listing

# One section of the reference with the people: a client is nothing without them.
router = rights.router("Contacts")

CLIENT = NOUNS["client"]
SHAPES = Shapes(shown=s.Client, create=s.CreateClient, change=s.ChangeClient)
ClientKey = Annotated[GivenId, Path(alias="client_id", description="The client.")]
add_list(router, CLIENT, SHAPES)
add_history(router, CLIENT, "client_id")
add_history(router, NOUNS["contact"], "contact_id")


@router.get(
    "/clients/{client_id}",
    summary="One client",
    responses={**WithTag, **failures(308)},
    response_model=s.Client,
)
async def one(caller: rights.MayViewContacts, client_id: ClientKey, response: Response) -> Any:
    """Give a client; of a merged one the way to the card that lives on."""
    found = await caller.hub.read(client_reads.client, ClientId(client_id))
    if found.id != client_id:
        raise moved(f"/api/v1/clients/{found.id}")
    response.headers["etag"] = f'"{found.version}"'
    return s.Client.model_validate(found)


add_one(router, CLIENT, SHAPES, "client_id", reading=False)


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
    return await shown(caller, CLIENT, s.Client, made[0], response)


@router.get("/clients/{client_id}/contacts", summary="Its contact persons")
async def contacts(caller: rights.MayViewContacts, client_id: ClientKey) -> Listing[p.Contact]:
    """Give the people who belong to a client, by name, at most 200."""
    await caller.hub.read(reads.one, CLIENT, client_id)
    found = await caller.hub.read(client_reads.people_of, ClientId(client_id))
    return Listing[p.Contact](items=[p.Contact.model_validate(one) for one in found])
