"""Who is to be called back: dialogs that wait because nobody took a call, and nothing came since."""

from __future__ import annotations

from sqlalchemy import select

from crm_store.tables.dialogs import dialogs, messages
from crm_store.viewer import Reader
from hub.ids import DialogId

MOST = 50


def callbacks(reader: Reader) -> list[DialogId]:
    """Give the dialogs that the reader, or nobody yet, has to call back; who waits longest first."""
    if not reader.viewer.may("dialogs.view"):
        return []
    found = reader.conn.execute(
        select(dialogs.c.id)
        .join(messages, messages.c.id == dialogs.c.last_message_id)
        .where(
            dialogs.c.is_open,
            dialogs.c.waiting_since > 0,
            dialogs.c.assignee_id.in_([reader.viewer.user_id, 0]),
            messages.c.direction == "call",
            reader.viewer.dialogs_clause(),
        )
        .order_by(dialogs.c.waiting_since)
        .limit(MOST)
    )
    return [DialogId(one) for one in found.scalars()]
