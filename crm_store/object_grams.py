"""Finding objects by any part of their names: an index of three-letter parts, kept by the database.

Lists ask for words that stand anywhere in a name, a title, a phone or an e-mail. Reading every row
for that costs as much as there are rows; the index says which rows can have the words at all, and
the rows themselves decide. Triggers (SQLite) and an index over a function (PostgreSQL) keep it, so
that no writer can forget it: see the step 0028_speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import visitors

from crm_store.nouns import NOUNS, Noun
from crm_store.rows import among, listed
from hub.properties import PropertyType
from hub.terms import fold

GRAM = 3
MOST_WORDS = 10
MOST_GRAMS = 30
"""How many parts of what was asked go to the index; the rows are compared with all of it."""

CANDIDATES = 2000
"""From how many on reading in the list's own order meets a page sooner than the index does."""


def text_columns(noun: Noun) -> list[ColumnElement[str]]:
    """Give the columns in which a list of this kind looks for words, in the order of the index."""
    named = [
        prop.name
        for prop in noun.kind.properties
        if not prop.is_custom
        and prop.type is PropertyType.LINE
        and (prop.listed or prop.name == noun.kind.title)
    ]
    if "email_folded" in noun.table.c and "email" not in named:
        named.append("email")
    named += [one.name for one in noun.kind.properties if one.type is PropertyType.ADDRESSES]
    return [noun.table.c[f"{name}_folded"] for name in named]


def words_of(asked: str) -> list[str]:
    """Give the folded words that a list is asked for."""
    return fold(asked).split()[:MOST_WORDS]


def conditions(noun: Noun, dialect: str, many: int, *, near: bool) -> list[ColumnElement[bool]]:
    """Give the conditions that each of so many words stands in one of a row's texts.

    The words, and the ids of what the index gives where it helps, are values (`values`).
    """
    columns = text_columns(noun)
    place = func.instr if dialect == "sqlite" else func.strpos
    said = [or_(*(place(one, bindparam(f"word_{n}")) > 0 for one in columns)) for n in range(many)]
    return [among(dialect, noun.table.c.id, "near"), *said] if near else said


def values(dialect: str, words: Sequence[str], near: Sequence[int] | None) -> dict[str, str]:
    """Give words and ids as `conditions` take them."""
    given = {f"word_{n}": word for n, word in enumerate(words)}
    return given if near is None else given | {"near": listed(dialect, near)}


def has_words(conn: Connection, noun: Noun, words: Sequence[str]) -> ColumnElement[bool]:
    """Give the condition that every folded word stands in one of a row's texts."""
    dialect, near = conn.dialect.name, candidates(conn, noun, words)
    asked = and_(*conditions(noun, dialect, len(words), near=near is not None))
    given = values(dialect, words, near)

    def filled(element: Any, **_: Any) -> Any:
        if not isinstance(element, BindParameter) or element.key not in given:
            return None
        return bindparam(element.key, given[element.key], type_=element.type, unique=True)

    return visitors.replacement_traverse(asked, {}, filled)


def candidates(conn: Connection, noun: Noun, words: Sequence[str]) -> Sequence[int] | None:
    """Give the ids of all objects that may have the words; None where the index does not help.

    It does not help for words of one or two letters, and for what so many rows have that a page
    of them is met at once.
    """
    grams = list(dict.fromkeys(gram for word in words for gram in _parts(word)))[:MOST_GRAMS]
    if noun.kind.name not in NOUNS or not grams:
        return None
    asked: Any = list(map(_number, grams))
    if conn.dialect.name == "sqlite":
        asked = " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
    statement = _near(noun.kind.name, conn.dialect.name)
    ids = conn.execute(statement, {"grams": asked, "most": CANDIDATES + 1}).scalars().all()
    return ids if len(ids) <= CANDIDATES else None


@cache
def _near(kind: str, dialect: str) -> Any:
    """Ask the index of a kind for what has some parts."""
    noun = NOUNS[kind]
    if dialect == "sqlite":
        name = f"grams_{noun.table.name}"
        found = text(f"SELECT rowid AS id FROM {name} WHERE {name} MATCH :grams LIMIT :most")
        return found.columns(id=noun.table.c.id.type)
    numbers = bindparam("grams", type_=ARRAY(BigInteger))
    near = func.hub_grams(_indexed(noun), type_=ARRAY(BigInteger)).contains(numbers)
    # MATERIALIZED keeps the planner from walking the table in the hope of an early end.
    every = select(noun.table.c.id).where(near).cte("near").prefix_with("MATERIALIZED")
    return select(every.c.id).limit(bindparam("most"))


def _parts(word: str) -> list[str]:
    return [word[n : n + GRAM] for n in range(len(word) - GRAM + 1)]


def _number(gram: str) -> int:
    """Give the number of a part, as `hub_grams` of the database makes it."""
    one, two, three = map(ord, gram)
    return one << 42 | two << 21 | three


def _indexed(noun: Noun) -> ColumnElement[str]:
    """Give the text over which PostgreSQL has the index, written exactly as the index is."""
    first, *more = text_columns(noun)
    whole: ColumnElement[str] = first
    for one in more:
        whole = whole.concat(func.chr(text("10"), type_=String)).concat(one)
    return whole
