"""Addresses of letters: which are taken, the campaign's marks on them, how they stand in HTML."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hub import Invalid, with_addresses

TAKEN = ("https://", "http://", "mailto:", "tel:")
_FILLED = re.compile(r"\{\{[^{}]*\}\}")
_HREF = re.compile(
    r"(\bhref\s*=\s*([\"']))((?:\{\{[^{}]*\}\}|(?!\2|\{\{).)*)\2", re.IGNORECASE | re.DOTALL
)


def address_of(address: str, utm: str = "") -> str:
    """Check an address and add the campaign's marks; marks and anchors that are there stay."""
    if address.startswith("{{"):
        return address
    if not address.lower().startswith(TAKEN):
        raise Invalid(f"a link begins with https://: {address[:80]}", field="text")
    if not utm or not address.lower().startswith("http"):
        return address
    # What is filled in for each person stays as it is written.
    filled = _FILLED.findall(address)
    held = {f"placeholder{n}x": one for n, one in enumerate(filled)}
    for name, one in held.items():
        address = address.replace(one, name, 1)
    parts = urlsplit(address)
    given = parse_qsl(parts.query, keep_blank_values=True)
    there = {name for name, _ in given}
    given += [(name, value) for name, value in parse_qsl(utm) if name not in there]
    made = urlunsplit(parts._replace(query=urlencode(given)))
    for name, one in held.items():
        made = made.replace(name, one, 1)
    return made


def attribute(address: str) -> str:
    """Write an address into an attribute; a default in a placeholder keeps quotes of its own."""
    held = [one[0].replace('"', "'") for one in _FILLED.finditer(address)]
    made = [escape(part, True) for part in _FILLED.split(address)]
    return "".join(f"{part}{one}" for part, one in zip(made, [*held, ""], strict=True))


def with_marked_links(source: str, utm: str) -> str:
    """Add the campaign's marks to the links of code; what is no web address stays as it is."""
    if not utm:
        return source

    def marked(one: re.Match[str]) -> str:
        address = one[3]
        if address.startswith(("https://", "http://")):
            address = attribute(address_of(address.replace("&amp;", "&"), utm))
        return f"{one[1]}{address}{one[2]}"

    return _HREF.sub(marked, source)


def with_marks(text: str, utm: str) -> str:
    """Add the campaign's marks to the addresses of a plain message."""
    return with_addresses(text, lambda one: address_of(one, utm)) if utm else text
