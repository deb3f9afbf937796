"""Clients have as many addresses as they like, and are found by any of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"

NAMES = ("name", "source", "phone", "email", "addresses")
OPTIONS = "fastupdate=on, gin_pending_list_limit=512"


def upgrade() -> None:
    """Add what the lines of a card do not hold, empty, and index it with them."""
    for name in ("addresses", "addresses_folded"):
        op.add_column("clients", sa.Column(name, sa.Text(), server_default="", nullable=False))
    conn = op.get_bind()
    for statement in _on_postgres() if conn.dialect.name == "postgresql" else _on_sqlite():
        conn.exec_driver_sql(statement)


def _on_postgres() -> list[str]:
    text = " || chr(10) || ".join(f"{name}_folded" for name in NAMES)
    return [
        "DROP INDEX grams_clients",
        f"CREATE INDEX grams_clients ON clients USING gin (hub_grams({text})) WITH ({OPTIONS})",
    ]


def _on_sqlite() -> list[str]:
    """Replace the triggers. The index stays: it holds what they say of cards without addresses."""

    def text(row: str) -> str:
        more = f"{row}addresses_folded"
        lines = " || char(10) || ".join(f"{row}{name}_folded" for name in NAMES[:-1])
        return f"{lines} || CASE {more} WHEN '' THEN '' ELSE char(10) || {more} END"

    index = "grams_clients"
    old, new = text("old."), text("new.")
    add = f"INSERT INTO {index}(rowid, grams) VALUES (new.id, {new});"
    forget = f"INSERT INTO {index}({index}, rowid, grams) VALUES ('delete', old.id, {old});"
    columns = ", ".join(f"{name}_folded" for name in NAMES)
    return [
        *(f"DROP TRIGGER {index}_{what}" for what in ("add", "change", "forget")),
        f"CREATE TRIGGER {index}_add AFTER INSERT ON clients BEGIN {add} END",
        f"CREATE TRIGGER {index}_change AFTER UPDATE OF {columns} ON clients"
        f" WHEN {old} <> {new} BEGIN {forget} {add} END",
        f"CREATE TRIGGER {index}_forget AFTER DELETE ON clients BEGIN {forget} END",
    ]
