"""What is said to a mail server for one letter, and how its answers are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiosmtplib
import pytest

from channels.email.exchange import GIBBERISH, Answer, Exchange, stuffed
from hub import PermanentFailure

COMMANDS = [b"MAIL FROM:<us@hub.example>", b"RCPT TO:<anna@a.example>", b"DATA"]


@asynccontextmanager
async def talking(answers: Sequence[bytes]) -> AsyncIterator[tuple[Exchange, list[bytes]]]:
    """A connection to a server that answers each thing that it hears with the next bytes; with
    none left it hangs up."""
    said, left, over = list[bytes](), list(answers), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while heard := await reader.read(65_536):
            if heard.startswith((b"EHLO", b"QUIT")):
                writer.write(b"250 fine\r\n")
                continue
            said.append(heard)
            if not left:
                break
            writer.write(left.pop(0))
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False)
    async with server:
        await client.connect()
        await client.ehlo()
        with Exchange(client) as exchange:
            yield exchange, said
        client.close()
        await over.wait()


async def test_all_is_said_in_one_breath_and_each_answer_is_heard() -> None:
    heard = b"250 2.1.0 fine\r\n550-5.1.1 nobody\r\n550 5.1.1 here\r\n354 go on\r\n"
    async with talking([heard, b"250 taken\r\n"]) as (exchange, said):
        answers = await exchange.begin(COMMANDS, at_once=True, seconds=5)
        assert answers == [
            Answer(250, "2.1.0 fine"),
            Answer(550, "5.1.1 nobody\n5.1.1 here"),
            Answer(354, "go on"),
        ]
        assert await exchange.hand_over(b"A: b\r\n\r\n.c\r\n", seconds=5) == Answer(250, "taken")
    assert said == [b"\r\n".join(COMMANDS) + b"\r\n", b"A: b\r\n\r\n..c\r\n.\r\n"]


async def test_one_by_one_nothing_is_said_that_has_no_use() -> None:
    async with talking([b"250 fine\r\n", b"550 nobody\r\n"]) as (exchange, said):
        answers = await exchange.begin(COMMANDS, at_once=False, seconds=5)
        assert [one.code for one in answers] == [250, 550]
    assert len(said) == 2


async def test_who_hangs_up_is_heard_as_far_as_he_spoke() -> None:
    async with talking([b"421 closing\r\n"]) as (exchange, _):
        first = await exchange.begin(COMMANDS[:1], at_once=True, seconds=5)
        assert first == [Answer(421, "closing")]
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await exchange.begin(COMMANDS, at_once=True, seconds=5)


async def test_what_is_no_answer_and_what_nobody_asked_for_end_the_connection() -> None:
    async with talking([b"hello\r\n"]) as (exchange, _):
        [answer] = await exchange.begin(COMMANDS[:1], at_once=True, seconds=5)
        assert answer.code == GIBBERISH
    async with talking([b"250 fine\r\n250 and more\r\n"]) as (exchange, _):
        assert len(await exchange.begin(COMMANDS[:1], at_once=True, seconds=5)) == 1
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await exchange.hand_over(b"A: b\r\n\r\nc\r\n", seconds=5)


async def test_a_command_has_one_line() -> None:
    async with talking([]) as (exchange, said):
        with pytest.raises(PermanentFailure):
            await exchange.begin([b"RCPT TO:<a@b>\r\nDATA"], at_once=True, seconds=5)
    assert not said


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        (b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n"),
        (b"A: b\r\n\r\n.\r\n..c", b"A: b\r\n\r\n..\r\n...c\r\n"),
        # Neither a lone LF nor a lone CR may end the letter before its end.
        (b"A: b\r\n\r\nc\n.\nd\r.\re", b"A: b\r\n\r\nc\r\n..\r\nd\r\n..\r\ne\r\n"),
        (b".", b"..\r\n"),
    ],
)
def test_dots_are_doubled_and_lines_are_whole(letter: bytes, said: bytes) -> None:
    assert stuffed(letter) == said
