"""Requests with their deadlines, tasks, notices to colleagues, feeds of calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str, default: bool = False) -> sa.Column[bool]:
    value = sa.text("true" if default else "false")
    return sa.Column(name, sa.Boolean(), server_default=value, nullable=False)


def _data(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text(f"'{default}'"), nullable=False)


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "requests",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("number"),
        _word("title"),
        _word("title_folded"),
        _word("status", "new"),
        _word("type", "question"),
        _word("category"),
        _word("category_folded"),
        _word("priority", "normal"),
        _number("owner_id"),
        _number("team_id"),
        _word("level", "standard"),
        _number("contact_id"),
        _number("client_id"),
        _word("channel"),
        _word("channel_folded"),
        _words("description"),
        _words("solution"),
        _number("due_at"),
        _number("first_response_due"),
        _number("next_response_due"),
        _number("solution_due"),
        _flag("overdue"),
        _number("policy_id"),
        _number("first_responded_at"),
        _number("paused_at"),
        _number("paused_us"),
        _word("pause_reason"),
        _word("pause_reason_folded"),
        _number("parent_id"),
        _number("merged_into"),
        _number("satisfaction"),
        _number("solved_at"),
        _number("closed_at"),
        _number("created_at"),
        _data("merge"),
        _number("deleted_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_client_id", "requests", ["client_id"])
    op.create_index("ix_requests_contact_id", "requests", ["contact_id"])
    op.create_index("ix_requests_due", "requests", ["deleted_at", "due_at", "id"])
    op.create_index("ix_requests_owner_id", "requests", ["owner_id", "id"])
    op.create_index("ix_requests_parent_id", "requests", ["parent_id"])
    op.create_index("ix_requests_status", "requests", ["deleted_at", "status", "id"])
    op.create_index("uq_requests_number", "requests", ["number"], unique=True)
    op.create_table(
        "request_clocks",
        sa.Column("request_id", ID, nullable=False),
        sa.Column("goal", sa.String(length=20), nullable=False),
        _word("state"),
        _word("before"),
        _number("norm_us"),
        _number("warn_us"),
        _number("used_us"),
        _number("started_at"),
        _number("near_at"),
        _number("due_at"),
        _number("watch_at"),
        _number("message_id"),
        sa.PrimaryKeyConstraint("request_id", "goal", name=op.f("pk_request_clocks")),
    )
    op.create_index("ix_request_clocks_watch", "request_clocks", ["watch_at"], sqlite_where=sa.text("watch_at > 0"), postgresql_where=sa.text("watch_at > 0"))
    op.create_table(
        "request_checklist",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("request_id"),
        _word("text"),
        _number("done_at"),
        _number("done_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_checklist")),
    )
    op.create_index("ix_request_checklist_request", "request_checklist", ["request_id", "id"])
    op.create_table(
        "sla_policies",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("brand_id"),
        _word("name"),
        _number("position"),
        _flag("active", True),
        _data("filter"),
        _number("calendar_id"),
        _number("first_minutes"),
        _number("next_minutes"),
        _number("solution_minutes"),
        _number("warn_minutes"),
        _data("pause_statuses", "[]"),
        _number("escalate_to"),
        _flag("tell_client", True),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policies")),
    )
    op.create_table(
        "sequences",
        sa.Column("name", sa.String(length=100), nullable=False),
        _number("value"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequences")),
    )
    op.create_table(
        "tasks",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("title"),
        _word("title_folded"),
        _word("status", "open"),
        _number("due_at"),
        _number("remind_at"),
        _word("priority", "normal"),
        _number("owner_id"),
        _number("team_id"),
        _number("author_id"),
        _flag("needs_review"),
        _word("repeat", "never"),
        _words("description"),
        _words("result"),
        _word("object_kind"),
        _word("object_kind_folded"),
        _number("object_id"),
        _number("message_id"),
        _number("repeat_of"),
        _number("done_at"),
        _number("created_at"),
        _number("next_id"),
        _number("reminded_at"),
        _number("deleted_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_author_id", "tasks", ["author_id", "status", "id"])
    op.create_index("ix_tasks_object", "tasks", ["object_kind", "object_id"])
    op.create_index("ix_tasks_owner_id", "tasks", ["owner_id", "status", "due_at", "id"])
    op.create_index("ix_tasks_remind", "tasks", ["remind_at"], sqlite_where=sa.text("remind_at > 0 AND reminded_at = 0"), postgresql_where=sa.text("remind_at > 0 AND reminded_at = 0"))
    op.create_index("ix_tasks_status", "tasks", ["deleted_at", "status", "id"])
    op.create_table(
        "notices",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _number("user_id"),
        _word("kind"),
        _word("object_kind"),
        _number("object_id"),
        _number("dialog_id"),
        _number("event_id"),
        sa.Column("key", sa.String(length=200), nullable=False),
        _number("created_at"),
        _number("read_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_notices_user_id_key")),
    )
    op.create_index("ix_notices_unread", "notices", ["user_id", "id"], sqlite_where=sa.text("read_at = 0"), postgresql_where=sa.text("read_at = 0"))
    op.create_index("ix_notices_user", "notices", ["user_id", "id"])
    op.create_table(
        "calendar_feeds",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        _number("user_id"),
        _number("created_at"),
        _number("read_at"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_calendar_feeds")),
    )
    op.create_index("ix_calendar_feeds_user", "calendar_feeds", ["user_id"])
