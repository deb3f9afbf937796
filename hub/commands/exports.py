"""Commands about exports: lists that are written into files in the background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ExportId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExport(Command):
    """Write a list into a file in the background; gives the export's id.

    The list is that of a kind, or of dialogs (`view` is one of the inbox, all without): `filter`, `text` and `sort` as lists take them, of the bin with
    `removed`; `columns` are names of properties, none is all. `format` is csv or xlsx. With a
    `language` the file is for people: labels, and instants by the clock of its user; without one
    it has names of properties, stored choices and instants in UTC. Its user is told when it is there.
    """

    permission: ClassVar[str] = "lists.export"

    kind: str
    filter: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    sort: str = ""
    removed: bool = False
    view: str = ""
    columns: tuple[str, ...] = ()
    format: str = "csv"
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveExport(Command):
    """End an export of one's own, and remove its file."""

    permission: ClassVar[str] = "lists.export"

    export_id: ExportId


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryExport(Command):
    """Write a file of one's own again that could not be written; Conflict where it did not fail."""

    permission: ClassVar[str] = "lists.export"

    export_id: ExportId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExport(Command):
    """Say how far an export is: rows written, then its file, or what went wrong."""

    export_id: ExportId
    rows_done: int = 0
    rows_count: int = 0
    blob: tuple[str, str, int] = ("", "", 0)
    reach: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepExports(Command):
    """Remove the files whose time is over; gives how many."""
