"""Supervised loops: listeners, the dispatcher, the relay, jobs, upkeep.

Each loop is started again when it fails, with a growing pause, and its failure is logged by
name. What only one process may do at a time is guarded by a lease.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm_store import work
from hub.acquaintance import Acquaintance
from hub.commands import (
    ClaimJobs,
    CountFunnels,
    ExpireLeases,
    MailNotices,
    RemindOfTasks,
    RunJob,
    SettleJob,
    WakeDialogs,
    WatchDeadlines,
)
from hub.connections import Connections
from hub.dispatcher import Dispatcher
from hub.errors import HubError
from hub.events import Event, ImportChanged, MessageChanged
from hub.fetching import Fetching
from hub.ids import Micros
from hub.listeners import Listeners
from hub.objects import SYSTEM, Actor, ActorKind
from hub.push_sender import PushSender
from hub.records.system import Job as JobRow
from hub.relay import Relay
from hub.router import Handing, Router
from hub.rule_engine import RuleEngine
from hub.upkeep import Upkeep
from hub.webhook_sender import WebhookSender

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.workers")

LEASE = timedelta(seconds=30)
PAUSE_LAST = 30.0
LOOK_SECONDS = 1.0
"""How long the loops that look for due jobs and expired leases rest between two looks."""
COUNT_SECONDS = 2.0
"""How long changed days of the funnel are gathered before they are counted."""
JOB_LEASE_EXTRA = timedelta(seconds=60)
US = 1_000_000


async def supervise(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop for ever; a failure costs a pause, never the loop."""
    pause = 0.5
    while True:
        try:
            await loop()
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("loop_failed name=%s pause=%.1f", name, pause)
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(PAUSE_LAST, pause * 2)


class Workers:
    """All background work of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tasks: list[asyncio.Task[None]] = []
        self.dispatcher = Dispatcher(runtime)
        self.listeners = Listeners(runtime, self.leased)
        self.connections = Connections(runtime)
        self.relay = Relay(runtime)
        self.rules = RuleEngine(runtime)
        self.webhooks = WebhookSender(runtime)
        self.pushes = PushSender(runtime)
        self.upkeep = Upkeep(runtime)
        self.fetching = Fetching(runtime)
        self.router = Router(runtime)
        self.handing = Handing(runtime)
        self.acquaintance = Acquaintance(runtime)
        self._job_tasks: set[asyncio.Task[None]] = set()
        self._job_wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        runtime.on_events(self._noticed)

    def _noticed(self, events: list[Event]) -> None:
        """Somebody waits for what he did to a message, or for an import, to be seen."""
        if any(
            isinstance(one, ImportChanged)
            or (isinstance(one, MessageChanged) and one.what == "act")
            for one in events
        ):
            self._loop.call_soon_threadsafe(self._job_wake.set)

    def start(self, role: str = "all") -> None:
        """Start the loops of a role: all, web (only what a page needs) or worker."""
        loops: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"number": self._numbers}
        if role in ("all", "worker"):
            self.pushes.follow()
            loops |= {
                "dispatcher": self.dispatcher.run,
                "listeners": self.listeners.run,
                "connections": lambda: self.leased("connections", self.connections.run),
                "relay": lambda: self.leased("relay", self.relay.run),
                "rules": lambda: self.leased("rules", self.rules.run),
                "webhooks": self.webhooks.run,
                "webhook_queue": lambda: self.leased("webhook_queue", self.webhooks.queue_facts),
                "pushes": self.pushes.run,
                "jobs": self._jobs,
                "periodic": self._periodic,
                "leases": self._leases,
                "deadlines": lambda: self.leased("deadlines", self._deadlines),
                "funnels": lambda: self.leased("funnels", self._funnels),
                "acquaintance": lambda: self.leased("acquaintance", self.acquaintance.run),
                "upkeep": lambda: self.leased("upkeep", self.upkeep.run),
                "files": lambda: self.leased("files", self.fetching.run),
                "handing": lambda: self.leased("handing", self.handing.run),
                "router": lambda: self.leased("router", self.router.run),
            }
        for name, loop in loops.items():
            self._tasks.append(asyncio.create_task(supervise(name, loop), name=name))

    def ended(self) -> list[str]:
        """Give the names of loops that run no more, though nobody stopped them."""
        return [task.get_name() for task in self._tasks if task.done()]

    async def stop(self) -> None:
        """Stop every loop; calls under way end by themselves within their deadlines."""
        for task in (*self._tasks, *self._job_tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._job_tasks, return_exceptions=True)
        self._tasks.clear()
        await self.listeners.stop()

    # -- leases ----------------------------------------------------------------------------

    async def leased(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something while this process holds its lease; wait for the lease otherwise."""
        while True:
            if not await self._take(name):
                await asyncio.sleep(LEASE.total_seconds() / 3)
                continue
            task = asyncio.create_task(run(), name=f"leased:{name}")
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=LEASE.total_seconds() / 3)
                    if not task.done() and not await self._take(name):
                        log.warning("lease_lost name=%s", name)
                        break
                if task.done():
                    task.result()
                    return
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await asyncio.to_thread(self._drop_now, name)

    async def _take(self, name: str) -> bool:
        return await asyncio.to_thread(self._take_now, name)

    def _take_now(self, name: str) -> bool:
        runtime = self._runtime
        with runtime.database.administer() as conn:
            return work.take_lease(
                conn,
                runtime.database.dialect,
                name,
                runtime.owner,
                runtime.now(),
                int(LEASE.total_seconds() * US),
            )

    def _drop_now(self, name: str) -> None:
        try:
            with self._runtime.database.administer() as conn:
                work.drop_lease(conn, name, self._runtime.owner)
        except Exception:  # noqa: BLE001 - it runs out by itself
            log.info("lease_kept name=%s", name)

    # -- loops -----------------------------------------------------------------------------

    async def _numbers(self) -> None:
        """Keep this process's worker number; without it ids could collide, so stop instead."""
        while True:
            await asyncio.sleep(work.WORKER_LEASE_US / US / 4)
            if not await asyncio.to_thread(self._runtime.keep_number):
                log.critical("worker_number_lost")
                raise SystemExit("the lease of this process's worker number was lost")

    async def _leases(self) -> None:
        """Expired claims go back, interrupted sends become unknown, snoozed dialogs wake."""
        while True:
            back, unknown = (await self._runtime.do(SYSTEM, None, (ExpireLeases(),)))[0]
            if back or unknown:
                log.info("leases_expired back=%d unknown=%d", back, unknown)
            woken = (await self._runtime.do(SYSTEM, None, (WakeDialogs(),)))[0]
            await asyncio.sleep(0 if woken else LOOK_SECONDS)

    async def _deadlines(self) -> None:
        """Tell what is near and missed, and remind of tasks, in the second in which it comes."""
        commands = (WatchDeadlines(), RemindOfTasks(), MailNotices())
        while True:
            found = await self._runtime.do(SYSTEM, None, commands)
            await asyncio.sleep(0 if any(found) else LOOK_SECONDS)

    async def _funnels(self) -> None:
        """Count the days of the funnel again that were written to."""
        command = CountFunnels()
        while True:
            counted = (await self._runtime.do(SYSTEM, None, (command,)))[0]
            await asyncio.sleep(0 if counted == command.limit else COUNT_SECONDS)

    async def _periodic(self) -> None:
        """Queue each periodic job once per period, over all processes."""
        while True:
            now = self._runtime.now()
            for name, (_, job) in self._runtime.jobs.items():
                if job.every is None:
                    continue
                period = int(job.every.total_seconds() * US)
                slot = now // period
                await self._runtime.do(
                    SYSTEM,
                    None,
                    (RunJob(name=name, key="periodic", due_at=Micros((slot + 1) * period)),),
                )
            await asyncio.sleep(5)

    async def _jobs(self) -> None:
        """Claim due jobs and run them, each under its own deadline."""
        while True:
            room = 8 - len(self._job_tasks)
            claimed: list[JobRow] = []
            if room > 0 and self._runtime.jobs:
                command = ClaimJobs(
                    worker=self._runtime.owner,
                    limit=room,
                    lease_us=int(self._longest().total_seconds() * US),
                )
                claimed = (await self._runtime.do(SYSTEM, None, (command,)))[0]
            for row in claimed:
                task = asyncio.create_task(self._run_job(row))
                self._job_tasks.add(task)
                task.add_done_callback(self._job_tasks.discard)
            try:
                async with asyncio.timeout(0.05 if claimed else LOOK_SECONDS):
                    await self._job_wake.wait()
            except TimeoutError:
                pass
            self._job_wake.clear()

    def _longest(self) -> timedelta:
        return max(one.timeout for _, one in self._runtime.jobs.values()) + JOB_LEASE_EXTRA

    async def _run_job(self, row: JobRow) -> None:
        known = self._runtime.jobs.get(row.name)
        error, retry_at = "", 0
        if known is None:
            error = "no plugin knows this job"
            retry_at = self._runtime.now() + 3600 * US
        else:
            plugin, job = known
            hub = self._runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin))
            try:
                async with asyncio.timeout(job.timeout.total_seconds()):
                    await job.run(hub, row.payload)
            except Exception as failure:
                error = f"{type(failure).__name__}: {failure}"
                log.warning(
                    "job_failed job=%s attempt=%d error=%s",
                    row.name,
                    row.attempts,
                    type(failure).__name__,
                    exc_info=not isinstance(failure, HubError),
                )
                if row.attempts < job.max_attempts:
                    seconds = min(3600, 5 * 2**row.attempts)
                    retry_at = self._runtime.now() + int(seconds * random.uniform(0.5, 1) * US)
                elif job.given_up is not None:
                    # Before the job is settled: whoever waits for it must hear of its end.
                    await self._runtime.do(hub.actor, None, tuple(job.given_up(row.payload)))
        settle = SettleJob(
            job_id=row.id, fence=row.fence, done=not error, error=error, retry_at=Micros(retry_at)
        )
        await self._runtime.do(SYSTEM, None, (settle,))
