"""What was said and what happened in a dialog, as the API gives it."""

from __future__ import annotations

from typing import Any

from hub.http_api.shapes.dialogs import Actor, Cause, Dialog
from hub.http_api.shapes.messages import Message
from hub.shapes import Instant, OptionalId, Shape


class HistoryLine(Shape):
    """A shown fact of a dialog."""

    event_id: str
    at: Instant
    type: str
    actor: Actor
    actor_name: str
    cause: Cause
    data: dict[str, Any]


class Thread(Shape):
    """A window of a dialog, oldest first."""

    dialog: Dialog
    messages: list[Message]
    history: list[HistoryLine]
    has_older: bool
    has_newer: bool
    read_up_to: OptionalId
