"""The parts of a letter out of its bytes: quickly where it is written as nearly all are.

The standard library goes through a letter line by line, whatever stands in it. Here fields and
boundaries are looked for in the bytes, and bodies stay bytes. Only what is written plainly is read
so, and comes out as the library would have read it; at anything else (a boundary that is missing,
a letter in a letter, a line that is no field, a lone carriage return) the library is asked.
"""

from __future__ import annotations

import email
import re
from email.message import Message
from email.policy import compat32
from typing import Any

MAX_DEPTH = 10
_BLANK = re.compile(rb"\n\r?\n")
_FIELD = re.compile(r"(?m)^[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*")
_TYPE = re.compile(r"[ \t]*([\w.+-]+)/([\w.+-]+)[ \t]*(?:;|$)", re.ASCII)
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*\r?")
_AS_IT_IS = ("", "7bit", "8bit", "binary")


class _NotPlain(Exception):
    """This letter is for the library."""


class _Part(Message):
    """A part whose body is made into text only for those who ask for text."""

    body: bytes | None = None

    def get_payload(self, i: Any = None, decode: Any = False) -> Any:
        """Give what the library gives."""
        if self.body is not None:
            if decode and str(self.get("content-transfer-encoding", "")).lower() in _AS_IT_IS:
                return self.body
            self.set_payload(self.body.decode("ascii", "surrogateescape"))
            self.body = None
        return super().get_payload(i, decode)


def parsed(raw: bytes) -> Message:
    """Read a letter; raises what the library raises."""
    try:
        return _part(raw, 0, len(raw), 0)
    except _NotPlain:
        return email.message_from_bytes(raw)


def _part(raw: bytes, start: int, end: int, depth: int) -> Message:
    """Read the part between two places; the line before it, if there is one, ended at `start`."""
    blank = _BLANK.search(raw, max(0, start - 1), end)
    if blank is None or depth > MAX_DEPTH:
        raise _NotPlain
    # An empty head ends where it begins.
    written = raw[start : blank.start() + 1].decode("ascii", "surrogateescape")
    fields = _FIELD.findall(written)
    if sum(map(len, fields)) != len(written) or written.count("\r") != written.count("\r\n"):
        raise _NotPlain
    part = _Part()
    kind: tuple[str, str] | None = None
    for field in fields:
        name, value = compat32.header_source_parse([field])
        part.set_raw(name, value)
        if kind is None and name.lower() == "content-type":
            match = _TYPE.match(value)
            if match is None:
                raise _NotPlain
            kind = match[1].lower(), match[2].lower()
    if kind is not None and kind[0] == "multipart":
        _divide(part, kind[1], raw, blank.end(), end, depth)
    elif kind is not None and kind[0] == "message":
        raise _NotPlain
    else:
        part.body = raw[blank.end() : end]
    return part


def _divide(part: Message, kind: str, raw: bytes, start: int, end: int, depth: int) -> None:
    """Read the parts of a part."""
    boundary = part.get_boundary()
    # Parts of a digest are letters.
    if not boundary or not boundary.isascii() or kind == "digest":
        raise _NotPlain
    separator = b"--" + boundary.encode()
    at = start
    begins = -1
    while (at := raw.find(separator, at, end)) >= 0:
        before = raw[at - 1 : at]
        if before == b"\r":
            raise _NotPlain
        if before != b"\n":
            at += len(separator)
            continue
        line_end = raw.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end
        rest = raw[at + len(separator) : line_end]
        match = _AFTER_BOUNDARY.fullmatch(rest)
        if match is None:
            if b"\r" in rest[:-1]:
                raise _NotPlain
            at += len(separator)
            continue
        if begins >= 0:
            # The line's end before a boundary belongs to it.
            close = at - 1
            close -= raw[close - 1 : close] == b"\r"
            if close < begins - 1:
                raise _NotPlain
            part.attach(_part(raw, begins, max(close, begins), depth + 1))
        if match[1]:
            if begins < 0:
                break
            return
        at = begins = line_end + 1
    raise _NotPlain
