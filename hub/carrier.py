"""The carrier: one account's deliveries over its connections, while anything is due.

What goes to many is claimed and filled in ahead of its turn. Nothing ahead is on the wire: a
delivery is committed as being sent only when a connection is free for it, in the transaction that
settles what the connections have just ended. So many letters share a commit, and a kill still leaves
no more unknowns than the account has connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter

from dialogs.outbox import SENDING_GRACE
from hub.channel import Channel
from hub.commands import ClaimDeliveries, Command, SettleDelivery, StartDeliveries
from hub.errors import AccountRefused
from hub.ids import AccountId, DeliveryId
from hub.loads import Load, Loads
from hub.many_rendering import Contents
from hub.messages import DeliveryStatus, Lane, Sent
from hub.notice_letters import NoticeLetters
from hub.objects import SYSTEM
from hub.outcomes import US, Outcome, judge, settling

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.dispatcher")

CLAIM_LEASE = timedelta(seconds=60)
AHEAD = 200
"""So many letters of mailings are claimed ahead at most."""
GATHER = 0.002
"""So many seconds a mailing waits at most for more letters to end, to settle them together."""
QUICKLY = 2.0
"""What was claimed ahead is to be used up in about so many seconds."""


class Carrier:
    """Carries what is due of one account."""

    def __init__(
        self,
        runtime: Runtime,
        account_id: AccountId,
        channel: Channel,
        limiter: AsyncLimiter,
        contents: Contents,
        letters: NoticeLetters,
        told: Callable[[], int],
    ) -> None:
        self._runtime = runtime
        self._account_id = account_id
        self._channel = channel
        self._limits = channel.capabilities
        self._limiter = limiter
        self._loads = Loads(runtime, channel, contents, letters)
        self._told = told
        self._stir = asyncio.Event()
        self._landed = asyncio.Event()
        self._stopping = False
        # Claimed and not started: people's first, then what goes to many.
        self._first: deque[Load] = deque()
        self._many: deque[Load] = deque()
        self._passing: Load | None = None
        self._passed: list[Load] = []
        self._ended: list[SettleDelivery] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._gate: asyncio.Task[None] | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._heard = -1
        self._more_first = self._more_many = self._lanes_skipped = False
        self._ahead = 2 * self._limits.connections
        self._claimed_at = 0.0

    def stir(self) -> None:
        """Something was queued, or changed that may let something go."""
        self._stir.set()

    def look_again(self) -> None:
        """Something is due: claim again, whatever the last claim found."""
        self._more_first = self._more_many = True
        self._stir.set()

    def stop(self) -> None:
        """Claim and start nothing more; `run` ends when the calls under way do."""
        self._stopping = True
        self._stir.set()

    async def run(self) -> int:
        """Carry until nothing is due; gives what was told by when nothing was found."""
        try:
            while True:
                self._stir.clear()
                if self._claiming is not None and self._claiming.done():
                    claiming, self._claiming = self._claiming, None
                    claiming.result()
                if self._wants_more():
                    self._claim()
                if self._many:
                    await self._gather()
                await self._turn()
                if self._is_over():
                    return self._heard
                if not self._wants_more():
                    await self._stir.wait()
        except Exception:
            if self._calls:
                await asyncio.wait(self._calls)
            await self._settle_each(self._ended)
            raise
        finally:
            await self._give_back()

    async def _gather(self) -> None:
        """Wait a moment for what is on the wire, so that it is settled together."""
        try:
            async with asyncio.timeout(GATHER):
                while self._calls:
                    self._landed.clear()
                    await self._landed.wait()
        except TimeoutError:
            pass

    def _is_over(self) -> bool:
        if self._calls or self._ended or self._claiming is not None:
            return False
        if self._stopping:
            return True
        waiting = self._first or self._many or self._passed or self._passing is not None
        return not waiting and not self._wants_more()

    # -- claiming ----------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        return self._limits.connections - len(self._first)

    @property
    def _is_low(self) -> bool:
        return len(self._many) <= self._ahead // 2

    def _wants_more(self) -> bool:
        if self._stopping or self._claiming is not None:
            return False
        told = self._heard != self._told()
        first = told or self._more_first or (self._lanes_skipped and self._room > 1)
        return bool((self._room > 0 and first) or (self._is_low and (told or self._more_many)))

    def _claim(self) -> None:
        ahead = 0
        if self._is_low:
            self._pace()
            ahead = max(1, self._ahead - len(self._many))
        self._heard = self._told()
        command = ClaimDeliveries(
            account_id=self._account_id,
            worker=self._runtime.owner,
            limit=max(0, self._room),
            lease_us=int(CLAIM_LEASE.total_seconds() * US),
            # Rules' messages never keep an answer of a person from being claimed.
            agent_only=self._room <= 1 < self._limits.connections,
            ahead=ahead,
        )
        self._claiming = asyncio.create_task(self._take(command))
        self._claiming.add_done_callback(lambda _: self._stir.set())

    def _pace(self) -> None:
        """Claim more ahead while it is used up quickly, less where the wire is slow."""
        now = asyncio.get_running_loop().time()
        since, self._claimed_at = now - self._claimed_at, now
        least = 2 * self._limits.connections
        most = min(AHEAD, max(least, int(self._limits.rate_per_second * QUICKLY)))
        wanted = self._ahead * 2 if since < QUICKLY / 2 else self._ahead // 2
        if since < QUICKLY / 2 or since > QUICKLY:
            self._ahead = max(least, min(most, wanted))

    async def _take(self, command: ClaimDeliveries) -> None:
        """Claim and fill in; notes whether there is more to claim."""
        [claimed] = await self._runtime.do(SYSTEM, None, (command,))
        fences: dict[DeliveryId, int] = dict(claimed)
        loads: list[Load] = []
        failed: dict[DeliveryId, Outcome] = {}
        if fences:
            loads, failed = await self._runtime.database.read(
                lambda conn: self._loads.read(conn, fences)
            )
        many = [one for one in loads if one.message.lane == Lane.MAILING]
        first = [one for one in loads if one.message.lane != Lane.MAILING]
        self._many += many
        self._first += first
        if command.limit:
            self._more_first = len(first) >= command.limit
            self._lanes_skipped = command.agent_only
        if command.ahead:
            self._more_many = len(fences) > len(first)
        now = self._runtime.now()
        for number, outcome in failed.items():
            self._ended.append(settling(number, fences[number], outcome, now=now, started=now))

    # -- turns -------------------------------------------------------------------------------

    def _next(self) -> Load | None:
        """Give what a free connection is for; one is kept for people, so that neither a rule's
        message nor a mailing ever holds an answer up."""
        free = self._limits.connections - len(self._calls) - len(self._passed)
        spare = free > 1 or free == self._limits.connections
        for load in self._first:
            if free > 0 and (spare or load.message.lane == Lane.AGENT):
                self._first.remove(load)
                return load
        return self._many.popleft() if self._many and spare else None

    async def _choose(self) -> list[Load]:
        """Give what may start now: there is a connection, and the account's rate allows it."""
        while not self._stopping and self._passing is None:
            load = self._next()
            if load is None:
                break
            # Each part is a call of its own to who counts calls.
            calls = len(load.parts)
            if calls <= self._limiter.max_rate and self._limiter.has_capacity(calls):
                await self._limiter.acquire(calls)
                self._passed.append(load)
            else:
                self._passing = load
                self._gate = asyncio.create_task(self._pass(load))
        chosen, self._passed = self._passed, []
        return chosen

    async def _pass(self, load: Load) -> None:
        """Wait for the account's rate."""
        for _ in load.parts:
            await self._limiter.acquire()
        self._passing = None
        self._passed.append(load)
        self._stir.set()

    async def _turn(self) -> None:
        """Settle what ended and start what goes next, in one transaction."""
        starting = await self._choose()
        settled, self._ended = self._ended, []
        commands: list[Command] = list(settled)
        if starting:
            lease = self._limits.send_timeout + SENDING_GRACE
            commands.append(
                StartDeliveries(
                    deliveries=tuple((one.id, one.fence, one.charged) for one in starting),
                    lease_us=int(lease.total_seconds() * US),
                )
            )
        if not commands:
            return
        self._loads.make(starting)
        # What goes with the next turn is made while this one commits and is on the wire.
        self._loads.make(islice(self._many, self._limits.connections))
        try:
            answers = await self._runtime.do(SYSTEM, None, commands)
        except Exception:
            self._first.extendleft(reversed(starting))
            if not settled:
                raise
            # One that cannot be written down must not take the others with it.
            log.exception("settling_failed account=%d count=%d", self._account_id, len(settled))
            await self._settle_each(settled)
            self._stir.set()
            return
        await asyncio.gather(*{one.making for one in starting if one.making is not None})
        going = set(answers[-1]) if starting else set()
        for load in starting:
            if load.id in going:
                task = asyncio.create_task(self._carry(load))
                self._calls.add(task)
                task.add_done_callback(self._call_done)
        if len(going) < len(starting):
            self._stir.set()

    async def _settle_each(self, commands: Sequence[SettleDelivery]) -> None:
        for one in commands:
            try:
                await self._runtime.do(SYSTEM, None, (one,))
            except Exception:
                log.exception("settle_failed delivery=%d", one.delivery_id)

    def _call_done(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._landed.set()
        self._stir.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("carrying_failed account=%d", self._account_id, exc_info=task.exception())

    async def _give_back(self) -> None:
        """What was claimed and not started goes back, so that nobody waits for its lease."""
        for task in (self._gate, self._claiming):
            if task is not None:
                task.cancel()
        unsent = [*self._first, *self._many, *self._passed]
        if self._passing is not None:
            unsent.append(self._passing)
        if unsent:
            returned = tuple((one.id, one.fence) for one in unsent)
            command = StartDeliveries(deliveries=(), lease_us=0, returned=returned)
            await self._runtime.do(SYSTEM, None, (command,))

    # -- the wire ----------------------------------------------------------------------------

    async def _carry(self, load: Load) -> None:
        """Call the wire for one delivery, and note how it ended."""
        started = self._runtime.now()
        outcome = await self._call(load)
        if outcome.code:
            log.info(
                "send_ended delivery=%d account=%d outcome=%s code=%s",
                load.id,
                self._account_id,
                outcome.status.value,
                outcome.code,
            )
        self._ended.append(
            settling(
                load.id,
                load.fence,
                outcome,
                now=self._runtime.now(),
                started=started,
                attempt=load.attempt + 1,
                since=load.since,
            )
        )
        self._stir.set()
        await self._health(outcome)

    async def _call(self, load: Load) -> Outcome:
        external: list[str] = []
        refused: Mapping[str, str] = {}
        status = DeliveryStatus.SENT
        try:
            if load.fault is not None:
                raise load.fault
            async with asyncio.timeout(self._limits.send_timeout.total_seconds()):
                for part in load.parts:
                    sent = await self._channel.send(part)
                    external += sent.external_ids
                    refused, status = sent.refused or refused, sent.status
        except Exception as error:  # noqa: BLE001 - what a channel raises is judged, by name
            outcome = judge(error, self._limits)
            if external and not self._limits.idempotent_send:
                # Some parts are with the person already: repeating would double them.
                outcome = replace(
                    outcome,
                    status=DeliveryStatus.UNKNOWN,
                    reason="other",
                    text=f"only {len(external)} of {len(load.parts)} parts were sent: {outcome.text}",
                )
            return replace(outcome, sent=Sent(external_ids=tuple(external)))
        return Outcome(
            status, sent=Sent(external_ids=tuple(external), refused=refused, status=status)
        )

    async def _health(self, outcome: Outcome) -> None:
        """A provider that cannot be reached is shown at the account within seconds."""
        host = self._runtime.channel_host
        refused = outcome.code == AccountRefused.__name__
        if outcome.status is DeliveryStatus.QUEUED and (refused or outcome.retry_after is None):
            await host.report(self._account_id, "down", outcome.text)
        elif outcome.status in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
            await host.report(self._account_id, "ok")
