"""Tables of the people outside. Personal data: see crm_store/erasure.py."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, UniqueConstraint, text

from crm_store.tables.base import data, flag, key, metadata, num, ref, word, words
from crm_store.tables.objects import columns_of
from hub.nouns import CLIENTS

clients = Table(
    "clients",
    metadata,
    key(),
    *columns_of(CLIENTS),
    num("deleted_at"),
    num("version", 1),
    Index("ix_clients_name_folded", "name_folded"),
    Index("ix_clients_owner_id", "owner_id", "id"),
    Index("ix_clients_phone_folded", "phone_folded"),
    Index("ix_clients_email_folded", "email_folded"),
)

contacts = Table(
    "contacts",
    metadata,
    key(),
    ref("client_id"),
    word("name"),
    word("name_folded"),
    word("language"),
    word("time_zone"),
    word("position"),
    words("notes"),
    num("created_at"),
    num("last_at"),
    num("version", 1),
    Index("ix_contacts_name_folded", "name_folded"),
    Index("ix_contacts_last_at", "last_at"),
    Index("ix_contacts_client_id", "client_id"),
)

# The row of an address is what identification locks: two first messages of one sender at once
# meet here and make one contact.
addresses = Table(
    "addresses",
    metadata,
    key(),
    ref("contact_id"),
    word("kind"),
    word("value"),
    word("name"),
    flag("verified"),
    word("blocked"),
    data("profile"),
    num("created_at"),
    UniqueConstraint("kind", "value"),
    Index("ix_addresses_contact_id", "contact_id"),
    Index("ix_addresses_value", "value"),
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
