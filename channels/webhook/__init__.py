"""Webhook: any system that can post JSON becomes a channel, without a line of code here."""

from __future__ import annotations

from channels.webhook.channel import WebhookChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the generic channel."""
    return [WebhookChannel]
