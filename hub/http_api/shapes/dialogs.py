"""Dialogs as the API gives and takes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.records.dialogs import DialogStatus
from hub.shapes import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Text, Word

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


class DialogMerge(Shape):
    """A merge into a dialog that can be undone; `subject` is that of the dialog that would come back."""

    id: Id
    survivor_id: Id
    merged_id: Id
    subject: str
    at: Instant


class LinkContact(Body):
    """With whom the dialog really is."""

    contact_id: GivenId
