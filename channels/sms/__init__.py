"""SMS and MMS through Twilio: texts to a number or a pool become dialogs."""

from __future__ import annotations

from channels.sms.channel import SmsChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the SMS channel."""
    return [SmsChannel]
