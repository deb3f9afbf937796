"""Who is to be called back: dialogs that wait because nobody took a call, and nothing came since."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, String, bindparam, literal_column, select

from crm_store.sql import unindexed
from crm_store.tables.dialogs import dialogs, messages
from crm_store.viewer import Reader, Viewer
from hub.ids import DialogId

MOST = 50
CALL = literal_column("'call'", String)
"""Written into the question, so that the index of calls is known to fit."""


def callbacks(reader: Reader) -> list[DialogId]:
    """Give the dialogs that the reader, or nobody yet, has to call back; who waits longest first."""
    if not reader.viewer.may("dialogs.view"):
        return []
    found = reader.conn.execute(_waiting(reader.viewer.sight), {"me": reader.viewer.user_id})
    return [DialogId(one) for one in found.scalars().all()]


@lru_cache(128)
def _waiting(viewer: Viewer) -> Select[Any]:
    """Make the question once for all who see the same: everybody's day asks it."""
    return (
        select(dialogs.c.id)
        # By the index of calls, which are few: of each waiting dialog the last message was read.
        .join(messages, messages.c.dialog_id == dialogs.c.id)
        .where(
            dialogs.c.is_open,
            dialogs.c.waiting_since > 0,
            dialogs.c.assignee_id.in_((bindparam("me"), literal_column("0"))),
            messages.c.direction == CALL,
            unindexed(messages.c.id) == dialogs.c.last_message_id,
            viewer.dialogs_clause(),
        )
        .order_by(dialogs.c.waiting_since)
        .limit(MOST)
    )
