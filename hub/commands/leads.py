"""Commands about leads and what every card can do: make, change, remove, bring back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ClientId, DialogId, LeadId, MergeId, PipelineId, StageId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLead(Command):
    """Make a lead; `values` are its properties (hub/nouns/leads.py), as people write them.

    With `dialog_id` it is the lead of that dialog: the person, the channel and the first words
    are taken over where `values` do not say otherwise. `unless_open` gives the open lead of the
    same person instead of a second one. Gives the lead's id.
    """

    permission: ClassVar[str] = "leads.edit"

    values: Mapping[str, object] = field(default_factory=dict)
    dialog_id: DialogId = DialogId(0)
    lead_id: LeadId = LeadId(0)
    unless_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLead(Command):
    """Change properties of a lead; gives its new version.

    `version`, where given, must be the record's version (If-Match), else Conflict.
    """

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId
    values: Mapping[str, object]
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLead(Command):
    """Begin to work on a lead: it is the actor's own from now on, unless somebody has it."""

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLead(Command):
    """Close a lead that leads to nothing; the reason is needed."""

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenLead(Command):
    """Take a rejected lead into work again."""

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertLead(Command):
    """Make a client of a lead: an existing one, or a new card under `name`.

    The lead's person becomes a contact person of the client; a lead that was written down by
    hand gets one. With `interest` (its title) an interest of the client begins too, in the stage
    or pipeline that is named. Gives the client's id. `UndoConversion` takes all of it back.
    """

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId
    client_id: ClientId = ClientId(0)
    name: str = ""
    organisation: bool = False
    interest: str = ""
    pipeline_id: PipelineId = PipelineId(0)
    stage_id: StageId = StageId(0)
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoConversion(Command):
    """Take a conversion back: what it made goes to the bin, what it linked is as before.

    Raises Conflict where the new client has been worked on since.
    """

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLeads(Command):
    """Make two leads one, as `MergeContacts` does with people: dialogs, tasks and interests too.

    Raises Conflict for a converted lead: it is the other that becomes a part of it.
    """

    permission: ClassVar[str] = "leads.edit"

    survivor_id: LeadId
    merged_id: LeadId
    take: tuple[str, ...] = ()
    survivor_version: int | None = None
    merged_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMergeLeads(Command):
    """Make one lead two again; gives the id of the one that comes back.

    Raises Conflict where the survivor was merged again, is in the bin or was erased since.
    """

    permission: ClassVar[str] = "leads.edit"

    merge_id: MergeId


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLead(Command):
    """Put a lead into the bin; `restore` takes it out again."""

    permission: ClassVar[str] = "leads.edit"

    lead_id: LeadId
    restore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeClient(Command):
    """Change properties of a client (hub/nouns/clients.py); gives its new version.

    `version`, where given, must be the record's version (If-Match), else Conflict.
    """

    permission: ClassVar[str] = "contacts.edit"

    client_id: ClientId
    values: Mapping[str, object]
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveClient(Command):
    """Put a client's card into the bin; `restore` takes it out again. Its people stay."""

    permission: ClassVar[str] = "contacts.edit"

    client_id: ClientId
    restore: bool = False
