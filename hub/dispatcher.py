"""The dispatcher: claims what is due, calls the wire, writes down what became of it.

`claimed` is leased and nothing is on the wire; `sending` is committed immediately before the
call, for at most as many deliveries as an account has connections. So a kill leaves no more
unknowns than there were calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter
from sqlalchemy import Connection, func, select

from crm_store.outgoing import UNSURE, outgoing, unsure_since
from crm_store.tables.outbox import deliveries
from crm_store.tables.users import accounts
from dialogs.outbox import SENDING_GRACE
from dialogs.splitting import split_text
from hub.capabilities import Capabilities
from hub.channel import Channel
from hub.commands import ClaimDeliveries, SettleDelivery, StartSending
from hub.errors import (
    AccountRefused,
    Conflict,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)
from hub.events import (
    AccountChanged,
    DeliveriesQueued,
    DeliveryChanged,
    Event,
    HeldReleased,
    MessageChanged,
    MessageQueued,
    SendSteered,
)
from hub.ids import AccountId, DeliveryId, Micros
from hub.many_rendering import Contents, many_message
from hub.messages import DeliveryStatus, OutboundMessage, Sent
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.dispatcher")

CLAIM_LEASE = timedelta(seconds=60)
POLL_SECONDS = 1.0
WAKING = (
    AccountChanged,
    MessageQueued,
    HeldReleased,
    MessageChanged,
    DeliveriesQueued,
    SendSteered,
)
BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_LAST = timedelta(hours=1)
MAX_ATTEMPTS = 30
MAX_AGE = timedelta(days=2)
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try at the wire ended with."""

    status: DeliveryStatus
    sent: Sent = Sent()
    reason: str = ""
    text: str = ""
    code: str = ""
    retry_after: timedelta | None = None


FORGOTTEN = Outcome(
    DeliveryStatus.UNKNOWN,
    reason="other",
    text="the provider no longer remembers the earlier attempt: a repeat might double it",
)


def backoff(attempt: int, jitter: float) -> timedelta:
    """Give how long to wait after a failed attempt: full jitter, doubling up to an hour."""
    ceiling: timedelta = min(BACKOFF_LAST, BACKOFF_FIRST * int(2 ** min(attempt, 16)))
    return max(timedelta(seconds=1), ceiling * jitter)


def judge(error: BaseException, capabilities: Capabilities) -> Outcome:
    """Say what an exception out of `Channel.send` means for the delivery."""
    text, code = str(error)[:400], type(error).__name__
    if isinstance(error, TemporaryFailure):
        code = AccountRefused.__name__ if isinstance(error, AccountRefused) else code
        return Outcome(DeliveryStatus.QUEUED, text=text, code=code, retry_after=error.retry_after)
    if isinstance(error, PermanentFailure):
        return Outcome(DeliveryStatus.FAILED, reason=error.reason.value, text=text, code=code)
    if isinstance(error, HubError) and not isinstance(error, OutcomeUnknown):
        return Outcome(DeliveryStatus.FAILED, reason="other", text=text, code=code)
    # We called the wire and never learned the answer. A stranger's words may hold secrets.
    text = text if isinstance(error, OutcomeUnknown) else code
    if capabilities.idempotent_send:
        return Outcome(DeliveryStatus.QUEUED, text=text, code=f"{UNSURE}{code}")
    return Outcome(DeliveryStatus.UNKNOWN, reason="other", text=text, code=code)


def limiter_of(rate_per_second: float) -> AsyncLimiter:
    """Give an account's limiter: a second's worth at once, or one call every so many seconds."""
    if rate_per_second >= 1:
        return AsyncLimiter(rate_per_second, 1)
    return AsyncLimiter(1, 1 / max(rate_per_second, 0.001))


def _charged(channel: Channel, message: OutboundMessage) -> int:
    """Give how many messages the provider counts for one, 0 where the channel does not say."""
    if message.template or not type(channel).overrides("measure"):
        return 0
    measured = channel.measure(message.text)
    return measured.parts if measured is not None else 0


class Dispatcher:
    """Carries the outbox of all accounts in this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._wake = asyncio.Event()
        # How often there was something to look for: told before the loop hears of it.
        self._told = 0
        self._pumps: dict[AccountId, asyncio.Task[int]] = {}
        self._contents = Contents()
        self._limiters: dict[AccountId, AsyncLimiter] = {}
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        runtime.on_events(self._noticed)
        if runtime.database.dialect == "postgresql":
            # What another process queued is told by the feed.
            runtime.feed.before_all(self._noticed)

    def _noticed(self, events: list[Event]) -> None:
        if any(
            isinstance(one, WAKING)
            or (isinstance(one, DeliveryChanged) and one.after in ("queued", "sent", "failed"))
            for one in events
        ):
            self._loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        self._told += 1
        self._wake.set()

    async def run(self) -> None:
        """Look for accounts with due deliveries until cancelled; then let calls finish."""
        try:
            while True:
                due, next_at = await self._runtime.database.read(self._due)
                for account_id in due:
                    if account_id not in self._pumps:
                        task = asyncio.create_task(self._pump(account_id))
                        self._pumps[account_id] = task
                        task.add_done_callback(partial(self._pump_done, account_id))
                await self._sleep(next_at)
        finally:
            await self._finish()

    def _pump_done(self, account_id: AccountId, pump: asyncio.Task[int]) -> None:
        """Look again at once only if something was told since the pump last found nothing.

        What is due and cannot be claimed (a dialog's older message waits, another process holds
        the row) is asked for once a second and with whatever is told, not without end.
        """
        self._pumps.pop(account_id, None)
        if pump.cancelled():
            return
        if pump.exception() is not None:
            log.error("pump_failed account=%d", account_id, exc_info=pump.exception())
        elif pump.result() != self._told:
            self._wake.set()

    async def _sleep(self, next_at: int) -> None:
        seconds = POLL_SECONDS
        if next_at:
            seconds = min(seconds, max(0.02, (next_at - self._runtime.now()) / US))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _finish(self) -> None:
        """A call under way ends by itself within its deadline; waiting keeps it known."""
        self._stopping = True
        if self._pumps:
            await asyncio.wait(list(self._pumps.values()), timeout=20)
        for task in self._pumps.values():
            task.cancel()

    def _due(self, conn: Connection) -> tuple[list[AccountId], int]:
        now = self._runtime.now()
        queued = (deliveries.c.status == "queued") & ~deliveries.c.held
        rows = conn.execute(
            select(deliveries.c.account_id, func.min(deliveries.c.due_at).label("due_at"))
            .join(accounts, accounts.c.id == deliveries.c.account_id)
            .where(queued, ~accounts.c.paused, ~accounts.c.removed)
            .group_by(deliveries.c.account_id)
        ).all()
        busy = self._pumps
        later = [row.due_at for row in rows if row.due_at > now]
        return (
            [
                AccountId(row.account_id)
                for row in rows
                if row.due_at <= now and row.account_id not in busy
            ],
            min(later, default=0),
        )

    async def _pump(self, account_id: AccountId) -> int:
        """Carry one account's deliveries until nothing is due; gives what was told by then."""
        try:
            _, channel = await self._runtime.channel_host.get(account_id)
        except HubError as error:
            log.warning("account_unusable account=%d error=%s", account_id, error)
            await asyncio.sleep(5)
            return self._told
        limits = channel.capabilities
        limiter = self._limiters.setdefault(account_id, limiter_of(limits.rate_per_second))
        free = asyncio.Semaphore(limits.connections)
        tasks: set[asyncio.Task[None]] = set()
        while not self._stopping:
            # One connection is kept for people: a mailing never holds an answer up.
            room = limits.connections - len(tasks)
            agent_only = room <= 1 < limits.connections
            told = self._told
            claimed = await self._claim(account_id, max(1, room), agent_only) if room else []
            if not claimed:
                if not tasks:
                    return told
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            for delivery_id, fence in claimed:
                await free.acquire()
                task = asyncio.create_task(self._carry(channel, limiter, delivery_id, fence))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _: free.release())
        if tasks:
            await asyncio.wait(tasks)
        return self._told

    async def _claim(
        self, account_id: AccountId, limit: int, agent_only: bool
    ) -> list[tuple[DeliveryId, int]]:
        command = ClaimDeliveries(
            account_id=account_id,
            worker=self._runtime.owner,
            limit=limit,
            lease_us=int(CLAIM_LEASE.total_seconds() * US),
            agent_only=agent_only,
        )
        found: list[tuple[DeliveryId, int]] = (await self._runtime.do(SYSTEM, None, (command,)))[0]
        return found

    async def _carry(
        self, channel: Channel, limiter: AsyncLimiter, delivery_id: DeliveryId, fence: int
    ) -> None:
        """Carry one delivery over the wire and settle it."""
        try:
            message, attempt, created_at = await self._runtime.database.read(
                lambda conn: self._read(conn, delivery_id)
            )
            if attempt and await self._is_forgotten(delivery_id, channel.capabilities):
                await self._settle(delivery_id, fence, FORGOTTEN, self._runtime.now(), 0, 0)
                return
            message = await self._with_bytes(message)
            # Each part is a call of its own to who counts calls.
            for _ in self._parts(message, channel.capabilities):
                await limiter.acquire()
            lease = channel.capabilities.send_timeout + SENDING_GRACE
            start = StartSending(
                delivery_id=delivery_id,
                fence=fence,
                lease_us=int(lease.total_seconds() * US),
                charged=_charged(channel, message),
            )
            await self._runtime.do(SYSTEM, None, (start,))
        except Conflict:
            return
        except HubError as error:
            await self._settle(
                delivery_id,
                fence,
                Outcome(DeliveryStatus.FAILED, reason="other", text=str(error)),
                self._runtime.now(),
                0,
                0,
            )
            return
        started = self._runtime.now()
        outcome = await self._call(channel, message)
        if outcome.code:
            log.info(
                "send_ended delivery=%d account=%d outcome=%s code=%s",
                delivery_id,
                message.account_id,
                outcome.status.value,
                outcome.code,
            )
        await self._settle(delivery_id, fence, outcome, started, attempt + 1, created_at)
        await self._health(message.account_id, outcome)

    def _read(self, conn: Connection, delivery_id: DeliveryId) -> tuple[OutboundMessage, int, int]:
        row = conn.execute(
            select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.send_id > 0)
        ).first()
        if row is None:
            return outgoing(conn, delivery_id, self._runtime.keys)
        message = many_message(self._runtime, conn, self._contents, row)
        return message, row.attempts, row.created_at

    async def _is_forgotten(self, delivery_id: DeliveryId, capabilities: Capabilities) -> bool:
        """Whether an attempt that may have arrived is too old for a repeat to be harmless."""
        if capabilities.idempotent_for is None:
            return False
        since = await self._runtime.database.read(lambda conn: unsure_since(conn, delivery_id))
        age = self._runtime.now() - since
        return bool(since) and age >= capabilities.idempotent_for.total_seconds() * US

    async def _with_bytes(self, message: OutboundMessage) -> OutboundMessage:
        if not message.attachments:
            return message
        files = []
        for one in message.attachments:
            content = await asyncio.to_thread(self._runtime.blobs.get, one.reference)
            files.append(replace(one, content=content, size=len(content)))
        return replace(message, attachments=tuple(files))

    async def _call(self, channel: Channel, message: OutboundMessage) -> Outcome:
        capabilities = channel.capabilities
        external: list[str] = []
        refused: Mapping[str, str] = {}
        status = DeliveryStatus.SENT
        parts = self._parts(message, capabilities)
        try:
            async with asyncio.timeout(capabilities.send_timeout.total_seconds()):
                for part in parts:
                    sent = await channel.send(part)
                    external += sent.external_ids
                    refused, status = sent.refused or refused, sent.status
        except Exception as error:  # noqa: BLE001 - what a channel raises is judged, by name
            outcome = judge(error, capabilities)
            if external and not capabilities.idempotent_send:
                # Some parts are with the person already: repeating would double them.
                outcome = replace(
                    outcome,
                    status=DeliveryStatus.UNKNOWN,
                    reason="other",
                    text=f"only {len(external)} of {len(parts)} parts were sent: {outcome.text}",
                )
            return replace(outcome, sent=Sent(external_ids=tuple(external)))
        return Outcome(
            status, sent=Sent(external_ids=tuple(external), refused=refused, status=status)
        )

    def _parts(
        self, message: OutboundMessage, capabilities: Capabilities
    ) -> Sequence[OutboundMessage]:
        texts = split_text(message.text, capabilities.max_text)
        if len(texts) == 1 or message.template:
            return [message]
        parts = []
        for n, text in enumerate(texts):
            last = n == len(texts) - 1
            parts.append(
                replace(
                    message,
                    text=text,
                    idempotency_key=f"{message.idempotency_key}/{n}",
                    attachments=message.attachments if last else (),
                    buttons=message.buttons if last else (),
                )
            )
        return parts

    async def _settle(
        self,
        delivery_id: DeliveryId,
        fence: int,
        outcome: Outcome,
        started: Micros,
        attempt: int,
        created_at: int,
    ) -> None:
        now = self._runtime.now()
        status, reason, text, retry_at = outcome.status, outcome.reason, outcome.text, 0
        if status is DeliveryStatus.QUEUED:
            wait = outcome.retry_after or backoff(attempt, random.random())
            retry_at = now + int(wait.total_seconds() * US)
            too_old = created_at and now - created_at > MAX_AGE.total_seconds() * US
            if attempt >= MAX_ATTEMPTS or too_old:
                status, reason, retry_at = DeliveryStatus.FAILED, "expired", 0
        command = SettleDelivery(
            delivery_id=delivery_id,
            fence=fence,
            status=status,
            external_ids=outcome.sent.external_ids,
            refused=tuple(outcome.sent.refused.items()),
            reason=reason,
            text=text,
            code=outcome.code,
            retry_at=Micros(retry_at),
            started_at=started,
            took_us=now - started,
        )
        await self._runtime.do(SYSTEM, None, (command,))

    async def _health(self, account_id: AccountId, outcome: Outcome) -> None:
        """A provider that cannot be reached is shown at the account within seconds."""
        refused = outcome.code == AccountRefused.__name__
        if outcome.status is DeliveryStatus.QUEUED and (refused or outcome.retry_after is None):
            await self._runtime.channel_host.report(account_id, "down", outcome.text)
        elif outcome.status in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
            await self._runtime.channel_host.report(account_id, "ok")
