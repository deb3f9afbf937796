"""How far a mailbox has been read: what a listener resumes from.

A mark is committed together with the letters it speaks of, so it is never ahead of them. It is
JSON with a schema number; older numbers are read for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from hub import MalformedPayload, Micros

SCHEMA = 2
DAY_US = 86_400_000_000
AGAIN_US = 31 * DAY_US
"""How far back a mailbox that was numbered anew is read once more."""
CLOCKS_US = 600_000_000
"""How far the clocks of two machines may be apart."""
_FIELDS = ("uidvalidity", "uid", "until", "since", "floor", "seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far one mailbox has been read.

    `uidvalidity` is the generation of its numbers, `uid` the last number that was read. Letters
    numbered below `until` are wanted only where they arrived after `since`. `floor` is the
    instant before which nothing was ever wanted, `seen` when letters were last read.
    """

    uidvalidity: int
    uid: int
    until: int = 0
    since: int = 0
    floor: int = 0
    seen: int = 0

    def upto(self, uid: int, now: Micros) -> Mark:
        """Give the mark after one more batch."""
        return replace(self, uid=max(uid, self.uid), seen=int(now))

    def wants(self, uid: int, arrived: int) -> bool:
        """Say whether a letter is to be read; `arrived` is 0 where the server does not say."""
        return uid >= self.until or not arrived or arrived >= self.since - CLOCKS_US

    def text(self) -> str:
        """Give the mark as it is stored."""
        values = {name: getattr(self, name) for name in _FIELDS if getattr(self, name)}
        return json.dumps({"schema": SCHEMA, **values})

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """Read a stored mark; None where there is none yet. Raises MalformedPayload."""
        if not text:
            return None
        try:
            data = json.loads(text)
            if int(data["schema"]) > SCHEMA:
                raise MalformedPayload("the mark of this mailbox was written by a newer version")
            values = {name: int(data.get(name, 0)) for name in _FIELDS}
            # A mark of schema 1 held the two numbers only.
            return cls(**{**values, "uidvalidity": int(data["uidvalidity"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MalformedPayload("the mark of this mailbox cannot be read") from error


def begun(uidvalidity: int, uidnext: int, *, days: int, now: Micros) -> Mark:
    """Give the mark of a mailbox that is read for the first time: from now, or some days back."""
    if not days:
        uid = max(0, uidnext - 1)
        return Mark(uidvalidity=uidvalidity, uid=uid, floor=int(now), seen=int(now))
    floor = max(0, int(now) - days * DAY_US)
    return Mark(
        uidvalidity=uidvalidity, uid=0, until=uidnext, since=floor, floor=floor, seen=int(now)
    )


def renumbered(known: Mark, uidvalidity: int, uidnext: int, *, now: Micros) -> Mark:
    """Give the mark of a mailbox whose numbers are worth nothing any more (RFC 9051 2.3.1.1).

    What arrived up to a month before it was last read is read again: letters that are known
    already are recognised by Message-ID and content, so nothing doubles and nothing is missed.
    """
    since = max(known.floor, (known.seen or int(now)) - AGAIN_US)
    return Mark(
        uidvalidity=uidvalidity,
        uid=0,
        until=uidnext,
        since=since,
        floor=known.floor,
        seen=known.seen,
    )
