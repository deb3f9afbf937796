"""Outgoing webhooks: each fact once per webhook, signed, retried with back-off, never lost silently.

Bodies and signatures follow the Standard Webhooks specification: headers `webhook-id` (the
public id of the event, stable over retries), `webhook-timestamp` and `webhook-signature`
(`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, select, update

from crm_store.holding import hold_facts_to
from crm_store.journal import cursor, events_after, last_event, one_event
from crm_store.sql import locked, upsert
from crm_store.tables.journal import cursors
from crm_store.tables.outbox import webhook_deliveries, webhooks
from crm_store.unit_of_work import Transaction
from hub.commands import MoveCursor
from hub.events import Event
from hub.ids import EventId
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.webhook_sender")

CURSOR = "webhooks"
BATCH = 50
TIMEOUT_SECONDS = 15.0
LEASE_US = 60_000_000
SCHEDULE_SECONDS = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400)
"""Pauses between attempts: about two days in all, then the dead-letter list."""


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a body (Standard Webhooks, symmetric); a `whsec_` secret is base64."""
    key = (
        base64.b64decode(secret.removeprefix("whsec_"))
        if secret.startswith("whsec_")
        else secret.encode()
    )
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def event_body(event: Event, epoch: str) -> dict[str, Any]:
    """Give a fact as integrators see it: ids as strings, names and texts never."""
    return {
        "id": f"{epoch}-{event.id}",
        "type": event.type,
        "schema": event.schema,
        "at": event.at,
        "actor": {
            "kind": event.actor.kind.value,
            "id": str(event.actor.id),
            "name": event.actor.name,
        },
        "cause": {"kind": event.cause.kind, "id": str(event.cause.id), "depth": event.cause.depth},
        "data": _as_strings(event.to_data()),
    }


def _as_strings(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value)
        if name.endswith("_id") or (isinstance(value, int) and abs(value) > 1 << 53)
        else value
        for name, value in data.items()
    }


class WebhookSender:
    """Queues facts for the webhooks that want them, and posts them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def queue_facts(self) -> None:
        """Walk the journal and queue; one process at a time (by lease)."""
        after = await self._runtime.database.read(lambda conn: cursor(conn, CURSOR))
        if after is None:
            after = await self._runtime.database.read(last_event)
            await self._runtime.do(
                SYSTEM, None, (MoveCursor(name=CURSOR, event_id=EventId(after)),)
            )
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                found, last = await self._runtime.database.read(
                    lambda conn, a=after: events_after(  # type: ignore[misc]
                        conn, self._runtime.registry, a, 500
                    )
                )
                if last == after:
                    await subscription.get()
                    continue
                await self._runtime.database.write(self._queue, (found, last))
                after = last

    def _queue(self, tx: Transaction, items: list[tuple[list[Event], int]]) -> list[None]:
        hooks = tx.conn.execute(select(webhooks).where(webhooks.c.active)).all()
        held_to = hold_facts_to(tx.conn)
        for events, last in items:
            rows = [
                {
                    "webhook_id": hook.id,
                    "event_id": event.id,
                    "due_at": tx.now,
                    "created_at": tx.now,
                    "held": event.id <= held_to,
                }
                for hook in hooks
                for event in events
                if wants(hook.events, event.type)
            ]
            if rows:
                tx.conn.execute(
                    upsert(tx.dialect, webhook_deliveries).on_conflict_do_nothing(), rows
                )
            statement = upsert(tx.dialect, cursors).values(
                name=CURSOR, event_id=last, updated_at=tx.now
            )
            tx.conn.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"], set_={"event_id": last, "updated_at": tx.now}
                )
            )
        return [None] * len(items)

    async def run(self) -> None:
        """Post what is due."""
        while True:
            claimed = await self._runtime.database.write(self._claim, None)
            if not claimed:
                await asyncio.sleep(0.5)
                continue
            await asyncio.gather(*(self._post(one) for one in claimed))

    def _claim(self, tx: Transaction, items: list[None]) -> list[list[Any]]:
        answers: list[list[Any]] = []
        for _ in items:
            tx.conn.execute(
                update(webhook_deliveries)
                .where(
                    webhook_deliveries.c.state == "sending",
                    webhook_deliveries.c.leased_until < tx.now,
                )
                .values(state="queued")
            )
            statement = (
                select(webhook_deliveries, webhooks.c.url, webhooks.c.secret)
                .join(webhooks, webhooks.c.id == webhook_deliveries.c.webhook_id)
                .where(
                    webhook_deliveries.c.state == "queued",
                    ~webhook_deliveries.c.held,
                    webhook_deliveries.c.due_at <= tx.now,
                    webhooks.c.active,
                )
                .order_by(webhook_deliveries.c.due_at)
                .limit(BATCH)
            )
            rows = tx.conn.execute(locked(tx.dialect, statement, skip=True)).all()
            if rows:
                tx.conn.execute(
                    update(webhook_deliveries)
                    .where(
                        webhook_deliveries.c.webhook_id == bindparam("b_hook"),
                        webhook_deliveries.c.event_id == bindparam("b_event"),
                    )
                    .values(
                        state="sending",
                        attempts=webhook_deliveries.c.attempts + 1,
                        leased_until=tx.now + LEASE_US,
                    ),
                    [{"b_hook": row.webhook_id, "b_event": row.event_id} for row in rows],
                )
            answers.append(list(rows))
        return answers

    async def _post(self, row: Any) -> None:
        event = await self._runtime.database.read(
            lambda conn: one_event(conn, self._runtime.registry, row.event_id)
        )
        code, error = 0, ""
        if event is None:
            error = "the fact is gone"
        else:
            code, error = await self._send(row, event)
        await self._runtime.database.write(self._settle, (row, code, error))

    async def _send(self, row: Any, event: Event) -> tuple[int, str]:
        body = orjson.dumps(event_body(event, self._runtime.epoch))
        public_id = f"{self._runtime.epoch}-{event.id}"
        timestamp = self._runtime.now() // 1_000_000
        headers = {
            "content-type": "application/json",
            "webhook-id": public_id,
            "webhook-timestamp": str(timestamp),
        }
        if row.secret:
            secret = self._runtime.keys.decrypt(row.secret)
            headers["webhook-signature"] = sign(secret, public_id, timestamp, body)
        try:
            answer = await self._runtime.channel_host.http.request(
                "POST", row.url, headers=headers, content=body, timeout=TIMEOUT_SECONDS
            )
        except Exception as error:  # noqa: BLE001 - any failure of the far side is retried
            return 0, f"{type(error).__name__}: {error}"[:400]
        if 200 <= answer.status_code < 300:
            return answer.status_code, ""
        return answer.status_code, f"answered {answer.status_code}"

    def _settle(self, tx: Transaction, items: Sequence[tuple[Any, int, str]]) -> list[None]:
        for row, code, error in items:
            values: dict[str, Any] = {"code": code, "error": error, "leased_until": 0}
            attempts = row.attempts + 1
            if not error:
                values["state"] = "done"
            elif attempts > len(SCHEDULE_SECONDS) or code == 410:
                values["state"] = "dead"
            else:
                pause = SCHEDULE_SECONDS[attempts - 1] * random.uniform(0.8, 1.2)
                values |= {"state": "queued", "due_at": tx.now + int(pause * 1_000_000)}
            tx.conn.execute(
                update(webhook_deliveries)
                .where(
                    webhook_deliveries.c.webhook_id == row.webhook_id,
                    webhook_deliveries.c.event_id == row.event_id,
                )
                .values(**values)
            )
        return [None] * len(items)


def wants(patterns: Sequence[str], name: str) -> bool:
    """Say whether a webhook's list of events (`*`, `dialog.*`, `message.received`) names one."""
    return any(
        one in ("*", name) or (one.endswith(".*") and name.startswith(one[:-1])) for one in patterns
    )
