"""A later letter of a chain knows how many days after the first one it comes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# So far only the mailings knew it; a hub may have none.
KNOWN = "mailings_runs"


def upgrade() -> None:
    """Add the column, and fill it for the chains that are under way."""
    op.add_column("many_sends", sa.Column("days", ID, server_default=sa.text("0"), nullable=False))
    if sa.inspect(op.get_bind()).has_table(KNOWN):
        op.execute(
            f"UPDATE many_sends SET days = coalesce((SELECT r.days FROM {KNOWN} r"
            " WHERE r.send_id = many_sends.id), 0) WHERE step > 0"
        )
