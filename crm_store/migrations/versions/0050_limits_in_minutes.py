"""A limit is of so many messages in so many minutes; those of before are of one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLACES = (
    ("many_sends", "minutes"),
    ("many_sends", "domain_minutes"),
    ("sending_limits", "minutes"),
)


def upgrade() -> None:
    """Add the minutes of each limit."""
    for table, name in PLACES:
        op.add_column(table, sa.Column(name, ID, server_default=sa.text("1"), nullable=False))
