"""Contacts and their addresses."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from fastapi.responses import FileResponse

from crm_store import addresses as address_reads
from crm_store import people as reads
from crm_store.objects import ObjectQuery
from crm_store.search import search_contacts
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.dialogs import MAX_FILTER, address_of, tree_of
from hub.http_api.errors import Refused, failures, moved
from hub.http_api.shapes import people as s
from hub.http_api.shapes.dialogs import GivenAddress
from hub.ids import AddressId, ClientId, ContactId
from hub.shapes import GivenId, Listing
from hub.web.personal_data import STAYS, archive_of

router = rights.router("Contacts")

ContactKey = Annotated[GivenId, Path(alias="contact_id", description="The contact.")]
AddressKey = Annotated[GivenId, Path(alias="address_id", description="The address.")]
WithTag: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version."}}}
}


async def shown(caller: Caller, contact_id: int, response: Response) -> s.Contact:
    """Give a contact as it is now, with its version as ETag."""
    found = await caller.hub.contact(ContactId(contact_id))
    response.headers["etag"] = f'"{found.version}"'
    return s.Contact.model_validate(found)


@router.get("/contacts", summary="List or find contacts")
async def listing(
    caller: rights.MayViewContacts,
    q: Annotated[
        str, Query(max_length=200, description="A name, a phone, a part of an address.")
    ] = "",
    address: Annotated[str, Query(max_length=400, description="An exact address.")] = "",
    before: Annotated[str, Query(max_length=450, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    filter: Annotated[
        str, Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON.")
    ] = "",
    sort: Annotated[
        str, Query(max_length=50, description="id, name, last_at or created_at; a minus turns it.")
    ] = "",
) -> Listing[s.Contact]:
    """Give contacts, the last heard from first; with `q` the best found ones, in one page."""
    if sum(map(bool, (q, address, before))) > 1:
        raise Invalid("one of q, address and before", field="q")
    following = ""
    if q:
        found = list(await caller.hub.read(search_contacts, q, limit))
    elif address:
        ids = await caller.hub.read(address_reads.contacts_by_address, address)
        found = await caller.hub.read(reads.contacts_of, ids[:limit])
    elif filter or sort:
        query = ObjectQuery(filter=tree_of(filter), sort=sort, before=before, limit=limit)
        page = await caller.hub.read(reads.contacts_list, query)
        found, following = list(page.items), page.next
    else:
        found, following = await caller.hub.read(reads.contacts_page, before, limit)
    return Listing[s.Contact](
        items=[s.Contact.model_validate(one) for one in found], next=following
    )


@router.post("/contacts", status_code=201, summary="Add a contact", responses=failures(409))
async def create(
    caller: rights.MayEditContacts, body: s.CreateContact, response: Response
) -> s.Contact:
    """Add a human; 409 `address_taken` names the contact who has an address, if he is seen."""
    made = await caller.hub.do(
        c.CreateContact(
            name=body.name,
            addresses=tuple(address_of(one) for one in body.addresses),
            client_id=ClientId(body.client_id or 0),
            values=body.model_dump(exclude_unset=True, exclude={"name", "addresses", "client_id"}),
        )
    )
    return await shown(caller, made[0], response)


@router.get(
    "/contacts/{contact_id}",
    summary="One contact",
    responses={**WithTag, **failures(308)},
)
async def one(
    caller: rights.MayViewContacts, contact_id: ContactKey, response: Response
) -> s.Contact:
    """Give a contact with its addresses; of a merged one the way to the card that lives on."""
    found = await shown(caller, contact_id, response)
    if found.id != str(contact_id):
        raise moved(f"/api/v1/contacts/{found.id}")
    return found


@router.patch("/contacts/{contact_id}", summary="Change a contact", responses=failures(409, 412))
async def change(
    caller: rights.MayEditContacts,
    contact_id: ContactKey,
    body: s.UpdateContact,
    response: Response,
    if_match: Annotated[
        str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
    ] = "",
) -> s.Contact:
    """Change fields. Say which version you saw by `If-Match` or by `version`, and nobody's
    change is overwritten unseen: `details` tells what the contact says now."""
    seen = version_of(if_match)
    named = {"name", "language", "time_zone", "notes", "position", "version"}
    try:
        await caller.hub.do(
            c.UpdateContact(
                contact_id=ContactId(contact_id),
                name=body.name,
                language=body.language,
                time_zone=body.time_zone,
                notes=body.notes,
                position=body.position,
                version=body.version if seen is None else seen,
                values=body.model_dump(exclude_unset=True, exclude=named),
            )
        )
    except Conflict as error:
        if seen is not None and error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise
    return await shown(caller, contact_id, response)


def version_of(if_match: str) -> int | None:
    if if_match in ("", "*"):
        return None
    digits = if_match.removeprefix("W/").strip('"')
    # A tag that we never gave matches nothing.
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 18 else -1


@router.delete("/contacts/{contact_id}", status_code=204, summary="Erase a person")
async def erase(caller: rights.MayErase, contact_id: ContactKey) -> Response:
    """Erase a person fully, messages and files included; there is no way back."""
    await caller.hub.do(c.EraseContact(contact_id=ContactId(contact_id)))
    return Response(status_code=204)


@router.post("/contacts/{contact_id}/erase", summary="Erase a person, with a report")
async def erase_reported(caller: rights.MayErase, contact_id: ContactKey) -> s.Erased:
    """Erase a person fully and tell how much of what was erased, and what stays and why."""
    report = (await caller.hub.do(c.EraseContact(contact_id=ContactId(contact_id))))[0]
    return s.Erased(erased=report, stays=list(STAYS))


@router.get(
    "/contacts/{contact_id}/export",
    summary="All that is kept of a person",
    response_class=Response,
    responses={
        200: {
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
            "description": "A page to read, JSON, and the files.",
        }
    },
)
async def export(caller: rights.MayErase, contact_id: ContactKey) -> FileResponse:
    """Give everything of a person as a ZIP, to be handed over to that person."""
    return await archive_of(caller.hub, ContactId(contact_id), "en")


@router.post(
    "/contacts/{contact_id}/addresses",
    status_code=201,
    summary="Add an address",
    responses=failures(409),
)
async def add_address(
    caller: rights.MayEditContacts, contact_id: ContactKey, body: s.AddAddress, response: Response
) -> s.Contact:
    """Give a contact one more address."""
    given = GivenAddress(kind=body.kind, value=body.value, name=body.name)
    await caller.hub.do(c.AddAddress(contact_id=ContactId(contact_id), address=address_of(given)))
    return await shown(caller, contact_id, response)


@router.delete("/addresses/{address_id}", status_code=204, summary="Remove an address")
async def remove_address(caller: rights.MayEditContacts, address_id: AddressKey) -> Response:
    """Take an address from its contact; dialogs over it keep their history."""
    await caller.hub.do(c.RemoveAddress(address_id=AddressId(address_id)))
    return Response(status_code=204)


@router.put("/addresses/{address_id}/block", status_code=204, summary="Block or unblock")
async def block(
    caller: rights.MayEditContacts, address_id: AddressKey, body: s.BlockAddress
) -> Response:
    """Refuse messages from an address, with a reason, or take them again without one."""
    await caller.hub.do(c.BlockAddress(address_id=AddressId(address_id), reason=body.reason))
    return Response(status_code=204)


@router.put("/addresses/{address_id}/verified", status_code=204, summary="Verify an address")
async def verify(
    caller: rights.MayEditContacts, address_id: AddressKey, body: s.VerifyAddress
) -> Response:
    """Say that an address is known to be its contact's, or take that back."""
    await caller.hub.do(
        c.VerifyAddress(address_id=AddressId(address_id), verified=body.verified, by=body.by)
    )
    return Response(status_code=204)
