"""What people do with what goes to many, as links and pictures tell it: clicks and opens."""

from __future__ import annotations

from sqlalchemy import and_, false, select, true

from crm_store.many_places import content_over, joined, place_of, words_of
from crm_store.sql import locked, upsert
from crm_store.tables.many import many_sends, many_touches
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_machines import is_burst
from dialogs.many_return import as_answered
from hub.commands import TouchMany
from hub.events import MailingClicked, MailingOpened
from hub.ids import ContactId, DeliveryId

ASKED = ("id", "contact_id", "account_id", "content_id", "send_id")


def touch_many(uow: UnitOfWork, command: TouchMany) -> bool:
    """Count a click or an open; gives whether it is the first. A click proves that it was seen."""
    columns = [deliveries.c[name] for name in ASKED]
    row = uow.conn.execute(
        select(*columns, many_sends.c.mailing_id, many_sends.c.routes)
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .where(deliveries.c.id == command.delivery_id)
    ).first()
    if row is None:
        return False
    n, machine = command.n, command.machine
    # What was touched is of the way it left by, also when the row has gone on to others since.
    place = place_of(row.routes, command.account_id)
    over = command.account_id if place else row.account_id
    if n > 0:
        content_id = row.content_id
        if over != row.account_id:
            content_id = content_over(words_of(uow.conn, row.send_id), content_id, over)
        n = joined(place or place_of(row.routes, row.account_id), n)
        machine = machine or is_burst(uow, row.id, content_id, n)
    where = (many_touches.c.delivery_id == row.id) & (many_touches.c.n == n)
    known = uow.conn.execute(select(many_touches.c.machine).where(where)).first()
    uow.conn.execute(
        upsert(uow.dialect, many_touches).on_conflict_do_update(
            index_elements=["delivery_id", "n"],
            set_={
                "count": many_touches.c.count + 1,
                "last_at": uow.now,
                # Once a person, always a person.
                "machine": and_(many_touches.c.machine, true() if machine else false()),
            },
        ),
        [
            {
                "delivery_id": row.id,
                "n": n,
                "first_at": uow.now,
                "last_at": uow.now,
                "count": 1,
                "machine": machine,
                "account_id": over,
            }
        ],
    )
    if over != row.account_id and not machine:
        whole = select(deliveries).where(deliveries.c.id == row.id)
        as_answered(uow, uow.conn.execute(locked(uow.dialect, whole)).one(), over)
    first = known is None or (known.machine and not machine)
    if first and command.n > 0:
        uow.record(
            MailingClicked(
                mailing_id=row.mailing_id,
                delivery_id=DeliveryId(row.id),
                contact_id=ContactId(row.contact_id),
                link=command.n,
                machine=machine,
            )
        )
    elif first and command.n == 0 and not machine:
        uow.record(
            MailingOpened(
                mailing_id=row.mailing_id,
                delivery_id=DeliveryId(row.id),
                contact_id=ContactId(row.contact_id),
            )
        )
    return bool(first)
