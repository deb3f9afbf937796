"""The search index: which message, which dialog's subject and which contact has which term.

Terms are made by `hub.terms` and stored as 32-bit numbers, the same on both databases, so
that an index never spells out what somebody wrote, not even in pages that a deletion has left
behind. Measured against text terms (60,000 messages of 60 terms, commits of 100):

- SQLite: FTS5, detail=none, because nobody asks for a position: 26,000 rows/s with automerge 8
  against 20,000 with the default 4 and 17,800 with full detail, searches under a millisecond.
- PostgreSQL: GIN over int4[]: 8,200 rows/s against 7,600 for a tsvector, and a table of a third
  of its size. fastupdate=off writes 3,200 rows/s; with it on, the pending list is kept at 512 kB,
  because a flush of the default 4 MB holds one writer for 0.7 s and every search reads the list.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    column,
    insert,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY

from crm_store.tables.base import ID, metadata
from crm_store.tables.journal import meta
from hub.terms import TERMS_VERSION

VERSION_KEY = "search.terms_version"

_FTS_OPTIONS = "terms, detail=none, columnsize=0, tokenize='ascii'"
_GIN_OPTIONS = "fastupdate=on, gin_pending_list_limit=512"
_ID = "id BIGINT NOT NULL"
_TERMS = "terms INTEGER[] NOT NULL"
TERM_TABLES = ("message_terms", "dialog_terms")

# Made by `create_search`: SQLAlchemy has no words for a virtual table. On SQLite `id` is spelt
# rowid, which FTS5 keeps in order: the newest match is read first.
message_terms = table("message_terms", column("id", BigInteger), column("terms", ARRAY(Integer)))
dialog_terms = table("dialog_terms", column("id", BigInteger), column("terms", ARRAY(Integer)))

contact_grams = Table(
    "contact_grams",
    metadata,
    Column("gram", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    PrimaryKeyConstraint("gram", "contact_id"),
    Index("ix_contact_grams_contact", "contact_id"),
    sqlite_with_rowid=False,
)


def number_of(term: str) -> int:
    """Give the number under which a term is stored, 32 bits with a sign."""
    number = zlib.crc32(term.encode())
    return number - (1 << 32) if number >> 31 else number


def tokens_of(terms: Iterable[str]) -> str:
    """Give the same numbers, without sign, as FTS5 stores them."""
    return " ".join([f"{zlib.crc32(one.encode()):x}" for one in terms])


def search_ddl(dialect: str) -> list[str]:
    """Give the statements that make the term tables; contact_grams is an ordinary table."""
    statements: list[str] = []
    for name in TERM_TABLES:
        if dialect == "sqlite":
            statements += [
                f"CREATE VIRTUAL TABLE {name} USING fts5({_FTS_OPTIONS})",
                f"INSERT INTO {name}({name}, rank) VALUES('automerge', 8)",
            ]
        else:
            statements += [
                f"CREATE TABLE {name} ({_ID} CONSTRAINT pk_{name} PRIMARY KEY, {_TERMS})",
                f"CREATE INDEX ix_{name}_terms ON {name} USING gin (terms) WITH ({_GIN_OPTIONS})",
            ]
    return statements


def create_search(conn: Connection) -> None:
    """Make the term tables, in a migration, after `meta`: it keeps which terms they hold."""
    for statement in search_ddl(conn.dialect.name):
        conn.exec_driver_sql(statement)
    conn.execute(insert(meta).values(key=VERSION_KEY, value=str(TERMS_VERSION)))
