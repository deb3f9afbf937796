"""Names that come after their messages: what a provider says of a person when it is asked.

Networks such as VK send a bare number with each message. Once the name is known, whatever
still bears the number bears the name; what a colleague has written himself stays.
"""

from __future__ import annotations

from sqlalchemy import select, update

from crm_store.search_index import index_contact
from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.commands import IntroducePerson
from hub.events import ContactChanged, MessageChanged
from hub.ids import ContactId, DialogId, MessageId
from hub.terms import fold


def introduce_person(uow: UnitOfWork, command: IntroducePerson) -> bool:
    """Give an address, its contact and their messages the person's own name."""
    address, name = command.address, command.address.name.strip()[:400]
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(addresses).where(
                addresses.c.kind == address.kind, addresses.c.value == address.value
            ),
        )
    ).first()
    if row is not None:
        uow.conn.execute(
            update(addresses)
            .where(addresses.c.id == row.id)
            .values(name=name or row.name, profile={**row.profile, **command.profile})
        )
        _name_contact(uow, ContactId(row.contact_id), command, name)
    if name:
        where = dialogs.c.id == command.dialog_id
        if row is not None:
            where |= dialogs.c.address_id == row.id
        _sign_messages(
            uow, address.value, name, list(uow.conn.scalars(select(dialogs.c.id).where(where)))
        )
    return row is not None


def _name_contact(
    uow: UnitOfWork, contact_id: ContactId, command: IntroducePerson, name: str
) -> None:
    contact = uow.conn.execute(
        locked(uow.dialect, select(contacts).where(contacts.c.id == contact_id))
    ).first()
    if contact is None:
        return
    values: dict[str, object] = {}
    if name and contact.name in ("", command.address.value):
        values |= {"name": name, "name_folded": fold(name)[:400]}
    if command.language and not contact.language:
        values["language"] = command.language
    if values:
        uow.conn.execute(
            update(contacts)
            .where(contacts.c.id == contact_id)
            .values(version=contacts.c.version + 1, **values)
        )
    index_contact(uow, contact_id)
    changed = tuple(one for one in values if one != "name_folded")
    uow.record(ContactChanged(contact_id=contact_id, fields=changed or ("addresses",)))


def _sign_messages(uow: UnitOfWork, number: str, name: str, dialog_ids: list[int]) -> None:
    """Put the name under messages that still show the number."""
    if not dialog_ids:
        return
    rows = uow.conn.execute(
        update(messages)
        .where(
            messages.c.dialog_id.in_(dialog_ids),
            messages.c.direction.in_(("in", "call")),
            messages.c.author_name == number,
        )
        .values(author_name=name)
        .returning(messages.c.id, messages.c.dialog_id)
    ).all()
    for row in rows:
        uow.record(
            MessageChanged(
                message_id=MessageId(row.id), dialog_id=DialogId(row.dialog_id), what="author"
            )
        )
