"""The few places where the two databases spell the same thing differently."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    Table,
    and_,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from crm_store.rows import array
from hub.errors import Invalid

T = TypeVar("T", int, str)
LARGEST = (1 << 63) - 1
_LOCK_NAMES = (
    "SELECT pg_advisory_xact_lock(%s, number) FROM"
    " (SELECT unnest(%s::integer[]) AS number ORDER BY 1) AS ordered"
)
_TAKE_FREE = (
    "SELECT number FROM unnest(%s::bigint[]) AS number"
    " WHERE pg_try_advisory_xact_lock(%s, hashint8(number))"
)


def upsert(dialect: str, table: Table) -> Any:
    """Give an INSERT that knows ON CONFLICT, in the database's own dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def locked(dialect: str, statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """Lock the selected rows; SQLite's single writer holds the lock on everything already."""
    if dialect == "postgresql":
        return statement.with_for_update(skip_locked=skip)
    return statement


def unindexed(column: ColumnElement[T]) -> ColumnElement[T]:
    """Give a number or a word as an expression for which no index is taken.

    SQLite keeps no statistics unless somebody asks for them, and thinks that what is not in the
    bin is a handful; it would rather walk through all of it than go by a list of ids. PostgreSQL
    knows as little of a table that was just filled.
    """
    of: TypeEngine[Any] = column.type
    return column + literal_column("''" if isinstance(of, String) else "0")


def written(number: int) -> ColumnElement[int]:
    """Give a number that stands in the question itself, for limits and zeros.

    A plan for all values takes a bound limit for a tenth of what there is, and looks dear; and it
    knows neither how many rows have a bound value nor the indexes of a part of a table.
    """
    return literal_column(str(number), Integer)


def one_of(column: ColumnElement[str], words: Iterable[str]) -> ColumnElement[bool]:
    """Say that a column is one of some words of ours, which stand in the question itself.

    A list that is bound is written into the question anew each time that it is asked.
    """
    listing = ", ".join(f"'{one}'" for one in words)
    # No literal column: a join takes it for one of a table that it does not know.
    return column.bool_op("IN")(text(f"({listing})"))


def lock_names(conn: Connection, room: int, names: Iterable[str]) -> None:
    """Let nobody else into these names until the transaction ends; SQLite has one writer anyway.

    For what cannot be locked as a row, because it may not be there yet. `room` keeps the names
    of different purposes apart. Names are locked in one order, so that two callers never wait
    for each other; different names that share a lock only wait in vain.
    """
    numbers = sorted({zlib.crc32(one.encode()) - (1 << 31) for one in names})
    if not numbers or conn.dialect.name != "postgresql":
        return
    conn.exec_driver_sql(_LOCK_NAMES, (room, array(numbers))).all()


def take_free(conn: Connection, room: int, numbers: Iterable[int]) -> set[int]:
    """Lock those of some numbers that no other transaction has locked, and give them.

    Nobody waits, so that nobody waits for one another either; what is not given is somebody
    else's until his transaction ends. SQLite has one writer: there everything is free. `room`
    keeps numbers of different purposes apart; one in billions is taken for another, in vain.
    """
    wanted = set(numbers)
    if not wanted or conn.dialect.name != "postgresql":
        return wanted
    return set(conn.exec_driver_sql(_TAKE_FREE, (array(wanted), room)).scalars())


def keep_plans(conn: Connection) -> None:
    """Let PostgreSQL keep its plans of the questions that follow in this transaction.

    For rows found by their keys and views written into their question, whose way is the same
    whatever is asked: planning them costs more than answering. A list that somebody narrows is
    planned by its values (`database.make_engine`).
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = auto")


def plan_for_all(conn: Connection) -> None:
    """Let PostgreSQL plan each question that follows in this transaction once, for all values.

    For cards, whose questions all go by keys: for a list of keys the server thinks ten times as
    dear what it plans for all lists, and would plan each anew (`keep_plans`), which takes longer
    than to answer it.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")


def owned(
    dialect: str, column: ColumnElement[int], mine: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Say whose something is, and on PostgreSQL that it is somebody's at all.

    Where most of a table is nobody's, a plan for all values takes nobody for anybody, and would
    read all of it. SQLite might begin with all that is somebody's.
    """
    return and_(mine, column > written(0)) if dialect == "postgresql" else mine


def plan_anew(conn: Connection) -> None:
    """Let PostgreSQL plan each question that follows in this transaction by what is there now.

    For what fills a table: a plan that was kept may be one for the few rows there were, and read
    the whole table for each batch, the slower the more has come.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


def page_key(before: str) -> tuple[int, int]:
    """Read the key of a page, `<value>-<id>`; raises Invalid for what no page of ours ended with."""
    value, dash, number = before.partition("-")
    wellformed = dash and all(one.isascii() and one.isdecimal() for one in (value, number))
    if not wellformed or max(len(value), len(number)) > 19:
        raise Invalid("this is not the end of a page", field="before")
    if max(int(value), int(number)) > LARGEST:
        raise Invalid("this is not the end of a page", field="before")
    return int(value), int(number)
