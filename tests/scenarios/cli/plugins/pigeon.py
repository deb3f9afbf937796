"""A channel whose messages land in a file: what has left can be counted from outside."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, SecretStr

from hub import Capabilities, Channel, OutboundMessage, Sent, hookimpl


class PigeonSettings(BaseModel):
    """A ring that every pigeon wears, and how long a flight lasts."""

    ring: SecretStr
    seconds: float = 0.0


class PigeonChannel(Channel):
    """Writes one line per message."""

    name: ClassVar[str] = "pigeon"
    title: ClassVar[str] = "Pigeons"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="pigeon",
        initiates=True,
        rate_per_second=1000,
        send_timeout=timedelta(seconds=3),
    )
    Settings: ClassVar[type[BaseModel]] = PigeonSettings

    async def send(self, message: OutboundMessage) -> Sent:
        """Let one fly; it has left before the answer is known."""
        with Path(os.environ["PIGEON_LOFT"]).open("a") as loft:
            loft.write(message.text + "\n")
        await asyncio.sleep(self.settings.seconds)  # type: ignore[attr-defined]
        return Sent(external_ids=(message.idempotency_key,))


@hookimpl
def register_channels() -> list[type[Channel]]:
    """One kind."""
    return [PigeonChannel]
