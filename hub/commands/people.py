"""Commands about contacts and clients: the people who write to us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import NEVER, AddressId, ClientId, ContactId, DialogId, MergeId, Micros
from hub.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContact(Command):
    """Add a human with addresses; raises Conflict where an address belongs to another.

    `values` are further properties (hub/nouns/contacts.py), as people write them.
    """

    permission: ClassVar[str] = "contacts.edit"

    name: str
    addresses: tuple[Address, ...] = ()
    contact_id: ContactId = ContactId(0)
    client_id: ClientId = ClientId(0)
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContact(Command):
    """Change fields of a contact; None leaves a field alone.

    `values` are any properties of hub/nouns/contacts.py, as people write them. `version`, where given, must be the record's version (If-Match), else Conflict.
    """

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    name: str | None = None
    language: str | None = None
    time_zone: str | None = None
    notes: str | None = None
    position: str | None = None
    version: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroducePerson(Command):
    """Note what the provider, asked later, says a person calls himself.

    For networks whose messages carry only a number. The address gets its name and profile;
    a contact that nobody has named yet, and the messages it signed with the bare number, get
    the name too; `dialog_id` names a group's dialog in which he wrote. Gives False where the
    address is unknown (people in groups have none).
    """

    permission: ClassVar[str] = "contacts.edit"

    address: Address
    dialog_id: DialogId = DialogId(0)
    language: str = ""
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAddress(Command):
    """Give a contact one more address; raises Conflict where it belongs to another."""

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    address: Address
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddress(Command):
    """Take an address from a contact; dialogs over it keep their history."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAddress(Command):
    """Say that an address is known to be its contact's, or take that back.

    `by` is `hand`, or `click` for a link that was opened there.
    """

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    verified: bool = True
    by: str = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockAddress(Command):
    """Refuse (or take again) messages from one address; what came before stays."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContact(Command):
    """Say that a dialog is with another contact than was thought; moves the address too."""

    permission: ClassVar[str] = "contacts.edit"

    dialog_id: DialogId
    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeContacts(Command):
    """Make two contacts one: all that points to the merged one points to the survivor then.

    The survivor keeps its words, and takes the other's where it has none and for the properties
    named in `take`. The versions, where given, must be the cards' versions, else Conflict. Gives
    the number by which `UndoMerge` takes it back.
    """

    permission: ClassVar[str] = "contacts.edit"

    survivor_id: ContactId
    merged_id: ContactId
    take: tuple[str, ...] = ()
    survivor_version: int | None = None
    merged_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeClients(Command):
    """Make two clients one, as `MergeContacts` does with people."""

    permission: ClassVar[str] = "contacts.edit"

    survivor_id: ClientId
    merged_id: ClientId
    take: tuple[str, ...] = ()
    survivor_version: int | None = None
    merged_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMerge(Command):
    """Make one card two again, with what came since over addresses that go back.

    Raises Conflict where that cannot be told: the survivor was merged again or erased, or dialogs
    of both were merged. Gives the id of the card that comes back.
    """

    permission: ClassVar[str] = "contacts.edit"

    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitContact(Command):
    """Make an address a person of its own, with its dialogs; raises Conflict for the only one."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    name: str = ""
    new_contact_id: ContactId = ContactId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoSplit(Command):
    """Give back what a split made a card of its own, with what came over its address since.

    `contact_id` is the card that the split made. Raises Conflict where somebody worked on it since:
    its words were changed, it has other addresses, or something was made for it. Gives the id of the
    card that has all of it again; the other's number leads there.
    """

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateClient(Command):
    """Make a client card, of a person or an organisation, for an existing contact or alone.

    `values` are further properties (hub/nouns/clients.py), as people write them.
    """

    permission: ClassVar[str] = "contacts.edit"

    name: str
    organisation: bool = False
    contact_id: ContactId = ContactId(0)
    client_id: ClientId = ClientId(0)
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseContact(Command):
    """Erase a person fully; tombstones of hashes keep the same messages from coming back.

    A restore repeats an erasure that its backup does not know: `erased_at` is when it happened
    first, and `address_hashes` what is known of it, so that it holds for a person whom the
    backup does not hold. `import_ids` are kept files of imports that name him; the hub finds them.
    """

    permission: ClassVar[str] = "contacts.erase"

    contact_id: ContactId
    erased_at: Micros = NEVER
    address_hashes: tuple[str, ...] = ()
    import_ids: tuple[int, ...] = ()
