"""All that is kept of one person, to be handed over to that person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, select

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
from crm_store.tables.objects import leads
from crm_store.tables.people import addresses, clients, contacts
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
    who = reader.conn.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if who is None:
        raise NotFound("there is no such contact")
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
        "client": _rows(reader, clients, clients.c.id == who.client_id)[:1],
        "leads": _rows(reader, leads, leads.c.contact_id == contact_id),
        "dialogs": talks,
        "tags": [{"dialog_id": str(row.dialog_id), "name": row.name} for row in labels],
        "messages": said,
        **parts,
    }
    return found, files


def _chunks(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[n : n + CHUNK]) for n in range(0, len(ids), CHUNK)]


def _rows(reader: Reader, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    order = [*table.primary_key.columns]
    found = reader.conn.execute(select(table).where(where).order_by(*order))
    return [_plain(table, row._mapping) for row in found]


def _plain(table: Table, values: Any) -> dict[str, Any]:
    return {
        name: str(value) if name == "id" or name.endswith("_id") else value
        for name, value in values.items()
        if name not in OURS and not name.endswith("_folded")
    }
