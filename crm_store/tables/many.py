"""Tables of what is sent to many: the send, its words once per version, its links, its buckets.

What goes to each person is one narrow row of `deliveries` (crm_store/tables/outbox.py).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, UniqueConstraint

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word, words

# One sending of a mailing (its occurrence, its step): the rules that each claim obeys.
many_sends = Table(
    "many_sends",
    metadata,
    key(),
    ref("mailing_id"),
    num("occurrence"),
    num("step"),
    # A step of a chain: so many days after the first letter.
    num("days"),
    word("title"),
    word("topic"),
    flag("advertising", True),
    flag("need_consent", True),
    word("state", "running"),
    num("quiet_from"),
    num("quiet_until"),
    num("cap_count"),
    num("cap_days"),
    num("per_minute"),
    num("minutes", 1),
    num("domain_per_minute"),
    num("domain_minutes", 1),
    # The accounts to reach a person over, in order, and after how many minutes without a proof of
    # delivery the next one is tried.
    data("routes", "[]"),
    num("fall_back_after"),
    # A step of a chain: nobody gets it who answered the mailing.
    flag("stops_when_answered"),
    num("created_at"),
    ref("user_id"),
    UniqueConstraint("mailing_id", "occurrence", "step"),
)

# The words of a send, for one channel and variant: never changed once they are here.
many_contents = Table(
    "many_contents",
    metadata,
    key(),
    ref("send_id"),
    word("variant"),
    ref("account_id"),
    word("subject"),
    words("text"),
    words("html"),
    word("template"),
    word("template_language"),
    data("template_values"),
    data("buttons", "[]"),
    data("attachments", "[]"),
    word("sender_name"),
    data("links", "[]"),
    flag("tracks_clicks"),
    flag("tracks_opens"),
    Index("ix_many_contents_send", "send_id"),
)

# The ways of a person that were passed before the one that stands in the delivery, and why.
many_steps = Table(
    "many_steps",
    metadata,
    Column("delivery_id", ID, nullable=False),
    Column("n", ID, nullable=False),
    ref("account_id"),
    word("reason"),
    num("at"),
    # What had left already and is paid for: how many messages the provider counts.
    num("charged"),
    # How it left, where it did; and what was told of it after it was passed: delivered, read, failed.
    ref("address_id"),
    ref("content_id"),
    num("sent_at"),
    num("told_at"),
    word("told"),
    word("told_reason"),
    PrimaryKeyConstraint("delivery_id", "n"),
    sqlite_with_rowid=False,
)

# How fast an account may send to many, its warm-up, and what a message costs.
sending_limits = Table(
    "sending_limits",
    metadata,
    key("account_id"),
    num("per_minute"),
    num("minutes", 1),
    num("per_day"),
    num("warm_from"),
    num("warm_first"),
    num("warm_percent"),
    num("price"),
    word("currency"),
)

# Clicks (n from 1: the link and the place of its way, crm_store/many_places.py), opens (n = 0) and
# answers (n = -1) of a delivery: first, how often, whether a machine's, and by which account it
# came; 0 is the one that the delivery stands at.
many_touches = Table(
    "many_touches",
    metadata,
    Column("delivery_id", ID, nullable=False),
    Column("n", ID, nullable=False),
    num("first_at"),
    num("last_at"),
    num("count", 1),
    flag("machine"),
    ref("account_id"),
    PrimaryKeyConstraint("delivery_id", "n"),
    sqlite_with_rowid=False,
)

# Token buckets at the moment of sending; kept over restarts. Levels are in millionths.
buckets = Table(
    "buckets",
    metadata,
    Column("name", String(200), primary_key=True),
    num("level"),
    num("at"),
)
