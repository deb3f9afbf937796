"""All that is kept of one person, to be handed over to that person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select, true

from crm_store import of_person
from crm_store.card_files import of_cards
from crm_store.objects import visible_people
from crm_store.survivors import living
from crm_store.tables import metadata
from crm_store.tables.consents import consent_log, suppressions
from crm_store.tables.custom import custom_fields, custom_values
from crm_store.tables.dialogs import (
    attachments,
    bodies,
    dialog_tags,
    dialogs,
    message_versions,
    messages,
    reactions,
    tags,
)
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, clients, contacts
from crm_store.tables.rules import rule_runs
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.ids import ContactId

CHUNK = 500
OURS = frozenset({"slot", "version", "fence"})
"""Columns that are our own bookkeeping and say nothing of the person."""


def personal_data(reader: Reader, contact_id: ContactId) -> tuple[dict[str, Any], list[Any]]:
    """Give everything of one contact as plain data, and (name, blob id) of each file.

    Notes of colleagues are about the person and belong to it; ids are strings.
    """
    reader.viewer.need("contacts.erase")
    contact_id = living(reader.conn, contact_id)
    seen = visible_people(reader.viewer)
    who = reader.conn.execute(select(contacts).where(contacts.c.id == contact_id, seen)).first()
    if who is None:
        raise NotFound("there is no such contact")
    people = of_person.cards_of(reader.conn, contact_id)
    own = of_person.own_clients(reader.conn, people)
    talks = _rows(reader, dialogs, dialogs.c.contact_id == contact_id)
    dialog_ids = [int(one["id"]) for one in talks]
    said: list[dict[str, Any]] = []
    for chunk in _chunks(dialog_ids):
        said += _rows(reader, messages, messages.c.dialog_id.in_(chunk))
    ids = [int(one["id"]) for one in said]
    parts: dict[str, list[dict[str, Any]]] = {"bodies": [], "versions": [], "reactions": []}
    files: list[Any] = []
    for chunk in _chunks(ids):
        parts["bodies"] += [
            {name: value for name, value in one.items() if name != "raw"}
            for one in _rows(reader, bodies, bodies.c.message_id.in_(chunk))
        ]
        parts["versions"] += _rows(
            reader, message_versions, message_versions.c.message_id.in_(chunk)
        )
        parts["reactions"] += _rows(reader, reactions, reactions.c.message_id.in_(chunk))
        files += reader.conn.execute(
            select(attachments.c.id, attachments.c.name, attachments.c.blob_id)
            .where(attachments.c.message_id.in_(chunk), attachments.c.blob_id != "")
            .order_by(attachments.c.id)
        ).all()
    labels = reader.conn.execute(
        select(dialog_tags.c.dialog_id, tags.c.name)
        .join(tags, tags.c.id == dialog_tags.c.tag_id)
        .where(dialog_tags.c.dialog_id.in_(dialog_ids))
    )
    found: dict[str, Any] = {
        "contact": _plain(contacts, who._mapping),
        "addresses": _rows(reader, addresses, addresses.c.contact_id == contact_id),
        "merged": _rows(reader, contacts, contacts.c.id.in_(people[1:])),
        "client": _rows(reader, clients, clients.c.id.in_((who.client_id, *own))),
        "consents": _rows(reader, consent_log, consent_log.c.contact_id == contact_id),
        "suppressions": _rows(
            reader,
            suppressions,
            suppressions.c.address_id.in_(
                select(addresses.c.id).where(addresses.c.contact_id == contact_id)
            ),
        ),
        "mailings": _rows(reader, deliveries, (deliveries.c.contact_id == contact_id) & (TO_MANY)),
        "rule_runs": _rows(reader, rule_runs, rule_runs.c.contact_id == contact_id),
        "dialogs": talks,
        "tags": [{"dialog_id": str(row.dialog_id), "name": row.name} for row in labels],
        "messages": said,
        **parts,
    }
    cards = {"contact": people, "client": [int(one["id"]) for one in found["client"]]}
    for kind, ids in of_person.objects_of(
        reader.conn, reader.nouns, people, own, dialog_ids
    ).items():
        noun = reader.nouns[kind]
        rows = _theirs(reader, noun.table, ids, people)
        found[noun.kind.path] = rows
        cards[kind] = [int(one["id"]) for one in rows]
    found |= _others(reader, people, set(found))
    found["custom"] = [
        {"field": row.name, **_plain(custom_values, row._mapping)}
        for kind, ids in cards.items()
        for row in reader.conn.execute(
            select(custom_values, custom_fields.c.name)
            .join(custom_fields, custom_fields.c.id == custom_values.c.field_id)
            .where(custom_values.c.kind == kind, custom_values.c.object_id.in_(ids))
            .order_by(custom_values.c.field_id)
        )
    ]
    for kind, ids in cards.items():
        files += reader.conn.execute(
            select(attachments.c.id, attachments.c.name, attachments.c.blob_id)
            .where(attachments.c.id.in_(of_cards(kind, ids)), attachments.c.blob_id != "")
            .order_by(attachments.c.id)
        ).all()
    return found, files


KNOWN = frozenset({"contact_grams", "deliveries", "consent_log"})
"""Tables that name a contact and are read above, or hold nothing but parts of names."""


def _theirs(
    reader: Reader, table: Table, ids: Sequence[int], people: Sequence[int]
) -> list[dict[str, Any]]:
    """Give objects that are not somebody else's, who spoke of them in the same dialog."""
    found: list[dict[str, Any]] = []
    for chunk in _chunks(ids):
        named = table.c.contact_id.in_((0, *people)) if "contact_id" in table.c else true()
        found += _rows(reader, table, and_(table.c.id.in_(chunk), named))
    return found


def _others(reader: Reader, people: Sequence[int], taken: set[str]) -> dict[str, Any]:
    """Give the rows of every other table that names the person, whoever brought it."""
    return {
        name: _rows(reader, table, table.c.contact_id.in_(people))
        for name, table in sorted(metadata.tables.items())
        if "contact_id" in table.c and name not in KNOWN and name not in taken
    }


def counted(reader: Reader, contact_id: ContactId) -> dict[str, int]:
    """Count what is kept of a contact, by table; of objects what erasing would empty."""
    reader.viewer.need("contacts.erase")
    people = of_person.cards_of(reader.conn, living(reader.conn, contact_id))
    own = of_person.own_clients(reader.conn, people)
    found: dict[str, int] = {}
    for name, table in sorted(metadata.tables.items()):
        if "contact_id" in table.c and name not in ("contact_grams", "erasures"):
            count = select(func.count()).where(table.c.contact_id.in_(people))
            found[name] = int(reader.conn.execute(count).scalar_one())
    theirs = dialogs.c.contact_id.in_(people)
    talks = list(reader.conn.execute(select(dialogs.c.id).where(theirs)).scalars())
    hung = of_person.objects_of(reader.conn, reader.nouns, people, own, talks)
    found |= {reader.nouns[kind].kind.path: len(ids) for kind, ids in hung.items()}
    said = select(func.coalesce(func.sum(dialogs.c.message_count), 0)).where(theirs)
    found["messages"] = int(reader.conn.execute(said).scalar_one())
    return found


def _chunks(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[n : n + CHUNK]) for n in range(0, len(ids), CHUNK)]


def _rows(reader: Reader, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    order = [*table.primary_key.columns]
    found = reader.conn.execute(select(table).where(where).order_by(*order))
    return [_plain(table, row._mapping) for row in found]


def _listed(value: Any) -> Any:
    return [asdict(one) for one in value] if isinstance(value, tuple) else value


def _plain(table: Table, values: Any) -> dict[str, Any]:
    return {
        name: str(value) if name == "id" or name.endswith("_id") else _listed(value)
        for name, value in values.items()
        if name not in OURS and not name.endswith("_folded")
    }
