"""What emptied objects leave behind in the indexes of three-letter parts, and taking it out.

On SQLite such an index is written in segments: a removal adds a word of its own, and the parts stand
in older segments in clear text until those are merged (see the step 0028_speed). So whoever empties
objects leaves a mark, and upkeep merges the indexes, a slice of pages in each transaction, so that
no writer waits for long. SQLite's own `secure-delete` needs a newer release than many systems
have. PostgreSQL's indexes hold numbers, and its own vacuum takes them out.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, text

from crm_store.journal import get_meta, set_meta
from crm_store.nouns import NOUNS
from crm_store.tables.journal import meta

KEY = "grams.emptied_at"
PAGES = 250
"""So many pages, of 4 kB each, are written in one transaction."""

INDEXES = tuple(f"grams_{noun.table.name}" for noun in NOUNS.values())


def mark(conn: Connection, at: int) -> None:
    """Remember that objects were emptied at an instant, in the transaction that empties them."""
    if conn.dialect.name == "sqlite":
        set_meta(conn, KEY, str(at))


def marked(conn: Connection) -> str:
    """Give the mark that objects were emptied; "" where there is nothing to take out."""
    return get_meta(conn, KEY)


def take_out(conn: Connection, index: str, *, begin: bool) -> bool:
    """Merge one slice of an index; gives whether there is more. The first slice begins it."""
    before = conn.execute(text("SELECT total_changes()")).scalar_one()
    # A negative number takes in every segment that is there now.
    pages = -PAGES if begin else PAGES
    conn.execute(text(f"INSERT INTO {index}({index}, rank) VALUES('merge', :n)"), {"n": pages})
    after = conn.execute(text("SELECT total_changes()")).scalar_one()
    # One change is the command itself.
    return bool(after - before > 1)


def unmark(conn: Connection, seen: str) -> None:
    """Take a mark away, unless more was emptied since it was seen."""
    conn.execute(delete(meta).where(meta.c.key == KEY, meta.c.value == seen))
