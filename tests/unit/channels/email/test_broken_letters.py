"""Broken, cut, mixed and made-up letters are read or refused in words, and nothing else.

Longer runs: tests/fuzz/letters.py.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.addresses import parse
from channels.email.html_text import html_to_text
from tests.fuzz.reading import SAMPLES, read_letter

PATHS = sorted(SAMPLES.glob("*.eml"))
PIECES = [
    b"=?utf-8?B?", b"=?koi8-r?Q?=FF", b"charset=utf-7", b"charset=unicode_escape", b'charset="a\x00b"',
    b"+2AA-", b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: uuencode\r\n",
    b"filename*0*=utf-8''%FF%00", b"filename*=x''\xd1\x8f%2e%2e%2f", b"multipart/mixed", b"boundary=",
    b"message/rfc822", b"message/delivery-status", b"\x00", b"\r\n\r\n", b"--b\r\n", b"<>", b"@@", b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_damaged_sample_is_read_or_refused(path: object) -> None:
    raw = path.read_bytes()  # type: ignore[attr-defined]
    chance = random.Random(path.stem)  # type: ignore[attr-defined]
    other = chance.choice(PATHS).read_bytes()
    for _ in range(60):
        broken = bytearray(raw)
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(broken) + 1)
            length = chance.choice([0, 0, 1, 3, 40])
            start = chance.randrange(len(other))
            new = chance.choice([
                b"", chance.choice(PIECES), chance.randbytes(3), other[start : start + length],
            ])  # fmt: skip
            broken[place : place + length] = new
        read_letter(bytes(broken))


VALUES = st.one_of(
    st.sampled_from(PIECES),
    st.binary(max_size=30),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
NAMES = st.sampled_from([
    b"From", b"To", b"Cc", b"Subject", b"Message-ID", b"References", b"In-Reply-To", b"Date", b"Reply-To",
    b"Content-Type", b"Content-Disposition", b"Content-Transfer-Encoding", b"Auto-Submitted", b"Return-Path",
])  # fmt: skip
HEADS = st.lists(st.tuples(NAMES, st.lists(VALUES, max_size=4)), max_size=8).map(
    lambda lines: b"".join(name + b": " + b" ".join(values) + b"\r\n" for name, values in lines)
)
BODIES = st.lists(st.one_of(VALUES, HEADS), max_size=8).map(b"\r\n".join)


@settings(max_examples=300)
@given(head=HEADS, body=BODIES)
def test_a_made_up_letter_is_read_or_refused(head: bytes, body: bytes) -> None:
    read_letter(b"From: anna@away.example\r\n" + head + b"\r\n" + body)


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Type: application/x; name*=\"utf-8''\xd1\x8f.txt\"",
        b"Content-Type: text/plain; charset=utf-7",
        b'Content-Type: text/plain; charset="a\x00b"',
    ],
)
def test_what_once_broke_the_reader_does_not_again(line: bytes) -> None:
    read_letter(b"From: anna@away.example\r\n" + line + b"\r\n\r\n+2AA- \xd1\x8f+2AA-\r\n")


@pytest.mark.parametrize(
    "opened", ["<!-- >", '<a href="', "<img src=x ", "<![if >", "</", "<p title='>"]
)
def test_a_letter_of_what_is_never_closed_is_read_at_once(opened: str) -> None:
    # Hours, where the end of each is looked for from its own beginning.
    said = html_to_text(f"<p>Hello, 5 < 6</p>{opened * 100_000}")
    assert said.startswith("Hello, 5 < 6")
    assert html_to_text("Hello <!-- not this --> Anna <![if !mso]>and<![endif]> 5 < 6") == (
        "Hello Anna and 5 < 6"
    )


def test_a_header_of_one_long_word_tells_no_address() -> None:
    assert parse(["x" * 20_000, "Anna <anna@a.example>"])[0].value == "anna@a.example"
