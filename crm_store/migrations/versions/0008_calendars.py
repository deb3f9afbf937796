"""Working calendars; each organisation begins with office hours and one around the clock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; its first rows are written with the other first rows."""
    op.create_table(
        "calendars",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("brand_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.String(length=400), server_default="", nullable=False),
        sa.Column("time_zone", sa.String(length=400), server_default="", nullable=False),
        sa.Column("week", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("special", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", ID, server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
    )
    op.create_index(
        "uq_calendars_default",
        "calendars",
        ["brand_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
