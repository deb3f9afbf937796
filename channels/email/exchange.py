"""One letter over an open connection: what is said to a mail server and what it answers.

`aiosmtplib` opens connections, encrypts them and logs in, and waits for each answer before it says
the next thing. A relay that offers PIPELINING (RFC 2920) is told sender, recipients and DATA in one
breath here and answers them all at once: two ways to the relay and back instead of four. The letter
itself leaves only after the relay asked for it, so nothing is handed over before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self, cast

import aiosmtplib

from hub import PermanentFailure, RejectReason

DONE, WILL_FORWARD, GO_ON = 250, 251, 354
GIBBERISH = -1
MOST_BYTES = 32_768
"""So long all answers to one saying may be."""
END = b".\r\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Answer(NamedTuple):
    """What a mail server said; `GIBBERISH` where it was no answer of a mail server."""

    code: int
    text: str

    @property
    def is_taken(self) -> bool:
        """Whether a sender or a recipient was taken."""
        return self.code in (DONE, WILL_FORWARD)


class Exchange(asyncio.Protocol):
    """Listens on a connection in the library's place while one letter is handed over."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        if client.protocol is None or client.transport is None or not client.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        self._library = client.protocol
        self._transport = cast(asyncio.Transport, client.transport)
        self._bytes = bytearray()
        self._answers: list[Answer] = []
        self._text: list[str] = []
        self._wanted = 0
        self._heard: asyncio.Future[None] | None = None
        self._lost: BaseException | None = None

    def __enter__(self) -> Self:
        self._transport.set_protocol(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._lost is None:
            self._transport.set_protocol(self._library)

    # -- saying ------------------------------------------------------------------------------

    async def begin(
        self, commands: Sequence[bytes], *, at_once: bool, seconds: float
    ) -> list[Answer]:
        """Say sender, recipients and DATA; fewer answers than commands where there was no use in
        saying more. Raises SMTPServerDisconnected or TimeoutError, with nothing handed over, and
        PermanentFailure for an address of more than one line.
        """
        if any(_CONTROL.search(one) for one in commands):
            raise PermanentFailure(RejectReason.INVALID_ADDRESS, "this is not an e-mail address")
        if at_once:
            return await self._say(
                b"".join(one + b"\r\n" for one in commands), len(commands), seconds
            )
        answers: list[Answer] = []
        for n, one in enumerate(commands):
            refused = n and not answers[0].is_taken
            nobody = n == len(commands) - 1 and not any(each.is_taken for each in answers[1:])
            if refused or nobody:
                break
            answers += await self._say(one + b"\r\n", 1, seconds)
        return answers

    async def hand_over(self, letter: bytes, *, seconds: float) -> Answer:
        """Say the letter; how it ended is not known where this raises anything."""
        [answer] = await self._say(stuffed(letter) + END, 1, seconds)
        return answer

    async def _say(self, data: bytes, answers: int, seconds: float) -> list[Answer]:
        """Say something and wait for so many answers; gives fewer where the server hung up after
        the first ones, which say why."""
        if self._lost is not None or self._transport.is_closing():
            raise aiosmtplib.SMTPServerDisconnected("Connection lost") from self._lost
        self._answers, self._wanted = [], answers
        self._heard = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        async with asyncio.timeout(seconds):
            await self._heard
        if self._bytes or len(self._answers) > answers:
            # What nobody asked for would be taken for an answer to what comes next.
            self._transport.close()
        if not self._answers:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost") from self._lost
        return self._answers[:answers]

    # -- hearing -----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read whole answers out of what came so far."""
        self._bytes += data
        *lines, rest = self._bytes.split(b"\n")
        self._bytes = rest
        for line in lines:
            self._read(bytes(line))
        if len(self._bytes) + sum(map(len, self._text)) > MOST_BYTES:
            self._text.clear()
            self._bytes.clear()
            self._answers.append(Answer(GIBBERISH, "the answer is too long"))
            self._transport.close()
        if len(self._answers) >= self._wanted:
            self._wake()

    def _read(self, line: bytes) -> None:
        words = line[4:].decode("utf-8", "surrogateescape").strip(" \t\r\n")
        code = int(line[:3]) if line[:3].isdigit() else GIBBERISH
        if code == GIBBERISH:
            words = line.decode("utf-8", "ignore").strip()[:200]
        self._text.append(words)
        if code != GIBBERISH and line[3:4] == b"-":
            return
        self._answers.append(Answer(code, "\n".join(self._text)))
        self._text = []

    def eof_received(self) -> bool:
        """The server says nothing more."""
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; the library is to know it too."""
        self._lost = exc or ConnectionResetError("the server hung up")
        self._wake()
        self._library.connection_lost(exc)

    def _wake(self) -> None:
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)


def stuffed(letter: bytes) -> bytes:
    """Write a letter as it is said: lines end by CRLF, a dot that begins one is doubled
    (RFC 5321 section 4.5.2). A lone CR or LF would be read as the letter's end by some servers."""
    whole = letter.count(b"\r\n")
    if letter.count(b"\n") != whole or letter.count(b"\r") != whole:
        letter = _LINE_END.sub(b"\r\n", letter)
    if not letter.endswith(b"\r\n"):
        letter += b"\r\n"
    letter = letter.replace(b"\r\n.", b"\r\n..")
    return b"." + letter if letter.startswith(b".") else letter
