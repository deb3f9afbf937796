"""Lists, boards and the funnel at a million messages: indexes of words, of heaps, of what was reached.

The index of the three-letter parts of names, titles, phones and e-mails is on SQLite a table of
its own beside each, kept by triggers, and on PostgreSQL an index over what a function gives.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

COLUMNS = {
    "clients": ("name", "source", "phone", "email"),
    "contacts": ("name", "position"),
    "interests": ("title", "source"),
    "leads": ("title", "name", "phone", "email", "source"),
    "meetings": ("title", "next_step"),
    "requests": ("title",),
    "tasks": ("title",),
}
FUNCTION = """
CREATE OR REPLACE FUNCTION hub_grams(written text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
SELECT coalesce(array_agg(DISTINCT (ascii(substr(written, n, 1))::bigint << 42)
    | (ascii(substr(written, n + 1, 1))::bigint << 21)
    | ascii(substr(written, n + 2, 1))::bigint), '{}'::bigint[])
FROM generate_series(1, length(written) - 2) AS n
$$
"""
INDEXES = {
    "ix_interests_heaps": ("interests", "deleted_at", "status", "stage_id", "currency", "amount"),
    "ix_interests_funnel": (
        "interests",
        "pipeline_id",
        "deleted_at",
        "created_at",
        "status",
        "currency",
        "loss_reason_id",
        "amount",
    ),
    "ix_leads_newest": ("leads", "deleted_at", "id"),
    "ix_requests_newest": ("requests", "deleted_at", "id"),
    "ix_requests_overdue": ("requests", "overdue", "deleted_at", "due_at", "id"),
    "ix_tasks_newest": ("tasks", "deleted_at", "id"),
}
OPTIONS = "fastupdate=on, gin_pending_list_limit=512"


def upgrade() -> None:
    """Make the indexes, fill that of the words, and mark who came to a stage again."""
    _reached()
    for name, (table, *columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.drop_index("ix_interests_created", "interests")
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(FUNCTION)
    for table, names in COLUMNS.items():
        make = _on_postgres if conn.dialect.name == "postgresql" else _on_sqlite
        for statement in make(table, names):
            conn.exec_driver_sql(statement)


def _reached() -> None:
    op.add_column(
        "interest_stays",
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.get_bind().exec_driver_sql(
        "UPDATE interest_stays SET again = (1 = 1) WHERE EXISTS (SELECT 1 FROM interest_stays AS was"
        " WHERE was.interest_id = interest_stays.interest_id"
        " AND was.stage_id = interest_stays.stage_id AND was.id < interest_stays.id)"
    )
    op.create_index(
        "ix_interest_stays_reached", "interest_stays", ["interest_id", "again", "stage_id"]
    )


def _on_postgres(table: str, names: tuple[str, ...]) -> list[str]:
    text = " || chr(10) || ".join(f"{name}_folded" for name in names)
    return [
        f"CREATE INDEX grams_{table} ON {table} USING gin (hub_grams({text})) WITH ({OPTIONS})"
    ]


def _on_sqlite(table: str, names: tuple[str, ...]) -> list[str]:
    def text(row: str) -> str:
        return " || char(10) || ".join(f"{row}{name}_folded" for name in names)

    index = f"grams_{table}"
    old, new = text("old."), text("new.")
    add = f"INSERT INTO {index}(rowid, grams) VALUES (new.id, {new});"
    # A table without content is told what it is to forget.
    forget = f"INSERT INTO {index}({index}, rowid, grams) VALUES ('delete', old.id, {old});"
    columns = ", ".join(f"{name}_folded" for name in names)
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5(grams, content='', detail=none, columnsize=0,"
        " tokenize='trigram case_sensitive 1')",
        f"INSERT INTO {index}({index}, rank) VALUES('automerge', 8)",
        f"INSERT INTO {index}(rowid, grams) SELECT id, {text('')} FROM {table} ORDER BY id",
        f"CREATE TRIGGER {index}_add AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {index}_change AFTER UPDATE OF {columns} ON {table}"
        f" WHEN {old} <> {new} BEGIN {forget} {add} END",
        f"CREATE TRIGGER {index}_forget AFTER DELETE ON {table} BEGIN {forget} END",
    ]
