"""Facts about the house on their way to open pages: rights, channels, people, objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_store.viewer import Reader, Viewer
from hub.events import (
    AccountChanged,
    AccountRemoved,
    AddressChanged,
    ChannelDown,
    ChannelUp,
    ContactChanged,
    ContactErased,
    Event,
    NoticeRaised,
    SessionsRevoked,
    UserChanged,
)
from hub.rights import TELLING
from hub.web.live_connection import (
    Connection,
)
from hub.web.live_objects import About, Owned, hears, owned, wanted

if TYPE_CHECKING:
    from hub.runtime import Runtime


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
    for event in events:
        if isinstance(event, SessionsRevoked | UserChanged):
            for one in connections:
                if one.viewer.user_id == event.user_id:
                    one.put("session", {"k": "session"}, urgent=True)
                    one.closed = isinstance(event, SessionsRevoked) or one.closed
        elif isinstance(event, ChannelDown | ChannelUp | AccountChanged | AccountRemoved):
            for one in connections:
                one.put("banners", {"k": "banners"})
        elif isinstance(event, ContactChanged | AddressChanged | ContactErased):
            contact_id = str(event.contact_id)
            for one in connections:
                one.put(f"contact:{contact_id}", {"k": "contact", "id": contact_id})
        elif isinstance(event, NoticeRaised):
            for one in connections:
                if one.viewer.user_id == event.user_id:
                    one.put("notices", {"k": "notice", "kind": event.kind}, urgent=True)
    await _tell_objects(runtime, [one for one in events if isinstance(one, About)], connections)


async def _tell_objects(
    runtime: Runtime, events: list[About], connections: list[Connection]
) -> None:
    """Only which object: its page asks for it again, with its reader's rights."""
    nouns = runtime.nouns
    asked = wanted(events, nouns, [one.viewer for one in connections])
    known: Owned = {}
    if asked:
        known = await runtime.database.read(lambda conn: owned(conn, nouns, asked))
    for event in events:
        noun = nouns.get(event.object_kind)
        if noun is None:
            continue
        kind, number = event.object_kind, event.object_id
        item = {"k": "object", "kind": kind, "id": str(number)}
        for one in connections:
            if hears(one.viewer, noun, event, known):
                one.put(f"object:{kind}:{number}", item)
