"""Two channels whose provider is a file: one that repeats nothing, one that knows its keys again."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel

from hub import (
    Address,
    Arrival,
    Capabilities,
    Channel,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Sent,
    TemporaryFailure,
    WebhookRequest,
    hookimpl,
)


class NoSettings(BaseModel):
    """None."""


class Post(Channel):
    """Every letter is a line of the book; now and then the post office is closed."""

    name: ClassVar[str] = "post"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="post",
        receipts="delivered",
        rate_per_second=1000,
        send_timeout=timedelta(seconds=2),
    )
    Settings: ClassVar[type[BaseModel]] = NoSettings

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """A message or a receipt."""
        data: Any = request.json()
        if "receipt" in data:
            return [
                DeliveryReceipt(
                    dedupe_key=f"receipt-{data['receipt']}",
                    external_id=data["receipt"],
                    status=DeliveryStatus.DELIVERED,
                )
            ]
        return [
            InboundMessage(
                dedupe_key=data["id"],
                external_id=data["id"],
                sender=Address(kind="post", value=data["from"], name=data["from"]),
                text=data["id"],
            )
        ]

    async def send(self, message: OutboundMessage) -> Sent:
        """What is in the book has left, whoever dies before the answer."""
        if random.random() < 0.05:
            raise TemporaryFailure("closed for lunch", retry_after=timedelta(seconds=0.2))
        line = f"{self.name} {message.idempotency_key} {message.text}\n".encode()
        book = os.open(os.environ["POST_BOOK"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(book, line)
        finally:
            os.close(book)
        await asyncio.sleep(random.uniform(0, 0.05))
        return Sent(external_ids=(f"{self.name}-{message.text}",))


class KnowingPost(Post):
    """Its provider delivers one key once, however often it is given."""

    name: ClassVar[str] = "knowing_post"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="knowing_post",
        receipts="delivered",
        idempotent_send=True,
        rate_per_second=1000,
        send_timeout=timedelta(seconds=2),
    )


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Both."""
    return [Post, KnowingPost]
