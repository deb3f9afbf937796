"""The Callback API: this hub's address at VK, and the word by which it proves itself.

VK asks the address for a confirmation string before it sends events there; the string changes
whenever the list of servers is edited, so it is fetched right before (dev.vk.com, "Callback
API").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.vk.client import VkClient

TITLE = "Dialog Hub"
DIALOG_EVENTS = (
    "message_new",
    "message_edit",
    "message_event",
    "message_allow",
    "message_deny",
    "message_read",
    "message_typing_state",
    "message_reaction_event",
)
SHOP_EVENTS = ("market_order_new", "market_order_edit", "lead_forms_new")
"""Known to the Callback API's settings only; for long poll they are ticked by hand at VK."""


def switches(*events: str) -> dict[str, bool]:
    """Give what to hear of; `message_reply` is only the echo of what we send."""
    return {**dict.fromkeys(events, True), "message_reply": False}


async def confirmation(client: VkClient, group_id: int) -> str:
    """Give the string with which the hub's address answers VK's question."""
    found = await client.call("groups.getCallbackConfirmationCode", group_id=group_id)
    return str(found.get("code", "")) if isinstance(found, Mapping) else ""


async def servers(client: VkClient, group_id: int) -> list[Mapping[str, Any]]:
    """Give the community's callback servers."""
    found = await client.call("groups.getCallbackServers", group_id=group_id)
    items = found.get("items") if isinstance(found, Mapping) else None
    return [one for one in items or () if isinstance(one, Mapping)]


async def register(client: VkClient, group_id: int, url: str, secret: str) -> int:
    """Make the hub's address one of the community's servers, with our secret and our events.

    Gives the server's number. Harmless when repeated.
    """
    known = [one for one in await servers(client, group_id) if one.get("url") == url]
    values = {"group_id": group_id, "url": url, "title": TITLE, "secret_key": secret}
    if not known:
        added = await client.call("groups.addCallbackServer", **values)
        server = int(added["server_id"])
    else:
        server = int(known[0]["id"])
        if known[0].get("secret_key") != secret or known[0].get("status") == "failed":
            await client.call("groups.editCallbackServer", server_id=server, **values)
    await client.call(
        "groups.setCallbackSettings",
        group_id=group_id,
        server_id=server,
        api_version="5.199",
        **switches(*DIALOG_EVENTS, *SHOP_EVENTS),
    )
    return server


async def unregister(client: VkClient, group_id: int, url: str) -> None:
    """Take the hub's address off the community's servers."""
    for one in await servers(client, group_id):
        if one.get("url") == url:
            await client.call("groups.deleteCallbackServer", group_id=group_id, server_id=one["id"])
