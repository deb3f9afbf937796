"""Replaying what nobody could read: once the channel was mended, quarantine empties."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Connection, select

from crm_store.failures import is_passing
from crm_store.quarantine import quarantine_item
from crm_store.tables.dialogs import quarantine
from hub.channel import Channel
from hub.commands import SettleQuarantine
from hub.errors import Conflict, HubError
from hub.filing import file_arrivals
from hub.ids import QuarantineId
from hub.kept_arrivals import kept_arrival
from hub.messages import Arrival
from hub.objects import SYSTEM
from hub.records.dialogs import QuarantineItem, Received
from hub.webhook_request import WebhookAnswer, WebhookRequest

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.replay")
REFUSED = ("screened", "dropped")
"""The sources of what could be read, and was refused by a filter: a person judges each by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What reading many inputs again has come to: how many could be read, how many still cannot
    be, and the last one that was tried where time ran out (0: none is left)."""

    read: int = 0
    failed: int = 0
    next: QuarantineId = QuarantineId(0)


async def replay(runtime: Runtime, quarantine_id: QuarantineId) -> int:
    """Read one quarantined input again; gives how many arrivals it held.

    What a filter refused is let in: whoever asks has judged it. Raises Conflict where it still
    cannot be read (the new reason is kept), is settled, or is refused for another reason.
    """
    hub = runtime.handle(SYSTEM)
    item: QuarantineItem = await hub.read(quarantine_item, quarantine_id)
    if item.state != "waiting":
        raise Conflict(f"this input is {item.state} already", what="settled")
    account, channel = await runtime.channel_host.get(item.account_id)
    try:
        arrivals = _read(channel, item)
        # Taken in first: a crash between the two replays once more, and the dedupe key stands.
        filed = await file_arrivals(runtime, account, arrivals, judged=item.source in REFUSED)
    except Exception as error:
        if is_passing(error):
            raise
        words = f"{type(error).__name__}: {error}"[:2000]
        log.warning("replay_failed quarantine=%d error=%s", item.id, type(error).__name__)
        log.debug("replay_trace %s", traceback.format_exc())
        await hub.do(SettleQuarantine(quarantine_id=item.id, state="waiting", error=words))
        raise Conflict(f"it still cannot be read: {words}", what="unreadable") from error
    if filed and all(isinstance(one, Received) and not one.message_id for one in filed):
        # The person was erased, or it answers a letter to a colleague: its key says so for good.
        raise Conflict("this is refused for good and not taken in", what="refused")
    await hub.do(SettleQuarantine(quarantine_id=item.id, state="replayed"))
    return len(arrivals)


async def replay_all(
    runtime: Runtime, after: QuarantineId = QuarantineId(0), seconds: float = 10.0
) -> Replayed:
    """Read again what nobody could read, oldest first, from the one after `after` on.

    What a filter refused stays where it is. Ends at the first one after `seconds`.
    """
    read = failed = 0
    end = time.monotonic() + seconds
    found = await waiting(runtime, after)
    for number, one in enumerate(found):
        try:
            await replay(runtime, one)
        except HubError:
            failed += 1
        else:
            read += 1
        if time.monotonic() > end and number + 1 < len(found):
            return Replayed(read=read, failed=failed, next=one)
    return Replayed(read=read, failed=failed)


async def waiting(
    runtime: Runtime, after: QuarantineId = QuarantineId(0)
) -> Sequence[QuarantineId]:
    """Give every input that waits because it could not be read, oldest first, after one of them."""

    def run(conn: Connection) -> list[QuarantineId]:
        found = conn.execute(
            select(quarantine.c.id)
            .where(quarantine.c.state == "waiting", quarantine.c.source.not_in(REFUSED))
            .where(quarantine.c.id > after)
            .order_by(quarantine.c.id)
        )
        return [QuarantineId(one) for one in found.scalars()]

    return await runtime.database.read(run)


def _read(channel: Channel, item: QuarantineItem) -> list[Arrival]:
    if (kept := kept_arrival(item)) is not None:
        return [kept]
    if item.source != "webhook":
        return list(channel.replay(item.raw))
    parsed = channel.parse(
        WebhookRequest(
            method=item.method,
            url=item.url,
            headers=dict(item.headers),
            query=dict(parse_qsl(urlsplit(item.url).query, keep_blank_values=True)),
            body=item.raw,
            received_at=item.received_at,
        )
    )
    return [] if isinstance(parsed, WebhookAnswer) else list(parsed)
