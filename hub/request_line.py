"""What never becomes a request, answered in the API's shape: the server gives it nobody else.

The first line and the headers are read by httptools, before any application is asked. An address
(URL) that is longer than the parser can take apart would be kept in memory to its end and then
answered by one line of plain text.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.http_api.errors import failure

LONGEST_URL = 60_000
"""Bytes of an address; httptools takes apart 65,535."""


class TooLong(Exception):
    """The address is over its limit."""


class HubProtocol(HttpToolsProtocol):
    """Reads requests; refuses what cannot be one."""

    _too_long = False

    def on_url(self, url: bytes) -> None:
        """Take a part of the address; raises TooLong, which ends the parsing."""
        if len(self.url) + len(url) > LONGEST_URL:
            self._too_long = True
            raise TooLong
        super().on_url(url)

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, and hang up: where the next request begins is not known."""
        text = "the request cannot be read"
        if self._too_long:
            text = f"an address has at most {LONGEST_URL} bytes"
        answer = failure(400, "invalid", text, "", headers={"Connection": "close"})
        lines = [b"HTTP/1.1 400 Bad Request", *(b": ".join(one) for one in answer.raw_headers)]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()
