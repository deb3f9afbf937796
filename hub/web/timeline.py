"""The timeline of a dialog: its messages and the shown facts between them, with separators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hub.records.dialogs import Direction, HistoryLine, Message, Thread

CLOSE_US = 120_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: a message, a fact, the beginning of a day, the unread line."""

    kind: str
    at: int
    message: Message | None = None
    line: HistoryLine | None = None
    follows: bool = False


def timeline(thread: Thread, *, with_unread: bool = True, zone: str = "UTC") -> list[Entry]:
    """Put messages and history in the order of their instants, with the reader's days."""
    clock = _zone(zone)
    found: list[Entry] = []
    day: date | None = None
    unread_at = _first_unread(thread) if with_unread else 0
    previous: Message | None = None
    for entry in _in_order(thread):
        today = datetime.fromtimestamp(entry.at / 1_000_000, UTC).astimezone(clock).date()
        if today != day:
            day, previous = today, None
            found.append(Entry("day", entry.at))
        message = entry.message
        if message is None:
            previous = None
            found.append(entry)
            continue
        if unread_at and entry.at >= unread_at and message.direction is Direction.IN:
            found.append(Entry("unread", entry.at))
            unread_at, previous = 0, None
        follows = _follows(message, previous)
        found.append(Entry("message", entry.at, message=message, follows=follows))
        previous = message
    return found


def _in_order(thread: Thread) -> list[Entry]:
    entries = [Entry("message", one.at, message=one) for one in thread.messages]
    entries += [Entry("line", one.at, line=one) for one in thread.history if _says_more(one)]
    entries.sort(key=lambda one: (one.at, not _begins(one)))
    # The beginning is recorded when a message is taken in, which is later than it was written.
    beginning = next((one for one in entries if _begins(one)), None)
    if beginning is not None and not thread.has_older and thread.messages:
        entries.remove(beginning)
        entries.insert(0, Entry("line", min(beginning.at, entries[0].at), line=beginning.line))
    return entries


def _begins(entry: Entry) -> bool:
    return entry.line is not None and entry.line.type == "dialog.opened"


def _says_more(line: HistoryLine) -> bool:
    """A dialog becomes open by itself when somebody answers: the answer says so already."""
    return not (
        line.type == "dialog.status_changed"
        and line.data.get("before") in ("new", "waiting")
        and line.data.get("after") == "open"
    )


def _first_unread(thread: Thread) -> int:
    """Give the instant of the first message that the reader has not seen, 0 where there is none."""
    if not thread.dialog.unread:
        return 0
    seen_at = next((one.at for one in thread.messages if one.id == thread.read_up_to), 0)
    if thread.read_up_to and not seen_at:
        # What was seen lies before this window: as many as are unread, counted from the end.
        inbound = [one for one in thread.messages if one.direction is Direction.IN]
        return inbound[-min(thread.dialog.unread, len(inbound))].at if inbound else 0
    return next(
        (one.at for one in thread.messages if one.direction is Direction.IN and one.at > seen_at),
        0,
    )


def _follows(message: Message, previous: Message | None) -> bool:
    return (
        previous is not None
        and previous.direction is message.direction
        and previous.author_name == message.author_name
        and message.at - previous.at < CLOSE_US
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError):
        return ZoneInfo("UTC")
