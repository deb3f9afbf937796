"""Facts about imports: one for each step and each batch, never one for each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ImportId
from hub.objects import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportChanged(Event):
    """An import came into another state: uploaded, checking, running, cancelled, undone ..."""

    type: ClassVar[str] = "import.changed"
    subject_kind: ClassVar[str] = "import"
    subject_field: ClassVar[str] = "import_id"

    import_id: ImportId
    object_kind: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBatchWritten(Event):
    """Some rows were carried out (or, `undone`, taken back): how many, and what changed.

    Objects that an import makes have no fact of their own, so that no rule fires for each.
    """

    type: ClassVar[str] = "import.batch"
    subject_kind: ClassVar[str] = "import"
    subject_field: ClassVar[str] = "import_id"

    import_id: ImportId
    object_kind: str
    created: int = 0
    updated: int = 0
    undone: bool = False
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinished(Event):
    """A whole file is in: what became of its rows."""

    type: ClassVar[str] = "import.finished"
    subject_kind: ClassVar[str] = "import"
    subject_field: ClassVar[str] = "import_id"

    import_id: ImportId
    object_kind: str
    created: int
    updated: int
    unchanged: int
    duplicates: int
    bad: int
