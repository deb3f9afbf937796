"""One browser's end of the live stream: what waits for it, and what it has open.

A newer item of the same key replaces the older one, so a slow browser gets fewer, never stale,
updates; one that is far too slow is told to read its page again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from crm_store.viewer import Place, Viewer

if TYPE_CHECKING:
    from hub.handle import BoundHub

MAX_PENDING = 500
MAX_WATCHED = 50
RESYNC = {"k": "resync"}
FLUSH_SECONDS = 0.1
FLUSH_EACH = 0.0005
FLUSH_LONGEST = 0.3
# What is not repaired by reading the page again.
ALWAYS = frozenset({"session", "resync"})


class Written(str):
    """An item as JSON, written once for all browsers that get the same."""

    __slots__ = ()


Item = dict[str, Any] | Written


def write_item(item: dict[str, Any]) -> Written:
    """Write an item down."""
    return Written(json.dumps(item, ensure_ascii=False, separators=(",", ":")))


def flush_pause(browsers: int) -> float:
    """Say how long changes are gathered: the more browsers, the fewer and fuller the frames."""
    return min(FLUSH_LONGEST, max(FLUSH_SECONDS, FLUSH_EACH * browsers))


@dataclass(eq=False, slots=True)
class Connection:
    """One browser."""

    id: str
    hub: BoundHub
    viewer: Viewer
    language: str
    session: str
    address: str
    dialogs: frozenset[int] = frozenset()
    pending: dict[str, Item] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: bool = False
    counts: bool = False
    counted_at: float = 0.0
    last: int = 0
    follows: bool = False
    closed: bool = False
    full: bool = False

    def put(self, key: str, item: Item, *, urgent: bool = False) -> None:
        """Queue an item; a newer one of the same key replaces it."""
        if len(self.pending) >= MAX_PENDING and key not in self.pending:
            # Too slow for what happens: everything is dropped, and the page reads itself again.
            self.pending = {"resync": RESYNC}
        elif "resync" not in self.pending or key in ALWAYS:
            self.pending.pop(key, None)
            self.pending[key] = item
        self.urgent = self.urgent or urgent
        self.wake.set()

    def put_all(self, items: Mapping[str, Item]) -> None:
        """Queue items that do not hurry, each as `put` does."""
        if "resync" in self.pending or len(self.pending) + len(items) > MAX_PENDING:
            for key, item in items.items():
                self.put(key, item)
        elif items:
            for key in self.pending.keys() & items.keys():
                del self.pending[key]
            self.pending.update(items)
            self.wake.set()

    def take(self) -> list[Item]:
        """Give what is to be sent now."""
        items, self.pending = list(self.pending.values()), {}
        self.urgent = False
        return items

    def sees(self, place: Place) -> bool:
        """Say whether something of this dialog may be told to this browser."""
        return self.viewer.may("dialogs.view") and self.viewer.sees_dialog(
            place.account_id, place.assignee_id, place.team_id, place.called
        )


@lru_cache(64)
def _joined(items: tuple[Written, ...]) -> bytes:
    """Join items, once for all browsers that get the very same."""
    return ",".join(items).encode()


def write_frame(items: Sequence[Item], epoch: str, last: int) -> bytes:
    """Write one numbered event of the stream."""
    # Rows, which hundreds of browsers get in the same moment, stand before what is a browser's own.
    shared = tuple(one for one in items if isinstance(one, Written))
    parts = [_joined(shared)] if shared else []
    if len(shared) < len(items):
        parts += [write_item(one).encode() for one in items if not isinstance(one, Written)]
    return b"id: %s-%d\ndata: [%s]\n\n" % (epoch.encode(), last, b",".join(parts))


def read_opened(text: str) -> dict[int, str]:
    """Read open dialogs out of an address: `<id>:<position>,<id>:<position>`."""
    found = {}
    for one in text.split(",")[:MAX_WATCHED]:
        dialog_id, _, drawn_at = one.partition(":")
        if dialog_id.isdigit():
            found[int(dialog_id)] = drawn_at
    return found


def live_position(request: Request) -> str:
    """Give the number of the last fact that a page drawn from now on has certainly seen."""
    runtime = request.app.state.runtime
    return f"{runtime.epoch}-{runtime.feed.last}"
