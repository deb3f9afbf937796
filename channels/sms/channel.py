"""SMS through Twilio: one number, or one pool of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast

from pydantic import BaseModel

from channels._twilio import arrivals, sending
from channels._twilio.signatures import verify
from channels._twilio.wire import SECONDS, Twilio
from channels.sms.segments import count
from channels.sms.settings import SmsSettings
from channels.sms.words import change_of
from hub import (
    Address,
    Arrival,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    HubError,
    MalformedPayload,
    Measure,
    OutboundMessage,
    PeerEvent,
    PermanentFailure,
    RejectReason,
    Sent,
    WebhookRequest,
)

KIND = "phone"
MAX_TEXT = 1_600
MAX_FILES_BYTES = 5_000_000
"""Of all files of a message together (Twilio, "Accepted Content Types for Media")."""
NUMBER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}")


class SmsChannel(Channel):
    """Texts to and from telephone numbers."""

    name = "sms"
    title = "SMS"
    icon = "message-square"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        vouches=True,
        max_text=MAX_TEXT,
        max_attachment_bytes=MAX_FILES_BYTES,
        max_files_bytes=MAX_FILES_BYTES,
        max_attachments=arrivals.MAX_FILES,
        media_types=("image/*", "audio/*", "video/*", "application/pdf", "text/*"),
        receipts="delivered",
        rate_per_second=10.0,
        connections=4,
        send_timeout=timedelta(seconds=SECONDS + 10),
        initiates=True,
        writing_allows=False,
    )
    Settings: ClassVar[type[BaseModel]] = SmsSettings
    needs = (
        "A Twilio account with a number, or a messaging service.",
        "The account SID and the auth token, from the first page of the Twilio console.",
        "A public https address of this hub, so that Twilio can reach it.",
    )

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(SmsSettings, settings)
        self._twilio = Twilio(self._own, context.http)

    async def open(self) -> None:
        """Load Twilio's library off the loop."""
        await self._twilio.warm()

    # -- the account at Twilio ---------------------------------------------------------------

    async def check(self) -> list[Check]:
        """Try the account, then the sender."""
        found = [await sending.account_check(self._twilio)]
        if not found[0].ok:
            return found
        own = self._own
        try:
            if own.messaging_service:
                service = await self._twilio.service(own.messaging_service)
                found.append(
                    Check(name="Messaging service", ok=True, text=str(service.friendly_name))
                )
            elif own.sender.startswith("+"):
                known = await self._twilio.number(own.sender) is not None
                words = "" if known else "this number is not one of the account's"
                found.append(Check(name="Sender", ok=known, text=words))
        except HubError as error:
            found.append(Check(name="Sender", ok=False, text=str(error)))
        return found

    async def connect(self) -> None:
        """Tell Twilio where messages to the number, or to the pool, are taken."""
        own, url = self._own, self.context.hook_url
        if not url or not own.set_webhook:
            return
        if own.messaging_service:
            await self._twilio.set_service(own.messaging_service, url)
            return
        number = await self._twilio.number(own.sender)
        if number is not None and number.sms_url != url:
            await self._twilio.set_number(number.sid, url)

    async def disconnect(self) -> None:
        """Take our address back, where it is still ours."""
        own, url = self._own, self.context.hook_url
        if not url or not own.set_webhook:
            return
        if own.messaging_service:
            service = await self._twilio.service(own.messaging_service)
            if service.inbound_request_url == url:
                await self._twilio.set_service(own.messaging_service, "")
            return
        number = await self._twilio.number(own.sender)
        if number is not None and number.sms_url == url:
            await self._twilio.set_number(number.sid, "")

    async def inspect(self) -> Health:
        """Ask after the account, its balance, and whether messages still come here."""
        health = await sending.account_health(self._twilio)
        own, url = self._own, self.context.hook_url
        if not health.ok or not url:
            return health
        if own.messaging_service:
            called = (await self._twilio.service(own.messaging_service)).inbound_request_url
        else:
            number = await self._twilio.number(own.sender)
            if number is None:
                return health
            called = number.sms_url
        if called != url:
            text = "Twilio brings messages to another address: connect again"
            return Health(ok=False, text=text, webhook="elsewhere", quota=health.quota)
        return Health(webhook="set", quota=health.quota)

    # -- messages ----------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Hand one message to Twilio; with files it is an MMS."""
        to = re.sub(r"[ ().-]", "", message.to.value)
        if message.to.kind != KIND or not NUMBER.fullmatch(to):
            raise PermanentFailure(RejectReason.INVALID_ADDRESS, "this is no telephone number")
        values: dict[str, Any] = sending.common(self._own, self.context, message.idempotency_key)
        values["to"] = to
        if message.text:
            values["body"] = message.text
        if sum(one.size for one in message.attachments) > MAX_FILES_BYTES:
            text = "an MMS takes 5 MB of files in all"
            raise PermanentFailure(RejectReason.TOO_LARGE, text)
        if message.attachments:
            values["media_url"] = sending.files(self.context, message)
        return await sending.send(self._twilio, values)

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Read a signed webhook: a message, a word of consent, or the state of a message."""
        fields = verify(self._own, request)
        arrivals.need_account(fields, self._own.account_sid)
        if arrivals.is_receipt(fields):
            return arrivals.receipt(fields, request)
        sender = Address(kind=KIND, value=fields.get("From", "").strip())
        if not sender.value:
            raise MalformedPayload("the message names nobody")
        found = arrivals.message(fields, request, sender)
        change = change_of(found.text, fields.get("OptOutType", ""))
        if change is None:
            return [found]
        key = f"{found.dedupe_key}:{change.value}"
        return [
            found,
            PeerEvent(
                dedupe_key=key, sender=sender, change=change, text=found.text, at=found.sent_at
            ),
        ]

    async def fetch(self, reference: str) -> bytes:
        """Get a file of a person's message from Twilio."""
        return await self._twilio.media(reference)

    def measure(self, text: str) -> Measure | None:
        """Count segments and price as Twilio will."""
        pieces = [text[n : n + MAX_TEXT] for n in range(0, len(text), MAX_TEXT)] or [""]
        counts = [count(one) for one in pieces]
        parts = sum(one.segments for one in counts)
        price = Decimal(self._own.segment_price or 0) * parts
        return Measure(
            parts=parts,
            units=sum(one.units for one in counts),
            unit_limit=sum(one.limit for one in counts),
            encoding="UCS-2" if any(one.encoding == "UCS-2" for one in counts) else "GSM-7",
            cost=f"{price.normalize():f} {self._own.currency}" if price else "",
        )
