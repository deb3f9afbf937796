"""Bytes of letters to text, whatever their label says.

The order: the declared charset, UTF-8, then the Cyrillic code pages by how Russian the result
looks, and only then a guesser: it takes a short cp1251 word for Japanese.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from charset_normalizer import from_bytes

_ALIASES = {
    "windows-1251": "cp1251",
    "win-1251": "cp1251",
    "cp-1251": "cp1251",
    "x-cp1251": "cp1251",
    "koi8r": "koi8-r",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "x-unknown": "",
    "unknown-8bit": "",
    "default": "",
    "binary": "",
    # Python's own ways of writing, which warn of what a stranger wrote.
    "unicode-escape": "",
    "raw-unicode-escape": "",
}
_HALVES = frozenset({"utf-7", "punycode", "idna"})
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso-8859-5")
_COMMON = frozenset("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъОЕАИНТСРВЛКМДПУ")
_VOWELS = frozenset("аеёиоуыэюя")
GUESS_BYTES = 20_000
MAX_HEADER = 20_000


@lru_cache(maxsize=200)
def canonical(charset: str) -> str:
    """Give Python's name of a declared charset, "" where there is none."""
    name = charset.strip().strip("\"'").lower().replace("_", "-")
    name = _ALIASES.get(name, _ALIASES.get(name.replace("-", "_"), name))
    try:
        "".encode(name or "?")
    except (LookupError, ValueError):
        return ""
    return name


def decode(content: bytes, charset: str = "") -> str:
    """Decode bytes; never raises."""
    declared = canonical(charset[:100])
    for name in (declared, "utf-8"):
        if not name:
            continue
        try:
            text = content.decode(name)
            # Some codecs (UTF-7) make halves of characters, which no database takes.
            if name != "utf-8":
                text.encode("utf-8")
        except (ValueError, LookupError):
            continue
        # latin-1 decodes everything: believe it only where it does not hide Cyrillic.
        if name in ("iso-8859-1", "latin-1", "cp1252", "windows-1252") and _hides_cyrillic(content):
            break
        return text
    best = _cyrillic(content)
    if best is not None:
        return best
    if declared and declared not in _HALVES:
        return content.decode(declared, "replace")
    guess = from_bytes(content[:GUESS_BYTES]).best()
    if guess is not None:
        return content.decode(guess.encoding, "replace")
    return content.decode("latin-1")


def _hides_cyrillic(content: bytes) -> bool:
    high = sum(1 for one in content if one >= 0xC0)
    letters = sum(1 for one in content if one >= 0xC0 or chr(one).isalpha())
    return high > 3 and high * 2 > letters


def _cyrillic(content: bytes) -> str | None:
    """Give the most Russian reading, None where none looks Russian."""
    sample = content[:GUESS_BYTES]
    found: tuple[float, str] = (0.0, "")
    for name in _CYRILLIC:
        score = _russianness(sample.decode(name, "replace"))
        if score > found[0]:
            found = (score, name)
    return content.decode(found[1], "replace") if found[0] > 0.55 else None


def _russianness(text: str) -> float:
    """Say how much of a text's non-ASCII looks like Russian words, 0 to 1."""
    high = [one for one in text if ord(one) > 127]
    if not high:
        return 0.0
    good = sum(1.0 for one in high if one in _COMMON)
    good += sum(0.4 for one in high if "А" <= one <= "Я" and one not in _COMMON)
    # A wrong code page turns case about inside words and loses the vowels.
    for word in re.findall(r"[А-Яа-яЁё]{3,}", text):
        if word[1:].lower() != word[1:] and word.upper() != word:
            good -= len(word) * 0.5
        if not _VOWELS & set(word.lower()):
            good -= len(word) * 0.3
    return good / len(high)


def header(value: object) -> str:
    """Decode a header's encoded words (RFC 2047), also broken ones; one line of text."""
    if value is None:
        return ""
    raw = str(value)
    if not raw.isascii() and any(0xDC80 <= ord(one) <= 0xDCFF for one in raw):
        # Raw 8-bit bytes in a header: the parser kept them as surrogates.
        raw = decode(raw.encode("utf-8", "surrogateescape"))
    raw = raw[:MAX_HEADER]
    text = raw
    if "=?" in raw:
        try:
            text = _words(raw)
        except (ValueError, LookupError, MessageError):
            text = raw
    return " ".join(text.replace("\x00", "").split())


def _words(raw: str) -> str:
    # A character may be cut between two words of one charset: join their bytes first.
    unfolded = re.sub(r"\r?\n[ \t]+", " ", raw)
    pieces: list[tuple[bytes, str]] = []
    for part, charset in decode_header(unfolded):
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        name = (charset or "").split("*")[0]
        if pieces and name and pieces[-1][1] == name:
            pieces[-1] = (pieces[-1][0] + content, name)
        else:
            pieces.append((content, name))
    return "".join(decode(content, name or "utf-8") for content, name in pieces)


def parameter(value: object) -> str:
    """Decode a parameter such as a file name: RFC 2231, encoded words, or raw bytes."""
    if isinstance(value, tuple):
        charset, _, text = value
        content = _bytes(text) if isinstance(text, str) else text
        if b"%" in content:
            content = unquote_to_bytes(content)
        return decode(content, charset or "utf-8")
    return header(value)


def _bytes(text: str) -> bytes:
    """Give back the bytes of which the parser made a text, one letter for each, if it did."""
    try:
        return text.encode("latin-1", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
