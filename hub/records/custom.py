"""Records of custom fields."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import FieldId, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChoice:
    """One thing to choose; `value` is what is stored, made of the label where it is empty."""

    value: str = ""
    label: str
    label_ru: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field that the organisation added to the cards of a kind.

    `type` is line, text, number, date, choice, choices, person, money, flag or file. Filters,
    files and programs call it `custom.<name>`.
    """

    id: FieldId
    kind: str
    name: str
    type: str
    label: str
    label_ru: str
    help: str
    choices: tuple[FieldChoice, ...]
    group: str
    position: int
    required: bool
    personal: bool
    listed: bool
    archived_at: Micros
    version: int
