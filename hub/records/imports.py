"""Records of imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import ImportId, Micros, UserId

POLICIES = ("skip", "fill", "overwrite", "new")
"""What happens to a row that is there already: left out, empty fields filled, fields overwritten,
or made once more."""
MORE = "more_addresses"
"""Where a row's values hold the addresses of its person beyond the first of each kind, as pairs of
a kind and an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFields:
    """What each column fills ("" for nothing), and how rows meet what is there.

    `keys` are tried in their order; the first that finds something decides. `defaults` are
    values for every row that does not bring its own.
    """

    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    policy: str = "skip"
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file that a row brings, with its size in bytes; `at` is its place in the import's archive.

    `blob` is what the blob store said of its bytes, once they are kept: id, sha256, size.
    """

    name: str
    media_type: str
    size: int
    at: int
    blob: tuple[str, str, int] = ("", "", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One row, read: values by property, or what is wrong with it."""

    number: int
    values: Mapping[str, object] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file on its way into a list, and what became of it.

    `state` is uploaded, checking, checked, running, finished, cancelled, failed, undoing or
    undone. `found` counts what the dry run saw, `counts` what was done: created, updated,
    unchanged, duplicates, bad. `undone` counts what was taken back: removed, restored, kept.
    `has_file` is False once the bytes were dropped.
    """

    id: ImportId
    kind: str
    name: str
    state: str
    error: str
    heads: tuple[str, ...]
    rows: int
    fields: ImportFields
    form: Mapping[str, str]
    checked: int
    done: int
    found: Mapping[str, int]
    counts: Mapping[str, int]
    undone: Mapping[str, int]
    has_file: bool
    user_id: UserId
    created_at: Micros
    started_at: Micros
    finished_at: Micros
    version: int

    @property
    def is_busy(self) -> bool:
        """True while a job works on it."""
        return self.state in ("checking", "running", "undoing")
