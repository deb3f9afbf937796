"""The first classifier: sorts what clients write by words, and always says which one it saw.

Word forms in Russian and English count, case does not. The first meaning whose words stand in the
text wins; a complaint goes before a question about a price. The words are written on a page under
Marketing. A better classifier is another plugin: third parties are asked first, and a colleague's
word goes before all of them.
"""

from __future__ import annotations

import asyncio

from hub import (
    Classifying,
    Event,
    Handler,
    Hub,
    Label,
    NavEntry,
    Route,
    UiPart,
    hookimpl,
)
from plugins.keyword_labels import pages
from plugins.keyword_labels.commands import MeaningsChanged, handlers
from plugins.keyword_labels.tables import declare
from plugins.keyword_labels.words import KNOWN, label_of

_following: set[asyncio.Task[None]] = set()


@hookimpl
def register_tables(metadata: object) -> None:
    """The words."""
    declare(metadata)


@hookimpl
def register_commands() -> list[Handler]:
    """Writing them."""
    return handlers()


@hookimpl
def register_events() -> list[type[Event]]:
    """They were written."""
    return [MeaningsChanged]


@hookimpl
def register_routes() -> list[Route]:
    """Their page."""
    return pages.routes()


@hookimpl
def register_ui() -> list[UiPart]:
    """The page stands beside those of marks and quick replies."""
    return [
        NavEntry(
            key="marketing",
            title="Marketing",
            path=pages.PATH,
            icon="rocket",
            order=65,
            tab="Meanings",
            permission="rules.view",
        )
    ]


@hookimpl
async def startup(hub: Hub) -> None:
    """Read the words, and again whenever some process wrote them."""
    await KNOWN.renew(hub)
    _following.add(asyncio.create_task(_follow(hub)))


async def _follow(hub: Hub) -> None:
    async for _ in hub.events((MeaningsChanged.type,)):
        await KNOWN.renew(hub)


@hookimpl
async def shutdown(hub: Hub) -> None:
    """Listen no longer."""
    while _following:
        _following.pop().cancel()


@hookimpl
def classify(classifying: Classifying) -> Label | None:
    """Give the first meaning whose words stand in the message."""
    message = classifying.message
    if message.automated:
        return None
    return label_of(f"{message.subject}\n{message.text}", KNOWN.words)
