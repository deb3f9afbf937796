"""Tables of rules: what they say, every version, what they did, what they wait to do.

`rule_runs.why` and `rule_timers.data` may hold a person's words: see crm_store/erasure.py.
"""

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

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word, words

rules = Table(
    "rules",
    metadata,
    key(),
    word("name"),
    num("position"),
    flag("enabled"),
    word("paused"),
    words("paused_detail"),
    num("version", 1),
    data("definition"),
    ref("author_id"),
    ref("account_id"),
    word("recipe"),
    word("slot"),
    num("errors_in_row"),
    num("created_at"),
    num("updated_at"),
    num("enabled_at"),
    num("removed_at"),
    Index("ix_rules_position", "position", "id"),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("rule_id", ID, nullable=False),
    Column("version", ID, nullable=False),
    data("definition"),
    ref("author_id"),
    num("at"),
    PrimaryKeyConstraint("rule_id", "version"),
)

# The key of a run says that a decided thing is never decided again: (rule, cause, step, occurrence).
rule_runs = Table(
    "rule_runs",
    metadata,
    key(),
    Column("rule_id", ID, nullable=False),
    num("version"),
    Column("cause", String(200), nullable=False),
    Column("step", ID, nullable=False),
    Column("occurrence", ID, nullable=False),
    word("trigger"),
    ref("event_id"),
    ref("dialog_id"),
    ref("contact_id"),
    word("subject_kind"),
    ref("subject_id"),
    num("at"),
    word("state"),
    words("reason"),
    data("why"),
    data("steps", "[]"),
    UniqueConstraint("rule_id", "cause", "step", "occurrence"),
    Index("ix_rule_runs_rule", "rule_id", "id"),
    Index("ix_rule_runs_dialog", "dialog_id", "id"),
    Index("ix_rule_runs_contact", "contact_id", "id"),
    Index("ix_rule_runs_subject", "subject_kind", "subject_id", "id"),
)

# What a run made or changed: "created by rule X because ..." on the object's own page.
rule_effects = Table(
    "rule_effects",
    metadata,
    word("kind"),
    Column("object_id", ID, nullable=False),
    Column("run_id", ID, nullable=False),
    PrimaryKeyConstraint("kind", "object_id", "run_id"),
    Index("ix_rule_effects_run", "run_id"),
)

# "Once per dialog" and its like: a row that can be made once.
rule_marks = Table(
    "rule_marks",
    metadata,
    Column("rule_id", ID, nullable=False),
    Column("mark", String(200), nullable=False),
    num("at"),
    PrimaryKeyConstraint("rule_id", "mark"),
    Index("ix_rule_marks_at", "at"),
)

# Counters by the hour: what the list shows, and a rule's own habit, by which the fuse goes.
rule_hours = Table(
    "rule_hours",
    metadata,
    Column("rule_id", ID, nullable=False),
    Column("hour", ID, nullable=False),
    num("runs"),
    num("failures"),
    num("held"),
    num("misses"),
    PrimaryKeyConstraint("rule_id", "hour"),
)

# One slot waits for one thing: arming it again moves it. The episode is part of the run's key.
rule_timers = Table(
    "rule_timers",
    metadata,
    key(),
    Column("rule_id", ID, nullable=False),
    num("version"),
    word("kind"),
    Column("slot", String(200), nullable=False),
    word("episode"),
    num("step"),
    num("occurrence"),
    num("due_at"),
    flag("held"),
    ref("dialog_id"),
    ref("contact_id"),
    word("subject_kind"),
    ref("subject_id"),
    ref("event_id"),
    num("depth"),
    word("cancel_on"),
    data("data"),
    num("created_at"),
    UniqueConstraint("rule_id", "slot"),
    Index(
        "ix_rule_timers_due",
        "due_at",
        "id",
        sqlite_where=text("held = 0"),
        postgresql_where=text("NOT held"),
    ),
    Index("ix_rule_timers_dialog", "dialog_id"),
    Index("ix_rule_timers_subject", "subject_kind", "subject_id"),
    Index("ix_rule_timers_contact", "contact_id"),
)
