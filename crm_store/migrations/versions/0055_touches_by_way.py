"""A click, an open and an answer know by which account what they are about had come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LINKS = 1024
"""A link and the place of its way are one number: so many links to a place."""
OF_LATER = (
    "SELECT s.delivery_id FROM many_steps s JOIN deliveries d ON d.id = s.delivery_id"
    " WHERE d.send_id > 0 AND d.send_id = :send AND s.account_id = :account"
    " AND s.reason = 'not_delivered_in_time'"
)


def upgrade() -> None:
    """Add the column, and fill it where a touch was of a way that its person has gone on from."""
    op.add_column(
        "many_touches", sa.Column("account_id", ID, server_default=sa.text("0"), nullable=False)
    )
    sends = sa.table("many_sends", sa.column("id", ID), sa.column("routes", sa.JSON()))
    conn = op.get_bind()
    clicked = sa.text(
        "UPDATE many_touches SET account_id = :account"
        f" WHERE n BETWEEN :first AND :last AND delivery_id IN ({OF_LATER})"
    )
    answered = sa.text(
        "UPDATE many_touches SET account_id = :account WHERE n = -1"
        f" AND delivery_id IN ({OF_LATER}) AND EXISTS (SELECT 1 FROM messages m"
        " WHERE m.id = many_touches.delivery_id AND m.account_id = :account)"
    )
    for send in conn.execute(sa.select(sends.c.id, sends.c.routes)).all():
        for place, account in enumerate(send.routes or () if len(send.routes or ()) > 1 else (), 1):
            given = {"send": send.id, "account": int(account)}
            conn.execute(clicked, {**given, "first": place * LINKS, "last": place * LINKS + 1023})
            conn.execute(answered, given)
