"""Several ways to a person in a send, their steps, and how fast an account may send to many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text("0"), nullable=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default="", nullable=False)


def upgrade() -> None:
    """Add columns and two tables."""
    op.add_column(
        "many_sends", sa.Column("routes", sa.JSON(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("many_sends", _number("fall_back_after"))
    op.add_column(
        "many_sends",
        sa.Column(
            "stops_when_answered", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    op.add_column("many_contents", _number("account_id"))
    op.create_table(
        "many_steps",
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("n", ID, nullable=False),
        _number("account_id"),
        _word("reason"),
        _number("at"),
        sa.PrimaryKeyConstraint("delivery_id", "n", name=op.f("pk_many_steps")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sending_limits",
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        *(
            _number(name)
            for name in (
                "per_minute", "per_day", "warm_from", "warm_first", "warm_percent", "price",
            )
        ),
        _word("currency"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sending_limits")),
    )  # fmt: skip
