"""Making a dialog's list row again from its messages, after something was taken away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from crm_store.tables.dialogs import messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog

PREVIEW = 160


def recount(uow: UnitOfWork, dialog_id: int) -> None:
    """Make the last line and the counters of a dialog from its rows."""
    alive = (messages.c.dialog_id == dialog_id) & (messages.c.deleted_at == 0)
    total, inbound, failed, last_inbound = uow.conn.execute(
        select(
            func.count(),
            func.count().filter(messages.c.direction.in_(("in", "call"))),
            func.count().filter(messages.c.status.in_(("failed", "unknown"))),
            func.max(messages.c.id).filter(messages.c.direction == "in"),
        ).where(alive)
    ).one()
    last = uow.conn.execute(
        select(messages)
        .where(alive, messages.c.direction.in_(("in", "out", "call")))
        .order_by(messages.c.at.desc(), messages.c.id.desc())
        .limit(1)
    ).first()
    line = line_of(last) if last is not None else ""
    change_dialog(
        uow,
        dialog_id,
        message_count=total,
        inbound_count=inbound,
        failed_count=failed,
        last_inbound_id=last_inbound or 0,
        last_message_id=last.id if last else 0,
        last_direction=("out" if last.direction == "out" else "in") if last else "",
        preview=line or ("📎" if last else ""),
    )


def line_of(message: Row[Any]) -> str:
    """Give what the list shows of a message, in no language."""
    if message.extra.get("taken_back"):
        return "🗑"
    if message.direction == "call":
        seconds = int(message.extra.get("seconds", 0))
        return f"📞 {seconds // 60}:{seconds % 60:02}" if seconds else "📞"
    line = " ".join((message.text or message.subject).split())[:PREVIEW]
    return line or (f"⚠ {message.unsupported}"[:PREVIEW] if message.unsupported else "")
