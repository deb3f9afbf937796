"""Buttons under a message: written as an inline keyboard, read back when one is pressed.

VK tells of a press only the payload we gave, so the label travels inside it: the dialog shows
the words that the person saw.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from hub import Button, Unsupported

MAX_BUTTONS = 10
MAX_ROWS = 6
MAX_LABEL = 40
MAX_PAYLOAD = 255


def keyboard(buttons: Sequence[Button]) -> str | None:
    """Give the keyboard of a message as VK takes it, None where there is none."""
    if not buttons:
        return None
    per_row = 1 if len(buttons) <= MAX_ROWS else 2
    made = [{"action": _action(one)} for one in buttons]
    rows = [made[n : n + per_row] for n in range(0, len(made), per_row)]
    return _json({"one_time": False, "inline": True, "buttons": rows})


def _action(button: Button) -> dict[str, str]:
    label = button.label.strip()[:MAX_LABEL]
    if button.url:
        return {"type": "open_link", "label": label, "link": button.url}
    payload = _json({"p": button.payload or label, "l": label})
    if len(payload) > MAX_PAYLOAD:
        payload = _json({"p": button.payload or label})
    if len(payload) > MAX_PAYLOAD:
        raise Unsupported("buttons", "the payload of a button is longer than VK takes")
    return {"type": "callback", "label": label, "payload": payload}


def read_payload(given: object) -> tuple[str, str]:
    """Give the payload and the label of a pressed button; another program's comes as it is."""
    value = given
    if isinstance(given, str):
        try:
            value = json.loads(given)
        except ValueError:
            return given, ""
    if isinstance(value, dict) and isinstance(value.get("p"), str):
        label = value.get("l")
        return value["p"], label if isinstance(label, str) else value["p"]
    if isinstance(value, str):
        return value, ""
    return _json(value), ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
