"""What the descriptions of the core's kinds share: short ways to write a property."""

from __future__ import annotations

from typing import Any

from hub.filters import Choice
from hub.properties import Property, PropertyType


def prop(
    name: str, label: str, russian: str, type: PropertyType = PropertyType.LINE, **more: Any
) -> Property:
    """Give a property with its label in both languages."""
    return Property(name=name, label=label, type=type, translations={"ru": russian}, **more)


def choices(*given: tuple[str, str, str]) -> tuple[Choice, ...]:
    """Give choices: value, English, Russian."""
    return tuple(Choice(value, label, {"ru": russian}) for value, label, russian in given)


_T = PropertyType
OWNER = prop("owner_id", "Responsible", "Ответственный", _T.REF, ref="user", listed=True)
TEAM = prop("team_id", "Team", "Команда", _T.REF, ref="team")
SOURCE = prop("source", "Source", "Источник", listed=True)
TAGS = prop("tags", "Tags", "Метки", _T.TAGS)
CREATED = prop(
    "created_at",
    "Created",
    "Создано",
    _T.INSTANT,
    editable=False,
    listed=True,
    sortable=True,
)


def contact(**more: Any) -> Property:
    """Give the reference to a contact person."""
    return prop("contact_id", "Contact person", "Контактное лицо", _T.REF, ref="contact", **more)


def client(**more: Any) -> Property:
    """Give the reference to a client."""
    return prop("client_id", "Client", "Клиент", _T.REF, ref="client", **more)


LEVELS = choices(
    ("standard", "standard", "стандартный"),
    ("extended", "extended", "расширенный"),
    ("premium", "premium", "премиальный"),
)
"""The support levels that there are at first; the organisation keeps its own list."""
FROM_LEVELS = "support_level"
"""What `choices_from` of a property says whose choices are that list."""
