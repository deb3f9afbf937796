"""What we do to messages that are with the person already: change, take back, react.

The row says what is wanted (`extra.acts`), a job calls the provider, and only its success
changes what the entry shows: the text here is always the text there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select, update

from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.outbox import deliveries, parts
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from crm_store.work import run_job
from dialogs.access import lock_message
from dialogs.edits import US_WHO, changed, put_reaction, put_text, take_back
from hub.capabilities import Capabilities
from hub.commands import EditMessage, ReactToMessage, RetractMessage, RunJob, SettleAct
from hub.errors import Conflict, Invalid, Unsupported

JOB = "hub.act"
EDIT, RETRACT, REACT = "edit", "retract", "react"
SENT = ("sent", "delivered", "read")
US = 1_000_000


def edit_message(uow: UnitOfWork, command: EditMessage) -> None:
    """Ask the provider to change a message of ours."""
    message = lock_message(uow, command.message_id)
    capabilities = _capabilities(uow, message)
    if not capabilities.edits:
        raise Unsupported("edits")
    text = command.text.strip().replace("\x00", "")
    if not text:
        raise Invalid("there is nothing to send", field="text")
    if capabilities.max_text and len(text) > capabilities.max_text:
        raise Invalid(
            f"a changed message has at most {capabilities.max_text} characters here", field="text"
        )
    _need_sent(uow, message, capabilities.edit_window)
    if message.extra.get("template"):
        raise Invalid("a template cannot be changed once it is sent", field="text")
    if _part_count(uow, message) != 1:
        raise Invalid("a message that left in several parts cannot be changed", field="text")
    if text == message.text:
        return
    _want(uow, message, EDIT, text=text)


def retract_message(uow: UnitOfWork, command: RetractMessage) -> None:
    """Ask the provider to take a message of ours back at the person's end."""
    message = lock_message(uow, command.message_id)
    capabilities = _capabilities(uow, message)
    if not capabilities.deletes:
        raise Unsupported("taking messages back")
    if message.extra.get("taken_back"):
        raise Conflict("this message was taken back already", what="taken_back")
    _need_sent(uow, message, capabilities.delete_window)
    _want(uow, message, RETRACT)


def react_to_message(uow: UnitOfWork, command: ReactToMessage) -> None:
    """Ask the provider to show our reaction to the person; an empty one takes it away."""
    message = lock_message(uow, command.message_id)
    capabilities = _capabilities(uow, message)
    if not capabilities.reactions:
        raise Unsupported("reactions")
    if command.emoji and command.emoji not in capabilities.reaction_choices:
        raise Invalid(
            f"this channel takes {' '.join(capabilities.reaction_choices)}", field="emoji"
        )
    known = message.direction in ("in", "out") and message.external_id
    if not known or message.extra.get("taken_back"):
        raise Conflict("the person has no such message", what="not_sent")
    _want(uow, message, REACT, emoji=command.emoji)


def settle_act(uow: UnitOfWork, command: SettleAct) -> None:
    """Write what became of an act; one that was replaced meanwhile changes nothing."""
    message = uow.conn.execute(
        locked(uow.dialect, select(messages).where(messages.c.id == command.message_id))
    ).first()
    if message is None or message.deleted_at:
        return
    acts = dict(message.extra.get("acts", {}))
    act = acts.get(command.verb)
    if act is None or act.get("n") != command.n:
        return
    if command.error:
        acts[command.verb] = {**act, "state": "failed", "error": command.error[:400]}
        _write(uow, message, acts)
        changed(uow, message, "act")
        return
    del acts[command.verb]
    _write(uow, message, acts)
    message = uow.conn.execute(select(messages).where(messages.c.id == message.id)).one()
    if command.verb == EDIT:
        put_text(uow, message, act["text"], uow.now)
    elif command.verb == RETRACT:
        take_back(uow, message, uow.now, by_us=True)
    else:
        put_reaction(uow, message, US_WHO, act["emoji"])


def _want(uow: UnitOfWork, message: Row[Any], verb: str, **what: str) -> None:
    n = str(uow.new_id())
    acts = {
        **message.extra.get("acts", {}),
        verb: {**what, "n": n, "state": "queued", "by": str(uow.actor.id)},
    }
    _write(uow, message, acts)
    run_job(
        uow,
        RunJob(
            name=JOB, payload={"message": str(message.id), "verb": verb}, key=f"{message.id}:{n}"
        ),
    )
    changed(uow, message, "act")


def _write(uow: UnitOfWork, message: Row[Any], acts: dict[str, Any]) -> None:
    extra = {name: value for name, value in message.extra.items() if name != "acts"}
    if acts:
        extra["acts"] = acts
    uow.conn.execute(update(messages).where(messages.c.id == message.id).values(extra=extra))


def _capabilities(uow: UnitOfWork, message: Row[Any]) -> Capabilities:
    account = uow.conn.execute(
        select(accounts.c.channel, accounts.c.removed)
        .join(dialogs, dialogs.c.account_id == accounts.c.id)
        .where(dialogs.c.id == message.dialog_id)
    ).one()
    if account.removed:
        raise Conflict("the channel of this dialog was disconnected", what="account_removed")
    found = uow.channels.get(account.channel)
    if found is None:
        raise Conflict("the plugin of this channel is not loaded", what="plugin")
    return found


def _need_sent(uow: UnitOfWork, message: Row[Any], window: timedelta | None) -> None:
    if message.direction != "out":
        raise Invalid("only a message of ours can be changed", field="message_id")
    if message.extra.get("taken_back"):
        raise Conflict("this message was taken back already", what="taken_back")
    if message.status not in SENT:
        raise Conflict("this message is not with the person", what="not_sent")
    if window is None:
        return
    sent_at = uow.conn.execute(
        select(deliveries.c.sent_at).where(deliveries.c.message_id == message.id)
    ).scalar()
    if uow.now > (sent_at or message.at) + int(window.total_seconds() * US):
        raise Conflict(
            "it is too late: this channel lets a message be changed only for some time",
            what="window_closed",
        )


def _part_count(uow: UnitOfWork, message: Row[Any]) -> int:
    return int(
        uow.conn.execute(
            select(func.count())
            .select_from(parts.join(deliveries, deliveries.c.id == parts.c.delivery_id))
            .where(deliveries.c.message_id == message.id)
        ).scalar_one()
    )
