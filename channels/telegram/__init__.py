"""Telegram: bots in private chats, groups, topics and connected business accounts."""

from __future__ import annotations

from channels.telegram.channel import TelegramChannel
from channels.telegram.linking import bind_starters, invitation
from hub import Channel, Dialog, Event, Hub, Panel, hookimpl


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the Telegram channel."""
    return [TelegramChannel]


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """A link by which this person can go on in Telegram, and is known there."""
    return await invitation(hub, dialog)


event_types = ("message.received",)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Whoever came by such a link is bound to the card he came from."""
    await bind_starters(hub, events)
