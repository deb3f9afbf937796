"""Secrets between two steps of a form: sealed for one colleague, one place, one hour.

A typed password never goes back to the browser in the clear; so that nobody types it twice, the
page carries it encrypted with the key ring.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken

if TYPE_CHECKING:
    from hub.ids import UserId
    from hub.runtime import Runtime

HOUR_US = 3_600_000_000


def keep(runtime: Runtime, user_id: UserId, place: str, values: Mapping[str, str]) -> str:
    """Seal what was typed; "" where there is nothing to keep."""
    if not values:
        return ""
    content = {"user": user_id, "place": place, "until": runtime.now() + HOUR_US, "v": dict(values)}
    return runtime.keys.encrypt(json.dumps(content))


def take(runtime: Runtime, user_id: UserId, place: str, token: str) -> dict[str, str]:
    """Open what was sealed; nothing for another colleague, another place, or too late."""
    try:
        content: dict[str, Any] = json.loads(runtime.keys.decrypt(token))
        good = (content["user"], content["place"]) == (user_id, place)
        values: dict[str, str] = content["v"] if good and runtime.now() < content["until"] else {}
    except (InvalidToken, ValueError, KeyError, TypeError):
        return {}
    return values
