"""E-mail: letters through IMAP and SMTP of any provider become dialogs, answers leave as letters."""

from __future__ import annotations

from channels.email.channel import EmailChannel
from hub import Channel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the e-mail channel."""
    return [EmailChannel]
