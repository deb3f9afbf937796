"""Tables of who may be whom: keys to find likenesses by, pairs, what was said, what is set aside."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from crm_store.tables.base import ID, data, key, metadata, num, ref, word

# What likenesses are looked for by: a phone, an e-mail, two beginnings of a name, as numbers, so
# that the table spells out nobody.
duplicate_keys = Table(
    "duplicate_keys",
    metadata,
    word("kind"),
    Column("key", ID, nullable=False),
    Column("object_id", ID, nullable=False),
    PrimaryKeyConstraint("kind", "key", "object_id"),
    Index("ix_duplicate_keys_object", "kind", "object_id"),
    sqlite_with_rowid=False,
)

# Two cards that may be one; `a_id` is the smaller. What a colleague rejected stays rejected.
duplicates = Table(
    "duplicates",
    metadata,
    word("kind"),
    Column("a_id", ID, nullable=False),
    Column("b_id", ID, nullable=False),
    num("score"),
    data("reasons", "[]"),
    word("state", "open"),
    num("found_at"),
    num("decided_at"),
    ref("decided_by"),
    PrimaryKeyConstraint("kind", "a_id", "b_id"),
    Index("ix_duplicates_state", "kind", "state", "score", "b_id"),
    Index("ix_duplicates_b", "kind", "b_id"),
    sqlite_with_rowid=False,
)

# A phone or an e-mail (or, asked for, a name) that somebody told in a message, until a colleague
# says what it is: open, taken, left; `answer` stands on the card already, and may be taken off.
said_addresses = Table(
    "said_addresses",
    metadata,
    key(),
    ref("dialog_id"),
    ref("message_id"),
    word("kind"),
    word("value"),
    word("normal"),
    word("state", "open"),
    num("at"),
    UniqueConstraint("dialog_id", "normal"),
    Index("ix_said_addresses_message", "message_id"),
)

# What a rule asked the person of a dialog for, once: `kinds` are phone, email, name. `state` is
# open until an answer came, then noted while something is still missing, then done.
asked_details = Table(
    "asked_details",
    metadata,
    key("dialog_id"),
    ref("message_id"),
    data("kinds", "[]"),
    word("name_before"),
    data("cause"),
    word("state", "open"),
    num("at"),
)

# Addresses of whom nobody need become a client: private, spam, a supplier.
set_aside = Table(
    "set_aside",
    metadata,
    key("address_id"),
    word("reason"),
    num("at"),
    ref("user_id"),
)
