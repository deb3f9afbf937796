"""What makes use of a segment: other segments that are made of it, and rules that name it."""

from __future__ import annotations

import json

from sqlalchemy import select

from crm_store.segments import all_segments
from crm_store.tables.rules import rules
from crm_store.viewer import Reader
from hub.extensions import UsedBy


def segment_uses(reader: Reader, segment_id: int) -> list[UsedBy]:
    """Give other segments and rules by name; plugins know of theirs themselves (`uses_of`)."""
    found = [
        UsedBy(title=one.name, path=f"/segments/{one.id}")
        for one in all_segments(reader)
        if segment_id in one.made_of
    ]
    mark = f'"{segment_id}"'
    rows = reader.conn.execute(
        select(rules.c.id, rules.c.name, rules.c.definition)
        .where(rules.c.removed_at == 0)
        .order_by(rules.c.position, rules.c.id)
    )
    # Rules name cards by their numbers, and no two cards share one.
    found += [
        UsedBy(title=row.name, path=f"/settings/rules/{row.id}")
        for row in rows
        if mark in json.dumps(row.definition)
    ]
    return found
