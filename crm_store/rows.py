"""Many rows in one statement, for the paths that every message takes.

SQLAlchemy asks each row for each parameter, and PostgreSQL's driver sends a message per row; both
cost more than the database itself. Here the text of a statement is made once per table and set of
columns, SQLite gets plain tuples, and PostgreSQL one JSON document that it unfolds itself; rows that
hold bytes go as an array per column, for JSON would write each byte as text and read it letter by
letter. Values are those of the table's own types; what is not in a row keeps its default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    FromClause,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import UserDefinedType

from hub.storable import is_storable

Row = dict[str, Any]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def dumps(value: Any) -> str:
    """Write a JSON value as it is stored."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def is_kept(dialect: str, value: Any) -> bool:
    """Say whether a database of this dialect takes a JSON value."""
    try:
        dumps(value)
    except TypeError:
        return False
    return dialect != "postgresql" or is_storable(value)


def read_json(stored: Any) -> Any:
    """Read a JSON value that a driver gave: SQLite's as text, PostgreSQL's as a value."""
    return orjson.loads(stored) if isinstance(stored, str | bytes) else stored


def insert_rows(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns."""
    _run(conn, table, rows, "")


def insert_missing(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose keys are not there yet."""
    _run(conn, table, rows, "ON CONFLICT DO NOTHING")


def write_rows(conn: Connection, table: Table, rows: Sequence[Row], tail: str) -> None:
    """Insert rows, with what is to happen on a conflict."""
    _run(conn, table, rows, tail)


def insert_returning(
    conn: Connection, table: Table, rows: Sequence[Row], tail: str
) -> Sequence[Any]:
    """Insert rows, with what is to happen on a conflict and what is to be given back."""
    text = _unfolding(table, tuple(rows[0]), tail, conn.dialect.name)
    return conn.exec_driver_sql(text, _given(table, rows, conn.dialect.name)).all()


def find_rows(
    conn: Connection, table: Table, keys: Sequence[Row], names: tuple[str, ...]
) -> Sequence[Any]:
    """Give columns of the rows that have one of these keys; each is found by its index."""
    if not keys:
        return []
    text = _finding(table, tuple(keys[0]), names, conn.dialect.name)
    return conn.exec_driver_sql(text, _given(table, keys, conn.dialect.name)).all()


@cache
def _finding(table: Table, keys: tuple[str, ...], names: tuple[str, ...], dialect: str) -> str:
    wanted = ", ".join(f"{table.name}.{name}" for name in names)
    if dialect == "sqlite":
        where = " AND ".join(f"{table.name}.{key} = given.value ->> '$.{key}'" for key in keys)
        # A CROSS JOIN is not turned round: the keys are gone through, not the table.
        return f"SELECT {wanted} FROM json_each(?) AS given CROSS JOIN {table.name} ON {where}"
    where = " AND ".join(f"{table.name}.{key} = given.{key}" for key in keys)
    return f"SELECT {wanted} FROM {_source(table, keys)} JOIN {table.name} ON {where}"


def update_rows(
    conn: Connection, table: Table, rows: Sequence[Row], *, added: tuple[str, ...] = ()
) -> None:
    """Write the given columns of the rows with these ids; what is `added` is added to what is there.

    The rows are locked already, or nobody waits for two of them: PostgreSQL takes them as it likes.
    """
    if not rows:
        return
    names = tuple(rows[0])
    text = _updating(table, names, added, conn.dialect.name)
    if conn.dialect.name == "sqlite":
        values = _values(table, (*(one for one in names if one != "id"), "id"))
        conn.exec_driver_sql(text, [values(row) for row in rows])
    else:
        conn.exec_driver_sql(text, _given(table, rows, "postgresql"))


@cache
def _updating(table: Table, names: tuple[str, ...], added: tuple[str, ...], dialect: str) -> str:
    def new(name: str) -> str:
        value = "?" if dialect == "sqlite" else _unfolded(table, name, names)
        return f"{table.name}.{name} + {value}" if name in added else value

    written = ", ".join(f"{name} = {new(name)}" for name in names if name != "id")
    if dialect == "sqlite":
        return f"UPDATE {table.name} SET {written} WHERE id = ?"
    return (
        f"UPDATE {table.name} SET {written} FROM {_source(table, names)}"
        f" WHERE {table.name}.id = given.id"
    )


def _run(conn: Connection, table: Table, rows: Sequence[Row], tail: str) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    if conn.dialect.name == "sqlite":
        values = _values(table, names)
        conn.exec_driver_sql(_inserting(table, names, tail), [values(row) for row in rows])
    else:
        text = _unfolding(table, names, tail, conn.dialect.name)
        conn.exec_driver_sql(text, _given(table, rows, "postgresql"))


@cache
def _inserting(table: Table, names: tuple[str, ...], tail: str) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) {tail}"


@cache
def _values(table: Table, names: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    """Give what takes the values of these columns out of a row, as SQLite stores them."""
    pick = itemgetter(*names)
    places = [n for n, name in enumerate(names) if isinstance(table.c[name].type, JSON)]

    def values(row: Row) -> tuple[Any, ...]:
        found = pick(row) if len(names) > 1 else (pick(row),)
        if not places:
            return found
        written = list(found)
        for n in places:
            written[n] = dumps(written[n])
        return tuple(written)

    return values


@cache
def _unfolding(table: Table, names: tuple[str, ...], tail: str, dialect: str) -> str:
    """Give an INSERT of rows in the order in which they are given, for locks are taken so."""
    listed = ", ".join(names)
    if dialect == "sqlite":
        # JSON stays text by `->`; everything else comes out as its own value by `->>`.
        taken = ", ".join(
            f"value {'->' if isinstance(table.c[name].type, JSON) else '->>'} '$.{name}'"
            for name in names
        )
        # Without WHERE the parser takes ON for the beginning of a join.
        return f"INSERT INTO {table.name} ({listed}) SELECT {taken} FROM json_each(?) WHERE true {tail}"
    taken = ", ".join(_unfolded(table, name, names) for name in names)
    return f"INSERT INTO {table.name} ({listed}) SELECT {taken} FROM {_source(table, names)} {tail}"


def _source(table: Table, names: tuple[str, ...]) -> str:
    """Give what PostgreSQL unfolds into rows."""
    types = [table.c[name].type.compile(_DIALECT) for name in names]
    if not _holds_bytes(table, names):
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        return f"json_to_recordset(%s::json) AS given({columns})"
    arrays = ", ".join(f"%b::{'TEXT' if kind == 'JSON' else kind}[]" for kind in types)
    return f"unnest({arrays}) AS given({', '.join(names)})"


def _unfolded(table: Table, name: str, names: tuple[str, ...]) -> str:
    if not isinstance(table.c[name].type, JSON):
        return f"given.{name}"
    if _holds_bytes(table, names):
        return f"given.{name}::json"
    # JSON's null would become NULL.
    return f"COALESCE(given.{name}, 'null')"


@cache
def _holds_bytes(table: Table, names: tuple[str, ...]) -> bool:
    return any(isinstance(table.c[name].type, LargeBinary) for name in names)


def _given(table: Table, rows: Sequence[Row], dialect: str) -> tuple[Any, ...]:
    """Give rows as the statement takes them."""
    names = tuple(rows[0])
    if dialect == "sqlite" or not _holds_bytes(table, names):
        return (dumps(rows),)
    return tuple(list(column) for column in zip(*map(_values(table, names), rows), strict=True))


# -- lists of ids --------------------------------------------------------------------------


class _Written(UserDefinedType[str]):
    """A list that is written already: neither SQLAlchemy nor the driver looks at each of its values."""

    cache_ok = True


def among(
    dialect: str, one: ColumnElement[Any], given: str | ColumnElement[Any]
) -> ColumnElement[bool]:
    """Say that a column is one of a list, in a statement whose text is the same for every list.

    The list is a value of this name (`listed`), or one that the statement itself has `gathered`.
    """
    if isinstance(given, str):
        given = bindparam(given, type_=_Written())
    if dialect == "sqlite":
        return one.in_(select(func.json_each(given).table_valued("value").c.value))
    return one == func.any(cast(given, postgresql.ARRAY(one.type)))


def gathered(dialect: str, one: ColumnElement[Any]) -> ColumnElement[Any]:
    """Gather the values of all rows in a list (`read_json`), None of no rows at most."""
    return func.json_group_array(one) if dialect == "sqlite" else func.array_agg(one)


def gathered_rows(dialect: str, *columns: ColumnElement[Any]) -> ColumnElement[str]:
    """Gather all rows in a list of lists, written as JSON; None of no rows at most."""
    if dialect == "sqlite":
        # To SQLite a stored JSON value is a text, and a truth is a number.
        whole = (func.json(one) if isinstance(one.type, JSON) else one for one in columns)
        return func.json_group_array(func.json_array(*whole))
    return cast(func.json_agg(func.json_build_array(*columns)), Text)


def gathered_in(found: str | None) -> list[Any]:
    """Give the rows that were gathered."""
    rows: list[Any] = orjson.loads(found) if found else []
    return rows


def listed(dialect: str, values: Iterable[int] | Iterable[str]) -> str:
    """Give a list as `among` takes it."""
    return dumps(list(values)) if dialect == "sqlite" else array(values)


def array(values: Iterable[int] | Iterable[str]) -> str:
    """Write a list as PostgreSQL reads it."""
    return (
        "{" + ",".join(_quoted(one) if isinstance(one, str) else str(one) for one in values) + "}"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def numbers(dialect: str, names: tuple[str, ...]) -> FromClause:
    """Give rows of whole numbers as a table `given`, in a statement whose text is always the same."""
    if dialect == "sqlite":
        each = func.json_each(bindparam("given")).table_valued("value", name="each")
        columns = [
            each.c.value.op("->>")(literal_column(f"'$[{n}]'", String)).label(name)
            for n, name in enumerate(names)
        ]
        return select(*columns).subquery("given")
    lists = (
        cast(bindparam(f"given_{one}", type_=_Written()), postgresql.ARRAY(BigInteger))
        for one in names
    )
    return func.unnest(*lists).table_valued(*names, name="given").render_derived()


def row_by_row(
    dialect: str,
    given: FromClause,
    table: Table,
    columns: Sequence[ColumnElement[Any]],
    on: ColumnElement[bool],
) -> tuple[FromClause, FromClause]:
    """Join a table to rows that are gone through; gives the join, and where its columns stand.

    An outer join, which SQLite does not turn round. PostgreSQL, which knows nothing of how many rows
    are within given bounds, would rather read the whole table: OFFSET keeps it a question for each row.
    """
    if dialect == "sqlite":
        return given.outerjoin(table, on), table
    own = select(*columns).where(on).offset(literal_column("0")).lateral("own")
    return given.outerjoin(own, true()), own


def numbered(
    dialect: str, names: tuple[str, ...], rows: Sequence[tuple[int, ...]]
) -> Mapping[str, Any]:
    """Give rows as `numbers` takes them."""
    if dialect == "sqlite":
        return {"given": dumps(rows)}
    return {f"given_{name}": array(row[n] for row in rows) for n, name in enumerate(names)}
