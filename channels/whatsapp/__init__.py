"""WhatsApp, in two ways: directly through Meta's Cloud API, or carried by Twilio.

Two kinds of account, because their forms share nothing and their abilities differ; the people
are the same, and so is the kind of their addresses.
"""

from __future__ import annotations

from channels.whatsapp.cloud import WhatsAppChannel
from channels.whatsapp.twilio import TwilioWhatsAppChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give both kinds."""
    return [WhatsAppChannel, TwilioWhatsAppChannel]
