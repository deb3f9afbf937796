"""Finding messages by their words, the newest first.

SQLite's index gives its matches in this order and is asked no further than a page needs. PostgreSQL's
gives all of them and in no order, so that the newest messages are looked through before: first a few
thousand, and then, by what was found there, as many as a page needs, if the index would take longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from crm_store.dialogs import several
from crm_store.rows import among, listed
from crm_store.sql import keep_plans, plan_anew, written
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.search import message_terms, number_of, tokens_of
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid
from hub.ids import DialogId, MessageId, Micros
from hub.records.dialogs import Dialog, SearchHit
from hub.terms import has_terms, query_terms, term_spans

MAX_LIMIT = 100
SNIPPET = 160
NEWEST = 4_000
"""How many of the newest messages PostgreSQL looks through at first.

A word in every hundredth message is found there in a millisecond."""

MANY = 10_000
"""From so many messages with the words on, somebody's own dialogs are looked for before the index is asked."""

FEW_DIALOGS = 1_000
"""In how many dialogs of somebody's own messages are looked through at most."""

PER_OWN = 10
"""How many messages the index collects while one of somebody's own is looked through."""

PER_MATCH = 6
"""How many messages are looked through while the index collects one that has the words."""

Clauses = tuple[ColumnElement[bool], ...]


def search_messages(
    reader: Reader,
    asked: str,
    limit: int = 20,
    before: str = "",
    clause: ColumnElement[bool] | None = None,
) -> tuple[tuple[SearchHit, ...], str]:
    """Give the newest messages that have all words asked for, and the key of the next page.

    `clause` limits them further (a dialog, an account); it is over the table `messages`.
    """
    if clause is None:
        # A clause is somebody's own, and so is the plan of its question.
        keep_plans(reader.conn)
    found = find(reader, asked, limit, before, clause)
    return found.hits({one.id: one for one in several(reader, found.dialogs)}), found.following


@dataclass(frozen=True, slots=True)
class Found:
    """Messages that have some words, before their dialogs are read, and the key of the next page."""

    wanted: Sequence[str]
    rows: Sequence[Any]
    following: str

    @property
    def dialogs(self) -> list[DialogId]:
        """In which dialogs they stand."""
        return list({DialogId(row.dialog_id) for row in self.rows})

    def hits(self, dialogs: Mapping[DialogId, Dialog]) -> tuple[SearchHit, ...]:
        """Give them as they are shown, with their dialogs."""
        return tuple(
            SearchHit(
                dialog=dialogs[DialogId(row.dialog_id)],
                message_id=MessageId(row.id),
                at=Micros(row.at),
                snippet=snippet(row.text, self.wanted) or snippet(row.subject, self.wanted),
            )
            for row in self.rows
            if row.dialog_id in dialogs
        )


def find(
    reader: Reader,
    asked: str,
    limit: int,
    before: str = "",
    clause: ColumnElement[bool] | None = None,
) -> Found:
    """Find what `search_messages` gives."""
    wanted = query_terms(asked)
    if not wanted:
        return Found((), (), "")
    limit = max(1, min(limit, MAX_LIMIT))
    clauses = () if clause is None else (clause,)
    matching = _matching(reader, wanted, _key(before), limit + 1, clauses)
    following = str(matching[limit - 1].id) if len(matching) > limit else ""
    # Two words may share a number; the text decides.
    rows = [row for row in matching[:limit] if has_terms(f"{row.subject}\n{row.text}", wanted)]
    return Found(wanted, rows, following)


def _key(before: str) -> int:
    if not before:
        return (1 << 63) - 1
    try:
        number = int(before)
    except ValueError as error:
        raise Invalid("this is not the end of a page", field="before") from error
    return max(0, min(number, (1 << 63) - 1))


def _matching(
    reader: Reader, wanted: Sequence[str], before: int, limit: int, clauses: Clauses
) -> Sequence[Any]:
    given = {"before": before, "most": limit}
    if reader.conn.dialect.name == "sqlite":
        return _asked(reader, _in_order, (), clauses, given | {"terms": tokens_of(wanted)})
    numbers = [number_of(one) for one in wanted]
    rows = _near(reader, numbers, clauses, given)
    if len(rows) < limit:
        own = () if clauses else _own(reader, numbers)
        rows = _asked(reader, _collected, (), clauses + own, given | {"terms": numbers})
    return rows


def _asked(
    reader: Reader, make: Any, what: tuple[int, ...], clauses: Clauses, given: Mapping[str, Any]
) -> Sequence[Any]:
    """Ask a question that is made once for all who see the same; a clause is somebody's own."""
    make = make.__wrapped__ if clauses else make
    return reader.conn.execute(make(reader.viewer.sight, *what, *clauses), given).all()


def _kept(viewer: Viewer, clauses: Clauses) -> ColumnElement[bool]:
    return and_(viewer.messages_clause(), messages.c.deleted_at == 0, *clauses)


@lru_cache(64)
def _in_order(viewer: Viewer, *clauses: ColumnElement[bool]) -> Select[Any]:
    """Ask SQLite: FTS5 gives its matches by rowid, the newest first."""
    matches = (
        text(
            "SELECT rowid AS id FROM message_terms"
            " WHERE message_terms MATCH :terms AND rowid < :before"
        )
        .columns(id=messages.c.id.type)
        .subquery("matches")
    )
    return (
        select(*_SHOWN)
        .join_from(matches, messages, messages.c.id == matches.c.id)
        .where(_kept(viewer, clauses))
        .order_by(matches.c.id.desc())
        .limit(bindparam("most"))
    )


# -- PostgreSQL ------------------------------------------------------------------------------


def _near(
    reader: Reader, numbers: Sequence[int], clauses: Clauses, given: Mapping[str, Any]
) -> Sequence[Any]:
    """Look through the newest messages; gives fewer than asked for where the index is to be asked."""
    limit, many = given["most"], len(numbers)
    given = {**given, **{f"term_{n}": number for n, number in enumerate(numbers)}}
    rows = _asked(reader, _through, (many, NEWEST), clauses, given)
    missing = limit - len(rows)
    if not rows or missing <= 0:
        return rows
    # Were the words as frequent further on: what a page needs, against what the index would take.
    needed = missing * NEWEST / len(rows)
    if needed > rows[0].total * len(rows) / NEWEST * PER_MATCH:
        return rows
    deep = NEWEST
    # A page may be met later than it should be; and the question shall have few texts.
    while deep < 2 * needed:
        deep *= 2
    given |= {"before": rows[-1].id, "most": missing}
    return [*rows, *_asked(reader, _through, (many, deep), clauses, given)]


def _own(reader: Reader, numbers: Sequence[int]) -> Clauses:
    """Say in which dialogs a reader can find words, where these say less than the words are frequent.

    The index would give each message that has the words, to be asked whether he may see it.
    """
    if reader.viewer.sees_all_dialogs:
        return ()
    given = {f"term_{n}": number for n, number in enumerate(numbers)}
    count, total = reader.conn.execute(_frequency(len(numbers), NEWEST), given).one()
    matches = count * total / NEWEST
    if matches < MANY:
        return ()
    # By its own values: who sees much has them soon.
    plan_anew(reader.conn)
    seen = select(dialogs.c.id, dialogs.c.message_count).where(reader.viewer.dialogs_clause())
    own = reader.conn.execute(seen.limit(written(FEW_DIALOGS + 1))).all()
    if len(own) > FEW_DIALOGS or sum(row.message_count for row in own) * PER_OWN > matches:
        return ()
    ids: BindParameter[str] = bindparam("own", listed("postgresql", (row.id for row in own)))
    return (among("postgresql", messages.c.dialog_id, ids),)


@cache
def _frequency(words: int, deep: int) -> Select[Any]:
    """Ask how many of the newest messages have the words, whoever may see them, and how many there are."""
    newest, said = _newest(words, deep)
    return select(func.count(), _TOTAL).select_from(newest).where(*said)


def _newest(
    words: int, deep: int, *older: ColumnElement[bool]
) -> tuple[Subquery, list[ColumnElement[bool]]]:
    """Give so many of the newest messages' terms, and the condition that the words are among them."""
    newest = (
        select(message_terms.c.id, message_terms.c.terms)
        .where(*older)
        .order_by(message_terms.c.id.desc())
        .limit(written(deep))
        .subquery("newest")
    )
    # A third less than "contains" takes, which takes each array apart first.
    return newest, [
        bindparam(f"term_{n}", type_=Integer) == any_(newest.c.terms) for n in range(words)
    ]


@lru_cache(256)
def _through(viewer: Viewer, words: int, deep: int, *clauses: ColumnElement[bool]) -> Select[Any]:
    """Ask for messages among so many that come before one, and how many there are altogether."""
    newest, said = _newest(words, deep, message_terms.c.id < bindparam("before", type_=BigInteger))
    return _page(newest, viewer, clauses, _TOTAL).where(*said)


def _page(
    newest: FromClause, viewer: Viewer, clauses: Clauses = (), *more: ColumnElement[Any]
) -> Select[Any]:
    """Ask for those of some messages, in their order, that are kept.

    OFFSET keeps it a question for each, so that no more are read than a page needs.
    """
    own = select(*_SHOWN).where(messages.c.id == newest.c.id, _kept(viewer, clauses))
    shown = own.offset(literal_column("0")).lateral("own")
    return (
        select(*shown.c, *more)
        .select_from(newest.join(shown, true()))
        .order_by(newest.c.id.desc())
        .limit(bindparam("most"))
    )


_SHOWN = (
    messages.c.id,
    messages.c.dialog_id,
    messages.c.at,
    messages.c.subject,
    messages.c.text,
)
_TOTAL = literal_column(
    "(SELECT reltuples FROM pg_class WHERE oid = 'message_terms'::regclass)", Float
).label("total")
_HAS = message_terms.c.terms.contains(bindparam("terms", type_=ARRAY(Integer)))
# MATERIALIZED keeps the planner from walking the whole table backwards in the hope of meeting the
# word soon.
_FOUND = select(message_terms.c.id).where(_HAS).cte("found").prefix_with("MATERIALIZED")


@lru_cache(64)
def _collected(viewer: Viewer, *clauses: ColumnElement[bool]) -> Select[Any]:
    """Ask the index, which collects everything that has the words."""
    before: BindParameter[int] = bindparam("before", type_=BigInteger)
    if not clauses:
        older = select(_FOUND.c.id).where(_FOUND.c.id < before)
        return _page(older.order_by(_FOUND.c.id.desc()).subquery("newest"), viewer)
    # A clause may leave a handful, the messages of one dialog: the planner begins with these, or
    # with the index, as it knows how many there are of both.
    both = (
        select(messages.c.id)
        .join_from(message_terms, messages, messages.c.id == message_terms.c.id)
        .where(_HAS, messages.c.id < before, _kept(viewer, clauses))
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    return (
        select(*_SHOWN)
        .join_from(both, messages, messages.c.id == both.c.id)
        .order_by(both.c.id.desc())
        .limit(bindparam("most"))
    )


def snippet(written: str, wanted: Iterable[str], length: int = SNIPPET) -> str:
    """Give the line of a text around the first word found, "" when there is none."""
    spans = term_spans(written, wanted, 1)
    if not spans:
        return ""
    start, end = spans[0]
    begin = max(0, start - length // 3)
    while 0 < begin < start and written[begin - 1].isalnum():
        begin += 1
    finish = min(len(written), max(end, begin + length))
    shown = " ".join(written[begin:finish].split())
    return ("…" if begin > 0 else "") + shown + ("…" if finish < len(written) else "")
