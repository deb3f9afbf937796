"""The quick way to read a header gives what the standard library gives, wherever it is taken."""

import email
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.addresses import _SIMPLE, _pairs, parse
from channels.email.charsets import parameter
from channels.email.heads import Heads

TYPES = [
    "text/plain",
    "TEXT/HTML; charset=utf-8",
    'text/plain; charset="KOI8-R"',
    "text/plain ;charset = windows-1251 ;",
    "text/plain; charset=utf-8; format=flowed",
    'text/plain; charset="utf-8"; name="a b.txt"',
    "text/plain; name=letter.txt",
    "text/plain; charset*=us-ascii''utf-8",
    'multipart/mixed; boundary="=_x"',
    "multipart/mixed",
    "text",
    "text/plain/odd",
    "text/pl in",
    "/",
    "",
    ";",
    "text/plain; charset",
    'text/plain; charset="utf-8',
    "application/x-pdf; x=1",
]


@pytest.mark.parametrize("written", TYPES)
def test_a_content_type_reads_as_the_library_reads_it(written: str) -> None:
    message = email.message_from_string(f"Content-Type: {written}\n\nbody")
    heads = Heads(message)
    kind = message.get_content_type()
    assert heads.kind() in (kind, "application/octet-stream")
    assert heads.charset() == parameter(message.get_param("charset") or "")
    assert heads.file_name() == parameter(message.get_param("name") or "")


def test_a_file_name_stands_in_the_disposition_first() -> None:
    message = email.message_from_string(
        "Content-Type: text/plain; charset=utf-8\n"
        "Content-Disposition: attachment; filename*=utf-8''%D0%B0.txt\n\nbody"
    )
    assert Heads(message).file_name() == "а.txt"


def test_headers_are_found_whatever_their_case_and_number() -> None:
    heads = Heads(email.message_from_string("TO: a@b.example\nto: c@d.example\n\n"))
    assert heads.all("to") == ["a@b.example", "c@d.example"]
    assert (heads.raw("to"), heads.raw("cc"), heads.value("cc")) == ("a@b.example", "", "")


@given(st.lists(st.sampled_from(["a", "b.c", "@", ".", "<", ">", " ", ",", "=?", "(", '"', "-"])))
def test_a_simple_address_reads_as_the_library_reads_it(pieces: list[str]) -> None:
    written = "".join(pieces)
    if _SIMPLE.fullmatch(written):
        [(name, address)] = getaddresses([written])
        assert _pairs([written]) == [(" ".join(name.split()), address)]


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("anna@Example.COM", "", "anna@example.com"),
        ("Anna K. <anna@example.com>", "Anna K.", "anna@example.com"),
        ("=?utf-8?B?0JDQvdC90LA=?= <anna@example.com>", "Анна", "anna@example.com"),
        ("=?utf-8?Q?=D0=90?= =?utf-8?Q?=D0=BD?= <a+b@x.example>", "Ан", "a+b@x.example"),
        ('"K., Anna" <anna@example.com>', "K., Anna", "anna@example.com"),
    ],
)
def test_names_are_decoded_on_both_ways(written: str, name: str, value: str) -> None:
    [found] = parse([written])
    assert (found.name, found.value) == (name, value)
