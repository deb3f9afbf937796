"""Who works now, who is away, who stands in, and how dialogs are given out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "absences",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("kind", sa.String(length=400), server_default="vacation", nullable=False),
        sa.Column("from_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("to_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("substitute_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("what", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("access", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.String(length=400), server_default="planned", nullable=False),
        sa.Column("made_by", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("version", ID, server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_state", "absences", ["state", "from_at"], unique=False)
    op.create_index("ix_absences_user", "absences", ["user_id", "from_at"], unique=False)
    op.create_table(
        "desk_statuses",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=400), server_default="", nullable=False),
        sa.Column("works", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("takes_new", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_statuses")),
    )
    op.create_table(
        "desks",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("status_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("comment", sa.String(length=400), server_default="", nullable=False),
        sa.Column("since", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("capacity", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("last_given_at", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_desks")),
    )
    op.create_table(
        "handovers",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("from_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("to_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("what", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("filters", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.String(length=400), server_default="running", nullable=False),
        sa.Column("total", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("made_by", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("undone_at", ID, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_table(
        "routes",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("mode", sa.String(length=400), server_default="nobody", nullable=False),
        sa.Column("owner_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_days", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("idle_minutes", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("calendar_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("last_user_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("version", ID, server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_routes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "routing",
        sa.Column("dialog_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=400), server_default="waiting", nullable=False),
        sa.Column("since", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("forward_at", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("user_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("team_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("mode", sa.String(length=400), server_default="", nullable=False),
        sa.Column("last_days", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("passed", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("reason", sa.String(length=400), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("dialog_id", name=op.f("pk_routing")),
    )
    op.create_index(
        "ix_routing_forward",
        "routing",
        ["forward_at"],
        unique=False,
        sqlite_where=sa.text("forward_at > 0"),
        postgresql_where=sa.text("forward_at > 0"),
    )
    op.create_index("ix_routing_state", "routing", ["state", "since"], unique=False)
    op.create_table(
        "work_moves",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("object_id", ID, nullable=False),
        sa.Column("before_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("after_id", ID, server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(length=400), server_default="planned", nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "kind", "object_id", name=op.f("pk_work_moves")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_work_moves_state", "work_moves", ["batch_id", "state"], unique=False)
