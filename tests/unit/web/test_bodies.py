"""Bodies of requests that pages' scripts send."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.types import Message

from hub.errors import Invalid
from hub.web.bodies import object_in


def sent(body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_a_body_is_an_object_or_nothing() -> None:
    assert await object_in(sent(b'{"card": "7"}')) == {"card": "7"}
    assert await object_in(sent(b"")) == {}


@pytest.mark.parametrize(
    "body", [b"{", b"card=7", b"[]", b"null", b"\xff\xfe{", b"[" * 100_000], ids=len
)
async def test_all_else_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        await object_in(sent(body))
