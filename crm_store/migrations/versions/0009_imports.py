"""Imports: files on their way into lists, what became of each row, remembered columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _data(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), server_default=sa.text(f"'{default}'"), nullable=False)


def upgrade() -> None:
    """Add tables; nothing that is there changes."""
    op.create_table(
        "imports",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("kind"),
        _word("name"),
        sa.Column("blob_id", sa.String(length=64), nullable=False),
        _data("form"),
        _data("heads", "[]"),
        _number("rows_count"),
        _data("columns", "[]"),
        _data("options"),
        _word("state", "uploaded"),
        _word("error"),
        _number("checked"),
        _number("cursor"),
        _data("found"),
        _data("counts"),
        _data("undone"),
        _number("user_id"),
        _number("created_at"),
        _number("started_at"),
        _number("finished_at"),
        _number("version", 1),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_created_at", "imports", ["created_at", "id"])
    op.create_table(
        "import_rows",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("row_number", ID, nullable=False),
        _word("outcome"),
        _word("reason"),
        _number("object_id"),
        _number("contact_id"),
        _number("object_version"),
        _data("before"),
        sa.Column("undone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "row_number", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_object_id", "import_rows", ["object_id"])
    op.create_index("ix_import_rows_contact_id", "import_rows", ["contact_id"])
    op.create_index(
        "ix_import_rows_outcome", "import_rows", ["import_id", "outcome", "row_number"]
    )
    op.create_table(
        "import_mappings",
        _word("kind"),
        sa.Column("heads_hash", sa.String(length=64), nullable=False),
        _data("columns", "[]"),
        _data("options"),
        _number("used_at"),
        sa.PrimaryKeyConstraint("kind", "heads_hash", name=op.f("pk_import_mappings")),
    )
    op.create_table(
        "external_ids",
        _word("kind"),
        _word("external_id"),
        sa.Column("object_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("kind", "external_id", name=op.f("pk_external_ids")),
    )
    op.create_index("ix_external_ids_object_id", "external_ids", ["kind", "object_id"])
