"""A push channel as plain as a channel can be: what is measured is the hub."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import ClassVar

from pydantic import BaseModel

from hub import (
    Address,
    Arrival,
    Capabilities,
    Channel,
    InboundMessage,
    OutboundMessage,
    Sent,
    WebhookRequest,
    hookimpl,
)


class NoSettings(BaseModel):
    """The bench channel needs none."""


class BenchChannel(Channel):
    """Messages in JSON with a shared secret; what is sent is taken at once."""

    name = "bench"
    capabilities: ClassVar[Capabilities] = Capabilities(address_kind="bench")
    Settings = NoSettings
    calls_per_minute = 0

    async def send(self, message: OutboundMessage) -> Sent:
        """Take a message as sent."""
        return Sent(external_ids=(f"bench-{message.idempotency_key}",))

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Check the shared secret and read one message."""
        request.verify_token(request.headers.get("x-secret", ""), "bench")
        data = request.json()
        assert isinstance(data, dict)
        return [
            InboundMessage(
                dedupe_key=data["id"],
                external_id=data["id"],
                sender=Address(kind="bench", value=data["from"], name="Customer"),
                text=data["text"],
            )
        ]


def plugin(channel: type[Channel] = BenchChannel) -> ModuleType:
    """Make the plugin of the bench channel, or of one that was made of it."""
    module = ModuleType("bench_plugin")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [channel]

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module
