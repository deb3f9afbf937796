"""Sums of money that never break a question, whatever was typed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import GenericFunction

from hub.properties import LARGEST


class sum_of(GenericFunction[int]):  # noqa: N801
    """The sum of a column of minor units, of some rows only where a condition is given.

    It is held between the smallest and the largest number that is kept: SQLite refuses a sum of
    more than 63 bits in the middle of a statement, PostgreSQL gives one that no column holds. On
    SQLite a sum of more than 9 * 10^15 minor units is right to 15 digits.
    """

    type = BigInteger()
    name = "sum_of"
    inherit_cache = True

    def __init__(
        self, column: ColumnElement[Any], where: ColumnElement[bool] | None = None
    ) -> None:
        super().__init__(*((column,) if where is None else (column, where)))


def _parts(element: Any, compiler: Any, more: Any) -> tuple[str, str]:
    column, *where = (compiler.process(one, **more) for one in element.clauses)
    return column, f" FILTER (WHERE {where[0]})" if where else ""


@compiles(sum_of, "sqlite")
def _in_reals(element: Any, compiler: Any, **more: Any) -> str:
    # A cast of a real that is too large gives the largest whole number.
    column, where = _parts(element, compiler, more)
    return f"CAST(total({column}){where} AS INTEGER)"


@compiles(sum_of)
def _bounded(element: Any, compiler: Any, **more: Any) -> str:
    column, where = _parts(element, compiler, more)
    summed = f"sum({column}){where}"
    return f"CAST(GREATEST(LEAST({summed}, {LARGEST}), -{LARGEST}) AS BIGINT)"
