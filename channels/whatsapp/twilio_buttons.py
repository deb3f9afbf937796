"""Buttons through Twilio: a content per set of buttons, whose words come with each message.

Twilio sends buttons only by a content made beforehand; within the 24 hours it needs no approval
("Using Content Templates": quick replies and list pickers in a session). The content holds the
buttons alone and `{{1}}` for the words, so that one serves every message with these buttons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from channels.whatsapp.cloud_outgoing import (
    LIST_BUTTON,
    REPLY_BUTTONS,
    REPLY_LABEL,
    ROW_ID,
    ROW_TEXT,
    ROW_TITLE,
)
from hub import Button

OWN = "dialoghub_buttons_"
"""How the contents that the hub made for itself are called; they are no templates."""
LANGUAGE = "en"
"""Twilio asks for one; it says nothing about the words, which come with the message."""


def content(buttons: Sequence[Button]) -> dict[str, Any]:
    """Give the content of a set of buttons: quick replies where they fit, else a list of ten."""
    fits = len(buttons) <= REPLY_BUTTONS and all(len(one.label) <= REPLY_LABEL for one in buttons)
    if fits:
        shape: dict[str, Any] = {
            "twilio/quick-reply": {
                "body": "{{1}}",
                "actions": [
                    {"type": "QUICK_REPLY", "title": one.label, "id": _id(one)} for one in buttons
                ],
            }
        }
    else:
        shape = {
            "twilio/list-picker": {
                "body": "{{1}}",
                "button": LIST_BUTTON,
                "items": [_item(one) for one in buttons],
            }
        }
    mark = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:24]
    return {
        "friendly_name": f"{OWN}{mark}",
        "language": LANGUAGE,
        "variables": {"1": "…"},
        "types": shape,
    }


def _item(button: Button) -> dict[str, Any]:
    item = {"id": _id(button)[:ROW_ID], "item": button.label[:ROW_TITLE]}
    if len(button.label) > ROW_TITLE:
        item["description"] = button.label[:ROW_TEXT]
    return item


def _id(button: Button) -> str:
    return (button.payload or button.label).strip()[:ROW_ID]
