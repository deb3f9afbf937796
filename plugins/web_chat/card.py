"""The visitor on the card beside the dialog: where he is, where he came from, what he agreed to."""

from __future__ import annotations

from collections.abc import Mapping

from hub import (
    ActorKind,
    Dialog,
    Direction,
    Hub,
    Panel,
    PanelLine,
    UserId,
)
from plugins.web_chat.texts import language_of, translator
from plugins.web_chat.visitors import KIND


def _(text: str) -> str:
    return text


LINES = (
    ("page", _("Page")),
    ("landing_page", _("Came in at")),
    ("referrer", _("Came from")),
    ("utm_source", _("Source")),
    ("utm_campaign", _("Campaign")),
    ("email", _("E-mail")),
    ("user_id", _("User of the site")),
    ("consent", _("Consent")),
    ("browser", _("Browser")),
)
TITLE = _("Visitor")
VERIFIED = _("confirmed by the site")


async def visitor_panel(hub: Hub, dialog: Dialog) -> list[Panel]:
    """What the newest message of a visitor told; nothing for other channels' dialogs."""
    if dialog.address_kind != KIND:
        return []
    thread = await hub.thread(dialog.id)
    profile: Mapping[str, object] = {}
    for message in thread.messages:
        found = message.extra.get("profile")
        if message.direction is Direction.IN and isinstance(found, Mapping):
            profile = found
    translate = translator(await language_of_reader(hub))
    lines = []
    for key, label in LINES:
        value = str(profile.get(key, ""))
        if not value or (key == "landing_page" and value == profile.get("page")):
            continue
        href = value if value.startswith(("https://", "http://")) else ""
        shown = str(profile.get("page_title") or value) if key == "page" else value
        if key == "user_id" and profile.get("verified"):
            shown = f"{value} ({translate(VERIFIED)})"
        lines.append(PanelLine(label=translate(label), value=shown, href=href))
    if not lines:
        return []
    return [Panel(key="web_chat", title=translate(TITLE), lines=tuple(lines), order=30)]


async def language_of_reader(hub: Hub) -> str:
    """The language of the colleague who looks, else the organisation's."""
    if hub.actor.kind is ActorKind.USER:
        return language_of((await hub.user(UserId(hub.actor.id))).language)
    return language_of((await hub.brand()).language)
