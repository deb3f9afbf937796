"""Tables of meetings and calls noted by hand."""

from __future__ import annotations

from sqlalchemy import Index, Table

from crm_store.tables.base import key, metadata, num
from crm_store.tables.objects import columns_of
from hub.nouns import MEETINGS

meetings = Table(
    "meetings",
    metadata,
    key(),
    *columns_of(MEETINGS),
    num("deleted_at"),
    num("version", 1),
    Index("ix_meetings_contact_id", "contact_id", "at", "id"),
    Index("ix_meetings_client_id", "client_id", "at", "id"),
    Index("ix_meetings_owner_id", "owner_id", "id"),
    Index("ix_meetings_owner_at", "owner_id", "at", "id"),
    Index("ix_meetings_owner_step", "owner_id", "next_step_at", "id"),
    Index("ix_meetings_at", "at", "id"),
)
