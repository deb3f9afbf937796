"""Facts about contacts and clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AccountId, AddressId, ClientId, ContactId, DialogId, MergeId, MessageId
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
    """An address was added, removed, moved, verified, unverified, blocked or unblocked.

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
class DetailsAnswered(Event):
    """A person answered when we asked for what his card lacked.

    `taken` (name, phone, email) went onto the card, unverified; `missing` could not be read.
    """

    type: ClassVar[str] = "details.answered"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"
    shown: ClassVar[bool] = True

    dialog_id: DialogId
    contact_id: ContactId
    message_id: MessageId
    taken: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsMerged(Event):
    """Two contacts became one: `contact_id` lives on with all that the other had."""

    type: ClassVar[str] = "contact.merged"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    merged_id: ContactId
    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsUnmerged(Event):
    """A merge was undone: `restored_id` is a contact of its own again."""

    type: ClassVar[str] = "contact.unmerged"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    restored_id: ContactId
    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSplit(Event):
    """An address of a contact became a person of its own."""

    type: ClassVar[str] = "contact.split"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    new_contact_id: ContactId
    address_id: AddressId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUnsplit(Event):
    """A split was undone: `contact_id` has again what the other card was made of."""

    type: ClassVar[str] = "contact.unsplit"
    subject_kind: ClassVar[str] = "contact"
    subject_field: ClassVar[str] = "contact_id"

    contact_id: ContactId
    new_contact_id: ContactId
    address_id: AddressId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsMerged(Event):
    """Two clients became one: `client_id` lives on with all that the other had."""

    type: ClassVar[str] = "client.merged"
    subject_kind: ClassVar[str] = "client"
    subject_field: ClassVar[str] = "client_id"

    client_id: ClientId
    merged_id: ClientId
    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsUnmerged(Event):
    """A merge was undone: `restored_id` is a client of its own again."""

    type: ClassVar[str] = "client.unmerged"
    subject_kind: ClassVar[str] = "client"
    subject_field: ClassVar[str] = "client_id"

    client_id: ClientId
    restored_id: ClientId
    merge_id: MergeId


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRejected(Event):
    """A colleague said that two cards are not one."""

    type: ClassVar[str] = "duplicate.rejected"
    subject_kind: ClassVar[str] = "object"
    subject_field: ClassVar[str] = "a_id"

    object_kind: str
    a_id: int
    b_id: int
