"""Working calendars of the organisation."""

from __future__ import annotations

from sqlalchemy import Index, Table, text

from crm_store.tables.base import data, flag, key, metadata, num, ref, word

calendars = Table(
    "calendars",
    metadata,
    key(),
    ref("brand_id"),
    word("name"),
    # Empty: the organisation's own time zone, whatever it is.
    word("time_zone"),
    data("week"),
    data("special"),
    flag("is_default"),
    num("version", 1),
    Index(
        "uq_calendars_default",
        "brand_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
)
