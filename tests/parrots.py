"""A messenger that can do everything a channel can declare; tests script its provider.

`Perch` is the provider's side of one test: what reached it, what it will answer, what it says
of the account. The webhook takes JSON of any arrival: `{"kind": "InboundMessage", ...}`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr

import hub
from hub import (
    SYSTEM,
    AccountId,
    Address,
    Arrival,
    Batch,
    Capabilities,
    Channel,
    Check,
    CreateAccount,
    CreateUser,
    Health,
    Measure,
    OutboundMessage,
    Sent,
    Template,
    WebhookRequest,
    hookimpl,
)
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.workers import Workers

US = 1_000_000


@dataclass
class Perch:
    """The provider."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    sent: list[OutboundMessage] = field(default_factory=list)
    outcomes: dict[str, list[Any]] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    catalogue: list[Template] = field(default_factory=list)
    offset_us: int = 0

    def now(self) -> hub.Micros:
        """The clock, which the test can turn."""
        return hub.Micros(system_now() + self.offset_us)

    def note(self, verb: str, *what: Any) -> Any:
        """Write a call down; raise or give what the test wants."""
        self.calls.append((verb, *what))
        script = self.outcomes.get(verb)
        outcome = script.pop(0) if script else None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def made(self, verb: str) -> list[tuple[Any, ...]]:
        """Give the calls of one verb."""
        return [one[1:] for one in self.calls if one[0] == verb]


class ParrotSettings(BaseModel):
    """A token."""

    token: SecretStr = Field(default=SecretStr("cracker"), title="Token")


def channels_of(perch: Perch) -> list[type[Channel]]:
    """Make the channels of one provider."""

    class Parrot(Channel):
        name = "parrot"
        title = "Parrots"
        needs = ("A parrot.", "A cracker.")
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="parrot",
            max_text=300,
            max_attachment_bytes=1_000_000,
            max_attachments=3,
            media_limits=(("image/gif", 1_000),),
            max_files_bytes=1_500_000,
            media_types=("image/*", "application/pdf"),
            receipts="read",
            rate_per_second=10_000,
            initiates=True,
            reply_window=timedelta(hours=24),
            templates=True,
            buttons=3,
            replies=True,
            edits=True,
            edit_window=timedelta(hours=1),
            deletes=True,
            reactions=True,
            reaction_choices=("👍", "🦜"),
            typing=True,
            groups=True,
            formatting=True,
        )
        Settings = ParrotSettings

        async def check(self) -> list[Check]:
            perch.note("check")
            return [Check(name="Parrot", ok=True)]

        async def connect(self) -> None:
            perch.note("connect", self.context.hook_url)
            await self.context.remember({"server": f"{len(perch.made('connect'))}"})

        async def disconnect(self) -> None:
            assert isinstance(self.settings, ParrotSettings)
            perch.note("disconnect", self.settings.token.get_secret_value())

        async def inspect(self) -> Health:
            return perch.note("inspect", self.context.memory.get("server")) or perch.health

        async def send(self, message: OutboundMessage) -> Sent:
            perch.sent.append(message)
            found = perch.note("send", message.text)
            part = "".join(message.idempotency_key.partition("/")[1:])
            return found or Sent(external_ids=(f"out-{message.message_id}{part}",))

        async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
            perch.note("edit", external_id, message.text)
            return Sent(external_ids=(external_id,))

        async def delete(self, to: Address, external_id: str) -> None:
            perch.note("delete", to.value, external_id)

        async def react(self, to: Address, external_id: str, emoji: str) -> None:
            perch.note("react", to.value, external_id, emoji)

        async def templates(self) -> list[Template]:
            return perch.note("templates") or list(perch.catalogue)

        async def fetch(self, reference: str) -> bytes:
            return bytes(perch.note("fetch", reference) or b"")

        def measure(self, text: str) -> Measure | None:
            parts = max(1, -(-len(text) // 70))
            return Measure(
                parts=parts,
                units=len(text),
                unit_limit=70 * parts,
                encoding="squawk",
                cost=f"{parts}.00 crackers",
            )

        def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
            found: Any = request.json()
            return [arrival_of(one) for one in (found if isinstance(found, list) else [found])]

    class Dumb(Parrot):
        """Can do nothing but talk."""

        name = "dumb"
        title = "Dumb parrots"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="parrot", rate_per_second=10_000
        )
        connect = Channel.connect
        disconnect = Channel.disconnect
        inspect = Channel.inspect
        templates = Channel.templates
        measure = Channel.measure

    class Hearing(Dumb):
        """Is listened to; nobody calls."""

        name = "hearing"
        title = "Hearing parrots"
        parse = Channel.parse

        async def listen(self, mark: str) -> AsyncIterator[Batch]:
            perch.note("listen", mark)
            await asyncio.Event().wait()
            yield Batch()

    return [Parrot, Dumb, Hearing]


def arrival_of(data: dict[str, Any]) -> Arrival:
    """Read one arrival out of JSON."""
    values = dict(data)
    kind = getattr(hub, values.pop("kind"))
    for name in ("sender", "caller"):
        if name in values:
            values[name] = parrot(values[name])
    if "attachments" in values:
        values["attachments"] = tuple(hub.Attachment(**one) for one in values["attachments"])
    if "status" in values:
        values["status"] = hub.DeliveryStatus(values["status"])
    found: Arrival = kind(**values)
    return found


def parrot(name: str) -> Address:
    """The address of a parrot."""
    return Address(kind="parrot", value=name.lower(), name=name.title())


def plugin_of(perch: Perch) -> ModuleType:
    """Make the plugin that brings the channels."""
    module = ModuleType("parrots")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return channels_of(perch)

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


@dataclass
class Aviary:
    """A running hub with an administrator and an account of parrots."""

    runtime: Runtime
    perch: Perch
    user: BoundHub
    account: AccountId
    workers: Workers | None

    @property
    def system(self) -> BoundHub:
        """The hub's own handle."""
        return self.runtime.handle(SYSTEM)

    async def arrive(self, *arrivals: Arrival) -> list[Any]:
        """Take arrivals in through the one inbound path."""
        return await self.runtime.receive(await self.system.account(self.account), arrivals)


def says(key: str, text: str = "hello", who: str = "polly", **more: Any) -> hub.InboundMessage:
    """A parrot's message."""
    return hub.InboundMessage(
        dedupe_key=key,
        external_id=more.pop("external_id", f"in-{key}"),
        sender=parrot(who),
        text=text,
        **more,
    )


@asynccontextmanager
async def aviary(
    folder: Path, url: str, *, workers: bool = False, channel: str = "parrot"
) -> AsyncIterator[Aviary]:
    """Run a hub with the parrots alone."""
    perch = Perch()
    host = PluginHost()
    host.add("parrots", plugin_of(perch))
    settings = HubSettings(
        data=folder / "data",
        database_url=url,
        hold_after_hours=1e6,
        public_url="https://hub.example",
    )
    runtime = Runtime(settings, plugins=host, now=perch.now)
    await runtime.start()
    loops = Workers(runtime) if workers else None
    try:
        system = runtime.handle(SYSTEM)
        person = CreateUser(email="vera@example.com", name="Vera", role="administrator")
        user = system.as_user((await system.do(person))[0])
        account = (await user.do(CreateAccount(channel=channel, title="Parrots")))[0]
        if loops is not None:
            loops.start()
        yield Aviary(runtime=runtime, perch=perch, user=user, account=account, workers=loops)
    finally:
        if loops is not None:
            await loops.stop()
        await runtime.stop()
