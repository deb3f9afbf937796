"""What fields of conditions are made of: a name, words in both languages, and how to read it."""

from __future__ import annotations

from collections.abc import Callable

from hub.filters import Choice, Field, FieldType, Where
from hub.rules import Facts

Read = Callable[[Facts], object]


def fact_field(
    name: str,
    label: str,
    russian: str,
    kind: FieldType,
    value: Read,
    choices: tuple[Choice, ...] = (),
) -> Field:
    """Make a field that is asked of the facts of an event."""
    return Field(
        name=name,
        label=label,
        type=kind,
        value=value,
        where=Where.FACT,
        choices=choices,
        translations={"ru": russian},
    )


def choice(value: str, label: str, russian: str) -> Choice:
    """Make one of the values that a field may have."""
    return Choice(value, label, {"ru": russian})


def loaded(name: str) -> Read:
    """Read what was counted or looked up for a field, see triggers/loading.py."""
    return lambda facts: facts.more.get(name)


ACTORS = (
    choice("user", "a colleague", "сотрудник"),
    choice("contact", "the client", "клиент"),
    choice("rule", "a rule", "правило"),
    choice("mailing", "a mailing", "рассылка"),
    choice("plugin", "a plugin", "плагин"),
    choice("token", "a program", "программа"),
    choice("system", "the hub", "система"),
)
"""Who may have done something."""
