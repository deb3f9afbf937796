"""The demo's channels: they take every message, except from people who cannot be reached."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from hub import (
    Capabilities,
    Channel,
    Check,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    Sent,
)
from plugins.demo_customer.people import MAIL, MESSENGER
from plugins.demo_customer.stage import STAGE

BLOCKED = "blocked-"
LOST = "lost-"
"""How the addresses of those begin who have blocked us, or of whom nothing is heard."""


class DemoSettings(BaseModel):
    """How lively the simulated people are."""

    language: Literal["en", "ru", "both"] = Field(
        default="both", title="Language", description="What new customers write in."
    )
    answers: bool = Field(default=True, title="Customers answer")
    newcomers: bool = Field(default=True, title="Now and then somebody new writes")
    pause: float = Field(
        default=1.0, ge=0, le=60, title="Pace", description="1 is natural, 0 is at once."
    )


class _Demo(Channel):
    """What both have in common."""

    offered: ClassVar[bool] = False

    Settings: ClassVar[type[BaseModel]] = DemoSettings

    async def check(self) -> list[Check]:
        """There is nobody to ask."""
        return [Check(name="demo", ok=True, text="simulated: nothing leaves this machine")]

    async def send(self, message: OutboundMessage) -> Sent:
        """Take a message; whoever can be reached hears of it, and answers in his own time."""
        await asyncio.sleep(0.2)
        if message.to.value.startswith(BLOCKED):
            raise PermanentFailure(RejectReason.BLOCKED, "the person has blocked this account")
        if message.to.value.startswith(LOST):
            raise ConnectionResetError("the line broke after the message was handed over")
        external_id = f"demo:{message.idempotency_key}"
        STAGE.heard(message, external_id)
        return Sent(external_ids=(external_id,))


class DemoMessenger(_Demo):
    """A messenger."""

    name: ClassVar[str] = MESSENGER
    title: ClassVar[str] = "Demo messenger"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="demo_messenger",
        max_text=4096,
        max_attachment_bytes=20_000_000,
        receipts="read",
        idempotent_send=False,
        typing=True,
    )


class DemoMail(_Demo):
    """A mailbox."""

    name: ClassVar[str] = MAIL
    title: ClassVar[str] = "Demo mail"
    icon: ClassVar[str] = "mail"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="email",
        max_attachment_bytes=20_000_000,
        receipts="delivered",
        html=True,
        subject=True,
        threads=True,
        initiates=True,
    )
