"""Contacts, their addresses and clients as the API gives and takes them."""

from __future__ import annotations

from pydantic import Field

from hub.http_api.shapes.base import Body, GivenId, Id, Instant, OptionalId, Shape, Text, Word
from hub.http_api.shapes.dialogs import Dialog, GivenAddress


class Address(Shape):
    """One address of a contact; `blocked` holds the reason, empty where it is not blocked."""

    id: Id
    kind: str
    value: str
    name: str
    verified: bool
    blocked: str


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


class Hits(Shape):
    """A page of found messages."""

    items: list[SearchHit]
    next: str


# -- requests ------------------------------------------------------------------------------


class CreateContact(Body):
    """A new contact."""

    name: Word = Field(min_length=1, examples=["Anna Petrova"])
    addresses: list[GivenAddress] = Field(default_factory=list, max_length=50)
    client_id: GivenId | None = None


class UpdateContact(Body):
    """What to change; a field that is left out stays as it is."""

    name: Word | None = None
    language: Word | None = None
    time_zone: Word | None = None
    notes: Text | None = None
    position: Word | None = None
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
