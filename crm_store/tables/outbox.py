"""The outbox: what must leave, who carries it, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    and_,
    literal_column,
    text,
)

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, short, word, words

# One narrow row per message and recipient. What goes to many (`send_id`) has no message and no
# dialog until the person answers: `contact_id` and `content_id` say to whom and which words.
# A letter to a colleague (`user_id`) has neither: what it tells are the notices that name it
# (crm_store/notice_letters.py). A claim walks the partial index of one account. Neither the state
# nor the lease stands in an index: PostgreSQL writes a row's indexes anew whenever a column changes
# that one of them names. So they name `unfinished`, which changes once, and half of each page is
# left for what a row is until then. Counts are as short as they are on PostgreSQL.
deliveries = Table(
    "deliveries",
    metadata,
    key(),
    ref("message_id"),
    ref("dialog_id"),
    ref("account_id"),
    ref("address_id"),
    short("lane"),
    word("status", "queued"),
    num("due_at"),
    flag("held"),
    short("attempts"),
    short("fence", Integer),
    num("leased_until"),
    word("worker"),
    Column("idempotency_key", String(200), nullable=False),
    word("reason"),
    word("reason_text"),
    num("created_at"),
    num("sent_at"),
    num("delivered_at"),
    num("read_at"),
    ref("send_id"),
    ref("contact_id"),
    ref("content_id"),
    # How many messages the provider counts and charges (an SMS of several parts); 0 is one.
    short("charged"),
    ref("user_id"),
    Column(
        "unfinished",
        Boolean,
        Computed("status IN ('queued', 'claimed', 'sending')"),
        nullable=False,
    ),
    # By what a repeated request is known; what goes to many is known by its person.
    Index(
        "uq_deliveries_idempotency_key",
        "idempotency_key",
        unique=True,
        sqlite_where=text("send_id = 0"),
        postgresql_where=text("send_id = 0"),
    ),
    # What goes to many: each person once, each address once. The second also finds a send's rows.
    Index(
        "uq_deliveries_person",
        "contact_id",
        "send_id",
        unique=True,
        sqlite_where=text("send_id > 0"),
        postgresql_where=text("send_id > 0"),
    ),
    Index(
        "uq_deliveries_address",
        "send_id",
        "address_id",
        unique=True,
        sqlite_where=text("send_id > 0"),
        postgresql_where=text("send_id > 0"),
    ),
    Index(
        "ix_deliveries_queue",
        "account_id",
        "lane",
        "due_at",
        "id",
        sqlite_where=text("unfinished = 1 AND held = 0"),
        postgresql_where=text("unfinished AND NOT held"),
    ),
    Index(
        "ix_deliveries_unfinished",
        "dialog_id",
        "id",
        sqlite_where=text("dialog_id > 0 AND unfinished = 1"),
        postgresql_where=text("dialog_id > 0 AND unfinished"),
    ),
    Index(
        "ix_deliveries_message",
        "message_id",
        sqlite_where=text("message_id > 0"),
        postgresql_where=text("message_id > 0"),
    ),
    Index(
        "ix_deliveries_user",
        "user_id",
        "id",
        sqlite_where=text("user_id > 0"),
        postgresql_where=text("user_id > 0"),
    ),
    postgresql_with={"fillfactor": 50},
)

# What goes to many, and what does not, in the very words of the indexes above: of a bound value
# SQLite cannot know that it allows them, and would walk through every delivery.
TO_MANY = deliveries.c.send_id > literal_column("0")
TO_ONE = deliveries.c.send_id == literal_column("0")
TO_COLLEAGUES = deliveries.c.user_id > literal_column("0")
# What waits to leave, in the words of the queue's index.
WAITING = and_(deliveries.c.unfinished, ~deliveries.c.held, deliveries.c.status == "queued")

# When to look at which deliveries again (crm_store/delivery_leases.py). Those without a worker
# wait for a proof of delivery.
delivery_leases = Table(
    "delivery_leases",
    metadata,
    key(),
    num("until"),
    word("worker"),
    data("deliveries", "[]"),
    Index("ix_delivery_leases_until", "until"),
)

attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", ID, nullable=False),
    Column("n", ID, nullable=False),
    num("started_at"),
    num("took_us"),
    word("outcome"),
    word("code"),
    words("text"),
    PrimaryKeyConstraint("delivery_id", "n"),
    sqlite_with_rowid=False,
)

# External ids of what we sent: how a receipt finds its delivery.
parts = Table(
    "delivery_parts",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("external_id", String(400), nullable=False),
    ref("delivery_id"),
    num("part"),
    PrimaryKeyConstraint("account_id", "external_id"),
    Index("ix_delivery_parts_delivery", "delivery_id"),
    sqlite_with_rowid=False,
)

# Receipts that came before the send was settled: merged when it is.
parked_receipts = Table(
    "parked_receipts",
    metadata,
    key(),
    ref("account_id"),
    word("external_id"),
    word("status"),
    num("at"),
    word("reason"),
    word("text"),
    num("parked_at"),
    Index("ix_parked_receipts_external", "account_id", "external_id"),
)

jobs = Table(
    "jobs",
    metadata,
    key(),
    word("name"),
    data("payload"),
    Column("key", String(200), nullable=False),
    num("due_at"),
    word("state", "queued"),
    flag("held"),
    num("attempts"),
    num("fence"),
    num("leased_until"),
    word("worker"),
    words("error"),
    num("created_at"),
    Index(
        "ix_jobs_queue",
        "due_at",
        "id",
        sqlite_where=text("state = 'queued' AND held = 0"),
        postgresql_where=text("state = 'queued' AND NOT held"),
    ),
    Index(
        "uq_jobs_waiting_key",
        "name",
        "key",
        unique=True,
        sqlite_where=text("state = 'queued' AND key <> ''"),
        postgresql_where=text("state = 'queued' AND key <> ''"),
    ),
)

webhooks = Table(
    "webhooks",
    metadata,
    key(),
    words("url"),
    words("secret"),
    data("events", "[]"),
    flag("active", True),
    ref("user_id"),
    num("created_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", ID, nullable=False),
    Column("event_id", ID, nullable=False),
    word("state", "queued"),
    flag("held"),
    num("attempts"),
    num("due_at"),
    num("leased_until"),
    num("fence"),
    num("code"),
    words("error"),
    num("created_at"),
    PrimaryKeyConstraint("webhook_id", "event_id"),
    Index(
        "ix_webhook_deliveries_queue",
        "due_at",
        sqlite_where=text("state = 'queued' AND held = 0"),
        postgresql_where=text("state = 'queued' AND NOT held"),
    ),
    Index("ix_webhook_deliveries_state", "webhook_id", "state"),
    sqlite_with_rowid=False,
)
