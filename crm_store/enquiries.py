"""Enquiries without a verdict: dialogs of which nobody has said yet what they are.

A verdict is a lead, a request, an interest or whatever else the dialog is linked to, or that its
sender was rejected. A dialog that was closed needs none any more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, exists, func, or_, select

from crm_store.nouns import NOUNS
from crm_store.sight import visible
from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader
from hub.ids import DialogId
from hub.objects import Ref

FITTING = ("lead", "request", "interest")
MOST = 500


def waiting(reader: Reader, *, after: int = 0, limit: int = 50) -> list[DialogId]:
    """Give the enquiries that wait for a verdict, the oldest first; `after` is the last one seen."""
    rows = reader.conn.execute(
        _open(reader, select(dialogs.c.id))
        .where(dialogs.c.id > after)
        .order_by(dialogs.c.id)
        .limit(limit)
    )
    return [DialogId(one) for one in rows.scalars()]


def count(reader: Reader) -> int:
    """Say how many wait."""
    found: int = reader.conn.execute(_open(reader, select(func.count()))).scalar_one()
    return found


def fitting(reader: Reader, contact_ids: Collection[int]) -> dict[int, list[Ref]]:
    """Give what enquiries of people may belong to: what of each kind a person, or else his client,
    has open, the newest first. One may be attached by a rule; of several somebody chooses."""
    ids = sorted(set(contact_ids) - {0})
    found: dict[int, list[Ref]] = {one: [] for one in ids}
    if not ids:
        return found
    asked = select(contacts.c.id, contacts.c.client_id).where(contacts.c.id.in_(ids))
    clients = {row.id: row.client_id for row in reader.conn.execute(asked)}
    for noun in (NOUNS[one] for one in FITTING if reader.viewer.may(NOUNS[one].kind.read)):
        table = noun.table
        rows = reader.conn.execute(
            select(table.c.id, table.c.contact_id, table.c.client_id)
            .where(
                or_(
                    table.c.contact_id.in_(ids),
                    table.c.client_id.in_(sorted(set(clients.values()) - {0})),
                ),
                table.c.deleted_at == 0,
                table.c.closed_at == 0,
                visible(reader.viewer, noun),
            )
            .order_by(table.c.id.desc())
            .limit(MOST)
        ).all()
        for contact_id, client_id in clients.items():
            own = [row.id for row in rows if row.contact_id == contact_id]
            of_client = [row.id for row in rows if client_id and row.client_id == client_id]
            found[contact_id] += [Ref(kind=noun.kind.name, id=one) for one in own or of_client]
    return found


def of_several(refs: Collection[Ref]) -> bool:
    """Say whether of some kind there are several, so that somebody has to choose."""
    kinds = [one.kind for one in refs]
    return len(kinds) > len(set(kinds))


def _open(reader: Reader, statement: Select[Any]) -> Select[Any]:
    said = exists().where(dialog_links.c.dialog_id == dialogs.c.id)
    rejected = exists().where(addresses.c.id == dialogs.c.address_id, addresses.c.blocked != "")
    return statement.select_from(dialogs).where(
        dialogs.c.status != "closed",
        dialogs.c.inbound_count > 0,
        reader.viewer.dialogs_clause(),
        ~said,
        ~rejected,
    )
