"""The table of exports: what was asked for, how far it is, and the file until it expires.

Personal data: the file's bytes (a blob) and `query`, which may hold words; all exports go when a
person is erased (crm_store/erasure.py).
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from crm_store.tables.base import data, key, metadata, num, ref, word

exports = Table(
    "exports",
    metadata,
    key(),
    ref("user_id"),
    word("kind"),
    word("format", "csv"),
    word("language", "en"),
    data("query"),
    data("columns", "[]"),
    word("state", "waiting"),
    word("error"),
    num("rows_count"),
    num("rows_done"),
    word("blob_id"),
    num("size"),
    # What its user could see when it was written: a file that shows more is not handed out.
    word("reach"),
    num("created_at"),
    num("finished_at"),
    num("expires_at"),
    Index("ix_exports_user_id", "user_id", "id"),
    Index("ix_exports_expires_at", "expires_at"),
)
