"""Checks what goes to and comes from the VK stand-in against VK's own published schema."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

EXCERPT = Path(__file__).parent.parent / "schemas/vk/excerpt.json"
EVENTS = {
    "message_new": "callback_message_object",
    "message_edit": "callback_message",
    "message_event": "callback_message_event",
    "message_read": "callback_message_read",
    "message_typing_state": "callback_message_typing_state",
    "message_allow": "callback_message_allow",
    "message_deny": "callback_message_deny",
    "message_reaction_event": "callback_message_reaction_event",
    "market_order_new": "market_order",
    "market_order_edit": "market_order",
}
IN_JSON = {"keyboard": "messages_keyboard", "forward": "messages_forward"}
"""Parameters that are strings of JSON, with the object that they must hold."""


@functools.cache
def excerpt() -> dict[str, Any]:
    """The committed part of the schema; its absence is an error, never a skip."""
    found: dict[str, Any] = json.loads(EXCERPT.read_text())
    return found


@functools.cache
def _validator(place: str) -> jsonschema_rs.Draft7Validator:
    kind, _, name = place.partition(" ")
    if kind == "object":
        schema: Any = {"$ref": f"#/definitions/{name}"}
    elif kind == "request":
        schema = excerpt()["methods"][name]["parameters"]
    else:
        schema = {"anyOf": excerpt()["methods"][name]["responses"]}
    return jsonschema_rs.Draft7Validator(
        {"definitions": excerpt()["definitions"], "allOf": [schema]}
    )


def complaints(place: str, value: object) -> list[str]:
    """Say what is wrong with a value; `place` is "object X", "request METHOD", "response METHOD"."""
    return [
        f"{place}: {one.message} at {'/'.join(map(str, one.instance_path)) or 'the top'}"
        for one in _validator(place).iter_errors(value)
    ]


def error_words(code: int) -> str:
    """VK's words for an error; a number that VK does not know is a mistake of the test."""
    return str(excerpt()["errors"][str(code)])


def read_form(method: str, form: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Give a form's parameters as values of their types, and what is wrong with them."""
    known = excerpt()["methods"][method]["parameters"]["properties"]
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, text in form.items():
        try:
            values[name] = _typed(known.get(name, {}), text)
        except ValueError:
            wrong.append(f"request {method}: {name}={text!r} is not of its type")
    wrong += complaints(f"request {method}", values)
    for name, kind in IN_JSON.items():
        if isinstance(values.get(name), str):
            try:
                wrong += complaints(f"object {kind}", json.loads(values[name]))
            except ValueError:
                wrong.append(f"request {method}: {name} is not JSON")
    return values, wrong


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    if "$ref" in schema:
        schema = excerpt()["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "string")
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "boolean":
        return {"0": False, "1": True, "False": False, "True": True}.get(text, text)
    if kind == "array":
        return [_typed(schema.get("items", {}), one) for one in text.split(",")] if text else []
    if isinstance(kind, list) and "integer" in kind and text.lstrip("-").isdecimal():
        return int(text)
    return text
