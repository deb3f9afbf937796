"""MAX: a bot's dialogs in the Russian messenger, by webhook or, for trials, by asking."""

from __future__ import annotations

from channels.max_messenger.channel import MaxChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the MAX channel."""
    return [MaxChannel]
