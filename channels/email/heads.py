"""The header of a letter, or of one of its parts, looked through once.

The standard library searches the whole header for every question, and takes the content type apart
for every parameter. Nearly all are written plainly; for the others the library is asked.
"""

from __future__ import annotations

import re
from email.message import Message

from channels.email.charsets import header, parameter

_KIND = re.compile(r"\s*([\w.+-]+/[\w.+-]+)\s*(?:;|$)", re.ASCII)
_PLAIN = re.compile(
    r"\s*[\w.+-]+/[\w.+-]+\s*(?:;\s*charset\s*=\s*(?:\"([\w.:-]*)\"|([\w.:-]*))\s*)?;?\s*",
    re.ASCII | re.IGNORECASE,
)
_WELL_FORMED = re.compile(r"[\w.+-]+/[\w.+-]+")
OTHER = "application/octet-stream"


class Heads:
    """What stands in one header, by name in lower case."""

    __slots__ = ("_message", "_plain", "_values")

    def __init__(self, message: Message) -> None:
        self._message = message
        self._values: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            # Encoded words are decoded after the addresses were told apart: a name may hold a
            # comma. Raw bytes stay surrogates here, which `header` turns into letters.
            self._values.setdefault(name.lower(), []).append(str(value))
        types = self._values.get("content-type")
        self._plain = _PLAIN.fullmatch(types[0]) if types else None

    def all(self, name: str) -> list[str]:
        """Give every header of a name as it stands."""
        return self._values.get(name, [])

    def raw(self, name: str) -> str:
        """Give the first header of a name as it stands, "" without one."""
        found = self._values.get(name)
        return found[0] if found else ""

    def value(self, name: str) -> str:
        """Give a header decoded, also where it holds raw bytes."""
        found = self._values.get(name)
        return header(found[0]) if found else ""

    def kind(self) -> str:
        """Give the media type in lower case; what is none is bytes."""
        match = _KIND.match(self.raw("content-type"))
        if match:
            return match[1].lower()
        try:
            kind = self._message.get_content_type()
        except (ValueError, LookupError, AttributeError):
            return OTHER
        return kind if _WELL_FORMED.fullmatch(kind) else OTHER

    def charset(self) -> str:
        """Give the declared character set, "" without one."""
        if self._plain:
            return self._plain[1] or self._plain[2] or ""
        try:
            value = self._message.get_param("charset")
        except (ValueError, LookupError, TypeError):
            return ""
        return parameter(value) if value else ""

    def file_name(self) -> str:
        """Give the name of a file as it was written, "" without one."""
        if self._plain and "content-disposition" not in self._values:
            return ""
        try:
            value = self._message.get_param(
                "filename", None, "content-disposition"
            ) or self._message.get_param("name")
        except (ValueError, LookupError, TypeError):
            return ""
        return parameter(value) if value else ""
