"""Searching: messages by their words, dialogs by subject and person, people by anything.

Three indexed questions, never one over everything. Newest first, so that a common word costs
no more than a rare one. What is found is compared with the text itself before it is shown:
the index may stand behind a hash, an answer may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    String,
    bindparam,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from crm_store.dialogs import several
from crm_store.rows import among, listed
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
from crm_store.search_messages import MAX_LIMIT, find, search_messages, snippet
from crm_store.search_people import search_contacts
from crm_store.sql import keep_plans
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.search import (
    dialog_terms,
    message_terms,
    number_of,
    tokens_of,
)
from crm_store.viewer import Reader, Viewer
from hub.ids import DialogId
from hub.records.dialogs import Dialog, SearchResults
from hub.records.people import Contact
from hub.terms import query_terms

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


def search(reader: Reader, asked: str, limit: int = 20, before: str = "") -> SearchResults:
    """Search everything; `before` continues the messages after the last page."""
    keep_plans(reader.conn)
    found = find(reader, asked, limit, before)
    people = () if before else search_contacts(reader, asked, limit)
    newest = [] if before else _newest_dialogs(reader, asked, people, limit)
    # Those of the messages and those that are found themselves in one question.
    known = {one.id: one for one in several(reader, list({*found.dialogs, *newest}))}
    return SearchResults(
        messages=found.hits(known),
        dialogs=tuple(known[one] for one in newest if one in known),
        contacts=people,
        next=found.following,
    )


def terms_clause(
    dialect: str, table_name: str, row_id: ColumnElement[int], wanted: Sequence[str]
) -> ColumnElement[bool]:
    """Give the condition that a row's indexed text has all these terms."""
    given = _given(dialect, wanted)
    return _has(dialect, table_name, row_id, _terms(dialect, value=given, unique=True))


def _has(
    dialect: str, table_name: str, row_id: ColumnElement[int], terms: BindParameter[Any]
) -> ColumnElement[bool]:
    if dialect == "sqlite":
        found = text(f"SELECT rowid AS id FROM {table_name} WHERE {table_name} MATCH :terms")
        return row_id.in_(found.bindparams(terms).columns(id=messages.c.id.type))
    index = {"message_terms": message_terms, "dialog_terms": dialog_terms}[table_name]
    return row_id.in_(select(index.c.id).where(index.c.terms.contains(terms)))


def _terms(dialect: str, **more: Any) -> BindParameter[Any]:
    return bindparam("terms", type_=String() if dialect == "sqlite" else ARRAY(Integer), **more)


def _given(dialect: str, wanted: Iterable[str]) -> str | list[int]:
    return tokens_of(wanted) if dialect == "sqlite" else [number_of(one) for one in wanted]


# -- dialogs -------------------------------------------------------------------------------


def search_dialogs(reader: Reader, asked: str, limit: int = 20) -> tuple[Dialog, ...]:
    """Give dialogs by subject, or by the name or address of their person; newest first."""
    people = search_contacts(reader, asked, limit)
    return several(reader, _newest_dialogs(reader, asked, people, limit))


def _newest_dialogs(
    reader: Reader, asked: str, people: Sequence[Contact], limit: int
) -> list[DialogId]:
    viewer, dialect = reader.viewer.sight, reader.conn.dialect.name
    most = max(1, min(limit, MAX_LIMIT))
    found: set[tuple[int, int]] = set()
    if people:
        given = {"people": listed(dialect, [one.id for one in people]), "most": most}
        found.update(map(tuple, reader.conn.execute(_theirs(viewer, dialect), given)))
    wanted = query_terms(asked)
    if wanted:
        given = {"terms": _given(dialect, wanted), "most": most}
        found.update(map(tuple, reader.conn.execute(_named(viewer, dialect), given)))
    return [DialogId(number) for _, number in sorted(found, reverse=True)[:most]]


@lru_cache(128)
def _theirs(viewer: Viewer, dialect: str) -> Select[Any]:
    return _newest(viewer, among(dialect, dialogs.c.contact_id, "people"))


@lru_cache(128)
def _named(viewer: Viewer, dialect: str) -> Select[Any]:
    return _newest(viewer, _has(dialect, "dialog_terms", dialogs.c.id, _terms(dialect)))


def _newest(viewer: Viewer, clause: ColumnElement[bool]) -> Select[Any]:
    return (
        select(dialogs.c.last_at, dialogs.c.id)
        .where(clause, viewer.dialogs_clause(), dialogs.c.merged_into == 0)
        .order_by(dialogs.c.last_at.desc())
        .limit(bindparam("most"))
    )
