"""Web chat: one script tag on a site, and its visitors become dialogs, answered live.

The browser posts to the account's ordinary webhook address and takes answers from the store;
the endpoints here only show a visitor what is his. Everything goes through the public hooks.
"""

from __future__ import annotations

from hub import Channel, Dialog, Hub, Panel, Route, UiPart, hookimpl
from plugins.web_chat import section
from plugins.web_chat.card import visitor_panel
from plugins.web_chat.channel import WebChatChannel
from plugins.web_chat.pages import WebChatPages
from plugins.web_chat.streams import STREAMS


@hookimpl
def register_channels() -> list[type[Channel]]:
    """One kind of channel: the chat of a site."""
    return [WebChatChannel]


@hookimpl
def register_routes() -> list[Route]:
    """What browsers call, and what the account's page shows."""
    return [*section.routes(), *WebChatPages().routes()]


@hookimpl
def register_ui() -> list[UiPart]:
    """The line for the site, on the account's page."""
    return section.parts()


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Where the visitor is and where he came from."""
    return await visitor_panel(hub, dialog)


@hookimpl
async def shutdown(hub: Hub) -> None:
    """Let the visitors' browsers go, so that they come back to the next start."""
    await STREAMS.close()
