"""Quick replies: ready texts that are found by `/`, filled in for the client, and counted.

Personal, of a team, or everybody's; in Russian and English side by side, with a short variant for
channels of short texts, HTML for letters, a provider's template for closed windows, files and buttons. Everything is
done through the public hooks.
"""

from __future__ import annotations

from hub import (
    Ageing,
    BrandChanged,
    Dialog,
    Event,
    Handler,
    Hub,
    NavEntry,
    OutboundTransform,
    Route,
    Suggestion,
    UiPart,
    UsedBy,
    hookimpl,
)
from plugins.quick_replies import api, pages
from plugins.quick_replies.ageing import VERSIONS
from plugins.quick_replies.commands import handlers
from plugins.quick_replies.facts import QuickReplyChanged
from plugins.quick_replies.favourites import FavourReply, favour
from plugins.quick_replies.guarding import guard
from plugins.quick_replies.replies import of_team
from plugins.quick_replies.starters import renamed, starter_commands
from plugins.quick_replies.suggesting import suggestions
from plugins.quick_replies.tables import declare
from plugins.quick_replies.uses import count

event_types = ("message.queued", "dialog.status_changed", "brand.changed")


@hookimpl
def register_tables(metadata: object) -> None:
    """The replies, their files, their uses, and everybody's favourites."""
    declare(metadata)


@hookimpl
def register_commands() -> list[Handler]:
    """Saving, removing, counting, favourites."""
    return [*handlers(), Handler(command=FavourReply, handle=favour)]


@hookimpl
def register_events() -> list[type[Event]]:
    """A reply was changed or removed."""
    return [QuickReplyChanged]


@hookimpl
def register_transforms() -> list[OutboundTransform]:
    """Nothing leaves while a placeholder stands in it."""
    return [OutboundTransform(name="placeholders", order=100, apply=guard)]


@hookimpl
async def uses_of(hub: Hub, kind: str, object_id: int) -> list[UsedBy]:
    """Name the replies that a team has of its own."""
    return await of_team(hub, object_id) if kind == "team" else []


@hookimpl
def register_ageing() -> list[Ageing]:
    """What replies said before goes when a rule of retention says so."""
    return [VERSIONS]


@hookimpl
def register_routes() -> list[Route]:
    """The pages under Marketing, and the same for programs."""
    return [*api.routes(), *pages.routes()]


@hookimpl
def register_ui() -> list[UiPart]:
    """Templates, a tab of Marketing."""
    return [
        NavEntry(
            key="marketing",
            title="Marketing",
            path="/p/quick_replies/",
            icon="rocket",
            order=40,
            tab="Templates",
            keys="G M",
        )
    ]


@hookimpl
async def startup(hub: Hub) -> None:
    """The first start brings eight replies to begin with, in the organisation's language."""
    commands = await starter_commands(hub)
    if commands:
        await hub.do(*commands)


@hookimpl
async def suggest_replies(hub: Hub, dialog: Dialog, text: str) -> list[Suggestion]:
    """What is looked for, or what fits the client's last words."""
    return await suggestions(hub, dialog, text)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Count what was sent, and which dialogs were solved after it; follow the house's language."""
    await count(hub, events)
    if any(isinstance(one, BrandChanged) for one in events) and (commands := await renamed(hub)):
        await hub.do(*commands)
