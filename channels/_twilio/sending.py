"""The part of a message on its way out that every channel over Twilio makes alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from channels._twilio.arrivals import DELIVERY, STATES
from channels._twilio.refusals import reason_of
from channels._twilio.settings import TwilioSettings
from channels._twilio.wire import Twilio
from hub import (
    ChannelContext,
    Check,
    DeliveryStatus,
    Health,
    HubError,
    OutboundMessage,
    PermanentFailure,
    Sent,
)


def common(settings: TwilioSettings, context: ChannelContext, key: str) -> dict[str, Any]:
    """Give the sender, and the callback that names the delivery by our own key."""
    values: dict[str, Any] = {}
    if settings.messaging_service:
        values["messaging_service_sid"] = settings.messaging_service
    if settings.sender:
        values["from_"] = settings.sender
    if context.hook_url:
        values["status_callback"] = f"{context.hook_url}?{DELIVERY}={quote(key, safe='')}"
    return values


def files(context: ChannelContext, message: OutboundMessage) -> list[str]:
    """Give addresses under which Twilio fetches the message's files; raises Unsupported."""
    return [context.share(one) for one in message.attachments]


async def send(twilio: Twilio, values: Mapping[str, Any]) -> Sent:
    """Hand one message over, and say what Twilio's answer proves."""
    found = await twilio.send(values)
    status = STATES.get(str(found.status), DeliveryStatus.SENT)
    if status is DeliveryStatus.FAILED:
        code = int(found.error_code or 0)
        raise PermanentFailure(reason_of(code), f"Twilio {code}: {found.error_message or ''}"[:400])
    return Sent(external_ids=(found.sid,), status=status)


async def account_health(twilio: Twilio) -> Health:
    """Ask how the account itself is doing."""
    status, amount, currency = await twilio.account()
    if status != "active":
        return Health(ok=False, text=f"Twilio says that the account is {status}")
    return Health(quota=f"{amount} {currency}".strip())


async def account_check(twilio: Twilio) -> Check:
    """Try the SID and the token."""
    try:
        found = await account_health(twilio)
    except HubError as error:
        return Check(name="Twilio account", ok=False, text=str(error))
    return Check(name="Twilio account", ok=found.ok, text=found.text or found.quota)
