"""The plugin's own table: one row per meaning."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, String, Table

meanings = Table(
    "keyword_labels_meanings",
    MetaData(),
    Column("name", String(100), primary_key=True),
    Column("words", JSON, nullable=False),
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    meanings.to_metadata(metadata)
