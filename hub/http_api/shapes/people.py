"""Contacts, their addresses and clients as the API gives and takes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub.http_api.shapes.dialogs import Dialog, GivenAddress
from hub.http_api.shapes.objects import (
    GIVEN_CUSTOM,
    OF_DIALOG,
    Custom,
    GivenCustom,
    body_of,
    shape_of,
)
from hub.nouns import MEETINGS
from hub.shapes import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Text, Word


class Address(Shape):
    """One address of a contact; `blocked` holds the reason, empty where it is not blocked."""

    id: Id
    kind: str
    value: str
    name: str
    verified: bool
    blocked: str
    verified_by: str = Field(description="channel, hand or click; empty: not verified.")
    verified_at: Instant
    matched_by: str = Field(
        description="What tied it to somebody known: phone, email, answer (he told it when we asked), or empty."
    )


class Contact(Shape):
    """A human who may write to us; `version` is also the ETag."""

    id: Id
    client_id: OptionalId
    name: str
    language: str
    time_zone: str
    position: str
    notes: str
    created_at: Instant
    last_at: Instant
    version: int
    addresses: list[Address]
    is_key: bool
    influence: str = Field(description="unknown, low, medium or high")
    preferred_channel: str
    do_not_disturb: bool
    birthday: Instant
    tags: list[str]
    merged_into: OptionalId = Field(description="The contact that this one became a part of.")
    custom: Custom = Field(default_factory=dict, description="Own fields of the organisation.")


class SearchHit(Shape):
    """A found message with its dialog and the matched line."""

    dialog: Dialog
    message_id: Id
    at: Instant
    snippet: str


class SearchResults(Shape):
    """What a search found, by kind; `next` continues the messages."""

    messages: list[SearchHit]
    dialogs: list[Dialog]
    contacts: list[Contact]
    next: str


# -- requests ------------------------------------------------------------------------------


class CreateContact(Body):
    """A new contact."""

    name: Word = Field(min_length=1, examples=["Anna Petrova"])
    addresses: list[GivenAddress] = Field(default_factory=list, max_length=50)
    client_id: GivenId | None = None
    position: Word | None = None
    is_key: bool | None = None
    influence: Word | None = None
    preferred_channel: Word | None = None
    do_not_disturb: bool | None = None
    language: Word | None = None
    time_zone: Word | None = None
    birthday: GivenInstant | None = None
    tags: list[Word] | None = None
    notes: Text | None = None
    custom: GivenCustom | None = Field(None, description=GIVEN_CUSTOM)


class UpdateContact(Body):
    """What to change; a field that is left out stays as it is."""

    name: Word | None = None
    language: Word | None = None
    time_zone: Word | None = None
    notes: Text | None = None
    position: Word | None = None
    client_id: GivenId | None = None
    is_key: bool | None = None
    influence: Word | None = None
    preferred_channel: Word | None = None
    do_not_disturb: bool | None = None
    birthday: GivenInstant | None = None
    tags: list[Word] | None = None
    custom: GivenCustom | None = Field(None, description=GIVEN_CUSTOM)
    version: int | None = Field(
        default=None, description="The version you saw; another is refused with 409."
    )


class AddAddress(Body):
    """One more address."""

    kind: Word = Field(min_length=1)
    value: Word = Field(min_length=1)
    name: Word = ""


class BlockAddress(Body):
    """Why its messages are refused; an empty reason takes them again."""

    reason: Word


class VerifyAddress(Body):
    """Whether an address is known to be its contact's, and how that is known."""

    verified: bool = True
    by: Literal["hand", "click"] = "hand"


class MergeCards(Body):
    """Which card becomes a part of which."""

    merged_id: GivenId = Field(description="The card that becomes a part of this one.")
    take: list[Word] = Field(
        default_factory=list,
        max_length=50,
        description="Properties to take from the merged card; else this one's stay.",
    )
    version: int | None = Field(default=None, description="The version of this card you saw.")
    merged_version: int | None = Field(default=None, description="The version of the other.")


class SplitAddress(Body):
    """The name of the person that an address becomes; empty: the address's own."""

    name: Word = ""


class MergeField(Shape):
    """A property in which two cards differ; `fills`: the survivor has none and gets the other's."""

    name: str
    survivor: Any
    merged: Any
    fills: bool


class MergePreview(Shape):
    """What a merge would move (rows by their sort), and the properties that differ."""

    moves: dict[str, int]
    fields: list[MergeField]


class Merge(Shape):
    """A merge that can be undone."""

    id: Id
    kind: str
    survivor_id: Id
    merged_id: Id
    merged_name: str
    at: Instant


class Likeness(Shape):
    """A card that is like the given one: reasons are phone, email, inn, name."""

    id: Id
    name: str
    score: int
    reasons: list[str]


class DuplicatePair(Shape):
    """Two cards that may be one."""

    kind: str
    a_id: Id
    b_id: Id
    a_name: str
    b_name: str
    score: int
    reasons: list[str]
    found_at: Instant


class RejectDuplicate(Body):
    """Two cards that are not one."""

    a_id: GivenId
    b_id: GivenId


class SaidAddress(Shape):
    """A phone or an e-mail told in a message; `owner_id` has it already.

    `on_card` answered a question of ours: it (or a name) stands on the card, unverified.
    """

    id: Id
    dialog_id: Id
    message_id: Id
    kind: str
    value: str
    owner_id: OptionalId
    owner_name: str
    at: Instant
    on_card: bool


class SettleSaid(Body):
    """Whether a told address is the person's own; false takes one off the card again."""

    take: bool


class SetAside(Body):
    """Whose addresses are no clients; an empty reason forgets it."""

    dialog_ids: list[GivenId] = Field(min_length=1, max_length=200)
    reason: Literal["", "private", "spam", "supplier"]


class BelongTo(Body):
    """Whose people belong to a client; without one each becomes a new client."""

    dialog_ids: list[GivenId] = Field(min_length=1, max_length=200)
    client_id: GivenId | None = None


class TimelineEntry(Shape):
    """One line of what happened with a person or a client."""

    id: Id
    at: Instant
    kind: str = Field(description="message, note, call, meeting, act, move, lead, request, ...")
    title: str
    text: str = Field(description="The beginning of what was said.")
    who: str
    dialog_id: OptionalId
    ref_kind: str
    ref_id: OptionalId
    data: dict[str, Any]


class JourneyStep(Shape):
    """A stop on a client's way."""

    at: Instant
    kind: str
    word: str
    amount: int
    currency: str
    ref_kind: str
    ref_id: OptionalId


Meeting: Any = shape_of(MEETINGS, "Meeting", "A meeting, or a call noted by hand.")
CreateMeeting: Any = body_of(
    MEETINGS, "CreateMeeting", "A new meeting or call.", dialog_id=OF_DIALOG
)
ChangeMeeting: Any = body_of(
    MEETINGS, "ChangeMeeting", "What to change; what is left out stays, null empties."
)


class Erased(Shape):
    """What was erased of a person, and what stays."""

    erased: dict[str, int] = Field(description="How much of what.")
    stays: list[str] = Field(description="What stays, and why.")
