"""What runs and timers of rules keep of a person's words, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, update

from crm_store.tables.rules import rule_runs, rule_timers


def forget_person(conn: Connection, contact_id: int, dialog_ids: Sequence[int]) -> int:
    """Empty what was seen by rules about a person; that they ran stays. Gives how many runs."""
    done = 0
    for start in range(0, max(1, len(dialog_ids)), 500):
        chunk = list(dialog_ids[start : start + 500])
        for table in (rule_runs, rule_timers):
            mine = or_(table.c.contact_id == contact_id, table.c.dialog_id.in_(chunk))
            if table is rule_timers:
                conn.execute(delete(table).where(mine))
            else:
                emptied = update(table).where(mine).values(why={}, reason="", steps=[])
                done += conn.execute(emptied).rowcount
    return done
