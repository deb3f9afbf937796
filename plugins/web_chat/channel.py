"""Web chat as a channel: the visitor's browser is the wire, the store is its mailbox.

A message of ours is handed over by being in the store: the visitor's event stream is woken by
the committed fact, in whichever process it hangs, and the page fetches what is new. So nothing
is lost while the browser sleeps, and sending twice shows once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel

from hub import (
    Address,
    Arrival,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    Sent,
    WebhookAnswer,
    WebhookRequest,
)
from plugins.web_chat.arrivals import external_id, read_post, visitor_of
from plugins.web_chat.settings import MAX_FILES, WebChatSettings
from plugins.web_chat.streams import STREAMS
from plugins.web_chat.visitors import KIND


class WebChatChannel(Channel):
    """The chat of one site."""

    name: ClassVar[str] = "web_chat"
    title: ClassVar[str] = "Web chat"
    icon: ClassVar[str] = "globe"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        max_attachment_bytes=25_000_000,
        max_attachments=MAX_FILES,
        receipts="read",
        idempotent_send=True,
        rate_per_second=500.0,
        connections=16,
        send_timeout=timedelta(seconds=5),
        typing=True,
    )
    Settings: ClassVar[type[BaseModel]] = WebChatSettings
    browsers: ClassVar[bool] = True
    calls_per_minute: ClassVar[int] = 120

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, WebChatSettings)
        self._settings = settings

    async def check(self) -> list[Check]:
        """A web chat needs nobody outside; only a missing key would keep visitors out."""
        has_key = bool(self._settings.visitor_key.get_secret_value())
        return [Check(name="visitor_key", ok=has_key, text="" if has_key else "the key is missing")]

    async def send(self, message: OutboundMessage) -> Sent:
        """Put the message where the visitor's browser takes it; the receipt is the browser's."""
        if message.to.kind != KIND or not message.to.value:
            raise PermanentFailure(RejectReason.INVALID_ADDRESS, "this is no visitor of a web chat")
        STREAMS.tell(message.account_id, message.to.value, "changed")
        return Sent(external_ids=(external_id(message.to.value, message.message_id),))

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Read what a visitor's browser posts: messages, files, typing, read marks."""
        return read_post(self._settings, request, self.context.public_url)

    def caller(self, request: WebhookRequest) -> str:
        """Count each visitor for himself, whatever network address he comes from."""
        return visitor_of(self._settings, request)

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show the visitor that the agent types or has read."""
        if kind == "typing" and not self._settings.agent_names:
            value = ""
        if kind in ("typing", "seen"):
            STREAMS.tell(self.context.account_id, to.value, kind, value)
