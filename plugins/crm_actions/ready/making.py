"""Small makers of the parts of ready rules, so that a recipe reads like its sentence."""

from __future__ import annotations

from typing import Any

from hub import Recipe

Words = tuple[str, str]
NOT_AUTOMATIC = {"field": "message.automated", "operator": "equals", "value": False}


def is_(field: str, value: object) -> dict[str, object]:
    """Give "field equals value"."""
    return {"field": field, "operator": "equals", "value": value}


def one_of(field: str, *values: str) -> dict[str, object]:
    """Give "field is one of values"."""
    return {"field": field, "operator": "in", "value": list(values)}


def words(*given: str) -> dict[str, object]:
    """Give "the text has one of these words, in any form"."""
    return {"field": "message.text", "operator": "words", "value": list(given)}


def all_(*parts: dict[str, Any]) -> dict[str, Any]:
    """Give "all of these"."""
    return {"all": list(parts)}


def when(event: str, **options: object) -> list[dict[str, object]]:
    """Give what a rule begins with."""
    return [{"event": event, **options}]


QUIET = {"from": "21:00", "to": "09:00"}
"""When nobody is written to of our own accord, by his own clock."""


def anywhere(english: str, russian: str, **params: object) -> dict[str, object]:
    """Give "send by the first channel that is open"."""
    text = {"en": english, "ru": russian}
    return {"action": "crm_actions.send_elsewhere", "params": {"text": text, **params}}


def note(english: str, russian: str, **more: object) -> dict[str, object]:
    """Give "write a note"."""
    text = {"en": english, "ru": russian}
    return {"action": "crm_actions.note", "params": {"text": text}, **more}


def speak(english: str, russian: str, **more: object) -> dict[str, object]:
    """Give "send a message"."""
    text = {"en": english, "ru": russian}
    return {"action": "crm_actions.send_message", "params": {"text": text}, **more}


def task(
    english: str, russian: str, hours: float = 24, params: object = None, **more: object
) -> dict[str, object]:
    """Give "make a task"; `params` are further ones."""
    given = {"title": {"en": english, "ru": russian}, "hours": hours}
    if isinstance(params, dict):
        given |= params
    return {"action": "crm_actions.create_task", "params": given, **more}


def act(action: str, _step: dict[str, object] | None = None, **params: object) -> dict[str, object]:
    """Give another action of this plugin."""
    found: dict[str, object] = {"action": f"crm_actions.{action}", **(_step or {})}
    return found | {"params": params} if params else found


def recipe(key: str, group: str, title: Words, about: Words, **rule: Any) -> Recipe:
    """Give a recipe; `if_` is its condition."""
    asks = rule.pop("asks", {})
    condition = rule.pop("if_", None)
    if condition:
        rule["if"] = condition
    return Recipe(
        key=key,
        title=title[0],
        about=about[0],
        translations={"ru": (title[1], about[1])},
        group=group,
        rule={"name": {"en": title[0], "ru": title[1]}, **rule},
        asks=asks,
    )
