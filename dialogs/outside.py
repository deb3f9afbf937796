"""Events of other systems: put on record with the person and the card that they are about."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from crm_store.sameness import normal_form
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.commands import RecordArrival
from hub.events import OutsideHappened
from hub.ids import ContactId
from hub.messages import Address, OutsideEvent

MOST = 200
"""Letters of a word of the other system."""
LARGEST = 10**15


def record_outside(uow: UnitOfWork, command: RecordArrival, event: OutsideEvent) -> None:
    """Record an event; a card that is not there, and a person who is not known, are left out."""
    kind, number = event.object_kind, event.object_id
    noun = uow.tx.nouns.get(kind)
    there = (
        noun is not None
        and uow.conn.execute(
            select(noun.table.c.id).where(noun.table.c.id == number, noun.table.c.deleted_at == 0)
        ).scalar()
    )
    contact_id = _person(uow, event.people)
    if not there:
        kind, number = ("contact", int(contact_id)) if contact_id else ("", 0)
    uow.record(
        OutsideHappened(
            account_id=command.account_id,
            name=event.name[:MOST],
            contact_id=contact_id,
            object_kind=kind,
            object_id=number,
            amount=max(-LARGEST, min(LARGEST, event.amount)),
            status=event.status[:MOST],
            reference=event.reference[:MOST],
        )
    )


def _person(uow: UnitOfWork, people: Sequence[Address]) -> ContactId:
    """Give the one contact that has the first known of these addresses; of several, nobody."""
    for one in people:
        normal = normal_form(one.kind, one.value)
        same = (addresses.c.kind == one.kind) & (addresses.c.value == one.value)
        if normal:
            same |= addresses.c.normal == normal
        found = set(
            uow.conn.execute(select(addresses.c.contact_id).where(same).limit(50)).scalars()
        )
        if found:
            return ContactId(found.pop()) if len(found) == 1 else ContactId(0)
    return ContactId(0)
