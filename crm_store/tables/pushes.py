"""Tables of Web Push: the hub's key pair, the browsers that may be called, and what waits for them."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, UniqueConstraint

from crm_store.tables.base import ID, flag, key, metadata, num, ref, word, words

# One row: what push services and browsers know this hub by.
push_keys = Table(
    "push_keys",
    metadata,
    key(),
    word("public"),
    words("secret"),
    num("created_at"),
)

# `sealed` holds the address at the push service and the browser's keys, encrypted: whoever has them
# may put words on its screen. `login` is the hash of the session or token it came with, and goes.
push_devices = Table(
    "push_devices",
    metadata,
    key(),
    ref("user_id"),
    Column("login", String(64), nullable=False),
    Column("endpoint_hash", String(64), nullable=False),
    words("sealed"),
    word("name"),
    flag("active", True),
    num("created_at"),
    num("pushed_at"),
    word("last_error"),
    UniqueConstraint("endpoint_hash"),
    Index("ix_push_devices_user", "user_id"),
    Index("ix_push_devices_login", "login"),
)

# What waits: a claim puts `due_at` off by its lease, and what was told or is over is deleted.
pushes = Table(
    "pushes",
    metadata,
    Column("device_id", ID, nullable=False),
    Column("notice_id", ID, nullable=False),
    num("due_at"),
    num("attempts"),
    num("created_at"),
    PrimaryKeyConstraint("device_id", "notice_id"),
    Index("ix_pushes_due", "due_at"),
    sqlite_with_rowid=False,
)
