"""Mail addresses: read from headers, canonical, and with our token in them."""

from __future__ import annotations

import re
from email.utils import getaddresses

import idna

from channels.email.charsets import header
from hub import Address

KIND = "email"
# Begun at a word's first letter only: a header of one long word is not gone through from each of them.
_PLAIN = re.compile(r"(?<![^\s<>,;:\"()])[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")
# One address as nearly all are written: alone, or in angle brackets behind a name without quotes,
# encoded words included.
_WORD = r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
_SIMPLE = re.compile(
    rf"[ \t]*(?:([^\"(),:;<>@\[\]\\\r\n]*)<({_WORD}(?:\.{_WORD})*@[\w-]+(?:\.[\w-]+)*)>"
    rf"|({_WORD}(?:\.{_WORD})*@[\w-]+(?:\.[\w-]+)*))[ \t]*",
    re.ASCII,
)
_TOKEN = re.compile(r"^(?P<local>[^+]+)\+(?P<token>[A-Za-z0-9_.\-]{20,})$")


def canonical(value: str) -> str:
    """Give an address in the form in which it is compared: lower case, the domain in ASCII."""
    value = value.strip().strip("<>").replace("\x00", "")
    local, at, domain = value.rpartition("@")
    if not at:
        return value.lower()
    return f"{local.lower()}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """Give a domain in its ASCII form (IDNA 2008); as it is where it is no such name."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain.lower(), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return domain.lower()


def on_wire(value: str) -> str:
    """Give an address as a relay wants it: the domain in ASCII, the rest as it was written."""
    local, at, domain = value.strip().rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"


def parse(values: list[str], limit: int = 200) -> tuple[Address, ...]:
    """Read address headers; what is no address is left out."""
    if not values:
        return ()
    found: dict[str, Address] = {}
    for name, value in _pairs([one.replace("\x00", "") for one in values]):
        address = header(value)
        if "@" not in address:
            match = _PLAIN.search(f"{header(name)} {address}")
            if match is None:
                continue
            address = match.group(0)
        key = canonical(address)
        if "@" in key and len(key) <= 320 and key not in found:
            found[key] = Address(kind=KIND, value=key, name=header(name)[:200])
        if len(found) >= limit:
            break
    return tuple(found.values())


def _pairs(values: list[str]) -> list[tuple[str, str]]:
    """Give names and addresses; the library is asked where one is not written simply."""
    if len(values) == 1 and values[0].isascii():
        match = _SIMPLE.fullmatch(values[0])
        if match:
            return [(" ".join((match[1] or "").split()), match[2] or match[3])]
    return getaddresses(values)


def split_token(value: str) -> tuple[str, str]:
    """Give an address without its plus-token, and the token ("" where it has none)."""
    local, at, domain = value.rpartition("@")
    match = _TOKEN.match(local)
    if not at or match is None:
        return value, ""
    return f"{match['local']}@{domain}", match["token"]


def with_token(value: str, token: str) -> str:
    """Give our address with a dialog's token in it (RFC 5233 subaddressing)."""
    local, _, domain = value.rpartition("@")
    return f"{local}+{token}@{domain}"
