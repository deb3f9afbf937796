"""The plugin's own table: one row per time a mark was asked for."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

ID = BigInteger().with_variant(Integer(), "sqlite")
_zero = text("0")

asks = Table(
    "csat_asks",
    MetaData(),
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("dialog_id", ID, nullable=False),
    # The how manieth of its dialog: two that ask at once get the same, and one of them loses.
    Column("number", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    Column("user_id", ID, nullable=False, server_default=_zero),
    Column("channel", String(60), nullable=False),
    Column("asked_at", ID, nullable=False),
    Column("mark", ID, nullable=False, server_default=_zero),
    Column("rated_at", ID, nullable=False, server_default=_zero),
    Column("comment", String(2000), nullable=False, server_default=text("''")),
    UniqueConstraint("dialog_id", "number"),
    Index("ix_csat_asks_asked", "asked_at"),
    Index("ix_csat_asks_contact", "contact_id"),
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    asks.to_metadata(metadata)
