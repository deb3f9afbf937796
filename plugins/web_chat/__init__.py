"""Web chat: one script tag on a site, and its visitors become dialogs, answered live.

The browser posts to the account's ordinary webhook address and takes answers from the store;
the endpoints here only show a visitor what is his. Everything goes through the public hooks.
"""

from __future__ import annotations

from hub import Channel, Hub, Route, hookimpl
from plugins.web_chat.channel import WebChatChannel
from plugins.web_chat.pages import WebChatPages
from plugins.web_chat.streams import STREAMS


@hookimpl
def register_channels() -> list[type[Channel]]:
    """One kind of channel: the chat of a site."""
    return [WebChatChannel]


@hookimpl
def register_routes() -> list[Route]:
    """What browsers call."""
    return WebChatPages().routes()


@hookimpl
async def shutdown(hub: Hub) -> None:
    """Let the visitors' browsers go, so that they come back to the next start."""
    await STREAMS.close()
