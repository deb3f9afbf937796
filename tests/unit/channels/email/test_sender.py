"""The connections to a relay: kept, reused, and let go while letters leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from channels.email.smtp import Relay, Sender, tls_context
from hub import OutcomeUnknown, TemporaryFailure, TooFast

LETTER = b"Subject: hello\r\n\r\nGood day\r\n"


class Far:
    """A relay that says what it is told to and says goodbye slowly."""

    def __init__(self) -> None:
        self.connections = self.gone = self.letters = 0
        self.leaving = asyncio.Event()
        """Somebody said QUIT."""
        self.may_leave = asyncio.Event()
        self.to_sender, self.to_letter = b"250 fine\r\n", b"250 taken\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 here\r\n")
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while line := await reader.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.letters += 1
                    writer.write(self.to_letter)
                elif word == b"QUIT":
                    self.leaving.set()
                    await self.may_leave.wait()
                    writer.write(b"221 Bye\r\n")
                    break
                else:
                    writer.write(self.to_sender if word == b"MAIL" else b"250 fine\r\n")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.gone += 1


@asynccontextmanager
async def relay() -> AsyncIterator[tuple[Far, Sender]]:
    far = Far()
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        sender = Sender(Relay("127.0.0.1", port, "none", "", ""), 2)
        yield far, sender
        far.may_leave.set()
        await sender.close()
        while far.gone < far.connections:
            await asyncio.sleep(0.01)


async def test_no_letter_begins_where_goodbye_is_being_said() -> None:
    async with relay() as (far, sender):
        await sender.send("us@hub.example", ["anna@a.example"], LETTER)
        closing = asyncio.create_task(sender.close())
        await far.leaving.wait()
        # Settings are saved, or the mailbox is opened anew, while letters leave.
        last = asyncio.create_task(sender.send("us@hub.example", ["anna@a.example"], LETTER))
        while far.letters < 2:
            await asyncio.sleep(0.01)
        far.may_leave.set()
        assert await last == {}
        await closing
        # Nor is a connection left open that nobody will use again.
        while far.gone < 2:
            await asyncio.sleep(0.01)
        assert (far.letters, far.connections) == (2, 2)


async def test_what_refuses_nothing_is_no_final_refusal() -> None:
    async with relay() as (far, sender):
        far.to_sender = b"221 Bye\r\n"
        with pytest.raises(TemporaryFailure, match="221 Bye"):
            await sender.send("us@hub.example", ["anna@a.example"], LETTER)
        assert far.letters == 0


@pytest.mark.parametrize(
    ("answer", "slower"),
    [
        (b"421 too many letters, try again later", True),
        (b"451-4.7.650 rate limited\r\n451 4.7.650 for a while", True),
        (b"421 4.4.2 timeout", False),
        (b"450 4.2.0 greylisted", False),
        (b"452 4.2.2 the mailbox is full", False),
    ],
)
async def test_a_server_that_wants_less_is_told_from_one_that_cannot(
    answer: bytes, slower: bool
) -> None:
    async with relay() as (far, sender):
        far.to_letter = answer + b"\r\n"
        with pytest.raises(TemporaryFailure) as failure:
            await sender.send("us@hub.example", ["anna@a.example"], LETTER)
        assert isinstance(failure.value, TooFast) is slower


async def test_goodbye_instead_of_an_answer_to_a_letter_leaves_its_end_unknown() -> None:
    async with relay() as (far, sender):
        far.to_letter = b"221 Bye\r\n"
        with pytest.raises(OutcomeUnknown, match="221 Bye"):
            await sender.send("us@hub.example", ["anna@a.example"], LETTER)


def test_whom_to_trust_is_read_once_for_connections_that_open_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 600.0
    monkeypatch.setattr("channels.email.smtp.monotonic", lambda: now)
    first = tls_context(True, "")
    now += 59
    assert tls_context(True, "") is first
    assert not tls_context(False, "").check_hostname
    assert first.check_hostname
    # An authority that was put there meanwhile is known without a new start.
    now += 1
    assert tls_context(True, "") is not first
