"""What a rule asked the person of a dialog for, so that it is asked once and the answer is taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "asked_details",
        sa.Column("dialog_id", ID, autoincrement=False, nullable=False),
        sa.Column("message_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("kinds", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("name_before", sa.String(length=400), server_default="", nullable=False),
        sa.Column("cause", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.String(length=400), server_default="open", nullable=False),
        sa.Column("at", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("dialog_id", name=op.f("pk_asked_details")),
    )
