"""Who is to be called back: dialogs that wait because nobody took a call, and nothing came since."""

from __future__ import annotations

from sqlalchemy import String, literal_column, select

from crm_store.sql import unindexed
from crm_store.tables.dialogs import dialogs, messages
from crm_store.viewer import Reader
from hub.ids import DialogId

MOST = 50
CALL = literal_column("'call'", String)
"""Written into the question, so that the index of calls is known to fit."""


def callbacks(reader: Reader) -> list[DialogId]:
    """Give the dialogs that the reader, or nobody yet, has to call back; who waits longest first."""
    if not reader.viewer.may("dialogs.view"):
        return []
    found = reader.conn.execute(
        select(dialogs.c.id)
        # By the index of calls, which are few: of each waiting dialog the last message was read.
        .join(messages, messages.c.dialog_id == dialogs.c.id)
        .where(
            dialogs.c.is_open,
            dialogs.c.waiting_since > 0,
            dialogs.c.assignee_id.in_([reader.viewer.user_id, 0]),
            messages.c.direction == CALL,
            unindexed(messages.c.id) == dialogs.c.last_message_id,
            reader.viewer.dialogs_clause(),
        )
        .order_by(dialogs.c.waiting_since)
        .limit(MOST)
    )
    return [DialogId(one) for one in found.scalars()]
