"""Exports as the API gives and takes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub.shapes import Body, Id, Instant, Shape, Word


class Export(Shape):
    """A list on its way into a file."""

    id: Id
    kind: str
    format: str
    state: str = Field(description="waiting, running, done or failed")
    error: str
    rows_count: int
    rows_done: int
    size: int
    created_at: Instant
    finished_at: Instant
    expires_at: Instant = Field(description="When the file goes.")
    url: str = Field("", description="Opens the file without a token, until then; empty: not done.")


class StartExport(Body):
    """Which list, and as what."""

    kind: Word = Field(
        min_length=1, examples=["client"], description="A kind of objects, or dialog."
    )
    format: Literal["csv", "xlsx"] = "csv"
    filter: dict[str, Any] = Field(
        default_factory=dict, description="A tree of the filter language."
    )
    q: Word = Field("", description="Parts of the names of an object.")
    sort: Word = Field("", description="A sortable property or id; a minus turns the order.")
    view: Word = Field(
        "", description="Of dialogs (`kind` dialog): a view of the inbox; empty: every dialog."
    )
    removed: bool = Field(False, description="What is in the bin.")
    columns: list[Word] = Field(default_factory=list, max_length=300)
