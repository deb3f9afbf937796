"""Tables of requests, what is promised about them, tasks, and notices to colleagues."""

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
from hub.nouns.requests import REQUESTS
from hub.nouns.tasks import TASKS

requests = Table(
    "requests",
    metadata,
    key(),
    *columns_of(REQUESTS),
    # What merging changed, so that it can be taken back.
    data("merge"),
    num("deleted_at"),
    num("version", 1),
    Index("uq_requests_number", "number", unique=True),
    Index("ix_requests_status", "deleted_at", "status", "id"),
    Index("ix_requests_due", "deleted_at", "due_at", "id"),
    # What is in work, by its deadline: what is over has none, and lies among those without one.
    Index(
        "ix_requests_open_due",
        "deleted_at",
        "due_at",
        "id",
        sqlite_where=text("solved_at = 0"),
        postgresql_where=text("solved_at = 0"),
    ),
    Index(
        "ix_requests_owner_due",
        "owner_id",
        "due_at",
        "id",
        sqlite_where=text("solved_at = 0"),
        postgresql_where=text("solved_at = 0"),
    ),
    Index("ix_requests_newest", "deleted_at", "id"),
    Index("ix_requests_overdue", "overdue", "deleted_at", "due_at", "id"),
    Index("ix_requests_owner_id", "owner_id", "id"),
    Index("ix_requests_contact_id", "contact_id"),
    Index("ix_requests_client_id", "client_id"),
    Index("ix_requests_parent_id", "parent_id"),
)

# One row per promise: what it counts from, when it ends, and when it must be looked at next.
request_clocks = Table(
    "request_clocks",
    metadata,
    Column("request_id", ID, nullable=False),
    Column("goal", String(20), nullable=False),
    word("state"),
    # The state before it was met, in case the answer is taken back.
    word("before"),
    num("norm_us"),
    num("warn_us"),
    num("used_us"),
    flag("set_by_hand"),
    num("started_at"),
    num("near_at"),
    num("due_at"),
    num("watch_at"),
    ref("message_id"),
    PrimaryKeyConstraint("request_id", "goal"),
    Index(
        "ix_request_clocks_watch",
        "watch_at",
        sqlite_where=text("watch_at > 0"),
        postgresql_where=text("watch_at > 0"),
    ),
)

request_checklist = Table(
    "request_checklist",
    metadata,
    key(),
    ref("request_id"),
    word("text"),
    num("done_at"),
    ref("done_by"),
    Index("ix_request_checklist_request", "request_id", "id"),
)

# Who worked how many minutes on it; the request carries the sum.
request_times = Table(
    "request_times",
    metadata,
    key(),
    ref("request_id"),
    ref("user_id"),
    num("minutes"),
    num("at"),
    Index("ix_request_times_request", "request_id", "id"),
)

sla_policies = Table(
    "sla_policies",
    metadata,
    key(),
    ref("brand_id"),
    word("name"),
    num("position"),
    flag("active", True),
    data("filter"),
    ref("calendar_id"),
    num("first_minutes"),
    num("next_minutes"),
    num("solution_minutes"),
    num("warn_minutes"),
    data("pause_statuses", "[]"),
    ref("escalate_to"),
    flag("tell_client", True),
    num("version", 1),
)

# What clients have bought; a request names its level by the word.
support_levels = Table(
    "support_levels",
    metadata,
    Column("name", String(50), primary_key=True),
    word("label"),
    word("label_ru"),
    num("position"),
)

# Numbers that people see, one after the other; the row is the lock.
sequences = Table(
    "sequences",
    metadata,
    Column("name", String(100), primary_key=True),
    num("value"),
)

tasks = Table(
    "tasks",
    metadata,
    key(),
    *columns_of(TASKS),
    # The next one of a repeating task, so that finishing can be taken back.
    ref("next_id"),
    num("reminded_at"),
    # When it was looked at behind its date, 0 for not yet.
    num("overdue_at"),
    # The day of the month that a repeating one means, where this month is too short for it.
    num("repeat_day"),
    num("deleted_at"),
    num("version", 1),
    Index("ix_tasks_owner_id", "owner_id", "status", "due_at", "id"),
    Index("ix_tasks_author_id", "author_id", "status", "deleted_at", "id"),
    Index("ix_tasks_object", "object_kind", "object_id"),
    Index("ix_tasks_newest", "deleted_at", "id"),
    Index("ix_tasks_status", "deleted_at", "status", "id"),
    Index(
        "ix_tasks_remind",
        "remind_at",
        sqlite_where=text("remind_at > 0 AND reminded_at = 0"),
        postgresql_where=text("remind_at > 0 AND reminded_at = 0"),
    ),
    Index(
        "ix_tasks_due",
        "due_at",
        sqlite_where=text("due_at > 0 AND overdue_at = 0"),
        postgresql_where=text("due_at > 0 AND overdue_at = 0"),
    ),
)

# What a colleague should know: kind and object, never anybody's words. `letter_at` is when a letter
# tells it to who has not seen it, 0 for never; `letter_id` is the delivery of the letter that does.
notices = Table(
    "notices",
    metadata,
    key(),
    ref("user_id"),
    word("kind"),
    word("object_kind"),
    ref("object_id"),
    ref("dialog_id"),
    ref("event_id"),
    Column("key", String(200), nullable=False),
    num("created_at"),
    num("read_at"),
    num("letter_at"),
    ref("letter_id"),
    UniqueConstraint("user_id", "key"),
    Index("ix_notices_user", "user_id", "id"),
    Index(
        "ix_notices_unread",
        "user_id",
        "id",
        sqlite_where=text("read_at = 0"),
        postgresql_where=text("read_at = 0"),
    ),
    Index(
        "ix_notices_letter_due",
        "letter_at",
        "user_id",
        sqlite_where=text("letter_at > 0"),
        postgresql_where=text("letter_at > 0"),
    ),
    Index(
        "ix_notices_letter",
        "letter_id",
        sqlite_where=text("letter_id > 0"),
        postgresql_where=text("letter_id > 0"),
    ),
)

# The secret addresses under which calendars of tasks are read; only their hashes are kept.
calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    ref("user_id"),
    num("created_at"),
    num("read_at"),
    Index("ix_calendar_feeds_user", "user_id"),
)

__all__ = [
    "calendar_feeds",
    "notices",
    "request_checklist",
    "request_clocks",
    "request_times",
    "requests",
    "sequences",
    "sla_policies",
    "support_levels",
    "tasks",
]
