"""Clicks that no person made: every link of a letter followed within seconds (M17, M26)."""

from __future__ import annotations

from sqlalchemy import select, true, update

from crm_store.many_places import LINKS, joined, parted
from crm_store.tables.many import many_contents, many_touches
from crm_store.unit_of_work import UnitOfWork

BURST_US = 5_000_000
FEWEST = 3
"""A person may well follow both links of a short letter at once."""


def is_burst(uow: UnitOfWork, delivery_id: int, content_id: int, number: int) -> bool:
    """Say whether all links of these words were followed in one go, this click the last of them.

    `number` is the link with the place of its way.

    The clicks before it that counted as a person's are a machine's from now on; what facts told of
    them stays told.
    """
    links = uow.conn.execute(
        select(many_contents.c.links).where(many_contents.c.id == content_id)
    ).scalar()
    if not links or len(links) < FEWEST:
        return False
    place, _ = parted(number)
    just_now = (
        many_touches.c.delivery_id == delivery_id,
        many_touches.c.n.between(joined(place, 1), joined(place, LINKS - 1)),
        many_touches.c.first_at >= uow.now - BURST_US,
    )
    followed = {*uow.conn.execute(select(many_touches.c.n).where(*just_now)).scalars(), number}
    if len(followed) < len(links):
        return False
    uow.conn.execute(update(many_touches).where(*just_now).values(machine=true()))
    return True
