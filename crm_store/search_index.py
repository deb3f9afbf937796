"""Keeping the search in step: whoever writes a text writes its index in the same transaction.

Everything here is set-based, because it stands on the path of every arriving message. Whole
reindexing happens only after `hub.terms` changed, in steps that can be interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, text

from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import meta
from crm_store.tables.people import addresses, contacts
from crm_store.tables.search import VERSION_KEY, contact_grams, number_of, tokens_of
from crm_store.unit_of_work import UnitOfWork
from hub.ids import ContactId
from hub.terms import TERMS_VERSION, fold, is_phone, phone_grams, terms, trigrams

MAX_CONTACT_GRAMS = 400
_IN_LIST = 500
_STEP = "search.reindex"


def index_messages(conn: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Index messages, new or edited: pairs of an id and the text with its subject."""
    _index(conn, "message_terms", rows)


def remove_messages(conn: Connection, ids: Sequence[int]) -> None:
    """Take deleted messages out of the search."""
    _remove(conn, "message_terms", ids)


def index_dialogs(conn: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Index dialogs, new or renamed: pairs of an id and the subject."""
    _index(conn, "dialog_terms", rows)


def remove_dialogs(conn: Connection, ids: Sequence[int]) -> None:
    """Take deleted dialogs out of the search."""
    _remove(conn, "dialog_terms", ids)


def _index(conn: Connection, name: str, rows: Sequence[tuple[int, str]]) -> None:
    # The last word on an id counts, as if the rows had come one by one.
    found = {number: terms(written) for number, written in rows}
    _remove(conn, name, [number for number, its in found.items() if not its])
    full = [(number, its) for number, its in sorted(found.items()) if its]
    if not full:
        return
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(
            f"INSERT OR REPLACE INTO {name}(rowid, terms) VALUES (?, ?)",
            [(number, tokens_of(its)) for number, its in full],
        )
        return
    # One statement with two arrays: an array of arrays must be rectangular, so that the inner
    # one travels as its text.
    conn.exec_driver_sql(
        f"INSERT INTO {name}(id, terms) SELECT id, terms::integer[]"
        " FROM unnest(%s::bigint[], %s::text[]) AS given(id, terms)"
        " ON CONFLICT (id) DO UPDATE SET terms = excluded.terms",
        (
            [number for number, _ in full],
            ["{" + ",".join(str(number_of(one)) for one in its) + "}" for _, its in full],
        ),
    )


def _remove(conn: Connection, name: str, ids: Sequence[int]) -> None:
    if not ids:
        return
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"DELETE FROM {name} WHERE rowid = ?", [(one,) for one in ids])
    else:
        conn.exec_driver_sql(f"DELETE FROM {name} WHERE id = ANY(%s)", (list(ids),))


# -- contacts ------------------------------------------------------------------------------


def index_contacts(
    conn: Connection, rows: Sequence[tuple[int, Sequence[str]]], *, fresh: bool = False
) -> None:
    """Index contacts, new or changed: pairs of an id and all its names and addresses.

    `fresh` ones were made in this transaction and stand nowhere yet.
    """
    if not fresh:
        remove_contacts(conn, [contact_id for contact_id, _ in rows])
    pairs = sorted(
        {(number_of(gram), contact_id) for contact_id, texts in rows for gram in grams_of(texts)}
    )
    if not pairs:
        return
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(
            "INSERT OR IGNORE INTO contact_grams(gram, contact_id) VALUES (?, ?)", pairs
        )
    else:
        conn.exec_driver_sql(
            "INSERT INTO contact_grams(gram, contact_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
            ([gram for gram, _ in pairs], [contact_id for _, contact_id in pairs]),
        )


def index_contact(uow: UnitOfWork, contact_id: ContactId) -> None:
    """Make a contact's search entries again from its name and addresses."""
    name = uow.conn.execute(select(contacts.c.name).where(contacts.c.id == contact_id)).scalar()
    if name is None:
        return
    owned = uow.conn.execute(
        select(addresses.c.name, addresses.c.value).where(addresses.c.contact_id == contact_id)
    ).all()
    texts = [name, *(part for row in owned for part in (row.name, row.value) if part)]
    index_contacts(uow.conn, [(contact_id, texts)])


def remove_contact(conn: Connection, contact_id: int) -> None:
    """Take a contact out of the search."""
    remove_contacts(conn, [contact_id])


def remove_contacts(conn: Connection, ids: Sequence[int]) -> None:
    """Take contacts out of the search."""
    for start in range(0, len(ids), _IN_LIST):
        conn.execute(
            delete(contact_grams).where(
                contact_grams.c.contact_id.in_(ids[start : start + _IN_LIST])
            )
        )


def grams_of(texts: Iterable[str]) -> list[str]:
    """Give the parts of names and addresses by which a contact is found."""
    found: dict[str, None] = {}
    for one in texts:
        if is_phone(one):
            found.update(dict.fromkeys(phone_grams(one)))
            continue
        local, at, domain = fold(one).rpartition("@")
        if at and local and domain:
            found.update(dict.fromkeys(domain_grams(domain)))
        found.update(dict.fromkeys(trigrams(local if at and local else one)))
        if len(found) >= MAX_CONTACT_GRAMS:
            break
    return list(found)[:MAX_CONTACT_GRAMS]


def domain_grams(domain: str) -> list[str]:
    """Give a mail domain whole and by its parents: half the world shares its trigrams."""
    labels = domain.split(".")[-6:]
    return ["@" + ".".join(labels[n:]) for n in range(max(1, len(labels) - 1))]


# -- reindexing ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far reindexing has come."""

    done: int
    total: int
    finished: bool


def is_out_of_date(conn: Connection) -> bool:
    """Say whether the index was made by another version of the terms, or is being made anew."""
    statement = select(meta.c.key, meta.c.value).where(meta.c.key.in_([VERSION_KEY, _STEP]))
    kept = {row.key: row.value for row in conn.execute(statement)}
    return _STEP in kept or kept.get(VERSION_KEY) != str(TERMS_VERSION)


def start_reindex(conn: Connection) -> None:
    """Begin to index everything again; the search goes on meanwhile."""
    _remember(conn, _STEP, "message 0 0")


def mark_indexed(conn: Connection) -> None:
    """Note that the index is complete and which terms it holds; a new database begins so."""
    conn.execute(delete(meta).where(meta.c.key == _STEP))
    _remember(conn, VERSION_KEY, str(TERMS_VERSION))


def reindex(conn: Connection, limit: int = 1000) -> Progress:
    """Do the next step of reindexing, in its own transaction; call until it is finished.

    Where it stands is written with the rows, so that a killed process goes on from there.
    """
    kept = conn.execute(select(meta.c.value).where(meta.c.key == _STEP)).scalar()
    if kept is None:
        if not is_out_of_date(conn):
            return Progress(done=0, total=0, finished=True)
        kept = "message 0 0"
    kind, after, done = kept.split()
    step = {"message": _messages_step, "dialog": _dialogs_step, "contact": _contacts_step}[kind]
    last, count = step(conn, int(after), limit)
    total = sum(
        conn.execute(select(func.count()).select_from(one)).scalar_one()
        for one in (messages, dialogs, contacts)
    )
    following = {"message": "dialog", "dialog": "contact", "contact": ""}[kind]
    so_far = int(done) + count
    if count:
        _remember(conn, _STEP, f"{kind} {last} {so_far}")
    elif following:
        _remember(conn, _STEP, f"{following} 0 {so_far}")
    else:
        mark_indexed(conn)
        return Progress(done=so_far, total=max(total, so_far), finished=True)
    return Progress(done=so_far, total=max(total, so_far), finished=False)


def _messages_step(conn: Connection, after: int, limit: int) -> tuple[int, int]:
    # Locked on PostgreSQL: an edit that commits between reading and writing would be undone
    # in the index.
    rows = conn.execute(
        locked(
            conn.dialect.name,
            select(messages.c.id, messages.c.subject, messages.c.text, messages.c.deleted_at)
            .where(messages.c.id > after)
            .order_by(messages.c.id)
            .limit(limit),
        )
    ).all()
    _index(
        conn,
        "message_terms",
        [(row.id, "" if row.deleted_at else f"{row.subject}\n{row.text}") for row in rows],
    )
    return _sweep(conn, "message_terms", "messages", after, [row.id for row in rows])


def _dialogs_step(conn: Connection, after: int, limit: int) -> tuple[int, int]:
    rows = conn.execute(
        locked(
            conn.dialect.name,
            select(dialogs.c.id, dialogs.c.subject)
            .where(dialogs.c.id > after)
            .order_by(dialogs.c.id)
            .limit(limit),
        )
    ).all()
    _index(conn, "dialog_terms", [(row.id, row.subject) for row in rows])
    return _sweep(conn, "dialog_terms", "dialogs", after, [row.id for row in rows])


def _sweep(
    conn: Connection, index: str, source: str, after: int, ids: Sequence[int]
) -> tuple[int, int]:
    """Take out entries of rows that are gone, up to where this step has come."""
    key = "rowid" if conn.dialect.name == "sqlite" else "id"
    last = ids[-1] if ids else (1 << 63) - 1
    conn.execute(
        text(
            f"DELETE FROM {index} WHERE {key} > :after AND {key} <= :last"
            f" AND NOT EXISTS (SELECT 1 FROM {source} WHERE {source}.id = {index}.{key})"
        ),
        {"after": after, "last": last},
    )
    return last, len(ids)


def _contacts_step(conn: Connection, after: int, limit: int) -> tuple[int, int]:
    rows = conn.execute(
        locked(
            conn.dialect.name,
            select(contacts.c.id, contacts.c.name)
            .where(contacts.c.id > after)
            .order_by(contacts.c.id)
            .limit(limit),
        )
    ).all()
    if not rows:
        return after, 0
    texts = {row.id: [row.name] for row in rows}
    for row in conn.execute(
        select(addresses.c.contact_id, addresses.c.name, addresses.c.value)
        .where(addresses.c.contact_id > after, addresses.c.contact_id <= rows[-1].id)
        .order_by(addresses.c.id)
    ):
        if row.contact_id in texts:
            texts[row.contact_id] += [row.name, row.value]
    conn.execute(
        delete(contact_grams).where(
            contact_grams.c.contact_id > after, contact_grams.c.contact_id <= rows[-1].id
        )
    )
    index_contacts(conn, list(texts.items()))
    return rows[-1].id, len(rows)


def _remember(conn: Connection, key: str, value: str) -> None:
    statement = upsert(conn.dialect.name, meta).values(key=key, value=value)
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
