"""Tables of the people outside. Personal data: see crm_store/erasure.py."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word
from crm_store.tables.objects import columns_of
from hub.nouns import CLIENTS, CONTACTS

clients = Table(
    "clients",
    metadata,
    key(),
    *columns_of(CLIENTS),
    ref("merged_into"),
    # Why a client has its classes: what it brought, and the square of the percent by which its months differ.
    num("class_sum"),
    num("class_spread"),
    num("deleted_at"),
    num("version", 1),
    Index("ix_clients_name_folded", "name_folded"),
    Index("ix_clients_owner_id", "owner_id", "id"),
    Index("ix_clients_phone_folded", "phone_folded"),
    Index("ix_clients_email_folded", "email_folded"),
    Index("ix_clients_completeness", "completeness", "id"),
    Index("ix_clients_abc", "abc", "id"),
)

# A merged card is in the bin for good and names the one that lives on.
contacts = Table(
    "contacts",
    metadata,
    key(),
    *columns_of(CONTACTS),
    ref("merged_into"),
    num("deleted_at"),
    num("version", 1),
    Index("ix_contacts_name_folded", "name_folded"),
    Index("ix_contacts_last_at", "last_at"),
    Index("ix_contacts_client_id", "client_id"),
    Index(
        "ix_contacts_merged_into",
        "merged_into",
        sqlite_where=text("merged_into > 0"),
        postgresql_where=text("merged_into > 0"),
    ),
)

# The row of an address is what identification locks: two first messages of one sender at once
# meet here and make one contact. `origin_id` is the contact it was first known under and stays
# when contacts are merged: two addresses of one origin are one chat, others are chats apart.
# `normal` is the spelling in which phones and e-mails are compared.
addresses = Table(
    "addresses",
    metadata,
    key(),
    ref("contact_id"),
    word("kind"),
    word("value"),
    word("name"),
    ref("origin_id"),
    word("normal"),
    flag("verified"),
    word("verified_by"),
    num("verified_at"),
    word("matched_by"),
    word("blocked"),
    data("profile"),
    num("created_at"),
    UniqueConstraint("kind", "value"),
    Index("ix_addresses_contact_id", "contact_id"),
    Index("ix_addresses_value", "value"),
    Index("ix_addresses_origin_id", "origin_id"),
    Index(
        "ix_addresses_normal",
        "normal",
        sqlite_where=text("normal <> ''"),
        postgresql_where=text("normal <> ''"),
    ),
    Index(
        "ix_addresses_blocked",
        "kind",
        "value",
        sqlite_where=text("blocked <> ''"),
        postgresql_where=text("blocked <> ''"),
    ),
)

# What is left of an erased person: hashes, so that nothing is imported again. What such an
# address wrote before `at` stays out, wherever it is read from; what it writes later comes in.
erased_addresses = Table(
    "erased_addresses",
    metadata,
    Column("hash", String(64), primary_key=True),
    num("at"),
)

erasures = Table(
    "erasures",
    metadata,
    key(),
    ref("contact_id"),
    num("at"),
    word("actor"),
    data("address_hashes", "[]"),
    data("report"),
)

# Two cards that became one: what it takes to undo that. `kept` holds the survivor's own words. Of
# the kind `split`, a card that became two: `merged_id` is the new one, `kept` what its address was.
merges = Table(
    "merges",
    metadata,
    key(),
    word("kind"),
    ref("survivor_id"),
    ref("merged_id"),
    num("at"),
    word("actor"),
    data("kept"),
    num("undone_at"),
    Index("ix_merges_survivor", "kind", "survivor_id"),
    Index("ix_merges_merged", "kind", "merged_id"),
)

# Which rows went over to the survivor, by the name of their table.
merge_moves = Table(
    "merge_moves",
    metadata,
    Column("merge_id", ID, nullable=False),
    word("place"),
    Column("row_id", ID, nullable=False),
    PrimaryKeyConstraint("merge_id", "place", "row_id"),
)
