"""Replaying what nobody could read: once the channel was mended, quarantine empties."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from crm_store.failures import is_passing
from crm_store.quarantine import quarantine_item
from crm_store.tables.dialogs import quarantine
from hub.channel import Channel
from hub.commands import SettleQuarantine
from hub.errors import Conflict
from hub.filing import file_arrivals
from hub.ids import QuarantineId
from hub.messages import Arrival
from hub.objects import SYSTEM
from hub.records.dialogs import QuarantineItem
from hub.webhook_request import WebhookAnswer, WebhookRequest

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.replay")


async def replay(runtime: Runtime, quarantine_id: QuarantineId) -> int:
    """Read one quarantined input again; gives how many arrivals it held.

    Raises Conflict where it still cannot be read (the new reason is kept) or is settled.
    """
    hub = runtime.handle(SYSTEM)
    item: QuarantineItem = await hub.read(quarantine_item, quarantine_id)
    if item.state != "waiting":
        raise Conflict(f"this input is {item.state} already", what="settled")
    account, channel = await runtime.channel_host.get(item.account_id)
    try:
        arrivals = _read(channel, item)
        # Taken in first: a crash between the two replays once more, and the dedupe key stands.
        await file_arrivals(runtime, account, arrivals)
    except Exception as error:
        if is_passing(error):
            raise
        words = f"{type(error).__name__}: {error}"[:2000]
        log.warning("replay_failed quarantine=%d error=%s", item.id, type(error).__name__)
        log.debug("replay_trace %s", traceback.format_exc())
        await hub.do(SettleQuarantine(quarantine_id=item.id, state="waiting", error=words))
        raise Conflict(f"it still cannot be read: {words}", what="unreadable") from error
    await hub.do(SettleQuarantine(quarantine_id=item.id, state="replayed"))
    return len(arrivals)


async def waiting(runtime: Runtime) -> list[QuarantineId]:
    """Give every input that waits to be replayed, oldest first; dropped ones are no business."""

    def run(conn: Connection) -> list[QuarantineId]:
        found = conn.execute(
            select(quarantine.c.id).where(quarantine.c.state == "waiting").order_by(quarantine.c.id)
        )
        return [QuarantineId(one) for one in found.scalars()]

    return await runtime.database.read(run)


def _read(channel: Channel, item: QuarantineItem) -> list[Arrival]:
    if item.source != "webhook":
        return list(channel.replay(item.raw))
    parsed = channel.parse(
        WebhookRequest(
            method=item.method,
            url=item.url,
            headers=dict(item.headers),
            body=item.raw,
            received_at=item.received_at,
        )
    )
    return [] if isinstance(parsed, WebhookAnswer) else list(parsed)
