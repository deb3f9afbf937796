"""Imports as the API gives and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.shapes import Body, Id, Instant, OptionalId, Shape, Word

Names = Annotated[list[Word], Field(max_length=100)]
Counts = dict[str, int]


class ImportFields(Shape):
    """What each column fills, and how rows meet what is there."""

    columns: list[str] = Field(description="One word for each heading, empty where it is left out.")
    keys: list[str] = Field(description="By what rows are recognised, in this order.")
    policy: str = Field(description="skip, fill, overwrite or new.")
    defaults: dict[str, str] = Field(description="Values of rows that bring none of their own.")


class Import(Shape):
    """A file on its way into a list, and what became of it."""

    id: Id
    kind: str
    name: str
    state: str = Field(
        description="uploaded, checking, checked, running, finished, cancelled, failed, undoing "
        "or undone."
    )
    error: str
    heads: list[str]
    rows: int
    fields: ImportFields
    form: dict[str, str] = Field(description="How the file is read.")
    checked: int = Field(description="Up to which row the dry run has come.")
    done: int = Field(description="Up to which row it is carried out.")
    found: Counts = Field(description="What the dry run found.")
    counts: Counts = Field(description="What was done.")
    undone: Counts = Field(description="What was taken back.")
    has_file: bool = Field(description="False once the bytes were removed.")
    user_id: OptionalId
    created_at: Instant
    started_at: Instant
    finished_at: Instant
    version: int


class SetUpImport(Body):
    """What each column fills, and how rows meet what is there."""

    columns: Names = Field(examples=[["name", "phone", "", "email"]])
    keys: Names = Field(default=[], examples=[["email", "phone"]])
    policy: Literal["skip", "fill", "overwrite", "new"] = "skip"
    defaults: dict[Word, Word] = Field(default={}, examples=[{"source": "fair"}])


class ImportTarget(Shape):
    """What a column may fill."""

    name: str
    label: str
    is_key: bool = Field(description="Rows can be recognised by it.")
