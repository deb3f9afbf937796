"""Neither the state nor the lease of a delivery stands in an index any more.

PostgreSQL writes a row's indexes anew whenever a column changes that one of them names. What is
unfinished is a column of its own now, and leases are found by the claims that took them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNFINISHED = "status IN ('queued', 'claimed', 'sending')"
AT_ONCE = 500


def upgrade() -> None:
    """Note what is leased, then make the indexes anew."""
    bind = op.get_bind()
    leases = op.create_table(
        "delivery_leases",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("until", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.String(400), server_default="", nullable=False),
        sa.Column("deliveries", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_leases"),
    )
    op.create_index("ix_delivery_leases_until", "delivery_leases", ["until"])
    _note_leased(bind, leases)
    for name in ("ix_deliveries_leased", "ix_deliveries_queue", "ix_deliveries_unfinished"):
        op.drop_index(name, "deliveries")
    stored = "STORED" if bind.dialect.name == "postgresql" else "VIRTUAL"
    op.execute(
        "ALTER TABLE deliveries ADD COLUMN unfinished BOOLEAN NOT NULL"
        f" GENERATED ALWAYS AS ({UNFINISHED}) {stored}"
    )
    if bind.dialect.name == "postgresql":
        # For what is still to come: what is there was written without gaps.
        op.execute("ALTER TABLE deliveries SET (fillfactor = 50)")
    op.create_index(
        "ix_deliveries_queue",
        "deliveries",
        ["account_id", "lane", "due_at", "id"],
        sqlite_where=sa.text("unfinished = 1 AND held = 0"),
        postgresql_where=sa.text("unfinished AND NOT held"),
    )
    op.create_index(
        "ix_deliveries_unfinished",
        "deliveries",
        ["dialog_id", "id"],
        sqlite_where=sa.text("dialog_id > 0 AND unfinished = 1"),
        postgresql_where=sa.text("dialog_id > 0 AND unfinished"),
    )


def _note_leased(bind: sa.Connection, leases: sa.Table) -> None:
    deliveries = sa.table(
        "deliveries", *(sa.column(name) for name in ("id", "status", "leased_until"))
    )
    leased = deliveries.c.leased_until > sa.literal_column("0")
    carried = deliveries.c.status.in_(("claimed", "sending"))
    for worker, mine in (("before", carried), ("", ~carried)):
        asked = sa.select(deliveries.c.id, deliveries.c.leased_until).where(leased, mine)
        rows = bind.execute(asked.order_by(deliveries.c.leased_until, deliveries.c.id)).all()
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            # The id of a delivery is nobody else's, and one delivery is the first of one list.
            bind.execute(
                sa.insert(leases).values(
                    id=some[0].id,
                    until=some[0].leased_until,
                    worker=worker,
                    deliveries=[row.id for row in some],
                )
            )
