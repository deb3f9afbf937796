"""Rules of retention: what is removed by its age. None of them is there at first."""

from __future__ import annotations

from sqlalchemy import Table, UniqueConstraint

from crm_store.tables.base import data, flag, key, metadata, num, ref, word

retention_rules = Table(
    "retention_rules",
    metadata,
    key(),
    word("subject"),
    ref("account_id"),
    num("days"),
    flag("active"),
    num("running_since"),
    num("last_run_at"),
    data("last_counts"),
    num("version", 1),
    UniqueConstraint("subject", "account_id"),
)
