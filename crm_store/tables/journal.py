"""The journal: every fact in commit order, and how far each of its readers has come."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

from crm_store.tables.base import ID, data, flag, metadata, num, ref, word, words

# The id is the database's own counter, never reused (AUTOINCREMENT on SQLite), and is taken
# under one lock on PostgreSQL: id order is commit order, so `id > cursor` never skips.
journal = Table(
    "journal",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    word("type"),
    num("schema", 1),
    num("at"),
    word("actor_kind"),
    ref("actor_id"),
    word("actor_name"),
    data("cause"),
    word("subject_kind"),
    ref("subject_id"),
    ref("dialog_id"),
    flag("shown"),
    data("data"),
    Index(
        "ix_journal_shown",
        "dialog_id",
        "id",
        sqlite_where=text("shown"),
        postgresql_where=text("shown"),
    ),
    # What people did: the audit asks for it.
    Index(
        "ix_journal_acts",
        "actor_id",
        "id",
        sqlite_where=text("actor_kind IN ('user', 'token')"),
        postgresql_where=text("actor_kind IN ('user', 'token')"),
    ),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    Column("event_id", ID, nullable=False),
    Column("n", ID, nullable=False),
    word("kind"),
    ref("object_id"),
    word("field"),
    data("before", "null"),
    data("after", "null"),
    PrimaryKeyConstraint("event_id", "n"),
    Index("ix_changes_object", "kind", "object_id", "event_id"),
    sqlite_with_rowid=False,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(200), primary_key=True),
    num("event_id"),
    num("updated_at"),
)

parked_events = Table(
    "parked_events",
    metadata,
    Column("plugin", String(200), nullable=False),
    Column("event_id", ID, nullable=False),
    words("error"),
    num("at"),
    PrimaryKeyConstraint("plugin", "event_id"),
)

# One row per thing that only one process may do at a time (listen at an account, run the
# relay): a name, an owner, and until when.
leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    word("owner"),
    num("until"),
    num("fence"),
)

# Numbers of running processes, part of every id they make.
workers = Table(
    "workers",
    metadata,
    Column("number", ID, primary_key=True, autoincrement=False),
    word("owner"),
    num("until"),
)

# Facts about this very database: its epoch (new after each restore), when it was last alive.
meta = Table(
    "meta",
    metadata,
    Column("key", String(200), primary_key=True),
    words("value"),
)
