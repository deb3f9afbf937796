"""Tables of who is away, who stands in, and what was handed over because of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, text

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word

absences = Table(
    "absences",
    metadata,
    key(),
    ref("user_id"),
    word("kind", "vacation"),
    num("from_at"),
    num("to_at"),
    ref("substitute_id"),
    data("what", "[]"),
    flag("access"),
    word("state", "planned"),
    ref("made_by"),
    num("created_at"),
    num("ended_at"),
    num("version", 1),
    Index("ix_absences_state", "state", "from_at"),
    Index("ix_absences_user", "user_id", "from_at"),
)

handovers = Table(
    "handovers",
    metadata,
    key(),
    ref("from_id"),
    ref("to_id"),
    data("what", "[]"),
    data("filters"),
    word("state", "running"),
    num("total"),
    ref("made_by"),
    num("created_at"),
    num("undone_at"),
)

# What was put where by an absence or a handover: so that it can be put back, exactly what is
# still there. `state`: planned, moved, skipped (somebody else has it meanwhile), returned.
work_moves = Table(
    "work_moves",
    metadata,
    Column("batch_id", ID, nullable=False),
    Column("kind", String(100), nullable=False),
    Column("object_id", ID, nullable=False),
    ref("before_id"),
    ref("after_id"),
    word("state", "planned"),
    PrimaryKeyConstraint("batch_id", "kind", "object_id"),
    Index("ix_work_moves_state", "batch_id", "state"),
    Index(
        "ix_work_moves_left",
        "state",
        sqlite_where=text("state IN ('planned', 'returning')"),
        postgresql_where=text("state IN ('planned', 'returning')"),
    ),
    sqlite_with_rowid=False,
)
