"""What a message is about: a colleague's word goes before a classifier's."""

from __future__ import annotations

from sqlalchemy import update

from crm_store.tables.dialogs import messages
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import lock_message
from dialogs.edits import changed
from hub.commands import LabelMessage
from hub.errors import Invalid

LONGEST = 60


def label_message(uow: UnitOfWork, command: LabelMessage) -> None:
    """Write the label, with what it was before; a colleague is always certain."""
    message = lock_message(uow, command.message_id)
    if message.direction != "in":
        raise Invalid("only what a client wrote is sorted by its meaning", field="label")
    name = " ".join(command.label.split())
    if len(name) > LONGEST:
        raise Invalid("a label is a word or two", field="label")
    before = message.extra.get("label", {})
    if name == before.get("name", ""):
        return
    extra = {key: value for key, value in message.extra.items() if key != "label"}
    if name:
        extra["label"] = {
            "name": name,
            "reason": "",
            "confidence": 100,
            "by": "user",
            "user": str(uow.actor.id),
            "was": before.get("name", ""),
        }
    uow.conn.execute(update(messages).where(messages.c.id == message.id).values(extra=extra))
    changed(uow, message, "labelled")
