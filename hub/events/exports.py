"""Facts about exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ExportId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChanged(Event):
    """A list began to be written into a file, or the file is there: waiting, done, failed, removed."""

    type: ClassVar[str] = "export.changed"
    subject_kind: ClassVar[str] = "export"
    subject_field: ClassVar[str] = "export_id"

    export_id: ExportId
    object_kind: str
    state: str
