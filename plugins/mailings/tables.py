"""The plugin's own tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    Text,
    select,
    text,
)

ID = BigInteger().with_variant(Integer(), "sqlite")


def number(name: str) -> Column[int]:
    """Give a column of a whole number that is 0 where nobody said more."""
    return Column(name, ID, nullable=False, server_default=text("0"))


_own = MetaData()
mailings = Table(
    "mailings_mailings",
    _own,
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    # What the form holds: segment, accounts in order, topic, schedule, limits, variants.
    Column("plan", JSON, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    number("send_id"),
    Column("contents", JSON, nullable=False),
    # Where the filling stands: the last person that was put into the outbox, and the pass.
    number("cursor"),
    number("phase"),
    number("planned"),
    number("held_out"),
    number("due_at"),
    number("started_at"),
    number("winner"),
    number("created_at"),
    number("user_id"),
    Column("version", ID, nullable=False, server_default=text("1")),
    Index("ix_mailings_mailings_state", "state", "due_at"),
)

# The sends of a mailing: one per occurrence of what repeats, and per step of a chain.
runs = Table(
    "mailings_runs",
    _own,
    Column("send_id", ID, primary_key=True, autoincrement=False),
    Column("mailing_id", ID, nullable=False),
    number("occurrence"),
    number("step"),
    # Days after the first letter, and the ids of this step's words.
    number("days"),
    Column("contents", JSON, nullable=False),
    Index("ix_mailings_runs_mailing", "mailing_id", "occurrence", "step"),
)


# Which occurrences were told as finished, and when.
finished = Table(
    "mailings_finished",
    MetaData(),
    number("mailing_id"),
    number("occurrence"),
    number("at"),
    PrimaryKeyConstraint("mailing_id", "occurrence"),
)


def with_run() -> Select[Any]:
    """Select mailings with the occurrence that they stand at."""
    return select(mailings, runs.c.occurrence).outerjoin(runs, runs.c.send_id == mailings.c.send_id)


def declare(metadata: object) -> None:
    """Put the tables on the hub's list."""
    assert isinstance(metadata, MetaData)
    for one in (mailings, runs):
        one.to_metadata(metadata)
