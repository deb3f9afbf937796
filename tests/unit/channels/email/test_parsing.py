"""Plainly written letters are read as the standard library reads them, the others by it."""

from __future__ import annotations

import email
import random
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest

from channels.email import parsing

SAMPLES = sorted((Path(__file__).parents[3] / "wire/email/samples").glob("*.eml"))
PLAIN = (
    b"From: a@b.example\r\nSubject: \xd0\x9f\r\n folded\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\nabove\r\n--b\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="c d"\r\n\r\n--c d\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xd0\x9f\r\n\r\n--c d \r\n\r\nplain\r\n--c d--\r\n\r\n"
    b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n--bc\r\n--b--\r\nbelow\r\n"
)
PIECES = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b":", b"--b", b"--b--", b"--c d", b"\r\n--b\r\n",
    b"\r\n--b--\r\n", b"\r\n--c d\r\n\r\n", b"A: b", b"From x", b"\x0b", b"\x00", b"\xd0",
    b"Content-Type: multipart/digest; boundary=b", b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: quoted-printable",
)  # fmt: skip


def asked(question: Callable[[], object]) -> object:
    """Give an answer, or how it failed."""
    try:
        return question()
    except Exception as error:
        return repr(error)


def shape(part: Message) -> object:
    """Give all of a letter that is looked at."""
    heads = part.raw_items()
    if part.is_multipart():
        return [*heads, *(shape(one) for one in part.get_payload() if isinstance(one, Message))]
    content = asked(lambda: part.get_payload(decode=True)), asked(part.get_payload)
    return [*heads, part.get_content_type(), *content]


def plainly(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> Message | None:
    """Read without the library; None where it would be asked."""
    with monkeypatch.context() as patched:
        patched.setattr(email, "message_from_bytes", lambda raw: None)
        return parsing.parsed(raw)


def test_letters_of_real_programs_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    for raw in (PLAIN, *(one.read_bytes() for one in SAMPLES)):
        found = plainly(raw, monkeypatch)
        read += found is not None
        assert shape(found or parsing.parsed(raw)) == shape(email.message_from_bytes(raw))
    assert plainly(PLAIN, monkeypatch) is not None
    assert read > len(SAMPLES) / 2


def test_what_is_not_plain_is_for_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261129)
    read = 0
    for _ in range(1500):
        broken = bytearray(PLAIN)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(broken))
            broken[place : place + chance.randint(0, 3)] = chance.choice(PIECES)
        found = plainly(bytes(broken), monkeypatch)
        read += found is not None
        if found is not None:
            assert shape(found) == shape(email.message_from_bytes(bytes(broken))), bytes(broken)
    assert 0 < read < 1500
