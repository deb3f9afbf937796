"""Tables of consent and suppression. Personal data: see crm_store/erasure.py."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, UniqueConstraint

from crm_store.tables.base import ID, flag, key, metadata, num, ref, word, words

# Every word of a person, never changed: the proof.
consent_log = Table(
    "consent_log",
    metadata,
    key(),
    ref("contact_id"),
    word("channel"),
    word("topic"),
    word("state"),
    num("at"),
    word("how"),
    words("evidence"),
    word("ip"),
    ref("user_id"),
    num("noted_at"),
    # A wish for less (state "limited"): at most one advertising message in so many days; 0 lifts it.
    num("days"),
    Index("ix_consent_log_contact", "contact_id", "id"),
)

# The newest word for each channel ("" is every one) and topic ("" is everything).
consents = Table(
    "consents",
    metadata,
    Column("contact_id", ID, nullable=False),
    Column("channel", String(100), nullable=False),
    Column("topic", String(100), nullable=False),
    word("state"),
    num("at"),
    ref("log_id"),
    PrimaryKeyConstraint("contact_id", "channel", "topic"),
    sqlite_with_rowid=False,
)

# Who wants less: at most one advertising message in so many days, over all channels. Nobody has no
# row, so that a claim reads next to nothing. Read again out of the log after two cards became one.
frequency_limits = Table(
    "frequency_limits",
    metadata,
    Column("contact_id", ID, primary_key=True, autoincrement=False),
    num("days"),
    ref("log_id"),
)

# Why an address takes no advertising, reasons kept apart.
suppressions = Table(
    "suppressions",
    metadata,
    Column("address_id", ID, nullable=False),
    Column("reason", String(40), nullable=False),
    num("count", 1),
    num("at"),
    word("text"),
    ref("user_id"),
    PrimaryKeyConstraint("address_id", "reason"),
    sqlite_with_rowid=False,
)

# What a person may subscribe to, and how a subscription is confirmed.
topics = Table(
    "topics",
    metadata,
    key(),
    Column("name", String(100), nullable=False),
    word("label_en"),
    word("label_ru"),
    word("about_en"),
    word("about_ru"),
    flag("confirm", True),
    flag("public", True),
    ref("account_id"),
    num("valid_hours", 72),
    num("most_letters", 3),
    word("subject_en"),
    word("subject_ru"),
    words("text_en"),
    words("text_ru"),
    num("version", 1),
    UniqueConstraint("name"),
)

# Who was asked to confirm a subscription, by which address, and until when the button counts.
confirmations = Table(
    "confirmations",
    metadata,
    key(),
    ref("contact_id"),
    ref("address_id"),
    Column("topic", String(100), nullable=False),
    word("state", "waiting"),
    word("language"),
    word("how"),
    words("evidence"),
    word("ip"),
    num("asked_at"),
    num("expires_at"),
    num("letters"),
    num("letter_at"),
    # How many letters there ever were: each is a send of its own.
    num("tries"),
    UniqueConstraint("address_id", "topic"),
    Index("ix_confirmations_contact_id", "contact_id"),
)
