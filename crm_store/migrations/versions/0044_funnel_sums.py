"""The funnel's sums are kept by day, and triggers mark the days that are to be counted again.

Every way in which an interest or its stays are written passes them: commands, imports, merges,
erasure, retention. All days there are begin marked; they are counted in the background.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY = 86_400_000_000
INTERESTS = (
    "pipeline_id",
    "deleted_at",
    "created_at",
    "owner_id",
    "source_folded",
    "status",
    "currency",
    "amount",
    "loss_reason_id",
)
STAYS = ("interest_id", "stage_id", "entered_at", "left_at", "passed", "again")


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, autoincrement=False, nullable=False)


def _num(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(400), server_default="", nullable=False)


def _data(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text("'{}'"), nullable=False)


def upgrade() -> None:
    """Make the tables and triggers, and mark every day."""
    op.create_table(
        "funnel_sums",
        _id("pipeline_id"),
        _word("cut"),
        _word("value"),
        _num("days", 1),
        _num("day"),
        _num("began"),
        _data("sums"),
        _data("times"),
        sa.PrimaryKeyConstraint(
            "pipeline_id", "cut", "value", "days", "day", name=op.f("pk_funnel_sums")
        ),
    )
    op.create_index("ix_funnel_sums_day", "funnel_sums", ["pipeline_id", "days", "day"])
    op.create_table(
        "funnel_marks",
        _id("pipeline_id"),
        _id("day"),
        _id("writer"),
        sa.PrimaryKeyConstraint("pipeline_id", "day", "writer", name=op.f("pk_funnel_marks")),
    )
    conn = op.get_bind()
    make = _on_postgres if conn.dialect.name == "postgresql" else _on_sqlite
    for statement in make():
        conn.exec_driver_sql(statement)
    conn.exec_driver_sql(
        "INSERT INTO funnel_marks (pipeline_id, day, writer)"
        f" SELECT DISTINCT pipeline_id, created_at / {DAY}, 0 FROM interests"
    )


def _differ(names: tuple[str, ...], unlike: str) -> str:
    return " OR ".join(f"old.{name} {unlike} new.{name}" for name in names)


def _on_sqlite() -> list[str]:
    # An outer statement's ON CONFLICT would be a trigger's own too: asked for instead.
    def interest(row: str) -> str:
        return (
            f"INSERT INTO funnel_marks SELECT {row}.pipeline_id, {row}.created_at / {DAY}, 0"
            " WHERE NOT EXISTS (SELECT 1 FROM funnel_marks"
            f" WHERE pipeline_id = {row}.pipeline_id AND day = {row}.created_at / {DAY});"
        )

    def stay(row: str) -> str:
        return (
            f"INSERT INTO funnel_marks SELECT pipeline_id, created_at / {DAY}, 0 FROM interests"
            f" WHERE id = {row}.interest_id AND NOT EXISTS (SELECT 1 FROM funnel_marks AS had"
            f" WHERE had.pipeline_id = interests.pipeline_id AND had.day = created_at / {DAY});"
        )

    made = []
    for table, names, mark in (("interests", INTERESTS, interest), ("interest_stays", STAYS, stay)):
        add, forget = mark("new"), mark("old")
        # A stay has one interest for ever.
        both = f"{forget} {add}" if table == "interests" else add
        made += [
            f"CREATE TRIGGER funnel_{table}_add AFTER INSERT ON {table} BEGIN {add} END",
            f"CREATE TRIGGER funnel_{table}_change AFTER UPDATE OF {', '.join(names)} ON {table}"
            f" WHEN {_differ(names, '<>')} BEGIN {both} END",
            f"CREATE TRIGGER funnel_{table}_forget AFTER DELETE ON {table} BEGIN {forget} END",
        ]
    return made


def _on_postgres() -> list[str]:
    def interest(row: str) -> str:
        return (
            f"INSERT INTO funnel_marks VALUES ({row}.pipeline_id, {row}.created_at / {DAY},"
            " txid_current()) ON CONFLICT DO NOTHING;"
        )

    def stay(row: str) -> str:
        return (
            f"INSERT INTO funnel_marks SELECT pipeline_id, created_at / {DAY}, txid_current()"
            f" FROM interests WHERE id = {row}.interest_id ON CONFLICT DO NOTHING;"
        )

    made = []
    for table, names, mark in (("interests", INTERESTS, interest), ("interest_stays", STAYS, stay)):
        made += [
            f"CREATE OR REPLACE FUNCTION hub_funnel_{table}() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN IF TG_OP <> 'DELETE' THEN {mark('new')} END IF;"
            f" IF TG_OP <> 'INSERT' THEN {mark('old')} END IF; RETURN NULL; END $$",
            f"CREATE TRIGGER funnel_{table}_rows AFTER INSERT OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION hub_funnel_{table}()",
            f"CREATE TRIGGER funnel_{table}_change AFTER UPDATE OF {', '.join(names)} ON {table}"
            f" FOR EACH ROW WHEN ({_differ(names, 'IS DISTINCT FROM')})"
            f" EXECUTE FUNCTION hub_funnel_{table}()",
        ]
    return made
