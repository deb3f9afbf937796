"""Messages and their deliveries as the API gives and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hub.http_api.shapes.dialogs import MAX_MANY, Actor, Cause, GivenAddress
from hub.records.dialogs import Direction
from hub.shapes import (
    MAX_HTML,
    Body,
    GivenId,
    GivenInstant,
    Id,
    Instant,
    OptionalId,
    Shape,
    Text,
    Word,
)


class Attachment(Shape):
    """A file; `state` is ready, pending or failed."""

    id: Id
    message_id: OptionalId
    name: str
    media_type: str
    size: int
    state: str
    content_id: str
    inline: bool
    error: str


class Person(Shape):
    """A name on a To, Cc or Bcc line."""

    address: str
    name: str


class Reaction(Shape):
    """A reaction to a message."""

    emoji: str
    who: str


def _reaction(value: Any) -> Any:
    return {"emoji": value[0], "who": value[1]} if isinstance(value, tuple) else value


class Quoted(Shape):
    """The entry that a message answers; no text where it was taken back."""

    id: Id
    author_name: str
    text: str


class Message(Shape):
    """An entry of a dialog; `status` is the delivery's, empty for what came in."""

    id: Id
    dialog_id: Id
    account_id: Id
    direction: Direction
    author: Actor
    author_name: str
    text: str
    subject: str
    at: Instant
    received_at: Instant
    status: str
    reason: str
    reason_text: str
    automated: bool
    cause: Cause
    external_id: str
    reply_to: OptionalId
    has_html: bool
    has_quote: bool
    late: bool
    unsupported: str
    due_at: Instant
    edited_at: Instant
    to: list[Person]
    cc: list[Person]
    bcc: list[Person]
    attachments: list[Attachment]
    quoted: Quoted | None = None
    reactions: list[Annotated[Reaction, BeforeValidator(_reaction)]]
    mentions: list[Id]
    extra: dict[str, Any]


class WholeMessage(Message):
    """A message with its full text and its HTML as it came: clean it before showing it."""

    full_text: str
    html: str


class MessageVersion(Shape):
    """An earlier text of an edited message."""

    at: Instant
    text: str


class Attempt(Shape):
    """One try at the wire."""

    started_at: Instant
    took_us: int
    outcome: str
    code: str
    text: str


class Delivery(Shape):
    """A message on its way, with every attempt."""

    id: Id
    message_id: Id
    dialog_id: Id
    account_id: Id
    lane: str
    status: str
    due_at: Instant
    attempts: list[Attempt]
    attempt_count: int
    reason: str
    reason_text: str
    held: bool
    created_at: Instant
    sent_at: Instant
    delivered_at: Instant
    read_at: Instant


# -- requests ------------------------------------------------------------------------------


class GivenButton(Body):
    """A button under a message."""

    label: Word
    payload: Word = ""
    url: Word = ""


class SendMessage(Body):
    """An answer; `seen_message_id` arms the guard against writing past a newer message."""

    text: Text = Field(default="", examples=["Your parcel leaves today."])
    html: str = Field(default="", max_length=MAX_HTML)
    subject: Word = ""
    to: GivenAddress | None = None
    cc: list[GivenAddress] = Field(default_factory=list, max_length=100)
    bcc: list[GivenAddress] = Field(default_factory=list, max_length=100)
    attachments: list[GivenId] = Field(default_factory=list, max_length=MAX_MANY)
    buttons: list[GivenButton] = Field(default_factory=list, max_length=MAX_MANY)
    reply_to: GivenId | None = None
    template: Word = ""
    template_language: Word = ""
    template_values: dict[Word, Word] = Field(default_factory=dict, max_length=MAX_MANY)
    seen_message_id: GivenId | None = None
    send_anyway: bool = False
    due_at: GivenInstant | None = None
    then: Literal["", "open", "waiting", "closed"] = ""


class EditMessage(Body):
    """What the message shall say."""

    text: Text = Field(min_length=1)


class SayLabel(Body):
    """What a message is about; empty takes the label off."""

    label: str = Field(default="", max_length=60)


class React(Body):
    """Our reaction; an empty one takes it away."""

    emoji: Word = ""


class MeasureText(Body):
    """A text that is not sent yet."""

    text: Text = ""


class Measured(Shape):
    """What a text would cost: `messages` leave, the provider counts `parts`.

    `units` of `unit_limit` are used under `encoding`; `cost` is in words. Where the channel
    counts nothing, only `messages` and `parts` say something.
    """

    messages: int
    parts: int
    units: int
    unit_limit: int
    encoding: str
    cost: str


class AddNote(Body):
    """What only colleagues see."""

    text: Text = Field(min_length=1)
    mentions: list[GivenId] = Field(default_factory=list, max_length=MAX_MANY)
    attachments: list[GivenId] = Field(default_factory=list, max_length=MAX_MANY)


class Reschedule(Body):
    """When a waiting message leaves."""

    due_at: GivenInstant


class Retry(Body):
    """`even_if_unknown`: send again although the first may have arrived."""

    even_if_unknown: bool = False
