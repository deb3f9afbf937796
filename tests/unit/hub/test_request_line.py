"""What cannot be a request is answered in the API's shape, and the line is hung up."""

from __future__ import annotations

import asyncio
import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from hub.request_line import LONGEST_URL, HubProtocol


class Line(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def nobody(scope: object, receive: object, send: object) -> None:
    raise AssertionError("this is no request")


async def refused(*parts: bytes) -> str:
    config = uvicorn.Config(nobody, http=HubProtocol, log_config=None, lifespan="off")
    config.load()
    protocol = HubProtocol(config=config, server_state=ServerState(), app_state={})
    line = Line()
    protocol.connection_made(line)
    for part in parts:
        if not line.closed:
            protocol.data_received(part)
    head, _, body = line.written.partition(b"\r\n\r\n")
    assert line.closed
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/json" in head
    assert f"content-length: {len(body)}".encode() in head
    error = json.loads(body)["error"]
    assert (error["code"], error["field"]) == ("invalid", "")
    return str(error["message"])


@pytest.mark.parametrize("pieces", [1, 9])
async def test_an_address_that_is_too_long_is_refused_in_our_shape(pieces: int) -> None:
    part = b"q" * (LONGEST_URL // pieces + 1)
    first = b"GET /api/v1/contacts?q=" + part
    said = await refused(first, *[part] * (pieces - 1), b" HTTP/1.1\r\nHost: hub\r\n\r\n")
    assert said == f"an address has at most {LONGEST_URL} bytes"


async def test_what_is_no_request_is_refused_in_our_shape() -> None:
    assert await refused(b"\x16\x03\x01\x02\x00nonsense\r\n\r\n") == "the request cannot be read"
