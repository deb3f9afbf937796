"""Look an erased address up by its hash, so that a mailbox read anew brings nothing of it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    table = op.create_table(
        "erased_addresses",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column(
            "at",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_erased_addresses")),
    )
    erasures = sa.table("erasures", sa.column("at", sa.BigInteger), sa.column("address_hashes", sa.JSON))
    newest: dict[str, int] = {}
    for at, hashes in op.get_bind().execute(sa.select(erasures.c.at, erasures.c.address_hashes)):
        for one in hashes:
            newest[one] = max(at, newest.get(one, 0))
    if newest:
        op.bulk_insert(table, [{"hash": one, "at": at} for one, at in newest.items()])
