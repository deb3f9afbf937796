"""Ends set by hand, the meant day of repeating tasks, and the chance before an interest closed.

Minutes make up the norms of policies; an end that somebody set himself is hardly ever a whole
number of them away.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW = (("tasks", "repeat_day"), ("interests", "open_probability"))


def upgrade() -> None:
    """Add the columns; what was set by hand is known by its length."""
    for table, name in NEW:
        op.add_column(table, sa.Column(name, ID, server_default=sa.text("0"), nullable=False))
    op.add_column(
        "request_clocks",
        sa.Column("set_by_hand", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute("UPDATE request_clocks SET set_by_hand = true WHERE norm_us % 60000000 <> 0")
