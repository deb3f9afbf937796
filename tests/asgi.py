"""A provider's request through the real webhook door, as plain ASGI: no socket, no client."""

from __future__ import annotations

from typing import Any

from hub.runtime import Runtime
from hub.web.webhooks import WebhookDoor, WebhookNumbers


def door_of(runtime: Runtime) -> WebhookDoor:
    """The door of one hub."""

    async def nowhere(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("only webhooks come here")

    return WebhookDoor(nowhere, runtime, WebhookNumbers())


async def post_webhook(door: WebhookDoor, token: str, body: bytes) -> int:
    """Post one body to an account's webhook; gives the status that the provider is told."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Any) -> None:
        nonlocal status
        status = event.get("status", status)

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/{token}",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("203.0.113.5", 1),
    }
    await door(scope, receive, send)
    return status
