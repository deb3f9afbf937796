"""The runtime: the one implementation behind every handle; permissions, commands, arrivals.

Everything that changes anything goes through `do`; everything that comes in goes through
`receive`. Both end in the same writer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from crm_store import work
from crm_store.blobs import BlobStore
from crm_store.custom import whole_kinds
from crm_store.database import Database
from crm_store.failures import is_taken, is_too_large
from crm_store.journal import epoch
from crm_store.migrate import migrate, pending
from crm_store.networks import Network
from crm_store.nouns import NOUNS, Noun
from crm_store.room import has_room
from crm_store.viewer import Reader, Viewer
from hub import events as fact_types
from hub.acting import Acting
from hub.arrivals import Arrivals, gathered
from hub.capabilities import Abilities
from hub.channel_host import ChannelHost
from hub.class_counting import class_job
from hub.colleagues import Colleagues, Staff
from hub.commands import (
    AdvanceMark,
    Command,
    ParkEvent,
    Quarantine,
    ReportPluginFailure,
)
from hub.errors import Conflict, Invalid
from hub.events import Event, EventRegistry
from hub.exporting import export_job, sweep_job
from hub.feed import Feed, Signal
from hub.handle import BoundHub
from hub.handlers import MANY
from hub.holding import hold_late
from hub.ids import DialogId, EventId, IdMaker, Micros, UserId
from hub.importing import import_job
from hub.keyring import KeyRing
from hub.messages import Arrival
from hub.objects import SYSTEM, Actor
from hub.plugin_host import PluginHost
from hub.prepare import prepare
from hub.records.system import Account
from hub.registration import register
from hub.retaining import retention_job
from hub.rights import Rights
from hub.segment_watch import watch_job
from hub.settings import HubSettings
from hub.signals import Signals
from hub.storable import NOT_KEPT, is_storable, storable
from hub.wire_acts import act_job
from triggers.vocabulary import make_vocabulary

log = logging.getLogger("hub.runtime")
T = TypeVar("T")


def system_now() -> Micros:
    """The clock: microseconds UTC."""
    return Micros(time.time_ns() // 1000)


class Runtime:
    """One running hub."""

    def __init__(
        self,
        settings: HubSettings,
        *,
        plugins: PluginHost | None = None,
        now: Callable[[], Micros] = system_now,
    ) -> None:
        self.settings = settings
        self.now = now
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns() % 1_000_000}"
        settings.data.mkdir(parents=True, exist_ok=True)
        self.keys = KeyRing.open(settings.keys)
        self.blobs = BlobStore(settings.data / "blobs")
        self.registry = EventRegistry()
        self._register_facts()
        self.plugins = plugins or PluginHost(trace_calls=settings.trace_hooks)
        if plugins is None:
            self.plugins.load(settings.plugins_dir)
        self.plugins.on_failure = self._plugin_failed
        given = register(
            self.plugins,
            self.registry,
            (
                act_job(self),
                watch_job(self),
                import_job(self),
                retention_job(self),
                class_job(self),
                export_job(self),
                sweep_job(self),
            ),
        )
        self.channels, self.channel_plugin = given.channels, given.channel_plugin
        self.transforms, self.jobs = given.transforms, given.jobs
        self._plugin_schemas = given.schemas
        self.nouns: Mapping[str, Noun] = {**NOUNS, **given.nouns}
        self.rule_words = make_vocabulary(
            kinds=[one.kind for one in self.nouns.values()],
            facts=self.registry.all_types(),
            fields=given.fields,
            actions=given.actions,
            recipes=given.recipes,
        )
        self.database = Database(
            settings.database,
            now=now,
            channels=self._capabilities(),
            on_commit=self._committed,
        )
        self.database.drop_blob = self.blobs.remove
        self.database.nouns = self.nouns
        self.database.ageing = self.ageing = given.ageing
        self.database.references = given.references
        self.database.segment_fields = self.segment_fields = given.segment_fields
        self.feed = Feed(self.database, self.registry)
        self.rights = Rights()
        self.colleagues = Colleagues()
        self.arrivals = Arrivals(self)
        self.feed.park = self._park_fact
        self.feed.before_all(self.rights.forget)
        self.feed.before_all(self.colleagues.forget)
        self.feed.before_all(self.arrivals.remember_blocked)
        self.feed.before_all(self._fields_changed)
        self.channel_host = ChannelHost(self)
        self.signals = Signals(self)
        self.epoch = ""
        self.networks: tuple[Network, ...] = ()
        self.public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
        self.started_at = Micros(0)
        self._worker_number = -1
        self._acting = Acting(given.handlers)
        self._wakers: list[Callable[[list[Event]], None]] = []

    # -- wiring ----------------------------------------------------------------------------

    def _register_facts(self) -> None:
        for name in fact_types.__all__:
            kind = getattr(fact_types, name)
            if isinstance(kind, type) and issubclass(kind, Event) and kind.type:
                self.registry.add(kind)

    def _capabilities(self) -> Abilities:
        return Abilities(
            {name: one.capabilities for name, one in self.channels.items()},
            {
                name: one.capabilities_of
                for name, one in self.channels.items()
                if one.has_own_limits()
            },
        )

    def migrate(self) -> list[str]:
        """Bring the database up to date, plugins' tables included."""
        return migrate(self.settings.database, self._plugin_schemas)

    def pending(self) -> list[str]:
        """Give the steps that the database lacks, plugins' included; all of them where it is new."""
        return pending(self.settings.database, self._plugin_schemas)

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take a worker number, start the writer and the feed."""
        if self.database.dialect == "postgresql":
            await asyncio.to_thread(self._follow_database_clock)
        self._worker_number = await asyncio.to_thread(self._take_number)
        self.database.start(IdMaker(self._worker_number, self.now))
        self.epoch = await self.database.read(epoch)
        await self.arrivals.start()
        await self.renew_fields()
        self.started_at = self.now()
        await asyncio.to_thread(hold_late, self)
        await self.feed.start()
        self.signals.start()

    def outlive(self) -> None:
        """Take over at once what a dead process had in hands, instead of waiting for its leases.

        Before `start`, and only where no other process can be at work: on an embedded database
        whose data directory this process has locked.
        """
        with self.database.administer() as conn:
            work.free_leases(conn, self.now())

    def _follow_database_clock(self) -> None:
        """Leases are compared between machines, so all use the database's clock."""
        own = self.now
        before = own()
        with self.database.connect() as conn:
            theirs = conn.execute(
                text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            ).scalar_one()
        offset = int(theirs) - (before + own()) // 2
        if own is system_now and abs(offset) > 1_000:
            self.now = lambda: Micros(own() + offset)
            self.database.set_clock(self.now)

    def _take_number(self) -> int:
        with self.database.administer() as conn:
            return work.take_worker_number(conn, self.database.dialect, self.owner, self.now())

    def keep_number(self) -> bool:
        """Prolong the lease of this process's worker number."""
        with self.database.administer() as conn:
            return work.keep_worker_number(conn, self._worker_number, self.owner, self.now())

    def lacks_room(self) -> bool:
        """Say whether the last write found no room, or the data folder's disk takes no more."""
        return self.database.lacks_room or not has_room(self.settings.data)

    async def stop(self) -> None:
        """Let everything go; what waits is written first."""
        await self.signals.stop()
        await self.feed.stop()
        await self.channel_host.close()
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        try:
            with self.database.administer() as conn:
                work.drop_worker_number(conn, self._worker_number, self.owner)
        except Exception:  # noqa: BLE001 - the lease runs out by itself
            log.info("worker_number_kept number=%d", self._worker_number)
        self.database.close()

    def on_events(self, function: Callable[[list[Event]], None]) -> None:
        """Call a plain function with the facts of every commit of this process, on its thread.

        What it raises is logged, and harms neither the commit nor the writer.
        """
        self._wakers.append(function)

    def _committed(self, events: list[Event]) -> None:
        # Here at once, and through the feed for what other processes commit.
        self.rights.forget(events)
        self.colleagues.forget(events)
        self.feed.wake()
        self.signals.committed()
        for function in self._wakers:
            try:
                function(events)
            except BaseException:
                log.exception("waker_failed function=%s", getattr(function, "__qualname__", "?"))

    def _plugin_failed(self, plugin: str, hook: str, error: str) -> None:
        if self.database.new_id is not None:
            self.database.submit(
                self._acting.carry_out,
                (
                    SYSTEM,
                    Viewer.system(),
                    (ReportPluginFailure(plugin=plugin, hook=hook, error=error),),
                ),
            )

    def _park_fact(self, event_id: int, error: str) -> None:
        """Put a fact aside that the feed cannot read, where those of the plugins lie."""
        command = ParkEvent(plugin="feed", event_id=EventId(event_id), error=error)
        self.database.submit(self._acting.carry_out, (SYSTEM, Viewer.system(), (command,)))

    # -- who -------------------------------------------------------------------------------

    def handle(self, actor: Actor, scopes: frozenset[str] | None = None) -> BoundHub:
        """Give the handle of an actor."""
        return BoundHub(self, actor, scopes)

    def viewer(self, actor: Actor, scopes: frozenset[str] | None = None) -> Viewer:
        """Give an actor's rights."""
        known = self.rights.known(actor, scopes)
        if known is not None:
            return known
        return self.database.read_now(lambda conn: self.rights.read(conn, actor, scopes))

    async def staff(self) -> Staff:
        """Give who works here: what every page shows by name."""
        known = self.colleagues.known(self.now())
        if known is None:
            known = await self.database.read(lambda conn: self.colleagues.read(conn, self.now()))
        return known

    def _fields_changed(self, events: list[Event]) -> None:
        if any(isinstance(one, fact_types.FieldChanged) for one in events):
            self.rule_words.renew(
                self.database.read_now(lambda conn: whole_kinds(conn, self.nouns))
            )

    async def renew_fields(self) -> None:
        """Let rules speak of the fields that the organisation has now."""
        self.rule_words.renew(await self.database.read(lambda conn: whole_kinds(conn, self.nouns)))

    # -- reading ---------------------------------------------------------------------------

    async def read(
        self, actor: Actor, scopes: frozenset[str] | None, function: Callable[..., T], *args: Any
    ) -> T:
        """Run a query function with the actor's eyes on a reader thread."""

        def run(conn: Any) -> T:
            viewer = self.rights.read(conn, actor, scopes)
            return function(self.reader(conn, viewer), *args)

        return await self.database.read(run)

    def reader(self, conn: Any, viewer: Viewer) -> Reader:
        """Give what a query function reads with, and with whose eyes."""
        return Reader(
            conn=conn,
            viewer=viewer,
            now=self.now(),
            nouns=self.nouns,
            ageing=self.ageing,
            segment_fields=self.segment_fields,
        )

    # -- acting ----------------------------------------------------------------------------

    async def do(
        self, actor: Actor, scopes: frozenset[str] | None, commands: Sequence[Command]
    ) -> list[Any]:
        """Carry commands out in one transaction; gives one result each."""
        viewer = self.rights.known(actor, scopes)
        if viewer is None:
            viewer = await asyncio.to_thread(self.viewer, actor, scopes)
        stamped = [one if one.actor == actor else replace(one, actor=actor) for one in commands]
        ready = tuple([await prepare(self, viewer, one) for one in stamped])
        try:
            if len(ready) == 1 and type(ready[0]) in MANY and viewer.is_system:
                return [await self.database.write(self._acting.groups[type(ready[0])], ready[0])]
            result: list[Any] = await self.database.write(
                self._acting.carry_out, (actor, viewer, ready)
            )
        except (TypeError, ValueError, OverflowError, DataError) as error:
            if is_too_large(error):
                raise Invalid("this number is too large") from error
            # Looked for only where something failed: it costs every other command nothing.
            if is_storable(ready):
                raise
            raise Invalid(NOT_KEPT) from error
        except IntegrityError as error:
            # A plugin named an id that is in use, or two made one thing at the same moment.
            if not is_taken(error):
                raise
            raise Conflict("there is one of this name or id already", what="exists") from error
        return result

    # -- taking in -------------------------------------------------------------------------

    async def receive(
        self,
        account: Account,
        arrivals: Sequence[Arrival],
        *,
        mark: str | None = None,
        poison: Sequence[tuple[bytes, str]] = (),
        aside: Sequence[Quarantine] = (),
        judged: bool = False,
    ) -> list[Any]:
        """Take arrivals in on the one inbound path; returns after the commit.

        With `mark`, arrivals, poison, what was put `aside` and the mark are committed together
        (pull channels). No screen is asked about `judged` arrivals: a person lets them in.
        """
        arrivals = [storable(one) for one in arrivals]
        commands = await self.arrivals.commands(account, arrivals, judged=judged)
        commands += [
            Quarantine(account_id=account.id, raw=raw, error=error, source="pull")
            for raw, error in poison
        ]
        commands += aside
        if mark is None and all(type(one) in MANY for one in commands):
            # Each joins the group of its kind: the shape of a webhook under load.
            return await gathered(
                [self.database.write(self._acting.groups[type(one)], one) for one in commands]
            )
        if mark is not None:
            commands.append(AdvanceMark(account_id=account.id, mark=mark))
        if not commands:
            return []
        results: list[Any] = await self.database.write(
            self._acting.carry_out, (SYSTEM, Viewer.system(), tuple(commands))
        )
        self.channel_host.acknowledge(account.id, arrivals)
        return results

    def presence(self, kind: str, dialog_id: DialogId, user_id: UserId, value: str = "") -> None:
        """Tell everybody that a colleague types, looks or left."""
        self.feed.signal(Signal(kind=kind, dialog_id=dialog_id, user_id=user_id, value=value))
