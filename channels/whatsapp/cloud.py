"""WhatsApp directly through Meta's Cloud API: one number of a business account."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, cast

from pydantic import BaseModel

from channels.whatsapp.addresses import KIND, recipient
from channels.whatsapp.cloud_arrivals import read
from channels.whatsapp.cloud_outgoing import KINDS, ROW_TEXT, kind_of, payloads, reaction
from channels.whatsapp.cloud_settings import CloudSettings
from channels.whatsapp.cloud_templates import template
from channels.whatsapp.graph import SECONDS, UPLOAD_SECONDS, Graph
from hub import (
    Address,
    Arrival,
    Attachment,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    HubError,
    InboundMessage,
    OutboundMessage,
    OutcomeUnknown,
    Sent,
    Template,
    UntrustedRequest,
    WebhookAnswer,
    WebhookRequest,
)

DOCUMENTS = (
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/plain",
)
"""What Meta takes beside pictures, films and sounds; anything else it refuses."""
REMEMBERED = 10_000
"""How many people's newest messages are remembered for read marks."""


class WhatsAppChannel(Channel):
    """Messages to and from WhatsApp users."""

    name = "whatsapp"
    title = "WhatsApp"
    icon = "message-circle"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        vouches=True,
        max_text=4_096,
        formatting=True,
        max_attachment_bytes=100_000_000,
        max_attachments=10,
        media_types=(*KINDS, *DOCUMENTS),
        media_limits=tuple((name, most) for name, (_, most) in KINDS.items()),
        receipts="read",
        rate_per_second=60.0,
        connections=8,
        send_timeout=timedelta(seconds=UPLOAD_SECONDS + SECONDS + 10),
        initiates=True,
        reply_window=timedelta(hours=24),
        templates=True,
        buttons=10,
        button_label=ROW_TEXT,
        replies=True,
        reactions=True,
        typing=True,
    )
    Settings: ClassVar[type[BaseModel]] = CloudSettings
    needs = (
        "An app at Meta for developers with WhatsApp added, and a number in it.",
        "Phone number ID, business account ID, the app's secret, a permanent access token.",
        "A public https address of this hub, so that Meta can reach it.",
    )

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(CloudSettings, settings)
        self._graph = Graph(self._own, context.http)
        self._newest: OrderedDict[str, str] = OrderedDict()

    # -- the number at Meta ------------------------------------------------------------------

    async def check(self) -> list[Check]:
        """Try the token at the number, then at the catalogue."""
        found = []
        try:
            number = await self._graph.number()
            words = f"{number.get('verified_name', '')} {number.get('display_phone_number', '')}"
            found.append(Check(name="Number", ok=True, text=words.strip()))
            await self._graph.templates()
            found.append(Check(name="Templates", ok=True))
        except HubError as error:
            name = "Templates" if found else "Number"
            found.append(Check(name=name, ok=False, text=str(error)))
        return found

    async def connect(self) -> None:
        """Subscribe to the account's events and have this number's brought here."""
        url = self.context.hook_url
        if not url or not self._own.set_webhook:
            return
        await self._graph.subscribe()
        await self._graph.set_webhook(url, self._own.verify_token.get_secret_value())

    async def disconnect(self) -> None:
        """Give the number's events back to the app's own address, where they came here."""
        url = self.context.hook_url
        if url and self._own.set_webhook and _webhook(await self._graph.number()) == url:
            await self._graph.set_webhook("", "")

    async def inspect(self) -> Health:
        """Ask after the number: its quality, and whether its events still come here."""
        number = await self._graph.number()
        quality = str(number.get("quality_rating") or "")
        quota = f"quality {quality.lower()}" if quality else ""
        url, called = self.context.hook_url, _webhook(number)
        if self._own.set_webhook and url and called != url:
            text = "Meta brings messages to another address: connect again"
            return Health(ok=False, text=text, webhook="elsewhere", quota=quota)
        return Health(webhook="set" if called else "", quota=quota)

    async def templates(self) -> list[Template]:
        """Give the account's catalogue with Meta's approval."""
        return [template(one) for one in await self._graph.templates()]

    # -- messages ----------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Upload the files, then send the parts; a repeat of the first half harms nobody."""
        recipient(message.to)
        for one in message.attachments:
            kind_of(one)
        file_ids = [await self._upload(one) for one in message.attachments]
        parts = payloads(message, file_ids)
        sent: list[str] = []
        for part in parts:
            try:
                sent.append(await self._graph.send(part))
            except HubError as error:
                if not sent:
                    raise
                text = f"only {len(sent)} of {len(parts)} parts were sent: {error}"
                raise OutcomeUnknown(text) from error
        return Sent(external_ids=tuple(sent))

    async def _upload(self, file: Attachment) -> str:
        return await self._graph.upload(file, file.media_type.partition(";")[0].strip().lower())

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """Put one emoji to a message of the person's, or take it back."""
        await self._graph.send(reaction(recipient(to), external_id, emoji))

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Answer Meta's challenge, or read a signed batch."""
        own = self._own
        if request.method == "GET":
            if request.query.get("hub.mode") != "subscribe":
                raise UntrustedRequest("this is not Meta's challenge")
            request.verify_token(
                request.query.get("hub.verify_token", ""), own.verify_token.get_secret_value()
            )
            return WebhookAnswer(body=request.query.get("hub.challenge", "")[:500].encode())
        request.verify_hmac(
            request.headers.get("x-hub-signature-256", ""),
            [own.app_secret.get_secret_value(), own.previous_app_secret.get_secret_value()],
            prefix="sha256=",
        )
        found = read(request.json(), own.phone_number_id)
        for one in found:
            if isinstance(one, InboundMessage):
                self._newest[one.sender.value] = one.external_id
                self._newest.move_to_end(one.sender.value)
        while len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)
        return found

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show that the person's messages were read, or that somebody types.

        WhatsApp takes either for a message only: the newest that this process has taken in. A
        restart forgets it until the person writes again, and nothing is shown meanwhile.
        """
        newest = self._newest.get(to.value)
        if newest and kind in ("typing", "seen"):
            await self._graph.mark_read(newest, typing=kind == "typing")

    async def fetch(self, reference: str) -> bytes:
        """Get a file of a person's message from Meta."""
        return await self._graph.download(reference)


def _webhook(number: object) -> str:
    """Give where Meta brings a number's events, as the number tells it."""
    found = number.get("webhook_configuration") if isinstance(number, dict) else None
    if not isinstance(found, dict):
        return ""
    return str(found.get("phone_number") or found.get("override_callback_uri") or "")
