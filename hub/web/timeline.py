"""The timeline of a dialog: its messages and the shown facts between them, with separators."""

from __future__ import annotations

from dataclasses import dataclass

from hub.records.dialogs import Direction, HistoryLine, Message, Thread

DAY_US = 86_400_000_000
CLOSE_US = 120_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    kind: str
    at: int
    message: Message | None = None
    line: HistoryLine | None = None
    follows: bool = False


def _begins(entry: Entry) -> bool:
    """The beginning of a dialog stands before its first message, which has the same instant."""
    return entry.line is not None and entry.line.type == "dialog.opened"


def timeline(thread: Thread, *, with_unread: bool = True) -> list[Entry]:
    """Put messages and history in the order of their instants."""
    entries = [Entry("message", one.at, message=one) for one in thread.messages]
    entries += [Entry("line", one.at, line=one) for one in thread.history]
    entries.sort(key=lambda one: (one.at, not _begins(one)))
    found: list[Entry] = []
    day = -1
    unread_shown = not with_unread
    seen_at = next((one.at for one in thread.messages if one.id == thread.read_up_to), None)
    previous: Message | None = None
    for entry in entries:
        if entry.at // DAY_US != day:
            day = entry.at // DAY_US
            found.append(Entry("day", entry.at))
            previous = None
        message = entry.message
        if message is None:
            previous = None
            found.append(entry)
            continue
        is_new = message.direction is Direction.IN and (
            (seen_at is not None and message.at > seen_at)
            or (not thread.read_up_to and thread.dialog.unread > 0)
        )
        if is_new and not unread_shown and thread.dialog.unread:
            found.append(Entry("unread", entry.at))
            unread_shown = True
            previous = None
        follows = (
            previous is not None
            and previous.direction is message.direction
            and previous.author_name == message.author_name
            and message.at - previous.at < CLOSE_US
        )
        found.append(Entry("message", entry.at, message=message, follows=follows))
        previous = message
    return found
