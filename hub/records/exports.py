"""Records of exports."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import ExportId, Micros, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A list on its way into a file. `state` is waiting, running, done or failed.

    Of `rows_count` rows `rows_done` are written. The file is there until `expires_at`.
    """

    id: ExportId
    user_id: UserId
    kind: str
    format: str
    language: str
    columns: tuple[str, ...]
    state: str
    error: str
    rows_count: int
    rows_done: int
    size: int
    created_at: Micros
    finished_at: Micros
    expires_at: Micros
