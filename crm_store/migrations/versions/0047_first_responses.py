"""When leads came in and were first answered: of what is there, as far as dialogs and meetings tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DIALOGS = """
    SELECT k.dialog_id FROM dialog_links k WHERE k.kind = 'lead' AND k.object_id = leads.id
    UNION ALL
    SELECT d.id FROM dialogs d WHERE leads.contact_id > 0 AND d.contact_id = leads.contact_id
"""
WROTE = f"""
    UPDATE leads SET received_at = created_at, first_responded_at = coalesce((
        SELECT min(m.received_at) FROM ({DIALOGS}) own
        JOIN messages m ON m.dialog_id = own.dialog_id
        WHERE m.at >= leads.created_at AND m.received_at >= leads.created_at AND m.direction = 'out'
            AND NOT m.automated AND m.deleted_at = 0
            AND (leads.status <> 'rejected' OR m.received_at <= leads.closed_at)
    ), 0)
"""
MET = """
    SELECT min(t.at) FROM meetings t
    WHERE leads.contact_id > 0 AND t.contact_id = leads.contact_id AND t.deleted_at = 0
        AND t.at >= leads.created_at AND t.at <= t.created_at
        AND (leads.first_responded_at = 0 OR t.at < leads.first_responded_at)
        AND (leads.status <> 'rejected' OR t.at <= leads.closed_at)
"""
BEFORE = """
    SELECT min(d.{column}) FROM dialog_links k JOIN dialogs d ON d.id = k.dialog_id
    WHERE k.kind = 'lead' AND k.object_id = leads.id AND d.waiting_since = 0
        AND d.first_response_at > 0 AND d.first_response_at <= leads.created_at
"""


def upgrade() -> None:
    """Add the columns, fill them, and make the index by which lists are sorted."""
    for name in ("received_at", "first_responded_at", "first_response_us"):
        op.add_column("leads", sa.Column(name, ID, server_default=sa.text("0"), nullable=False))
    op.execute(WROTE)
    op.execute(f"UPDATE leads SET first_responded_at = coalesce(({MET}), first_responded_at)")
    # A lead that was made of a dialog which somebody had answered already.
    asked, said = (BEFORE.format(column=one) for one in ("created_at", "first_response_at"))
    op.execute(
        f"UPDATE leads SET received_at = coalesce(({asked}), received_at),"
        f" first_responded_at = coalesce(({said}), 0) WHERE first_responded_at = 0"
    )
    op.execute(
        "UPDATE leads SET first_response_us = CASE WHEN first_responded_at > received_at"
        " THEN first_responded_at - received_at ELSE 1 END WHERE first_responded_at > 0"
    )
    op.create_index("ix_leads_response", "leads", ["deleted_at", "first_response_us", "id"])
