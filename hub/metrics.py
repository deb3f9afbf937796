"""What Prometheus may read: queues, pauses, failures; numbers only, never names of people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from sqlalchemy import Connection, func, select

from crm_store import pushes
from crm_store.journal import all_cursors, last_event
from crm_store.room import free_room
from crm_store.tables.dialogs import quarantine
from crm_store.tables.outbox import WAITING, deliveries, jobs, webhook_deliveries
from crm_store.tables.users import accounts
from crm_store.viewer import Reader, Viewer
from hub.events import DeliveryChanged, Event, MessageReceived

if TYPE_CHECKING:
    from hub.runtime import Runtime

UNFINISHED = ("queued", "claimed", "sending", "unknown", "failed")


class HubCollector:
    """Reads the numbers when they are asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """Give every metric of this hub."""
        yield from self._runtime.database.read_now(self._stored)
        yield GaugeMetricFamily(
            "hub_live_listeners",
            "listeners of this process's feed",
            value=self._runtime.feed.connections,
        )
        yield GaugeMetricFamily(
            "hub_disk_free_bytes",
            "room on the disk of the data folder",
            value=free_room(self._runtime.settings.data),
        )
        sizes = self._runtime.database.group_sizes
        yield GaugeMetricFamily(
            "hub_commit_group_size",
            "calls in the newest transactions, on average",
            value=sum(sizes) / len(sizes) if sizes else 0,
        )
        failures = CounterMetricFamily(
            "hub_plugin_failures", "failed hook calls of this process", labels=["plugin"]
        )
        for plugin in self._runtime.plugins.plugins.values():
            failures.add_metric([plugin.name], plugin.failures)
        yield failures

    def _stored(self, conn: Connection) -> list[Metric]:
        now = self._runtime.now()
        outbox = GaugeMetricFamily(
            "hub_deliveries", "deliveries that are not settled well", labels=["status", "held"]
        )
        rows = conn.execute(
            select(deliveries.c.status, deliveries.c.held, func.count().label("n"))
            .where(deliveries.c.status.in_(UNFINISHED))
            .group_by(deliveries.c.status, deliveries.c.held)
        )
        for row in rows:
            outbox.add_metric([row.status, str(bool(row.held)).lower()], row.n)
        oldest = conn.execute(
            select(func.min(deliveries.c.due_at)).where(WAITING, deliveries.c.due_at <= now)
        ).scalar()
        waits = GaugeMetricFamily(
            "hub_delivery_lag_seconds",
            "how long the oldest due delivery has waited",
            value=(now - oldest) / 1e6 if oldest else 0,
        )
        found: list[Metric] = [outbox, waits]
        found += [
            _by_state(conn, "hub_jobs", "background jobs", jobs),
            _by_state(conn, "hub_webhook_deliveries", "outgoing webhooks", webhook_deliveries),
            GaugeMetricFamily(
                "hub_pushes_waiting", "words that wait for browsers", value=pushes.waiting(conn)
            ),
            _by_state(conn, "hub_quarantine", "inputs nobody could read", quarantine),
        ]
        states = GaugeMetricFamily("hub_accounts", "connected channels", labels=["state"])
        for row in conn.execute(
            select(accounts.c.state, func.count().label("n"))
            .where(~accounts.c.removed)
            .group_by(accounts.c.state)
        ):
            states.add_metric([row.state], row.n)
        last = last_event(conn)
        lag = GaugeMetricFamily("hub_journal_lag", "facts a reader has not seen", labels=["reader"])
        reader = Reader(conn=conn, viewer=Viewer.system(), now=now)
        # What a reader of this process passed over is written down only now and then.
        seen = {one.name: one.place for one in self._runtime.feed.followers}
        for name, written in all_cursors(reader).items():
            place = max(written, seen.get(name, 0))
            lag.add_metric([name], max(0, last - place))
        newest = GaugeMetricFamily("hub_journal_last", "number of the newest fact", value=last)
        return [*found, states, lag, newest]


def _by_state(conn: Connection, name: str, text: str, table: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, f"{text} by state", labels=["state"])
    for row in conn.execute(select(table.c.state, func.count().label("n")).group_by(table.c.state)):
        family.add_metric([row.state], row.n)
    return family


class MessageNumbers:
    """Counts what comes in and what was sent, as this process commits it."""

    def __init__(self, runtime: Runtime) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter(
            "hub_messages", "messages, by direction", ["direction"], registry=self.registry
        )
        self._in = self._messages.labels("in")
        self._out = self._messages.labels("out")
        runtime.on_events(self._count)

    def _count(self, events: list[Event]) -> None:
        taken = sum(1 for one in events if isinstance(one, MessageReceived))
        sent = sum(1 for one in events if isinstance(one, DeliveryChanged) and one.after == "sent")
        if taken:
            self._in.inc(taken)
        if sent:
            self._out.inc(sent)


def metrics_page(runtime: Runtime) -> bytes:
    """Give the metrics as Prometheus reads them; to be called on a thread."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(HubCollector(runtime))
    return generate_latest(registry)
