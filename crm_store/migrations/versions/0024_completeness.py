"""Who else is responsible for a client, and how much of its card is filled in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; how much is filled in is counted once."""
    for name in ("co_owner_id", "completeness"):
        op.add_column(
            "clients", sa.Column(name, ID, server_default=sa.text("0"), nullable=False)
        )
    op.create_index("ix_clients_completeness", "clients", ["completeness", "id"])
    from crm_store.completeness import completeness_of

    conn = op.get_bind()
    rows = conn.execute(
        sa.text(
            "SELECT id, name, phone, email, source, owner_id, region, inn, industry, birthday,"
            " site, status, organisation FROM clients"
        )
    ).all()
    for start in range(0, len(rows), 1000):
        conn.execute(
            sa.text("UPDATE clients SET completeness = :share WHERE id = :id"),
            [
                {"id": row.id, "share": completeness_of(row._mapping)}
                for row in rows[start : start + 1000]
            ],
        )
