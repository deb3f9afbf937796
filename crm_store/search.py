"""Searching: messages by their words, dialogs by subject and person, people by anything.

Three indexed questions, never one over everything. Newest first, so that a common word costs
no more than a rare one. What is found is compared with the text itself before it is shown:
the index may stand behind a hash, an answer may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    any_,
    bindparam,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer

from crm_store.dialogs import several
from crm_store.search_index import (
    Progress,
    index_contacts,
    index_dialogs,
    index_messages,
    is_out_of_date,
    mark_indexed,
    reindex,
    remove_contact,
    remove_contacts,
    remove_dialogs,
    remove_messages,
    start_reindex,
)
from crm_store.search_people import search_contacts
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.search import (
    dialog_terms,
    message_terms,
    number_of,
    tokens_of,
)
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.ids import DialogId, MessageId, Micros
from hub.records.dialogs import Dialog, SearchHit, SearchResults
from hub.records.people import Contact
from hub.terms import has_terms, query_terms, term_spans

__all__ = [
    "Progress",
    "index_contacts",
    "index_dialogs",
    "index_messages",
    "is_out_of_date",
    "mark_indexed",
    "reindex",
    "remove_contact",
    "remove_contacts",
    "remove_dialogs",
    "remove_messages",
    "search",
    "search_contacts",
    "search_dialogs",
    "search_messages",
    "snippet",
    "start_reindex",
]

MAX_LIMIT = 100
SNIPPET = 160
NEWEST = 4000
"""How many of the newest messages PostgreSQL looks through before it asks the GIN index.

A word in every hundredth message is found there in two milliseconds; the index would first
collect every message that has it."""

WINDOW = 200
"""How many matches are read before the viewer's rights and the clause are applied to all."""


def search(reader: Reader, asked: str, limit: int = 20, before: str = "") -> SearchResults:
    """Search everything; `before` continues the messages after the last page."""
    hits, following = search_messages(reader, asked, limit, before)
    if before:
        return SearchResults(messages=hits, dialogs=(), contacts=(), next=following)
    people = search_contacts(reader, asked, limit)
    return SearchResults(
        messages=hits,
        dialogs=_dialogs_of(reader, asked, people, limit),
        contacts=people,
        next=following,
    )


# -- messages ------------------------------------------------------------------------------


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
    wanted = query_terms(asked)
    if not wanted:
        return (), ""
    limit = max(1, min(limit, MAX_LIMIT))
    condition = and_(
        reader.viewer.messages_clause(),
        messages.c.deleted_at == 0,
        true() if clause is None else clause,
    )
    matching = _matching_messages(reader, wanted, _key(before), limit + 1, condition)
    following = str(matching[limit - 1].id) if len(matching) > limit else ""
    rows = [
        row
        for row in matching[:limit]
        # Two words may share a number; the text decides.
        if has_terms(f"{row.subject}\n{row.text}", wanted)
    ]
    its_dialog = {
        one.id: one for one in several(reader, list({DialogId(row.dialog_id) for row in rows}))
    }
    hits = tuple(
        SearchHit(
            dialog=its_dialog[DialogId(row.dialog_id)],
            message_id=MessageId(row.id),
            at=Micros(row.at),
            snippet=snippet(row.text, wanted) or snippet(row.subject, wanted),
        )
        for row in rows
        if row.dialog_id in its_dialog
    )
    return hits, following


def _key(before: str) -> int:
    if not before:
        return (1 << 63) - 1
    try:
        number = int(before)
    except ValueError as error:
        raise Invalid("this is not the end of a page", field="before") from error
    return max(0, min(number, (1 << 63) - 1))


_SHOWN = (
    messages.c.id,
    messages.c.dialog_id,
    messages.c.at,
    messages.c.subject,
    messages.c.text,
)


def _matching_messages(
    reader: Reader, wanted: Sequence[str], before: int, limit: int, condition: ColumnElement[bool]
) -> Sequence[Any]:
    if reader.conn.dialect.name == "sqlite":
        # FTS5 gives its matches by rowid, the newest first, and is asked no further than needed.
        matches = (
            text(
                "SELECT rowid AS id FROM message_terms"
                " WHERE message_terms MATCH :terms AND rowid < :before"
            )
            .columns(id=messages.c.id.type)
            .subquery("matches")
        )
        statement = (
            select(*_SHOWN)
            .join_from(matches, messages, messages.c.id == matches.c.id)
            .where(condition)
            .order_by(matches.c.id.desc())
            .limit(limit)
        )
        return reader.conn.execute(statement, {"terms": tokens_of(wanted), "before": before}).all()
    return _matching_on_postgres(reader, wanted, before, limit, condition)


def _matching_on_postgres(
    reader: Reader, wanted: Sequence[str], before: int, limit: int, condition: ColumnElement[bool]
) -> Sequence[Any]:
    def read(numbers: Sequence[int]) -> Sequence[Any]:
        statement = (
            select(*_SHOWN)
            .where(messages.c.id == any_(bindparam(None, numbers, type_=ARRAY(BigInteger))))
            .where(condition)
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        return reader.conn.execute(statement).all()

    newest = (
        select(message_terms.c.id, message_terms.c.terms)
        .where(message_terms.c.id < before)
        .order_by(message_terms.c.id.desc())
        .limit(NEWEST)
        .subquery("newest")
    )
    near = select(newest.c.id).where(newest.c.terms.contains(_array(wanted)))
    near = near.order_by(newest.c.id.desc()).limit(WINDOW)
    rows = read(reader.conn.execute(near).scalars().all())
    if len(rows) >= limit:
        return rows
    # MATERIALIZED keeps the planner from walking the whole table backwards in the hope of
    # meeting the word soon.
    has = message_terms.c.terms.contains(_array(wanted))
    found = select(message_terms.c.id).where(has).cte("found").prefix_with("MATERIALIZED")
    far = select(found.c.id).where(found.c.id < before).order_by(found.c.id.desc()).limit(WINDOW)
    numbers = reader.conn.execute(far).scalars().all()
    rows = read(numbers)
    if len(rows) >= limit or len(numbers) < WINDOW:
        return rows
    # Most of what has the words is hidden from this viewer, or is not what the clause asks for.
    every = (
        select(*_SHOWN)
        .join_from(found, messages, messages.c.id == found.c.id)
        .where(found.c.id < before, condition)
        .order_by(found.c.id.desc())
        .limit(limit)
    )
    return reader.conn.execute(every).all()


def _array(wanted: Iterable[str]) -> ColumnElement[Any]:
    return bindparam(None, [number_of(one) for one in wanted], type_=ARRAY(Integer))


def terms_clause(
    dialect: str, table_name: str, row_id: ColumnElement[int], wanted: Sequence[str]
) -> ColumnElement[bool]:
    """Give the condition that a row's indexed text has all these terms."""
    index = {"message_terms": message_terms, "dialog_terms": dialog_terms}[table_name]
    if dialect == "sqlite":
        found = text(
            f"SELECT rowid AS id FROM {table_name} WHERE {table_name} MATCH :terms"
        ).bindparams(bindparam("terms", tokens_of(wanted), unique=True))
        return row_id.in_(found.columns(id=messages.c.id.type))
    return row_id.in_(select(index.c.id).where(index.c.terms.contains(_array(wanted))))


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


# -- dialogs -------------------------------------------------------------------------------


def search_dialogs(reader: Reader, asked: str, limit: int = 20) -> tuple[Dialog, ...]:
    """Give dialogs by subject, or by the name or address of their person; newest first."""
    return _dialogs_of(reader, asked, search_contacts(reader, asked, limit), limit)


def _dialogs_of(
    reader: Reader, asked: str, people: Sequence[Contact], limit: int
) -> tuple[Dialog, ...]:
    limit = max(1, min(limit, MAX_LIMIT))
    visible = and_(reader.viewer.dialogs_clause(), dialogs.c.merged_into == 0)
    found: list[tuple[int, int]] = []
    if people:
        theirs = (
            select(dialogs.c.last_at, dialogs.c.id)
            .where(dialogs.c.contact_id.in_([one.id for one in people]), visible)
            .order_by(dialogs.c.last_at.desc())
            .limit(limit)
        )
        found += [(row.last_at, row.id) for row in reader.conn.execute(theirs)]
    wanted = query_terms(asked)
    if wanted:
        named = (
            select(dialogs.c.last_at, dialogs.c.id)
            .where(
                terms_clause(reader.conn.dialect.name, "dialog_terms", dialogs.c.id, wanted),
                visible,
            )
            .order_by(dialogs.c.last_at.desc())
            .limit(limit)
        )
        found += [(row.last_at, row.id) for row in reader.conn.execute(named)]
    newest = sorted(set(found), reverse=True)[:limit]
    return several(reader, [DialogId(number) for _, number in newest])
