"""Clicks that no person made: every link of a letter followed within seconds (M17, M26)."""

from __future__ import annotations

from sqlalchemy import select, true, update

from crm_store.tables.many import many_contents, many_touches
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork

BURST_US = 5_000_000
FEWEST = 3
"""A person may well follow both links of a short letter at once."""


def is_burst(uow: UnitOfWork, delivery_id: int, link: int) -> bool:
    """Say whether all links were followed in one go, this click the last of them.

    The clicks before it that counted as a person's are a machine's from now on; what facts told of
    them stays told.
    """
    links = uow.conn.execute(
        select(many_contents.c.links)
        .join(deliveries, deliveries.c.content_id == many_contents.c.id)
        .where(deliveries.c.id == delivery_id)
    ).scalar()
    if not links or len(links) < FEWEST:
        return False
    just_now = (
        many_touches.c.delivery_id == delivery_id,
        many_touches.c.n > 0,
        many_touches.c.first_at >= uow.now - BURST_US,
    )
    followed = {*uow.conn.execute(select(many_touches.c.n).where(*just_now)).scalars(), link}
    if len(followed) < len(links):
        return False
    uow.conn.execute(update(many_touches).where(*just_now).values(machine=true()))
    return True
