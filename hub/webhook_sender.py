"""Outgoing webhooks: each fact once per webhook, signed, retried with back-off, never lost silently.

Bodies and signatures follow the Standard Webhooks specification: headers `webhook-id` (the
public id of the event, stable over retries), `webhook-timestamp` and `webhook-signature`
(`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import orjson
from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, bindparam, select, update

from crm_store.holding import hold_facts_to
from crm_store.journal import cursor, last_event, one_event, visible
from crm_store.sql import locked, upsert
from crm_store.tables.journal import cursors
from crm_store.tables.outbox import webhook_deliveries, webhooks
from crm_store.unit_of_work import Transaction, UnitOfWork
from crm_store.viewer import Reader, load_viewer
from hub.commands import MoveCursor
from hub.errors import NotFound
from hub.events import Event, WebhookChanged
from hub.ids import EventId, WebhookId
from hub.judged_client import judged_client
from hub.objects import SYSTEM, Actor, ActorKind
from hub.reach import Unreachable
from hub.signatures import sign_webhook
from hub.wire_json import event_json, rfc3339

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.webhook_sender")

CURSOR = "webhooks"
BATCH = 50
IDLE_SECONDS = 0.5
TIMEOUT_SECONDS = 15.0
MAX_PAUSE_SECONDS = 86_400.0
GONE = 410
LEASE_US = 60_000_000
SCHEDULE_SECONDS = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400)
"""Pauses between attempts: about two days in all, then the dead-letter list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt; `error` is empty where the receiver took it."""

    code: int = 0
    error: str = ""
    pause: float = 0.0
    final: bool = False


class WebhookSender:
    """Queues facts for the webhooks that want them, and posts them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._client: httpx.AsyncClient | None = None
        self._posting: set[asyncio.Task[None]] = set()
        self._patterns: tuple[str, ...] = ()

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def queue_facts(self) -> None:
        """Walk the journal and queue; one process at a time (by lease)."""
        after = await self._runtime.database.read(lambda conn: cursor(conn, CURSOR))
        if after is None:
            after = await self._runtime.database.read(last_event)
            await self._runtime.do(
                SYSTEM, None, (MoveCursor(name=CURSOR, event_id=EventId(after)),)
            )
        self._patterns = await self._runtime.database.read(_patterns)
        async with self._runtime.feed.follow(CURSOR, after, self._may_want) as follower:
            while True:
                found, last = await follower.next(500)
                if any(isinstance(one, WebhookChanged) for one in found):
                    self._patterns = await self._runtime.database.read(_patterns)
                await self._runtime.database.write(self._queue, (found, last))

    def _may_want(self, event: Event) -> bool:
        """Say whether a fact is for some webhook, or changes which ones there are."""
        return isinstance(event, WebhookChanged) or wants(self._patterns, event.type)

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
                for event in self._seen(tx, hook.user_id, events)
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

    def _seen(self, tx: Transaction, user_id: int, events: list[Event]) -> list[Event]:
        """Leave out what the one who made a webhook may not see; one who left limits nothing."""
        viewer = load_viewer(tx.conn, Actor(kind=ActorKind.USER, id=user_id))
        if viewer.is_nobody:
            return events
        reader = Reader(
            conn=tx.conn,
            viewer=viewer,
            now=tx.now,
            nouns=tx.nouns,
            segment_fields=tx.segment_fields,
        )
        return visible(reader, events)

    async def run(self) -> None:
        """Post what is due; a slow receiver takes one of the places, never the others' turn."""
        try:
            while True:
                free = BATCH - len(self._posting)
                claimed = await self._runtime.database.write(self._claim, free) if free else []
                for row in claimed:
                    task = asyncio.create_task(self._post(row), name="webhook")
                    self._posting.add(task)
                    task.add_done_callback(self._posted)
                if not claimed:
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            for task in list(self._posting):
                task.cancel()
            await asyncio.gather(*self._posting, return_exceptions=True)
            await self.close()

    def _posted(self, task: asyncio.Task[None]) -> None:
        self._posting.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Its lease runs out, and it is tried again.
            log.error("webhook_post_failed error=%s", type(task.exception()).__name__)

    def _claim(self, tx: Transaction, items: list[int]) -> list[list[Any]]:
        answers: list[list[Any]] = []
        for limit in items:
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
                .order_by(webhook_deliveries.c.due_at, webhook_deliveries.c.event_id)
                .limit(limit)
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
                        fence=webhook_deliveries.c.fence + 1,
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
        if event is None:
            outcome = Outcome(error="the fact is gone", final=True)
        else:
            body = event_json(event, self._runtime.epoch)
            outcome = await self._send(row.url, row.secret, body)
        await self._runtime.database.write(self._settle, (row, outcome))

    async def ping(self, webhook_id: WebhookId) -> tuple[int, str]:
        """Post a test event now; gives the HTTP status (0: no answer) and what went wrong."""
        row = await self._runtime.database.read(
            lambda conn: conn.execute(select(webhooks).where(webhooks.c.id == webhook_id)).first()
        )
        if row is None:
            raise NotFound("there is no such webhook")
        maker = self._runtime.database.new_id
        number = maker() if maker is not None else 0
        body = {
            "id": f"{self._runtime.epoch}-ping-{number}",
            "type": "ping",
            "schema": 1,
            "at": rfc3339(self._runtime.now()),
            "subject": {"kind": "webhook", "id": str(webhook_id)},
            "data": {"webhook_id": str(webhook_id)},
        }
        outcome = await self._send(row.url, row.secret, body)
        return outcome.code, outcome.error

    async def _send(self, url: str, sealed: str, event: dict[str, Any]) -> Outcome:
        body = orjson.dumps(event)
        timestamp = self._runtime.now() // 1_000_000
        headers = {
            "content-type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": str(timestamp),
        }
        try:
            if sealed:
                secret = self._runtime.keys.decrypt(sealed)
                headers["webhook-signature"] = sign_webhook(secret, event["id"], timestamp, body)
        except (InvalidToken, ValueError):
            return Outcome(error="the secret cannot be read with this key ring: make another")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._call(url, headers, body)
        except TimeoutError:
            return Outcome(error=f"no answer within {TIMEOUT_SECONDS:.0f} seconds")
        except (Unreachable, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Outcome(error=f"{type(error).__name__}: {error}"[:400])

    async def _call(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        if self._client is None:
            allow_private = self._runtime.settings.webhooks_allow_private
            self._client = judged_client(allow_private=allow_private, seconds=TIMEOUT_SECONDS)
        async with self._client.stream("POST", url, headers=headers, content=body) as answer:
            # Only the status counts; a body without an end is nobody's business.
            code = answer.status_code
            pause = _retry_after(answer.headers.get("retry-after", ""))
        if 200 <= code < 300:
            return Outcome(code=code)
        return Outcome(code=code, error=f"answered {code}", pause=pause)

    def _settle(self, tx: Transaction, items: Sequence[tuple[Any, Outcome]]) -> list[None]:
        for row, outcome in items:
            values: dict[str, Any] = {
                "code": outcome.code,
                "error": outcome.error,
                "leased_until": 0,
            }
            attempts = row.attempts + 1
            gone = outcome.code == GONE
            if not outcome.error:
                values["state"] = "done"
            elif gone or outcome.final or attempts > len(SCHEDULE_SECONDS):
                values["state"] = "dead"
            else:
                pause = SCHEDULE_SECONDS[attempts - 1] * random.uniform(0.8, 1.2)
                due_at = tx.now + int(max(pause, outcome.pause) * 1_000_000)
                values |= {"state": "queued", "due_at": due_at}
            done = tx.conn.execute(
                update(webhook_deliveries)
                .where(
                    webhook_deliveries.c.webhook_id == row.webhook_id,
                    webhook_deliveries.c.event_id == row.event_id,
                    # Whoever has lost the lease has nothing to say any more.
                    webhook_deliveries.c.fence == row.fence + 1,
                )
                .values(**values)
            )
            if gone and done.rowcount:
                self._switch_off(tx, row.webhook_id)
        return [None] * len(items)

    def _switch_off(self, tx: Transaction, webhook_id: int) -> None:
        """The receiver says that it is gone for good: it is not asked again."""
        done = tx.conn.execute(
            update(webhooks)
            .where(webhooks.c.id == webhook_id, webhooks.c.active)
            .values(active=False)
        )
        if done.rowcount:
            UnitOfWork(tx, actor=SYSTEM).record(WebhookChanged(webhook_id=WebhookId(webhook_id)))


def _patterns(conn: Connection) -> tuple[str, ...]:
    """Give what all webhooks together want."""
    found = conn.execute(select(webhooks.c.events).where(webhooks.c.active)).scalars()
    return tuple(dict.fromkeys(one for each in found for one in each))


def _retry_after(given: str) -> float:
    """Read how many seconds the receiver asks for; a date or nonsense is left to the schedule."""
    return min(float(given), MAX_PAUSE_SECONDS) if given.isascii() and given.isdecimal() else 0.0


def wants(patterns: Sequence[str], name: str) -> bool:
    """Say whether a webhook's list of events (`*`, `dialog.*`, `message.received`) names one."""
    return any(
        one in ("*", name) or (one.endswith(".*") and name.startswith(one[:-1])) for one in patterns
    )
