"""Commands about background work: jobs and outgoing webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import NEVER, EventId, JobId, Micros, WebhookId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob(Command):
    """Put a job in the queue; a job with the same `key` that still waits is not doubled."""

    permission: ClassVar[str] = "jobs.run"

    name: str
    payload: Mapping[str, object] = field(default_factory=dict)
    key: str = ""
    due_at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimJobs(Command):
    """Lease up to `limit` due jobs."""

    worker: str
    limit: int
    lease_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleJob(Command):
    """Write what became of a job: done, or tried again at `retry_at`, or dead."""

    job_id: JobId
    fence: int
    done: bool
    error: str = ""
    retry_at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveWebhook(Command):
    """Create (id 0) or change an outgoing webhook. Gives the id."""

    permission: ClassVar[str] = "webhooks.manage"

    webhook_id: WebhookId = WebhookId(0)
    url: str
    secret: str = field(default="", repr=False)
    events: tuple[str, ...] = ("*",)
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveWebhook(Command):
    """Delete an outgoing webhook with its queue."""

    permission: ClassVar[str] = "webhooks.manage"

    webhook_id: WebhookId


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatWebhook(Command):
    """Send one event to a webhook again (from the dead-letter list, or for a replay)."""

    permission: ClassVar[str] = "webhooks.manage"

    webhook_id: WebhookId
    event_id: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCursor(Command):
    """Remember how far a reader of the journal has come."""

    name: str
    event_id: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkEvent(Command):
    """Put a fact aside on which a plugin failed too often; the next one goes on."""

    plugin: str
    event_id: EventId
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPluginFailure(Command):
    """Record that a plugin failed in a hook."""

    plugin: str
    hook: str
    error: str
