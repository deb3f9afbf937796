"""The plugin's own tables: the lists, the people on them, and the calls that were made.

What was said stands here only as answers to the script; the words of a call are those of the
noted call in the person's history.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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


def number(name: str) -> Column[int]:
    """Give a column of a whole number that is 0 where nobody said more."""
    return Column(name, ID, nullable=False, server_default=text("0"))


_own = MetaData()
lists = Table(
    "telemarketing_lists",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("plan", JSON, nullable=False),
    number("created_at"),
    number("started_at"),
    number("user_id"),
    Column("version", ID, nullable=False, server_default=text("1")),
    Index("ix_telemarketing_lists_state", "state", "id"),
)

people = Table(
    "telemarketing_people",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("list_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    number("address_id"),
    Column("time_zone", String(60), nullable=False, server_default=text("''")),
    # waiting or done; who has it now or had it last, and until when it is his alone.
    Column("state", String(20), nullable=False),
    number("user_id"),
    number("lease_until"),
    number("due_at"),
    # 1 where a colleague has promised to call back at that time.
    number("promised"),
    number("attempts"),
    Column("result", String(40), nullable=False, server_default=text("''")),
    # The merge that brought it to this person before `moves` was there, 0 where none did.
    number("merge_id"),
    UniqueConstraint("list_id", "contact_id"),
    Index("ix_telemarketing_people_due", "list_id", "state", "due_at", "id"),
    Index("ix_telemarketing_people_contact", "contact_id"),
)

# What each merge of cards did to places: they went over, or ended because the survivor had his own.
moves = Table(
    "telemarketing_moves",
    _own,
    Column("merge_id", ID, primary_key=True, autoincrement=False),
    Column("person_id", ID, primary_key=True, autoincrement=False),
    number("ended"),
)

calls = Table(
    "telemarketing_calls",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("list_id", ID, nullable=False),
    Column("person_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    number("user_id"),
    number("at"),
    Column("result", String(40), nullable=False),
    Column("answers", JSON, nullable=False),
    number("again_at"),
    # The noted call in the history, and what was made of it.
    number("meeting_id"),
    Column("made_kind", String(60), nullable=False, server_default=text("''")),
    number("made_id"),
    # How the person stood before, for the way back.
    Column("before", JSON, nullable=False),
    number("undone_at"),
    number("merge_id"),
    Index("ix_telemarketing_calls_list", "list_id", "id"),
    Index("ix_telemarketing_calls_person", "person_id", "id"),
    Index("ix_telemarketing_calls_contact", "contact_id"),
)


def declare(metadata: object) -> None:
    """Put the tables on the hub's list."""
    assert isinstance(metadata, MetaData)
    for one in (lists, people, moves, calls):
        one.to_metadata(metadata)
