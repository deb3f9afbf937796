"""Telephone calls: every call to or from a number becomes an entry of the caller's dialog."""

from __future__ import annotations

from channels.calls.channel import CallsChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the channel."""
    return [CallsChannel]
