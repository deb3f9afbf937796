"""Multipart bodies of browsers: what is read, and that lies end in one clear error."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import MalformedPayload, Micros, WebhookRequest
from hub.multipart import plain_name, read_multipart

TYPE = "multipart/form-data; boundary=XX"


def body(*parts: bytes, end: bytes = b"--XX--\r\n") -> bytes:
    return b"".join(b"--XX\r\n" + one + b"\r\n" for one in parts) + end


def test_fields_and_files_of_a_real_client_are_read() -> None:
    files = {"file": ("прайс, май.pdf", b"%PDF-1\r\n--X\r\n\x00\xff", "application/pdf")}
    sent = httpx.Request("POST", "http://hub", data={"a": "привет", "b": ""}, files=files)
    request = WebhookRequest(
        method="POST",
        url="http://hub",
        headers=dict(sent.headers),
        body=sent.read(),
        received_at=Micros(1),
    )
    fields, (file,) = request.multipart()
    assert fields == {"a": "привет", "b": ""}
    assert (file.name, file.media_type) == ("прайс, май.pdf", "application/pdf")
    assert file.content == b"%PDF-1\r\n--X\r\n\x00\xff"
    assert file.size == len(file.content)


def test_an_empty_file_field_is_no_file() -> None:
    part = b'Content-Disposition: form-data; name="f"; filename=""\r\n\r\n'
    assert read_multipart(TYPE, body(part)) == ([], [])


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\price.xls", "price.xls"),
        ("a\x00b\r\nc\u202efdp.exe", "abcfdp.exe"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 130 + ".pdf"),
    ],
)
def test_a_file_name_never_carries_a_folder_or_a_trick(given_name: str, name: str) -> None:
    assert plain_name(given_name) == name


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/plain", body()),
        ("multipart/form-data", body()),
        (TYPE, b""),
        (TYPE, body(b"Content-Disposition: form-data; name=a\r\n\r\n1", end=b"")),
        (TYPE, body(b"no headers at all")),
        (TYPE, body(*[b'Content-Disposition: form-data; name="a"\r\n\r\n1'] * 201)),
    ],
)
def test_a_broken_body_is_malformed(content_type: str, content: bytes) -> None:
    with pytest.raises(MalformedPayload):
        read_multipart(content_type, content)


@given(st.text(max_size=60), st.binary(max_size=400))
def test_no_bytes_escape_as_another_error(noise: str, content: bytes) -> None:
    for kind in (TYPE, f"multipart/form-data; boundary={noise}"):
        for data in (
            content,
            body(content),
            body(b"Content-Disposition: " + content + b"\r\n\r\n"),
        ):
            try:
                read_multipart(kind, data)
            except MalformedPayload:
                continue
