"""Multipart bodies as browsers send them: fields and files, out of bytes that may lie.

Small on purpose (RFC 7578 as browsers speak it): no nesting, no transfer encodings. The body is
in memory already, capped by whoever read it; parts and header lengths are capped here.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from hub.errors import MalformedPayload
from hub.messages import Attachment

MAX_PARTS = 200
MAX_HEADERS = 8_192

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.IGNORECASE)


def read_multipart(
    content_type: str, body: bytes
) -> tuple[list[tuple[str, str]], list[tuple[str, Attachment]]]:
    """Split a `multipart/form-data` body into (name, text) fields and (name, file) pairs."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise MalformedPayload("the body is not multipart/form-data")
    found = _BOUNDARY.search(content_type)
    if not found:
        raise MalformedPayload("the multipart body names no boundary")
    boundary = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    # A leading line break lets the first delimiter be found like every other one.
    sections = (b"\r\n" + body).split(b"\r\n" + boundary)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise MalformedPayload("the multipart body is cut off")
    if len(sections) - 2 > MAX_PARTS:
        raise MalformedPayload("the multipart body has too many parts")
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, Attachment]] = []
    for section in sections[1:-1]:
        head, separator, content = section.partition(b"\r\n\r\n")
        if not separator or len(head) > MAX_HEADERS:
            raise MalformedPayload("a part of the multipart body has no readable headers")
        name, filename, media_type = _read_head(head)
        if filename is None:
            fields.append((name, content.decode("utf-8", "replace")))
        elif filename or content:
            # A file field that was left empty comes as a nameless part without bytes.
            files.append(
                (
                    name,
                    Attachment(
                        name=plain_name(filename),
                        media_type=media_type,
                        size=len(content),
                        content=content,
                    ),
                )
            )
    return fields, files


def plain_name(name: str) -> str:
    """Give a file name without folders and control characters, never empty or too long."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(one for one in last if one.isprintable()).strip(" .")
    if len(clean) > 150:
        stem, dot, extension = clean.rpartition(".")
        clean = stem[:130] + dot + extension[:19] if dot else clean[:150]
    return clean or "file"


def _read_head(head: bytes) -> tuple[str, str | None, str]:
    name, filename, media_type = "", None, "application/octet-stream"
    for line in head.decode("utf-8", "replace").split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            for parameter in _PARAMETER.finditer(value):
                word = parameter[1].lower()
                text = parameter[3] if parameter[2] is None else parameter[2]
                # Browsers write quotes and line breaks of a name as %22, %0D, %0A.
                text = text.replace("%22", '"').replace('\\"', '"')
                if word == "name":
                    name = text
                elif word == "filename" and filename is None:
                    filename = text
                elif word == "filename*":
                    filename = unquote(text.rpartition("'")[2])
        elif key.strip().lower() == "content-type":
            found = re.match(r"\s*([\w.+-]{1,80}/[\w.+-]{1,80})", value)
            media_type = found[1].lower() if found else media_type
    return name, filename, media_type
