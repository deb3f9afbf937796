"""Support levels as the organisation's own list; the three that there were are its beginning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIRST = (
    ("standard", "standard", "стандартный"),
    ("extended", "extended", "расширенный"),
    ("premium", "premium", "премиальный"),
)


def upgrade() -> None:
    """Add the list."""
    table = op.create_table(
        "support_levels",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=400), server_default="", nullable=False),
        sa.Column("label_ru", sa.String(length=400), server_default="", nullable=False),
        sa.Column("position", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_support_levels")),
    )
    op.bulk_insert(
        table,
        [
            {"name": name, "label": label, "label_ru": russian, "position": n}
            for n, (name, label, russian) in enumerate(FIRST, 1)
        ],
    )
