"""Rules: what they say, every version, what they did and why, and what they wait to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default="", nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _data(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text(f"'{default}'"), nullable=False)


def _part(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=200), nullable=False)


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "rules",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("name"),
        _number("position"),
        _flag("enabled"),
        _word("paused"),
        _words("paused_detail"),
        _number("version", 1),
        _data("definition"),
        _number("author_id"),
        _number("account_id"),
        _word("recipe"),
        _word("slot"),
        _number("errors_in_row"),
        _number("created_at"),
        _number("updated_at"),
        _number("enabled_at"),
        _number("removed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
    )
    op.create_index("ix_rules_position", "rules", ["position", "id"])
    op.create_table(
        "rule_versions",
        _part("rule_id"),
        _part("version"),
        _data("definition"),
        _number("author_id"),
        _number("at"),
        sa.PrimaryKeyConstraint("rule_id", "version", name=op.f("pk_rule_versions")),
    )
    op.create_table(
        "rule_runs",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _part("rule_id"),
        _number("version"),
        _key("cause"),
        _part("step"),
        _part("occurrence"),
        _word("trigger"),
        _number("event_id"),
        _number("dialog_id"),
        _number("contact_id"),
        _word("subject_kind"),
        _number("subject_id"),
        _number("at"),
        _word("state"),
        _words("reason"),
        _data("why"),
        _data("steps", "[]"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_runs")),
        sa.UniqueConstraint("rule_id", "cause", "step", "occurrence", name=op.f("uq_rule_runs_rule_id_cause_step_occurrence")),
    )
    op.create_index("ix_rule_runs_contact", "rule_runs", ["contact_id", "id"])
    op.create_index("ix_rule_runs_dialog", "rule_runs", ["dialog_id", "id"])
    op.create_index("ix_rule_runs_rule", "rule_runs", ["rule_id", "id"])
    op.create_index("ix_rule_runs_subject", "rule_runs", ["subject_kind", "subject_id", "id"])
    op.create_table(
        "rule_effects",
        _word("kind"),
        _part("object_id"),
        _part("run_id"),
        sa.PrimaryKeyConstraint("kind", "object_id", "run_id", name=op.f("pk_rule_effects")),
    )
    op.create_index("ix_rule_effects_run", "rule_effects", ["run_id"])
    op.create_table(
        "rule_marks",
        _part("rule_id"),
        _key("mark"),
        _number("at"),
        sa.PrimaryKeyConstraint("rule_id", "mark", name=op.f("pk_rule_marks")),
    )
    op.create_index("ix_rule_marks_at", "rule_marks", ["at"])
    op.create_table(
        "rule_hours",
        _part("rule_id"),
        _part("hour"),
        _number("runs"),
        _number("failures"),
        _number("held"),
        _number("misses"),
        sa.PrimaryKeyConstraint("rule_id", "hour", name=op.f("pk_rule_hours")),
    )
    op.create_table(
        "rule_timers",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _part("rule_id"),
        _number("version"),
        _word("kind"),
        _key("slot"),
        _word("episode"),
        _number("step"),
        _number("occurrence"),
        _number("due_at"),
        _flag("held"),
        _number("dialog_id"),
        _number("contact_id"),
        _word("subject_kind"),
        _number("subject_id"),
        _number("event_id"),
        _number("depth"),
        _word("cancel_on"),
        _data("data"),
        _number("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_timers")),
        sa.UniqueConstraint("rule_id", "slot", name=op.f("uq_rule_timers_rule_id_slot")),
    )
    op.create_index("ix_rule_timers_contact", "rule_timers", ["contact_id"])
    op.create_index("ix_rule_timers_dialog", "rule_timers", ["dialog_id"])
    op.create_index("ix_rule_timers_due", "rule_timers", ["due_at", "id"], sqlite_where=sa.text("held = 0"), postgresql_where=sa.text("NOT held"))
    op.create_index("ix_rule_timers_subject", "rule_timers", ["subject_kind", "subject_id"])
