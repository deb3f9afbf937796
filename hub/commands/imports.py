"""Commands about imports: a file becomes objects of a kind, and can be taken back as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ImportId
from hub.records.imports import ImportFields, ImportRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateImport(Command):
    """Keep an uploaded file until it is imported; gives the import's id.

    `blob` is what the blob store gave for the bytes; `form` says how they are read, `fields`
    what each column fills at first.
    """

    permission: ClassVar[str] = "lists.import"

    kind: str
    name: str
    blob: tuple[str, str, int]
    form: Mapping[str, str]
    heads: tuple[str, ...]
    rows_count: int
    fields: ImportFields


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpImport(Command):
    """Say what each column fills and how rows meet what is there; remembered for such files."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    fields: ImportFields
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartImport(Command):
    """Begin a dry run (`check`), the import itself (`run`), or taking it back (`undo`)."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    what: str = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelImport(Command):
    """Stop after the batch under way; what was written stays, and can be undone."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveImport(Command):
    """Forget an import with its file; what it brought stays, and can be undone no more."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteImportRows(Command):
    """Carry out the rows that come after `after`, once; Conflict where another did, or it ended."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    after: int
    rows: tuple[ImportRow, ...]
    read_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportImportCheck(Command):
    """Note how far a dry run has come, what it found, and which rows are bad."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    checked: int
    found: Mapping[str, int] = field(default_factory=dict)
    bad: tuple[tuple[int, str], ...] = ()
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndImport(Command):
    """Say that an import is through, or why it stopped."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoImportRows(Command):
    """Take back some more rows of an import that is being undone; gives how many were left."""

    permission: ClassVar[str] = "lists.import"

    import_id: ImportId
    limit: int = 200
