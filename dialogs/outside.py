"""Events of other systems, and of the house's own: put on record with what they are about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select

from crm_store.sameness import normal_form
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.commands import PublishEvent, RecordArrival
from hub.errors import Invalid
from hub.events import EventPublished, OutsideHappened
from hub.ids import ContactId
from hub.messages import Address, OutsideEvent

MOST = 200
"""Letters of a word of the other system."""
LARGEST = 10**15
LONGEST = 4000
"""Letters of what is told with an event of the house's own."""
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,59}")


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


def publish_event(uow: UnitOfWork, command: PublishEvent) -> None:
    """Record an event of the house's own; gives nothing, for nothing is made."""
    if not NAME.fullmatch(command.name):
        raise Invalid("a name is of small letters, digits, dots and hyphens", field="name")
    uow.record(
        EventPublished(
            name=command.name,
            text=command.text[:LONGEST],
            dialog_id=command.dialog_id,
            contact_id=command.contact_id,
            object_kind=command.about.kind,
            object_id=int(command.about.id),
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
