"""The plugin's own tables."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

ID = BigInteger().with_variant(Integer(), "sqlite")
_zero = text("0")

_own = MetaData()
replies = Table(
    "quick_replies_replies",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("title", String(200), nullable=False),
    Column("shortcut", String(60), nullable=False),
    Column("folder", String(100), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("owner_id", ID, nullable=False, server_default=_zero),
    Column("team_id", ID, nullable=False, server_default=_zero),
    Column("slot", ID, nullable=False, server_default=_zero),
    # By language: text, short (for short channels), html.
    Column("texts", JSON, nullable=False),
    Column("buttons", JSON, nullable=False),
    # The provider's template for channels that demand one: name and language.
    Column("template", JSON, nullable=False),
    Column("channels", JSON, nullable=False),
    Column("uses", ID, nullable=False, server_default=_zero),
    Column("last_used_at", ID, nullable=False, server_default=_zero),
    Column("created_at", ID, nullable=False),
    Column("changed_at", ID, nullable=False),
    Column("changed_by", ID, nullable=False, server_default=_zero),
    Column("version", ID, nullable=False, server_default=text("1")),
    Column("removed", Boolean, nullable=False, server_default=text("false")),
    Index("ix_quick_replies_replies_scope", "removed", "scope", "owner_id"),
)
files = Table(
    "quick_replies_files",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("reply_id", ID, nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("size", ID, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_quick_replies_files_reply", "reply_id"),
)
# Files that earlier versions had: they come back with their version.
old_files = Table(
    "quick_replies_old_files",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("reply_id", ID, nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(200), nullable=False),
    Column("size", ID, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_quick_replies_old_files_reply", "reply_id"),
)
# One row per message that began as a reply: repeated facts count once.
uses = Table(
    "quick_replies_uses",
    _own,
    Column("reply_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("dialog_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("at", ID, nullable=False),
    Column("solved", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("reply_id", "message_id"),
    Index("ix_quick_replies_uses_dialog", "dialog_id"),
)
# What a colleague wants to find first, each for himself.
favourites = Table(
    "quick_replies_favourites",
    _own,
    Column("user_id", ID, nullable=False),
    Column("reply_id", ID, nullable=False),
    PrimaryKeyConstraint("user_id", "reply_id"),
)
versions = Table(
    "quick_replies_versions",
    _own,
    Column("reply_id", ID, nullable=False),
    Column("version", ID, nullable=False),
    Column("at", ID, nullable=False),
    Column("by", ID, nullable=False, server_default=_zero),
    Column("body", JSON, nullable=False),
    PrimaryKeyConstraint("reply_id", "version"),
)


def declare(metadata: object) -> None:
    """Put the tables on the hub's list."""
    assert isinstance(metadata, MetaData)
    for one in (replies, files, old_files, uses, favourites, versions):
        one.to_metadata(metadata)
