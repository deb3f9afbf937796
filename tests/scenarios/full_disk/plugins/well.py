"""A channel that pushes and one that pulls, both with as much as a test wants to be kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from hub import (
    Address,
    Arrival,
    Attachment,
    Batch,
    Capabilities,
    Channel,
    InboundMessage,
    OutboundMessage,
    Sent,
    WebhookRequest,
    hookimpl,
)


class NoSettings(BaseModel):
    """None."""


def letter(name: str, text_size: int, file_size: int) -> InboundMessage:
    """A message of a new person with so many characters, and a file of so many bytes."""
    return InboundMessage(
        dedupe_key=name,
        external_id=name,
        sender=Address(kind="well", value=name, name=name),
        text=f"{name} " + os.urandom(text_size // 2).hex(),
        attachments=(Attachment(name="f.bin", content=os.urandom(file_size)),) * bool(file_size),
    )


class Bucket(Channel):
    """Told by webhooks."""

    name: ClassVar[str] = "bucket"
    capabilities: ClassVar[Capabilities] = Capabilities(address_kind="well", initiates=True)
    Settings: ClassVar[type[BaseModel]] = NoSettings

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """One message."""
        return [letter(**request.json())]

    async def send(self, message: OutboundMessage) -> Sent:
        """Nothing is done with it."""
        return Sent(external_ids=(message.idempotency_key,))


class Well(Channel):
    """Asked for what stands in a file, a line a message; the mark is how many were read."""

    name: ClassVar[str] = "well"
    capabilities: ClassVar[Capabilities] = Capabilities(address_kind="well")
    Settings: ClassVar[type[BaseModel]] = NoSettings

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Give line after line."""
        read = int(mark or 0)
        while True:
            for line in Path(os.environ["WELL"]).read_text().splitlines()[read:]:
                name, text_size, file_size = line.split()
                read += 1
                yield Batch(
                    arrivals=(letter(name, int(text_size), int(file_size)),), mark=str(read)
                )
            await asyncio.sleep(0.05)


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Both."""
    return [Bucket, Well]
