"""The schema, one page per noun; importing this package knows every table of the core."""

from __future__ import annotations

from crm_store.tables import dialogs, journal, objects, outbox, people, search, users
from crm_store.tables.base import metadata

__all__ = ["dialogs", "journal", "metadata", "objects", "outbox", "people", "search", "users"]
