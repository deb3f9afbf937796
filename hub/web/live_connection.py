"""One browser's end of the live stream: what waits for it, and what it has open.

A newer item of the same key replaces the older one, so a slow browser gets fewer, never stale,
updates; one that is far too slow is told to read its page again.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from crm_store.viewer import Viewer
from hub.ids import AccountId
from hub.objects import Actor

MAX_PENDING = 500
MAX_WATCHED = 50
RESYNC = {"k": "resync"}
# What is not repaired by reading the page again.
ALWAYS = frozenset({"session", "resync"})


@dataclass(eq=False, slots=True)
class Connection:
    """One browser."""

    id: str
    actor: Actor
    viewer: Viewer
    language: str
    session: str
    dialogs: frozenset[int] = frozenset()
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: bool = False
    counts: bool = False
    counted_at: float = 0.0
    last: int = 0
    closed: bool = False

    def put(self, key: str, item: dict[str, Any], *, urgent: bool = False) -> None:
        """Queue an item; a newer one of the same key replaces it."""
        if len(self.pending) >= MAX_PENDING and key not in self.pending:
            # Too slow for what happens: everything is dropped, and the page reads itself again.
            self.pending = {"resync": RESYNC}
        elif "resync" not in self.pending or key in ALWAYS:
            self.pending.pop(key, None)
            self.pending[key] = item
        self.urgent = self.urgent or urgent
        self.wake.set()

    def take(self) -> list[dict[str, Any]]:
        """Give what is to be sent now."""
        items, self.pending = list(self.pending.values()), {}
        self.urgent = False
        return items

    def sees(self, account_id: AccountId) -> bool:
        """Say whether something of this account may be told to this browser."""
        return self.viewer.may("dialogs.view") and self.viewer.sees_account(account_id)


def write_frame(items: list[dict[str, Any]], epoch: str, last: int) -> bytes:
    """Write one numbered event of the stream."""
    body = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    return f"id: {epoch}-{last}\ndata: {body}\n\n".encode()


def read_opened(text: str) -> dict[int, str]:
    """Read open dialogs out of an address: `<id>:<position>,<id>:<position>`."""
    found = {}
    for one in text.split(",")[:MAX_WATCHED]:
        dialog_id, _, drawn_at = one.partition(":")
        if dialog_id.isdigit():
            found[int(dialog_id)] = drawn_at
    return found
