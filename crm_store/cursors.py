"""Cursors of PostgreSQL that describe what they found only to who asks.

SQLAlchemy knows the columns of its own questions and looks only whether there are any; the driver
makes an object of each for it, at every statement, which cost a wide table more than its rows did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import psycopg


class Columns(Sequence[psycopg.Column]):
    """The columns of what a cursor found, made when one of them is looked at."""

    def __init__(self, cursor: LazyCursor, count: int) -> None:
        self._cursor = cursor
        self._count = count
        self._made: Sequence[psycopg.Column] | None = None

    def _all(self) -> Sequence[psycopg.Column]:
        if self._made is None:
            self._made = self._cursor.described()
        return self._made

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[psycopg.Column]:
        return iter(self._all())

    @overload
    def __getitem__(self, place: int) -> psycopg.Column: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[psycopg.Column]: ...
    def __getitem__(self, place: int | slice) -> psycopg.Column | Sequence[psycopg.Column]:
        """Give one column, or several."""
        return self._all()[place]


class LazyCursor(psycopg.Cursor[Any]):
    """The driver's own cursor but for its description."""

    @property
    def description(self) -> Any:
        """The columns of the newest result, None where it gave no rows."""
        count = self.pgresult.nfields if self.pgresult is not None else 0
        return Columns(self, count) if count else self.described()

    def described(self) -> Any:
        """Give the driver's own description."""
        return super().description
