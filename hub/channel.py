"""The channel interface: all that the author of a channel must know.

You implement `send`, and `parse` (the vendor pushes) or `listen` (we pull) or both.
You may override `open`, `close`, `fetch`, `check` and the optional verbs at the end.
You declare `capabilities`: data that the core obeys, so that it never asks for the
impossible and the agent's composer never offers it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, ParamSpec, Protocol, TypeVar

from pydantic import BaseModel

from hub.capabilities import Capabilities
from hub.errors import Unsupported
from hub.ids import AccountId, Micros
from hub.messages import Address, Arrival, Attachment, ButtonPressed, OutboundMessage, Sent
from hub.templates import Template
from hub.webhook_request import WebhookAnswer, WebhookRequest

if TYPE_CHECKING:
    from logging import Logger

P = ParamSpec("P")
T = TypeVar("T")


class Response(Protocol):
    """The part of an HTTP answer that channels use."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""

    def json(self) -> object:
        """The body parsed as JSON; raises ValueError where it is not."""


class HttpClient(Protocol):
    """The HTTP client the hub hands to a channel: time limits and proxies are set.

    It raises `TemporaryFailure` where nothing can have happened at the provider (name not
    resolved, connection refused, bad TLS; any failure of a GET) and `OutcomeUnknown` where
    the connection failed later. An answer of any status is an answer.
    """

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: Mapping[str, object] | None = None,
        content: bytes | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Send one request and read the whole answer, of at most 210 MB."""

    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, private: bool = False
    ) -> bytes:
        """Give the bytes of a file that a message only names: what most `Channel.fetch` need.

        Redirects are followed; headers go to the first host alone. An address inside one's own
        network is called only with `private`, for an account that is set to another host, because
        it may have come from anybody. Raises `TemporaryFailure`, or `PermanentFailure` where the
        file is gone, too large or at no address that is called.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Arrivals of a pull channel with the mark to resume from.

    Both are committed in one transaction; only then is the next batch asked for, which is
    the channel's sign to acknowledge. `poison` holds raw inputs that could not be read, each
    with its error: they go to quarantine in the same transaction.
    """

    arrivals: tuple[Arrival, ...] = ()
    mark: str = ""
    poison: tuple[tuple[bytes, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of a live check of an account's settings."""

    name: str
    ok: bool
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCheck:
    """One line of what the world asks of who sends to many over an account.

    `add` is the exact text to put somewhere (a record of the domain) where it is not `ok`;
    `blocks` keeps a mailing from beginning until it is mended.
    """

    name: str
    ok: bool
    text: str = ""
    add: str = ""
    blocks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `Channel.inspect` found at the provider, in words for the account's page.

    With `ok` False the account turns red with `text` as the reason. `webhook` says how the
    provider sees our webhook, `quota` what is left of a paid or limited resource.
    """

    ok: bool = True
    text: str = ""
    webhook: str = ""
    quota: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a text costs before it is sent: an SMS of two segments, say.

    `parts` is how many messages the provider counts and charges, `units` how much of
    `unit_limit` the text uses in the last part's counting (septets, characters), `encoding`
    what makes it so, `cost` the price in words ("" where it is not known).
    """

    parts: int
    units: int = 0
    unit_limit: int = 0
    encoding: str = ""
    cost: str = ""


async def _forget(values: Mapping[str, str]) -> None:
    """A channel that is only tried out remembers nothing."""


class Take(Protocol):
    """Takes a token of a bucket, of `per_minute` in `minutes` minutes."""

    def __call__(self, name: str, per_minute: int, minutes: int = 1) -> Awaitable[int]:
        """Give 0, or for how many microseconds there will be none."""


async def _unlimited(name: str, per_minute: int, minutes: int = 1) -> int:
    """A channel that is only tried out has no limits."""
    return 0


def _unshared(file: Attachment) -> str:
    """A channel that is only tried out has nothing to share."""
    raise Unsupported("files", "files cannot be shared without the hub's public address")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """What the hub gives every channel object beside its settings.

    `hook_url` is the public address of the account's webhook ("" where the hub has none).
    `log` writes `event key=value` lines; never pass it message text or secrets. `remember`
    stores small values that are no secrets (a server's number, a confirmation code) with the
    account; from its return on every process finds them in `memory`. `share` gives a public address under
    which a provider can fetch a file of an outgoing message for a day (raises Unsupported where
    the hub has no public address). `take(name, per_minute, minutes)` takes a token of a bucket of the
    account's that outlives restarts, `per_minute` in so many minutes (1); it gives 0, or how many microseconds there will be none.
    """

    account_id: AccountId
    title: str
    http: HttpClient
    log: Logger
    hook_url: str = ""
    public_url: str = ""
    now: Callable[[], Micros]
    memory: Mapping[str, str] = field(default_factory=dict)
    remember: Callable[[Mapping[str, str]], Awaitable[None]] = _forget
    share: Callable[[Attachment], str] = _unshared
    take: Take = _unlimited


class Channel:
    """Base class of every channel; one object lives per configured account."""

    name: ClassVar[str]
    """The kind, in lower case: `telegram`. Never an account."""
    title: ClassVar[str] = ""
    """What people call it: `Telegram`."""
    capabilities: ClassVar[Capabilities]
    Settings: ClassVar[type[BaseModel]]
    """The form, the API schema and the validation of an account; secrets are SecretStr."""
    icon: ClassVar[str] = "message-square"
    """Its mark in lists: the name of an icon of the hub's sprite (docs/plugin-author.md)."""
    offered: ClassVar[bool] = True
    """False keeps it out of the gallery of what may be connected: samples connect themselves."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What one must have before connecting, one line each, as its connect page shows it."""
    browsers: ClassVar[bool] = False
    """True where browsers on anybody's site call the webhook: it answers them (CORS)."""
    calls_per_minute: ClassVar[int] = 0
    """How often one network address, and one `caller`, may call the webhook; 0 is no limit."""

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        self.settings = settings
        self.context = context
        own = self.capabilities_of(settings.model_dump())
        if own is not self.capabilities:
            # Of the class they say what the kind can do, of an object what its account can.
            object.__setattr__(self, "capabilities", own)

    @classmethod
    def capabilities_of(cls, settings: Mapping[str, object]) -> Capabilities:
        """You may override: what an account can do, where its settings change limits or rates.

        Pure, and by what is no secret: `settings` may be without the secrets, and without what
        a later version of the form added.
        """
        return cls.capabilities

    async def open(self) -> None:
        """You may override: make connections. Called once before the first use."""

    async def close(self) -> None:
        """You may override: give everything back. Called once; must not raise."""

    async def check(self) -> list[Check]:
        """You may override: try the settings against the provider, say what was found."""
        return []

    async def check_sender(self) -> list[SenderCheck]:
        """You may override: look up what recipients' providers ask of who sends to many."""
        return []

    async def connect(self) -> None:
        """You may override: make the provider know the account's webhook, `context.hook_url`.

        Called by one process after the account is connected, changed or resumed and after the
        hub's public address changed; again with growing pauses until it succeeds, meanwhile
        the account is red. Must stand being repeated.
        """

    async def disconnect(self) -> None:
        """You may override: take back what `connect` did. Called before the account goes."""

    async def inspect(self) -> Health:
        """You may override: ask the provider every few minutes how the account is doing.

        A HubError turns the account red with its words, as `Health(ok=False)` does.
        """
        raise Unsupported("inspect")

    def make(self, message: OutboundMessage) -> bytes:
        """You may override: do what is heavy about a message (building, signing) on a thread, while
        the hub notes that it is being sent. `send` finds it as `message.made`. Raises what `send` does.
        """
        return b""

    async def send(self, message: OutboundMessage) -> Sent:
        """You implement: hand one message to the provider.

        Raises TemporaryFailure (tried again), TooFast (and the recipient's mail domain is gone to
        more slowly for a while), AccountRefused (tried again, the account is red),
        PermanentFailure (failed with its reason) or Unsupported. OutcomeUnknown, and anything else
        that escapes, makes the delivery *unknown*, or has it repeated where
        `capabilities.idempotent_send`.
        """
        raise Unsupported("send")

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """You implement for push channels: verify and normalise. Pure: same bytes, same result.

        Raises UntrustedRequest for a forged request; whatever else escapes quarantines the
        raw body.
        """
        raise Unsupported("parse")

    def caller(self, request: WebhookRequest) -> str:
        """You may override where `calls_per_minute`: name the proven caller to count. Pure."""
        return ""

    def listen(self, mark: str) -> AsyncIterator[Batch]:
        """You implement for pull channels: yield batches from `mark` on, for ever."""
        raise Unsupported("listen")

    async def fetch(self, reference: str) -> bytes:
        """You implement where attachments come as references: get the bytes."""
        raise Unsupported("fetch")

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """You may override for pull channels: read one quarantined raw input again. Pure."""
        raise Unsupported("replay")

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """You may override: show typing or a read mark to the person. Never stored."""

    async def acknowledge(self, pressed: ButtonPressed) -> None:
        """You may override: tell the provider that a pressed button was taken.

        Called after the commit, so that the person's app stops waiting; never worth an error.
        """

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """You implement where `capabilities.edits`: change a message we sent."""
        raise Unsupported("edits")

    async def delete(self, to: Address, external_id: str) -> None:
        """You implement where `capabilities.deletes`: take a message we sent back."""
        raise Unsupported("deletes")

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """You implement where `capabilities.reactions`: react to the person's message."""
        raise Unsupported("reactions")

    async def templates(self) -> list[Template]:
        """You implement where `capabilities.templates`: give the account's whole catalogue."""
        raise Unsupported("templates")

    def measure(self, text: str) -> Measure | None:
        """You may override: count what a text would cost, None where nothing is counted. Pure."""
        return None

    @classmethod
    def overrides(cls, verb: str) -> bool:
        """Leave alone: True where this channel has the optional verb."""
        return getattr(cls, verb) is not getattr(Channel, verb)

    @classmethod
    def has_own_limits(cls) -> bool:
        """Leave alone: True where an account's settings change what it can do."""
        owner = next(one for one in cls.__mro__ if "capabilities_of" in vars(one))
        return owner is not Channel

    @classmethod
    def pushes(cls) -> bool:
        """Leave alone: True where the vendor calls our webhook."""
        return cls.parse is not Channel.parse

    @classmethod
    def pulls(cls) -> bool:
        """Leave alone: True where we listen at the vendor."""
        return cls.listen is not Channel.listen


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking vendor call in a worker thread, never on the loop."""
    return await asyncio.to_thread(function, *args, **kwargs)
