"""Who answered a mailing: its later letters keep away from him."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from crm_store.tables.many import many_sends, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.unit_of_work import UnitOfWork

ANSWER = -1
"""The number of an answer among the touches of a delivery."""


def who_answered(uow: UnitOfWork, send: Row[Any], contact_ids: Sequence[int]) -> set[int]:
    """Give who of these people answered an earlier step of the same mailing and occurrence."""
    rows = uow.conn.execute(
        select(deliveries.c.contact_id)
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .join(many_touches, many_touches.c.delivery_id == deliveries.c.id)
        .where(
            deliveries.c.contact_id.in_(sorted(set(contact_ids))),
            TO_MANY,
            many_sends.c.mailing_id == send.mailing_id,
            many_sends.c.occurrence == send.occurrence,
            many_touches.c.n == ANSWER,
        )
    )
    return set(rows.scalars())
