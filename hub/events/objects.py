"""Facts about objects of every kind; what a kind does beyond them has facts of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import DialogId


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCreated(Event):
    """An object was made; `dialog_id` is the dialog it was made of."""

    type: ClassVar[str] = "object.created"
    subject_kind: ClassVar[str] = "object"
    subject_field: ClassVar[str] = "object_id"

    object_kind: str
    object_id: int
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLinked(Event):
    """A dialog is about an object, or (`unlinked`) is not."""

    type: ClassVar[str] = "object.linked"
    subject_kind: ClassVar[str] = "object"
    subject_field: ClassVar[str] = "object_id"

    object_kind: str
    object_id: int
    dialog_id: DialogId
    unlinked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRemoved(Event):
    """An object went into the bin, or (`restored`) came out of it."""

    type: ClassVar[str] = "object.removed"
    subject_kind: ClassVar[str] = "object"
    subject_field: ClassVar[str] = "object_id"

    object_kind: str
    object_id: int
    restored: bool = False
