"""The job that carries acts on sent messages to the provider: edits, take-backs, reactions.

Each of them may be repeated after a crash: the second call finds the message as it should be.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from sqlalchemy import Connection, select

from crm_store.outgoing import outgoing, parts_of
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses
from dialogs.acts import EDIT, JOB, REACT
from hub.api import Hub
from hub.channel import Channel
from hub.commands import SettleAct
from hub.errors import HubError, TemporaryFailure
from hub.extensions import Job
from hub.ids import AccountId, DeliveryId, MessageId
from hub.messages import Address, OutboundMessage
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.acts")
TRIES = 4
LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """One act with what the provider needs to be told."""

    account_id: AccountId
    act: Mapping[str, Any]
    to: Address
    external_ids: tuple[str, ...]
    message: OutboundMessage | None


def act_job(runtime: Runtime) -> Job:
    """Make the job."""

    turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    async def run(_: Hub, payload: Mapping[str, Any]) -> None:
        message_id, verb = MessageId(int(payload["message"])), str(payload["verb"])
        # One after another: of two edits the later one must reach the person last.
        turn = turns.setdefault((message_id, verb), asyncio.Lock())
        async with turn:
            wanted = await runtime.database.read(
                lambda conn: _read(runtime, conn, message_id, verb)
            )
            if wanted is None:
                return
            error = await _carry(runtime, wanted, verb)
            settle = SettleAct(message_id=message_id, verb=verb, n=wanted.act["n"], error=error)
            await runtime.do(SYSTEM, None, (settle,))

    return Job(name=JOB, run=run, timeout=timedelta(minutes=5))


def _read(runtime: Runtime, conn: Connection, message_id: MessageId, verb: str) -> Wanted | None:
    row = conn.execute(select(messages).where(messages.c.id == message_id)).first()
    act = row.extra.get("acts", {}).get(verb) if row is not None else None
    if row is None or row.deleted_at or act is None or act.get("state") != "queued":
        return None
    address = conn.execute(
        select(addresses)
        .join(dialogs, dialogs.c.address_id == addresses.c.id)
        .where(dialogs.c.id == row.dialog_id)
    ).first()
    to = Address(kind=address.kind, value=address.value, name=address.name) if address else None
    delivery_id = conn.execute(
        select(deliveries.c.id).where(deliveries.c.message_id == message_id)
    ).scalar()
    message = None
    if delivery_id is not None:
        message = outgoing(conn, DeliveryId(delivery_id), runtime.keys)[0]
        to = message.to
    if to is None:
        return None
    names = parts_of(conn, message_id) or (row.external_id,)
    return Wanted(AccountId(row.account_id), act, to, names, message)


async def _carry(runtime: Runtime, wanted: Wanted, verb: str) -> str:
    """Call the provider, again where it has no time; gives why it failed, "" where it did not."""
    for attempt in range(TRIES):
        try:
            _, channel = await runtime.channel_host.get(wanted.account_id)
            async with asyncio.timeout(channel.capabilities.send_timeout.total_seconds()):
                await _call(channel, wanted, verb)
            return ""
        except TemporaryFailure as error:
            if attempt == TRIES - 1:
                return str(error) or "the provider has no time"
            wait = error.retry_after.total_seconds() if error.retry_after else 2.0**attempt
            if wait > LONGEST_WAIT:
                return str(error) or "the provider has no time"
            await asyncio.sleep(wait)
        except HubError as error:
            return str(error)
        except TimeoutError:
            return "no answer in time: it may have worked"
        except Exception as error:
            # A stranger's words may hold secrets.
            log.warning("act_failed verb=%s account=%d", verb, wanted.account_id, exc_info=True)
            return f"it may have worked: {type(error).__name__}"
    return ""


async def _call(channel: Channel, wanted: Wanted, verb: str) -> None:
    if verb == REACT:
        await channel.react(wanted.to, wanted.external_ids[0], wanted.act["emoji"])
    elif verb == EDIT and wanted.message is not None:
        changed = replace(wanted.message, text=wanted.act["text"], html="")
        await channel.edit(changed, wanted.external_ids[0])
    else:
        for name in wanted.external_ids:
            await channel.delete(wanted.to, name)
