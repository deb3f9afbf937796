"""Contact persons in full, where an address comes from, and cards that became one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, ID, server_default=sa.text(str(default)), nullable=False)


def _word(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=400), server_default=default, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    """Add columns and tables, and let one person have two chats on one account."""
    for column in (
        _word("position_folded"),
        _flag("is_key"),
        _word("influence", "unknown"),
        _word("preferred_channel"),
        _word("preferred_channel_folded"),
        _flag("do_not_disturb"),
        _word("language_folded"),
        _word("time_zone_folded"),
        _number("birthday"),
        _number("merged_into"),
        _number("deleted_at"),
    ):
        op.add_column("contacts", column)
    for column in (
        _number("origin_id"),
        _word("normal"),
        _word("verified_by"),
        _number("verified_at"),
        _word("matched_by"),
    ):
        op.add_column("addresses", column)
    op.add_column("clients", _number("merged_into"))
    _fill(op.get_bind())
    op.create_index(
        "ix_contacts_merged_into",
        "contacts",
        ["merged_into"],
        sqlite_where=sa.text("merged_into > 0"),
        postgresql_where=sa.text("merged_into > 0"),
    )
    op.create_index("ix_addresses_origin_id", "addresses", ["origin_id"])
    op.create_index(
        "ix_addresses_normal",
        "addresses",
        ["normal"],
        sqlite_where=sa.text("normal <> ''"),
        postgresql_where=sa.text("normal <> ''"),
    )
    # One address has one open dialog in a place; one person may have several addresses.
    op.drop_index("uq_dialogs_open_slot", "dialogs")
    op.create_index(
        "uq_dialogs_open_slot",
        "dialogs",
        ["account_id", "address_id", "slot"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        "merges",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        _word("kind"),
        _number("survivor_id"),
        _number("merged_id"),
        _number("at"),
        _word("actor"),
        sa.Column("kept", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        _number("undone_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index("ix_merges_survivor", "merges", ["kind", "survivor_id"])
    op.create_index("ix_merges_merged", "merges", ["kind", "merged_id"])
    op.create_table(
        "merge_moves",
        sa.Column("merge_id", ID, nullable=False),
        _word("place"),
        sa.Column("row_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("merge_id", "place", "row_id", name=op.f("pk_merge_moves")),
    )


def _fill(conn: sa.Connection) -> None:
    from crm_store.sameness import normal_form
    from hub.terms import fold

    conn.execute(sa.text("UPDATE addresses SET origin_id = contact_id"))
    conn.execute(sa.text("UPDATE addresses SET verified_by = 'hand' WHERE verified"))
    conn.execute(sa.text("UPDATE contacts SET deleted_at = created_at WHERE name = ''"))
    rows = conn.execute(
        sa.text(
            "SELECT id, position, language, time_zone FROM contacts"
            " WHERE position <> '' OR language <> '' OR time_zone <> ''"
        )
    ).all()
    for start in range(0, len(rows), 1000):
        conn.execute(
            sa.text(
                "UPDATE contacts SET position_folded = :position, language_folded = :language,"
                " time_zone_folded = :zone WHERE id = :id"
            ),
            [
                {
                    "id": row.id,
                    "position": fold(row.position)[:400],
                    "language": fold(row.language)[:400],
                    "zone": fold(row.time_zone)[:400],
                }
                for row in rows[start : start + 1000]
            ],
        )
    known = conn.execute(sa.text("SELECT id, kind, value FROM addresses")).all()
    found = [
        {"id": row.id, "normal": normal}
        for row in known
        if (normal := normal_form(row.kind, row.value))
    ]
    for start in range(0, len(found), 1000):
        conn.execute(
            sa.text("UPDATE addresses SET normal = :normal WHERE id = :id"),
            found[start : start + 1000],
        )
