"""Commands about custom fields: what an organisation adds to the cards of a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import FieldId
from hub.records.custom import FieldChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveField(Command):
    """Add a field (id 0) or change one; gives its id.

    Kind and type of a field stay as they are; its `name` is made of the label once and is what
    filters, files and programs call it, so that renaming breaks nothing. A choice that cards
    hold cannot be taken away.
    """

    permission: ClassVar[str] = "fields.manage"

    field_id: FieldId = FieldId(0)
    kind: str = ""
    name: str = ""
    type: str = "line"
    label: str
    label_ru: str = ""
    help: str = ""
    choices: tuple[FieldChoice, ...] = ()
    group: str = ""
    required: bool = False
    personal: bool = False
    listed: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveField(Command):
    """Take a field off the cards, or bring it back; its values are kept."""

    permission: ClassVar[str] = "fields.manage"

    field_id: FieldId
    restore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFields(Command):
    """Say in which order the fields of a kind stand on its card."""

    permission: ClassVar[str] = "fields.manage"

    kind: str
    field_ids: tuple[FieldId, ...]
