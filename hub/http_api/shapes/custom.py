"""Custom fields as the API gives and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.shapes import Body, GivenId, Id, Instant, Shape, Word

Type = Literal[
    "line", "text", "number", "date", "choice", "choices", "person", "money", "flag", "file"
]
Label = Annotated[Word, Field(max_length=100)]


class FieldChoice(Shape):
    """One thing to choose."""

    value: str = Field(description="What is stored.")
    label: str
    label_ru: str


class CustomField(Shape):
    """A field that the organisation added to the cards of a kind."""

    id: Id
    kind: str
    name: str = Field(description="In filters, files and `custom` of an object.")
    type: str = Field(
        description="line, text, number, date, choice, choices, person, money, flag, file."
    )
    label: str
    label_ru: str
    help: str
    choices: list[FieldChoice]
    group: str
    position: int
    required: bool
    personal: bool = Field(description="Its values are kept out of the history, and erased.")
    listed: bool
    archived_at: Instant
    version: int


class GivenChoice(Body):
    """One thing to choose; without a value it is made of the label."""

    value: Label = ""
    label: Label
    label_ru: Label = ""


class ChangeField(Body):
    """What a field is called and how it stands on the card."""

    label: Label = Field(min_length=1, examples=["Favourite boat"])
    label_ru: Label = ""
    help: Word = ""
    choices: list[GivenChoice] = Field(default=[], max_length=200)
    group: Label = ""
    required: bool = False
    personal: bool = False
    listed: bool = False


class CreateField(ChangeField):
    """A new field; its kind and its type stay as they are."""

    kind: Label = Field(examples=["client"])
    type: Type = "line"
    name: Label = Field("", description="Empty: made of the label.")


class OrderFields(Body):
    """The order of a kind's fields on its card."""

    kind: Label = Field(examples=["client"])
    field_ids: list[GivenId] = Field(max_length=200)
