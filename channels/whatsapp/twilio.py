"""WhatsApp through Twilio: one sender, or the senders of a messaging service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, cast

from pydantic import BaseModel, field_validator

from channels._twilio import arrivals, sending
from channels._twilio.settings import TwilioSettings
from channels._twilio.signatures import verify
from channels._twilio.wire import SECONDS, Twilio
from channels.whatsapp.addresses import KIND, person, recipient
from channels.whatsapp.cloud_outgoing import ABOVE, MAX_BODY, ROW_TEXT, said
from channels.whatsapp.twilio_buttons import OWN, content
from channels.whatsapp.twilio_templates import template
from hub import (
    Arrival,
    Button,
    ButtonPressed,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    HubError,
    InboundMessage,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Sent,
    Template,
    WebhookRequest,
)

PREFIX = "whatsapp:"


class TwilioWhatsAppSettings(TwilioSettings):
    """The form of an account."""

    @field_validator("sender")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        digits = re.sub(r"[ ().-]", "", value.strip().removeprefix(PREFIX))
        if digits and not re.fullmatch(r"\+[1-9]\d{6,14}", digits):
            raise ValueError("a WhatsApp sender is a number as +15551234567")
        return f"{PREFIX}{digits}" if digits else ""


class TwilioWhatsAppChannel(Channel):
    """Messages to and from WhatsApp users, carried by Twilio."""

    name = "whatsapp_twilio"
    title = "WhatsApp (Twilio)"
    icon = "message-circle"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        vouches=True,
        max_text=1_600,
        formatting=True,
        max_attachment_bytes=16_000_000,
        max_attachments=1,
        media_types=("image/*", "audio/*", "video/*", "application/*", "text/*"),
        receipts="read",
        rate_per_second=20.0,
        connections=4,
        send_timeout=timedelta(seconds=SECONDS + 10),
        initiates=True,
        reply_window=timedelta(hours=24),
        templates=True,
        buttons=10,
        button_label=ROW_TEXT,
    )
    Settings: ClassVar[type[BaseModel]] = TwilioWhatsAppSettings
    needs = (
        "A Twilio account with a WhatsApp sender, or its WhatsApp sandbox.",
        "The account SID and the auth token, from the first page of the Twilio console.",
        "A public https address of this hub; its webhook is entered at the sender by hand.",
    )

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(TwilioWhatsAppSettings, settings)
        self._twilio = Twilio(self._own, context.http)
        self._contents: dict[str, str] = {}

    async def open(self) -> None:
        """Load Twilio's library off the loop."""
        await self._twilio.warm()

    async def check(self) -> list[Check]:
        """Try the account."""
        return [await sending.account_check(self._twilio)]

    async def inspect(self) -> Health:
        """Ask after the account and its balance."""
        return await sending.account_health(self._twilio)

    async def templates(self) -> list[Template]:
        """Give the account's contents with what WhatsApp thinks of them, but for our own."""
        contents = await self._twilio.contents()
        found = [template(one) for one in contents if not _is_own(one)]
        return [one for one in found if one is not None]

    async def send(self, message: OutboundMessage) -> Sent:
        """Hand one message to Twilio: a template by its content, or words, a file, buttons."""
        values: dict[str, Any] = sending.common(self._own, self.context, message.idempotency_key)
        values["to"] = PREFIX + recipient(message.to)
        if message.buttons and not message.template:
            return await self._send_buttons(message, values)
        if message.template:
            if not message.template_reference:
                raise PermanentFailure(
                    RejectReason.OTHER, "the template is gone from the catalogue"
                )
            values["content_sid"] = message.template_reference
            if message.template_values:
                values["content_variables"] = json.dumps(dict(message.template_values))
            return await sending.send(self._twilio, values)
        if message.text:
            values["body"] = said(message.text)
        if message.attachments:
            values["media_url"] = sending.files(self.context, message)
        return await sending.send(self._twilio, values)

    async def _send_buttons(self, message: OutboundMessage, values: dict[str, Any]) -> Sent:
        """Send what fits beside the buttons with them, and the rest before them."""
        links = [f"{one.label}: {one.url}" for one in message.buttons if one.url]
        presses = [one for one in message.buttons if not one.url]
        text = "\n".join([*([said(message.text)] if message.text else []), *links])
        first = dict(values)
        if message.attachments:
            first["media_url"] = sending.files(self.context, message)
        if text and (not presses or len(text) > MAX_BODY):
            first["body"], text = text, ""
        parts = [first] if "body" in first or "media_url" in first else []
        if presses:
            words = json.dumps({"1": text or ABOVE})
            sid = await self._content_of(presses)
            parts.append({**values, "content_sid": sid, "content_variables": words})
        sent: list[str] = []
        for part in parts:
            try:
                found = await sending.send(self._twilio, part)
            except HubError as error:
                # The content may be gone from Twilio: the next time it is looked for.
                self._contents.clear()
                if not sent:
                    raise
                told = f"only {len(sent)} of {len(parts)} parts were sent: {error}"
                raise OutcomeUnknown(told) from error
            sent += found.external_ids
        return replace(found, external_ids=tuple(sent))

    async def _content_of(self, presses: Sequence[Button]) -> str:
        """Give the content of a set of buttons; it is made once for the account."""
        wanted = content(presses)
        name = wanted["friendly_name"]
        if name not in self._contents:
            known = await self._twilio.contents()
            self._contents |= {one.friendly_name: one.sid for one in known if _is_own(one)}
        if name not in self._contents:
            self._contents[name] = await self._twilio.add_content(wanted)
        return self._contents[name]

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Read a signed webhook: a message, a pressed button, or the state of a message."""
        fields = verify(self._own, request)
        arrivals.need_account(fields, self._own.account_sid)
        if arrivals.is_receipt(fields):
            return arrivals.receipt(fields, request)
        sender, aliases = person(
            fields.get("From", "").removeprefix(PREFIX),
            fields.get("WaId", ""),
            fields.get("ExternalUserId", "").removeprefix(PREFIX),
            fields.get("ParentExternalUserId", "").removeprefix(PREFIX),
            name=fields.get("ProfileName", ""),
        )
        found = arrivals.message(fields, request, sender, aliases)
        payload = fields.get("ButtonPayload") or fields.get("ListId", "")
        if payload and found.in_reply_to:
            return [
                ButtonPressed(
                    dedupe_key=found.dedupe_key,
                    external_id=found.in_reply_to,
                    press_id=found.external_id,
                    sender=sender,
                    payload=payload,
                    label=fields.get("ButtonText") or fields.get("ListTitle") or found.text,
                    at=found.sent_at,
                )
            ]
        return [_located(found, fields)]

    async def fetch(self, reference: str) -> bytes:
        """Get a file of a person's message from Twilio."""
        return await self._twilio.media(reference)


def _is_own(one: Any) -> bool:
    return str(one.friendly_name or "").startswith(OWN)


def _located(found: InboundMessage, fields: dict[str, str]) -> InboundMessage:
    """Put a shared place into words; Twilio gives it as fields of its own."""
    latitude, longitude = fields.get("Latitude", ""), fields.get("Longitude", "")
    if not latitude or not longitude:
        return found
    named = [fields.get("Label", ""), fields.get("Address", "")]
    lines = [f"📍 {latitude}, {longitude}", *named, found.text]
    text = "\n".join(dict.fromkeys(one for one in lines if one))
    return replace(found, text=text, unsupported="", raw=b"")
