"""The passkeys of colleagues (WebAuthn): what the hub keeps of a key that never leaves its device."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from crm_store.tables.base import data, flag, key, metadata, num, ref, word, words

MAX_CREDENTIAL = 1400
"""Letters of the longest credential id: 1,023 bytes (WebAuthn Level 3, 4) in base64url."""

# `public_key` is a COSE key in base64url, no secret; `domain` is the RP id that it was made for:
# on another address the browser does not offer it.
passkeys = Table(
    "passkeys",
    metadata,
    key(),
    ref("user_id"),
    word("name"),
    word("domain"),
    Column("credential", String(MAX_CREDENTIAL), nullable=False),
    words("public_key"),
    num("sign_count"),
    data("transports", "[]"),
    flag("synced"),
    num("created_at"),
    num("last_used_at"),
    UniqueConstraint("credential"),
    Index("ix_passkeys_user", "user_id"),
)
