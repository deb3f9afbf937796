"""Facts about the house on their way to open pages: rights, channels, people, objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_store.viewer import Reader, Viewer
from hub.events import (
    AccountChanged,
    AccountRemoved,
    ChannelDown,
    ChannelUp,
    Event,
    HeldReleased,
    NetworksChanged,
    NoticeRaised,
    SessionsRevoked,
    UserChanged,
)
from hub.rights import TELLING
from hub.web import networks
from hub.web.live_connection import Connection
from hub.web.live_objects import PERSON, About, AboutPerson, Owned, hears, owned, wanted

if TYPE_CHECKING:
    from hub.runtime import Runtime

BANNERS = (ChannelDown, ChannelUp, AccountChanged, AccountRemoved, HeldReleased)
"""After these other words may stand above every page."""


def viewer_of(reader: Reader) -> Viewer:
    """Give who looks, with the rights of now."""
    return reader.viewer


async def tell_house(runtime: Runtime, events: list[Event], connections: list[Connection]) -> None:
    """Tell of rights that changed, channels that went down, people, objects."""
    if any(isinstance(one, TELLING) for one in events):
        # Who may see what has perhaps changed: nobody is told more than he may see.
        for one in connections:
            before, one.viewer = one.viewer, await one.hub.read(viewer_of)
            if one.viewer != before:
                one.put("session", {"k": "session"}, urgent=True)
    if any(isinstance(one, NetworksChanged) for one in events):
        await networks.renew(runtime)
        for one in connections:
            if not networks.admits(runtime, one.address):
                one.put("session", {"k": "session"}, urgent=True)
                one.closed = True
    for event in events:
        if isinstance(event, SessionsRevoked | UserChanged):
            for one in connections:
                if one.viewer.user_id == event.user_id:
                    one.put("session", {"k": "session"}, urgent=True)
                    one.closed = isinstance(event, SessionsRevoked) or one.closed
        elif isinstance(event, BANNERS):
            for one in connections:
                one.put("banners", {"k": "banners"})
        elif isinstance(event, NoticeRaised):
            for one in connections:
                if one.viewer.user_id == event.user_id:
                    one.put("notices", {"k": "notice", "kind": event.kind}, urgent=True)
    about = [one for one in events if isinstance(one, About | AboutPerson)]
    await _tell_objects(runtime, about, connections)


async def _tell_objects(
    runtime: Runtime, events: list[About | AboutPerson], connections: list[Connection]
) -> None:
    """Only which object or person: the page asks for it again, with its reader's rights."""
    nouns = runtime.nouns
    asked = wanted(events, nouns, [one.viewer for one in connections])
    known: Owned = {}
    if asked:
        known = await runtime.database.read(lambda conn: owned(conn, nouns, asked))
    for event in events:
        item: dict[str, str]
        if isinstance(event, AboutPerson):
            kind, number = PERSON, str(event.contact_id)
            key, item = f"contact:{number}", {"k": "contact", "id": number}
        else:
            kind, number = event.object_kind, str(event.object_id)
            key, item = f"object:{kind}:{number}", {"k": "object", "kind": kind, "id": number}
        noun = nouns.get(kind)
        for one in connections:
            if noun is not None and hears(one.viewer, noun, event, known):
                one.put(key, item)
