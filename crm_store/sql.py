"""The few places where the two databases spell the same thing differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(dialect: str, table: Table) -> Any:
    """Give an INSERT that knows ON CONFLICT, in the database's own dialect."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def locked(dialect: str, statement: Select[Any], *, skip: bool = False) -> Select[Any]:
    """Lock the selected rows; SQLite's single writer holds the lock on everything already."""
    if dialect == "postgresql":
        return statement.with_for_update(skip_locked=skip)
    return statement
