"""Enquiries without a verdict: dialogs of which nobody has said yet what they are.

A verdict is a lead, a request, an interest or whatever else the dialog is linked to, or that its
sender was rejected. A dialog that was closed needs none any more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, exists, func, select

from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses
from crm_store.viewer import Reader
from hub.ids import DialogId


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
