"""What hangs in the air: dialogs of nobody's client, and addresses told in a dialog.

Nothing is linked in silence. A phone or an e-mail that somebody writes into a message may be
anybody's: it is shown with its message, and a colleague says whose it is. What answers a question
of ours (dialogs/asking.py) is on the card at once, unverified, until a colleague keeps or removes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, select, true, update

from crm_store import object_writes, objects
from crm_store.addresses import add_address, remove_address, taken
from crm_store.clients import create_client
from crm_store.nouns import NOUNS
from crm_store.people import contact_changed, update_contact
from crm_store.sameness import said_addresses as told_in
from crm_store.sql import locked, upsert
from crm_store.survivors import lock_contact
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.duplicates import asked_details, said_addresses, set_aside
from crm_store.tables.objects import dialog_links, leads
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    AddAddress,
    BelongTo,
    CreateClient,
    NoteSaid,
    RemoveAddress,
    SetAside,
    SettleSaid,
    UpdateContact,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import AddressChanged
from hub.ids import AddressId, ClientId, ContactId, DialogId, MessageId, Micros, SaidId
from hub.messages import Address
from hub.objects import ActorKind
from hub.records.people import SaidAddress

CLIENT, CONTACT = NOUNS["client"], NOUNS["contact"]
ANSWER = "answer"
"""The state of what was answered to a question of ours: it stands on the card already."""
REASONS = ("private", "spam", "supplier")
MOST = 200


def unlinked_clause() -> list[ColumnElement[bool]]:
    """Give the conditions of a dialog that belongs to no client, lead or other object."""
    nobodys = select(contacts.c.id).where(
        contacts.c.id == dialogs.c.contact_id, contacts.c.client_id == 0
    )
    about = select(dialog_links.c.dialog_id).where(dialog_links.c.dialog_id == dialogs.c.id)
    asked = select(leads.c.id).where(
        leads.c.contact_id == dialogs.c.contact_id, leads.c.deleted_at == 0
    )
    aside = select(set_aside.c.address_id).where(set_aside.c.address_id == dialogs.c.address_id)
    return [
        dialogs.c.is_open,
        nobodys.correlate(dialogs).exists(),
        ~about.correlate(dialogs).exists(),
        ~asked.correlate(dialogs).exists(),
        ~aside.correlate(dialogs).exists(),
    ]


def _dialogs(uow: UnitOfWork, ids: Sequence[DialogId]) -> list[Any]:
    if not 0 < len(ids) <= MOST:
        raise Invalid(f"one to {MOST} dialogs", field="dialog_ids")
    rows = uow.conn.execute(
        select(dialogs.c.id, dialogs.c.address_id, dialogs.c.contact_id)
        .where(dialogs.c.id.in_(ids), uow.viewer.dialogs_clause())
        .order_by(dialogs.c.contact_id)
    ).all()
    if len(rows) != len(set(ids)):
        raise NotFound("there is no such dialog")
    return list(rows)


def put_aside(uow: UnitOfWork, command: SetAside) -> int:
    """Remember of addresses that they are no clients; gives how many."""
    if command.reason not in ("", *REASONS):
        raise Invalid(f"a reason is one of {', '.join(REASONS)}", field="reason")
    rows = {row.address_id: row for row in _dialogs(uow, command.dialog_ids) if row.address_id}
    uow.conn.execute(delete(set_aside).where(set_aside.c.address_id.in_(sorted(rows))))
    if command.reason and rows:
        by = uow.actor.id if uow.actor.kind is ActorKind.USER else 0
        uow.conn.execute(
            upsert(uow.dialect, set_aside),
            [
                {"address_id": one, "reason": command.reason, "at": uow.now, "user_id": by}
                for one in sorted(rows)
            ],
        )
    for row in rows.values():
        uow.record(
            AddressChanged(
                address_id=AddressId(row.address_id),
                contact_id=ContactId(row.contact_id),
                what="set_aside" if command.reason else "taken_up",
            )
        )
    return len(rows)


def belong_to(uow: UnitOfWork, command: BelongTo) -> list[ClientId]:
    """Give dialogs' people to a client, or a new client to each."""
    rows = {row.contact_id: row for row in _dialogs(uow, command.dialog_ids)}
    if command.client_id and object_writes.lock(uow, CLIENT, command.client_id).deleted_at:
        raise NotFound("there is no such client")
    found: list[ClientId] = []
    for contact_id in sorted(rows):
        person = lock_contact(uow, ContactId(contact_id))
        client_id = command.client_id
        if not client_id:
            owned = uow.conn.execute(
                select(addresses.c.kind, addresses.c.value).where(
                    addresses.c.contact_id == person.id, addresses.c.kind.in_(("email", "phone"))
                )
            )
            values = {row.kind: row.value for row in owned}
            client_id = create_client(uow, CreateClient(name=person.name, values=values))
        object_writes.change(uow, CONTACT, person, {"client_id": client_id})
        contact_changed(uow, ContactId(person.id), ("client_id",))
        found.append(client_id)
    return found


# -- what was said --------------------------------------------------------------------------


def note_said(uow: UnitOfWork, command: NoteSaid) -> int:
    """Note phones and e-mails that people told and that are not their own already."""
    rows = uow.conn.execute(
        select(messages.c.id, messages.c.dialog_id, messages.c.contact_id, messages.c.text).where(
            messages.c.id.in_(command.message_ids),
            messages.c.direction == "in",
            ~messages.c.automated,
            messages.c.deleted_at == 0,
        )
    ).all()
    noted = 0
    for row in rows:
        told = {f"{kind[0]}:{value}": (kind, value) for kind, value in told_in(row.text)}
        if not told:
            continue
        own = set(
            uow.conn.execute(
                select(addresses.c.normal).where(
                    addresses.c.contact_id == row.contact_id, addresses.c.normal.in_(sorted(told))
                )
            ).scalars()
        )
        fresh = [
            {
                "id": uow.new_id(),
                "dialog_id": row.dialog_id,
                "message_id": row.id,
                "kind": kind,
                "value": value,
                "normal": normal,
                "at": uow.now,
            }
            for normal, (kind, value) in sorted(told.items())
            if normal not in own
        ]
        if fresh:
            statement = upsert(uow.dialect, said_addresses).on_conflict_do_nothing()
            uow.conn.execute(statement, fresh)
            noted += len(fresh)
    return noted


def settle_said(uow: UnitOfWork, command: SettleSaid) -> None:
    """Take a told address onto the person's card, or leave it; what stands there is taken off."""
    row = uow.conn.execute(
        locked(uow.dialect, select(said_addresses).where(said_addresses.c.id == command.said_id))
    ).first()
    if row is None:
        raise NotFound("there is no such address")
    if row.state not in ("open", ANSWER):
        raise Conflict("a colleague settled this already", what="settled")
    contact_id = ContactId(_dialogs(uow, [DialogId(row.dialog_id)])[0].contact_id)
    if command.take and row.state == "open":
        take_said(uow, row, contact_id, state="taken")
        return
    if not command.take and row.state == ANSWER:
        _take_off(uow, row, contact_id)
    _settle(uow, row, "taken" if command.take else "left")


def take_said(uow: UnitOfWork, row: Any, contact_id: ContactId, *, state: str) -> None:
    """Put a told address onto a card, unverified; raises Conflict where it is somebody else's."""
    owner = _owners(uow.conn, [row.normal]).get(row.normal)
    if owner is not None and owner[0] != contact_id:
        raise taken(uow, owner[0])
    address_id = add_address(
        uow,
        AddAddress(contact_id=contact_id, address=Address(kind=row.kind, value=row.value)),
    )
    if state == ANSWER:
        mine = addresses.c.id == address_id
        uow.conn.execute(update(addresses).where(mine).values(matched_by=ANSWER))
    _settle(uow, row, state)


def _settle(uow: UnitOfWork, row: Any, state: str) -> None:
    mine = said_addresses.c.id == row.id
    uow.conn.execute(update(said_addresses).where(mine).values(state=state))


def _take_off(uow: UnitOfWork, row: Any, contact_id: ContactId) -> None:
    """Take back what an answer put onto a card, unless somebody changed it meanwhile."""
    if row.kind == "name":
        asked = asked_details.c.dialog_id == row.dialog_id
        before = uow.conn.execute(select(asked_details.c.name_before).where(asked)).scalar()
        if before and lock_contact(uow, contact_id).name == row.value:
            update_contact(uow, UpdateContact(contact_id=contact_id, name=before))
        return
    found = uow.conn.execute(
        select(addresses.c.id).where(
            addresses.c.contact_id == contact_id,
            addresses.c.normal == row.normal,
            addresses.c.matched_by == ANSWER,
            ~addresses.c.verified,
        )
    ).scalar()
    if found:
        remove_address(uow, RemoveAddress(address_id=AddressId(found)))


def _owners(
    conn: Any, normals: Sequence[str], seen: ColumnElement[bool] | None = None
) -> dict[str, tuple[int, str]]:
    rows = conn.execute(
        select(addresses.c.normal, contacts.c.id, contacts.c.name)
        .join(contacts, contacts.c.id == addresses.c.contact_id)
        .where(addresses.c.normal.in_(normals), true() if seen is None else seen)
    )
    return {row.normal: (row.id, row.name) for row in rows}


_SAID = (
    select(said_addresses)
    .where(
        said_addresses.c.dialog_id == bindparam("dialog"),
        said_addresses.c.state.in_(("open", ANSWER)),
    )
    .order_by(said_addresses.c.id.desc())
    .limit(5)
)


def said_in(reader: Reader, dialog_id: DialogId) -> list[SaidAddress]:
    """Give what was told in a dialog and nobody has settled, on the card already or not."""
    reader.viewer.need(CONTACT.kind.read)
    rows = reader.conn.execute(_SAID, {"dialog": dialog_id}).all()
    # Whoever is out of the reader's sight is not told as the owner either.
    seen = objects.visible_people(reader.viewer)
    owners = _owners(reader.conn, [row.normal for row in rows], seen) if rows else {}
    return [
        SaidAddress(
            id=SaidId(row.id),
            dialog_id=DialogId(row.dialog_id),
            message_id=MessageId(row.message_id),
            kind=row.kind,
            value=row.value,
            owner_id=ContactId(owners.get(row.normal, (0, ""))[0]),
            owner_name=owners.get(row.normal, (0, ""))[1],
            on_card=row.state == ANSWER,
            at=Micros(row.at),
        )
        for row in rows
    ]
