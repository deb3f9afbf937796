"""Facts about contacts and clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AccountId, AddressId, ClientId, ContactId
from hub.objects import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCreated(Event):
    """A human became known."""

    type: ClassVar[str] = "contact.created"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Event):
    """A contact's card changed; `fields` names what."""

    type: ClassVar[str] = "contact.changed"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChanged(Event):
    """An address was added, removed, verified, blocked or unblocked.

    `peer_blocked` and `peer_allowed` are the person's own word about writing from `account_id`.
    """

    type: ClassVar[str] = "address.changed"
    subject_kind: ClassVar[str] = "address"
    subject_field: ClassVar[str] = "address_id"

    address_id: AddressId
    contact_id: ContactId
    what: str
    account_id: AccountId = AccountId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCreated(Event):
    """A client card was made."""

    type: ClassVar[str] = "client.created"
    subject_kind: ClassVar[str] = "client"
    subject_field: ClassVar[str] = "client_id"

    client_id: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(Event):
    """A person was erased on request."""

    type: ClassVar[str] = "contact.erased"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChanged(Event):
    """Fields of an object changed; carries each with its value before and after."""

    type: ClassVar[str] = "object.changed"
    subject_kind: ClassVar[str] = "object"
    subject_field: ClassVar[str] = "object_id"

    object_kind: str
    object_id: int
    changes: tuple[Change, ...] = ()
