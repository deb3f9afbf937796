"""Cards that are one: previews, merges, splits, the undoing of both, and pairs that may be one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from crm_store import clients as client_reads
from crm_store import duplicates, merge_reading, objects, unlinked
from crm_store.objects import NOUNS
from hub import commands as c
from hub.http_api import resource, rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import AddressKey, ContactKey, shown
from hub.http_api.errors import failures
from hub.http_api.shapes import objects as o
from hub.http_api.shapes import people as s
from hub.ids import AddressId, ClientId, ContactId, DialogId, MergeId, SaidId
from hub.shapes import GivenId, Listing, Made

router = rights.router("Contacts")
CLIENT = NOUNS["client"]
ClientKey = Annotated[GivenId, Path(alias="client_id", description="The client.")]
Other = Annotated[GivenId, Query(alias="with", description="The card that would be merged in.")]
Kind = Literal["contact", "client"]


@router.get("/contacts/{contact_id}/merge", summary="What a merge would do")
async def preview(
    caller: rights.MayViewContacts, contact_id: ContactKey, other: Other
) -> s.MergePreview:
    """Give what would go over to this contact, and the properties that differ."""
    found = await caller.hub.read(merge_reading.merge_preview, "contact", contact_id, other)
    return s.MergePreview.model_validate(found)


@router.post(
    "/contacts/{contact_id}/merge", status_code=201, summary="Merge", responses=failures(409)
)
async def merge(caller: rights.MayEditContacts, contact_id: ContactKey, body: s.MergeCards) -> Made:
    """Make another contact a part of this one; gives the number that undoes it."""
    command = c.MergeContacts(
        survivor_id=ContactId(contact_id),
        merged_id=ContactId(body.merged_id),
        take=tuple(body.take),
        survivor_version=body.version,
        merged_version=body.merged_version,
    )
    return Made(id=(await caller.hub.do(command))[0])


@router.get("/contacts/{contact_id}/merges", summary="Its merges")
async def merges(caller: rights.MayViewContacts, contact_id: ContactKey) -> Listing[s.Merge]:
    """Give the merges into this contact that can be undone, the newest first."""
    return await _merges(caller, "contact", contact_id)


async def _merges(caller: Caller, kind: str, object_id: int) -> Listing[s.Merge]:
    if kind == "contact":
        await caller.hub.contact(ContactId(object_id))
    else:
        await caller.hub.read(objects.one, NOUNS[kind], object_id)
    found = await caller.hub.read(merge_reading.merges_of, kind, object_id)
    return Listing[s.Merge](items=[s.Merge.model_validate(one) for one in found])


@router.delete("/merges/{merge_id}", summary="Undo a merge", responses=failures(409))
async def undo(
    caller: rights.MayEditContacts,
    merge_id: Annotated[GivenId, Path(description="The merge.")],
) -> Made:
    """Make one card two again; gives the id of the one that comes back. 409 says what cannot be
    told apart any more."""
    return Made(id=(await caller.hub.do(c.UndoMerge(merge_id=MergeId(merge_id))))[0])


@router.post(
    "/addresses/{address_id}/split",
    status_code=201,
    summary="Split an address off",
    responses=failures(409),
)
async def split(
    caller: rights.MayEditContacts, address_id: AddressKey, body: s.SplitAddress, response: Response
) -> s.Contact:
    """Make an address a person of its own, with its dialogs."""
    command = c.SplitContact(address_id=AddressId(address_id), name=body.name)
    return await shown(caller, (await caller.hub.do(command))[0], response)


@router.delete("/contacts/{contact_id}/split", summary="Undo a split", responses=failures(409))
async def undo_split(
    caller: rights.MayEditContacts, contact_id: ContactKey, response: Response
) -> s.Contact:
    """Give a contact that was split off back to the one whose address it was, with what came over
    it since; gives that one. 409 where somebody worked on the card since."""
    command = c.UndoSplit(contact_id=ContactId(contact_id))
    return await shown(caller, (await caller.hub.do(command))[0], response)


@router.get("/clients/{client_id}/merge", summary="What a merge of clients would do")
async def client_preview(
    caller: rights.MayViewContacts, client_id: ClientKey, other: Other
) -> s.MergePreview:
    """Give what would go over to this client, and the properties that differ."""
    found = await caller.hub.read(merge_reading.merge_preview, "client", client_id, other)
    return s.MergePreview.model_validate(found)


@router.post(
    "/clients/{client_id}/merge",
    status_code=201,
    summary="Merge clients",
    responses=failures(409),
)
async def client_merge(
    caller: rights.MayEditContacts, client_id: ClientKey, body: s.MergeCards
) -> Made:
    """Make another client a part of this one; gives the number that undoes it."""
    command = c.MergeClients(
        survivor_id=ClientId(client_id),
        merged_id=ClientId(body.merged_id),
        take=tuple(body.take),
        survivor_version=body.version,
        merged_version=body.merged_version,
    )
    return Made(id=(await caller.hub.do(command))[0])


@router.get("/clients/{client_id}/merges", summary="Its merges")
async def client_merges(caller: rights.MayViewContacts, client_id: ClientKey) -> Listing[s.Merge]:
    """Give the merges into this client that can be undone, the newest first."""
    return await _merges(caller, "client", client_id)


# -- who may be whom ---------------------------------------------------------------------------


@router.get("/duplicates/{kind}", summary="Pairs that may be one")
async def pairs(
    caller: rights.MayViewContacts,
    kind: Kind,
    before: Annotated[str, Query(max_length=60, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> Listing[s.DuplicatePair]:
    """Give pairs that nobody has decided, the likest first."""
    found, following = await caller.hub.read(duplicates.pairs, kind, before, limit)
    return Listing[s.DuplicatePair](
        items=[s.DuplicatePair.model_validate(one) for one in found], next=following
    )


@router.get("/duplicates/{kind}/like", summary="Cards like one that is being written")
async def like(
    caller: rights.MayViewContacts,
    kind: Kind,
    name: Annotated[str, Query(max_length=200)] = "",
    phone: Annotated[str, Query(max_length=100)] = "",
    email: Annotated[str, Query(max_length=320)] = "",
    inn: Annotated[str, Query(max_length=20)] = "",
) -> Listing[s.Likeness]:
    """Give at most ten cards that are like these words, the likest first, with the reasons."""
    values = {"name": name, "phone": phone, "email": email, "inn": inn}
    found = await caller.hub.read(duplicates.alike, kind, values)
    return Listing[s.Likeness](items=[s.Likeness.model_validate(one) for one in found])


@router.post("/duplicates/{kind}/rejected", status_code=204, summary="Not the same")
async def reject(caller: rights.MayEditContacts, kind: Kind, body: s.RejectDuplicate) -> Response:
    """Remember that two cards are not one."""
    await caller.hub.do(c.RejectDuplicate(kind=kind, a_id=body.a_id, b_id=body.b_id))
    return Response(status_code=204)


# -- what hangs in the air ----------------------------------------------------------------------


@router.get("/dialogs/{dialog_id}/said", summary="Addresses told in a dialog")
async def said(
    caller: rights.MayViewContacts,
    dialog_id: Annotated[GivenId, Path(description="The dialog.")],
) -> Listing[s.SaidAddress]:
    """Give phones and e-mails that the person told in messages, until somebody settles them."""
    await caller.hub.dialog(DialogId(dialog_id))
    found = await caller.hub.read(unlinked.said_in, DialogId(dialog_id))
    return Listing[s.SaidAddress](items=[s.SaidAddress.model_validate(one) for one in found])


@router.put("/said/{said_id}", status_code=204, summary="Settle it", responses=failures(409))
async def settle(
    caller: rights.MayEditContacts,
    said_id: Annotated[GivenId, Path(description="The told address.")],
    body: s.SettleSaid,
) -> Response:
    """Take a told address onto the card, or leave it; 409 names whose it is already."""
    await caller.hub.do(c.SettleSaid(said_id=SaidId(said_id), take=body.take))
    return Response(status_code=204)


@router.put("/dialogs/unlinked/aside", status_code=204, summary="Not a client")
async def aside(caller: rights.MayEditContacts, body: s.SetAside) -> Response:
    """Remember of dialogs' addresses that they are no clients."""
    ids = tuple(DialogId(one) for one in body.dialog_ids)
    await caller.hub.do(c.SetAside(dialog_ids=ids, reason=body.reason))
    return Response(status_code=204)


@router.put(
    "/dialogs/unlinked/client", summary="Link to a client", response_model=Listing[o.Client]
)
async def belong(caller: rights.MayEditContacts, body: s.BelongTo) -> Any:
    """Give dialogs' people to a client, or a new client to each; gives the clients."""
    ids = tuple(DialogId(one) for one in body.dialog_ids)
    made = await caller.hub.do(c.BelongTo(dialog_ids=ids, client_id=ClientId(body.client_id or 0)))
    found = [await caller.hub.read(client_reads.client, one) for one in dict.fromkeys(made[0])]
    return {"items": [o.Client.model_validate(one) for one in found], "next": ""}


MEETING = NOUNS["meeting"]
meetings = resource.resource(
    MEETING,
    resource.Shapes(shown=s.Meeting, create=s.CreateMeeting, change=s.ChangeMeeting),
    "Contacts",
    "meeting_id",
)
router.include_router(meetings)
