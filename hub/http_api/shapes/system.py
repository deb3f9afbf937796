"""The journal, outgoing webhooks, quarantine, held things, plugins."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape, Word


class EventActor(Shape):
    """Who acted."""

    kind: str
    id: str
    name: str


class EventCause(Shape):
    """What provoked it."""

    kind: str
    id: str
    depth: int


class EventSubject(Shape):
    """What it is about."""

    kind: str
    id: str


class Event(Shape):
    """A fact: ids and values, never names, addresses and texts of people."""

    id: str = Field(examples=["5f1c9a02-1841"])
    type: str = Field(examples=["message.received"])
    schema_: int = Field(alias="schema", description="The version of `data`.")
    at: Instant
    actor: EventActor
    cause: EventCause
    subject: EventSubject
    data: dict[str, Any]


class Events(Shape):
    """Facts in commit order; ask again with `after` set to `next`."""

    events: list[Event]
    next: str
    more: bool = Field(description="More is there already.")


class EventTypes(Shape):
    """Every type of fact this hub knows."""

    types: list[str]


class Webhook(Shape):
    """An outgoing webhook; its secret is shown once, when it is made."""

    id: Id
    url: str
    events: list[str]
    active: bool
    created_at: Instant
    waiting: int = Field(description="Facts that wait to be sent, or to be tried again.")
    dead: int = Field(description="Facts on the dead-letter list.")


class NewWebhook(Webhook):
    """A webhook with its secret."""

    secret: str = Field(description="Shown this once; signatures are made with it.")


class WebhookDelivery(Shape):
    """One fact on its way to one webhook."""

    event_id: str
    state: str
    attempts: int
    due_at: Instant
    code: int = Field(description="The last HTTP status, 0 where there was no answer.")
    error: str


class Ping(Shape):
    """What became of a test event."""

    ok: bool
    code: int
    error: str
    took_us: int


class Quarantined(Shape):
    """An input that nobody could read."""

    id: Id
    account_id: OptionalId
    received_at: Instant
    source: str
    state: str
    error: str
    size: int
    attempts: int


class Header(Shape):
    """A header of a request."""

    name: str
    value: str


def _header(value: Any) -> Any:
    return {"name": value[0], "value": value[1]} if isinstance(value, tuple) else value


class QuarantinedWhole(Quarantined):
    """The same with where it came from and why it could not be read."""

    trace: str
    method: str
    url: str
    headers: list[Annotated[Header, BeforeValidator(_header)]]


class Replayed(Shape):
    """How many arrivals the input held."""

    arrivals: int


class ReplayedAll(Shape):
    """What reading many inputs again has come to."""

    read: int = Field(description="How many could be read.")
    failed: int = Field(description="How many still cannot be.")
    next: OptionalId = Field(description="Go on after this one: time ran out.")


class Held(Shape):
    """Outgoing things held after a restore or a late start."""

    deliveries: int
    jobs: int
    webhooks: int
    oldest_at: Instant
    timers: int = Field(default=0, description="What rules were to do.")


class HeldDelivery(Shape):
    """One held message: to whom, through which account, and how it begins."""

    id: Id
    kind: Literal["dialog", "many", "colleague"]
    dialog_id: OptionalId
    name: str
    account: str
    subject: str
    text: str
    created_at: Instant
    due_at: Instant


class Released(Shape):
    """How many were released or dropped."""

    count: int


class Plugin(Shape):
    """A plugin and how it behaves."""

    name: str
    version: str
    distribution: str
    bundled: bool
    state: str
    hooks: list[str]
    error: str
    failures: int
    last_failure: str
    calls: int
    seconds: float


class DeadJob(Shape):
    """A job that failed for the last time."""

    id: Id
    name: str
    attempts: int
    error: str


# -- requests ------------------------------------------------------------------------------


class CreateWebhook(Body):
    """Where to post facts, and which."""

    url: str = Field(max_length=2000, examples=["https://example.org/hooks/dialogs"])
    events: list[Word] = Field(
        default=["*"],
        min_length=1,
        max_length=100,
        description="Types; `*` is all, `dialog.*` a family.",
    )
    active: bool = True
    secret: str = Field(
        default="",
        max_length=200,
        pattern=r"^(whsec_[A-Za-z0-9+/=]{32,100})?$",
        description="Your own `whsec_` secret; left out, one is made.",
    )


class UpdateWebhook(Body):
    """What to change; a field that is left out stays as it is."""

    url: str | None = Field(default=None, max_length=2000)
    events: list[Word] | None = Field(default=None, min_length=1, max_length=100)
    active: bool | None = None
    new_secret: bool = Field(default=False, description="Make another secret and show it once.")


class ReleaseHeld(Body):
    """What to let go, or to drop."""

    kind: Literal["deliveries", "jobs", "webhooks", "timers"]
    release: bool = Field(description="False drops them for good.")
    ids: list[GivenId] = Field(
        default_factory=list,
        max_length=1000,
        description="Single messages by their deliveries; none is all of the kind.",
    )
