"""Commands about objects of any registered kind: what every kind's objects can undergo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.errors import NotFound
from hub.ids import DialogId
from hub.kinds import Kind

BY_KIND = "*"
"""Stands where a command's right is that of the kind it is given for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfKind(Command):
    """A command about one kind: who may change such objects may give it."""

    permission: ClassVar[str] = BY_KIND

    kind: str

    def needs(self, kinds: Mapping[str, Kind]) -> str:
        """Give the right to change objects of this kind; raises NotFound."""
        if self.kind not in kinds:
            raise NotFound(f"there is no kind {self.kind!r}")
        return kinds[self.kind].write


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateObject(_OfKind):
    """Make an object of a kind (hub/nouns); `values` are its properties, as people write them.

    With `dialog_id` it is made of that dialog: it is linked to it, and takes over what its kind
    takes from dialogs where `values` do not say otherwise. Gives the object's id.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    dialog_id: DialogId = DialogId(0)
    object_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeObject(_OfKind):
    """Change properties of an object; gives its new version.

    `version`, where given, must be the record's version (If-Match), else Conflict.
    """

    object_id: int
    values: Mapping[str, object]
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagObject(_OfKind):
    """Add tags to an object and take others off; those of others stay. Gives its new version."""

    object_id: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveObject(_OfKind):
    """Put an object into the bin; `restore` takes it out again.

    `version`, where given, must be the object's version (If-Match), else Conflict.
    """

    object_id: int
    restore: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDialog(_OfKind):
    """Say that a dialog is about an object, or (`unlink`) that it is not."""

    dialog_id: DialogId
    object_id: int
    unlink: bool = False
