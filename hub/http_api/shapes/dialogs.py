"""Dialogs and messages as the API gives and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hub.records.dialogs import DialogStatus, Direction
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

Address = Word
MAX_MANY = 200


class Dialog(Shape):
    """A dialog; `unread`, `draft` and `muted` are the asking user's own."""

    id: Id
    account_id: Id
    channel: str
    contact_id: OptionalId
    address_id: OptionalId
    contact_name: str
    address: str
    address_kind: str
    subject: str
    status: DialogStatus
    assignee_id: OptionalId
    team_id: OptionalId
    priority: int
    snoozed_until: Instant
    created_at: Instant
    closed_at: Instant
    last_at: Instant
    last_message_id: OptionalId
    last_direction: str
    preview: str
    waiting_since: Instant
    last_inbound_at: Instant
    inbound_count: int
    message_count: int
    failed: bool
    group: bool
    merged_into: OptionalId
    version: int
    tags: list[str]
    unread: int
    draft: str
    muted: bool
    window_until: Instant = Field(
        description="When the channel's reply window closes; from then on only templates leave."
    )


class Counters(Shape):
    """How many dialogs each standing view holds; counting stops at 1000."""

    mine: int
    unassigned: int
    all: int
    waiting: int
    mentions: int
    snoozed: int
    failed: int
    unread: int


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


class Actor(Shape):
    """Who acted: a user, a token of a user, a contact, a rule, a plugin or the hub."""

    kind: str
    id: OptionalId
    name: str


class Cause(Shape):
    """What provoked an automatic act; empty for a person's own."""

    kind: str
    id: OptionalId
    depth: int
    text: str


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


class SayLabel(Body):
    """What a message is about; empty takes the label off."""

    label: str = Field(default="", max_length=60)


class MessageVersion(Shape):
    """An earlier text of an edited message."""

    at: Instant
    text: str


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


class Draft(Shape):
    """What the asking user has not sent yet."""

    dialog_id: Id
    mode: str
    text: str
    attachments: list[Id]
    reply_to: OptionalId
    updated_at: Instant


# -- requests ------------------------------------------------------------------------------


class GivenAddress(Body):
    """An address of a network, in its own spelling."""

    kind: Word = Field(examples=["email"])
    value: Word = Field(min_length=1, examples=["anna@example.org"])
    name: Word = ""


class StartDialog(Body):
    """Whom to write first, and from which account."""

    account_id: GivenId
    to: GivenAddress
    subject: Word = ""


class ChangeDialog(Body):
    """What to change; a field that is left out stays as it is."""

    status: Literal["open", "waiting", "closed"] | None = None
    subject: Word | None = None
    priority: Literal[-1, 0, 1, 2] | None = None
    snoozed_until: GivenInstant | None = None
    muted: bool | None = None
    expected_status: Literal["new", "open", "waiting", "snoozed", "closed"] | None = Field(
        default=None, description="The status you saw; another one is refused with 409."
    )


class Assign(Body):
    """Whom to give it to; null is nobody."""

    user_id: GivenId | None = None
    team_id: GivenId | None = Field(default=None, description="Left out: the team stays.")
    expected: GivenId | None = Field(
        default=None, description="The assignee you saw (`0`: nobody); another is refused with 409."
    )


class ChangeTags(Body):
    """Tags by name; an unknown one is created."""

    add: list[Word] = Field(default_factory=list, max_length=MAX_MANY)
    remove: list[Word] = Field(default_factory=list, max_length=MAX_MANY)


class MarkRead(Body):
    """Up to which message the dialog is read; null marks it unread."""

    message_id: GivenId | None = None


class SaveDraft(Body):
    """The unsent text; an empty one removes the draft."""

    mode: Literal["reply", "note"] = "reply"
    text: Text = ""
    attachments: list[GivenId] = Field(default_factory=list, max_length=MAX_MANY)
    reply_to: GivenId | None = None


class SplitDialog(Body):
    """From which message on a dialog of its own begins."""

    message_id: GivenId
    subject: Word = ""


class MergeDialogs(Body):
    """Which dialog is appended to this one."""

    merged_id: GivenId


class LinkContact(Body):
    """With whom the dialog really is."""

    contact_id: GivenId


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
