"""Clients have classes by what they bring (ABC) and how regularly they buy (XYZ)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBERS = {
    "months": 12,
    "a_percent": 80,
    "b_percent": 15,
    "x_percent": 10,
    "y_percent": 25,
    "version": 1,
    "counted_at": 0,
    "counted_months": 0,
    "whole": 0,
}


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default="", nullable=False)


def _num(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def upgrade() -> None:
    """Add the classes, empty until the first count, and how they are counted."""
    for name in ("abc", "xyz"):
        op.add_column("clients", _word(name))
    for name in ("class_sum", "class_spread"):
        op.add_column("clients", _num(name))
    op.create_index("ix_clients_abc", "clients", ["abc", "id"])
    op.create_table(
        "class_rules",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("currency"),
        _word("counted_currency"),
        *(_num(name, default) for name, default in NUMBERS.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_rules")),
    )
