"""Time spent on requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text("0"), nullable=False)


def upgrade() -> None:
    """Add the entries, and their sum on the request."""
    op.add_column("requests", _number("spent_minutes"))
    op.create_table(
        "request_times",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("request_id"),
        _number("user_id"),
        _number("minutes"),
        _number("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_times")),
    )
    op.create_index("ix_request_times_request", "request_times", ["request_id", "id"])
