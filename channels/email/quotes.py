"""What somebody wrote himself, without the quoted letter and the signature below it.

`email-reply-parser` knows the English clients; the patterns here add the Russian ones and the
header blocks of Outlook. Nothing is lost: the whole text is kept beside the stripped one, and
a letter is never stripped to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LINES = 4000
MAX_LINE = 1000

_MONTHS = r"янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = rf"\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}\s+(?:{_MONTHS})|(?:{_MONTHS})\w*\.?\s+\d{{1,2}}"
_ATTRIBUTION = [
    re.compile(rf"(?i)^\s*>*\s*on\b.{{0,200}}(?:{_DATE}).{{0,300}}\bwrote\s*:\s*$"),
    re.compile(r"(?i)^\s*>*\s*on .{5,300} wrote:\s*$"),
    re.compile(rf"(?i)^\s*(?:вы писали|you wrote)\b.{{0,80}}(?:{_DATE}).{{0,80}}:\s*$"),
    re.compile(
        rf"(?i)^.{{0,200}}(?:{_DATE}).{{0,300}}(?:пишет|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|wrote|schrieb|a écrit)\s*:\s*$"
    ),
    re.compile(
        r"(?i)^.{0,200}<[^<>\s]+@[^<>\s]+>\s*(?:пишет|написал(?:\(а\)|а)?|писал(?:\(а\)|а)?|wrote)?\s*:\s*$"
    ),
    re.compile(r"(?i)^\s*(?:\w+,\s*)?.{0,120}\b(?:пишет|написал|написала|писал|писала)\s*:\s*$"),
]
_SEPARATOR = re.compile(
    r"(?i)^\s*>*\s*-{2,}\s*(?:original message|forwarded message|исходное сообщение|пересылаемое "
    r"сообщение|пересланное сообщение|конец пересылаемого сообщения|ursprüngliche nachricht)"
    r"\s*-{2,}\s*$|^\s*_{10,}\s*$"
)
_FIELD = re.compile(
    r"(?i)^\s*\*?(?:from|sent|to|subject|date|cc|от|отправлено|кому|тема|дата|копия|von|gesendet)"
    r"\s*:\s*\*?\s*\S"
)
_FIRST_FIELD = re.compile(r"(?i)^\s*\*?(?:from|от|von)\s*:")
_MOBILE = re.compile(
    r"(?i)^\s*(?:sent from my\b.{0,60}|sent from (?:mail|outlook|yahoo).{0,60}|get outlook for.{0,40}"
    r"|отправлено (?:с|из|через)\b.{0,80}|послано с\b.{0,60}|отправлено с моего.{0,60})\s*$"
)
_SIGNATURE = re.compile(r"^--\s?$")
_DASHES = re.compile(r"^\s*-{10,}\s*$")
_QUOTED = re.compile(r"^\s*>")


def strip(text: str) -> str:
    """Give a letter's own words; the whole text where nothing else would be left."""
    whole = text.replace("\r\n", "\n").split("\n")
    lines = [_Line(one) for one in whole[:MAX_LINES]]
    end = _end(lines)
    own = lines[:end]
    if end == len(lines) and any(_QUOTED.match(one) for one in own):
        own = _unquoted(own)
    own = _without_signature(own)
    # What is longer than anybody quotes is left as it came.
    rest = whole[MAX_LINES:] if end == len(lines) else []
    stripped = "\n".join([*(one.whole for one in own), *rest]).strip()
    return stripped or text.strip()


class _Line(str):
    """The beginning of a line, which is all that is looked at, and the whole of it."""

    __slots__ = ("whole",)
    whole: str

    def __new__(cls, whole: str) -> _Line:
        line = super().__new__(cls, whole[:MAX_LINE])
        line.whole = whole
        return line


def _end(lines: Sequence[str]) -> int:
    """Find the line where somebody else's letter begins."""
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        if _SEPARATOR.match(line) or _is_block(lines, n) or _is_ruled_off(lines, n):
            return n
        if _is_attribution(lines, n) and _is_followed_by_quote(lines, n):
            return n
    return len(lines)


def _is_attribution(lines: Sequence[str], n: int) -> bool:
    """Say whether "On … wrote:" begins here; clients wrap it over up to three lines."""
    joined = lines[n].strip()
    for more in range(3):
        # Every one of them ends so, and most lines do not.
        if joined.endswith(":") and any(one.match(joined) for one in _ATTRIBUTION):
            # A wrapped one must begin like one, else the person's last line is taken with it.
            return more == 0 or bool(
                re.match(
                    rf"(?i)^\s*(?:on\b|\S{{0,20}}\s*(?:{_DATE})|(?:{_DATE})|(?:пн|вт|ср|чт|пт|сб|вс|mon|tue|wed|thu|fri|sat|sun)\b)",
                    lines[n],
                )
            )
        if n + more + 1 >= len(lines) or not lines[n + more + 1].strip():
            return False
        joined = f"{joined} {lines[n + more + 1].strip()}"
    return False


def _is_followed_by_quote(lines: Sequence[str], n: int) -> bool:
    """An inline answer stands among quotes: there the letter goes on below."""
    rest = lines[n + 1 :]
    own = 0
    quoted = 0
    for line in rest:
        if _QUOTED.match(line):
            quoted += 1
        elif quoted and line.strip() and not _MOBILE.match(line) and not _SIGNATURE.match(line):
            own += 1
    # Some clients do not mark the quote at all: then all below is the old letter.
    return not quoted or own == 0


def _is_block(lines: Sequence[str], n: int) -> bool:
    """Say whether Outlook's block of From/Sent/To/Subject begins here."""
    if not _FIRST_FIELD.match(lines[n]):
        return False
    near = [one for one in lines[n : n + 8] if one.strip()]
    return sum(1 for one in near if _FIELD.match(one)) >= 3


def _is_ruled_off(lines: Sequence[str], n: int) -> bool:
    """Say whether a dashed line stands here with fields of the old letter below it."""
    if not _DASHES.match(lines[n]):
        return False
    near = [one for one in lines[n + 1 : n + 5] if one.strip()]
    return len([one for one in near[:2] if _FIELD.match(one)]) == 2


def _unquoted(lines: list[_Line]) -> list[_Line]:
    """Leave quotes and their attribution out of an inline answer that has own words below."""
    own: list[_Line] = []
    skip = 0
    for n, line in enumerate(lines):
        if skip:
            skip -= 1
            continue
        if _QUOTED.match(line):
            continue
        if line.strip() and _is_attribution(lines, n):
            while n + skip < len(lines) and not lines[n + skip].rstrip().endswith(":"):
                skip += 1
            continue
        own.append(line)
    return [one for n, one in enumerate(own) if one.strip() or n == 0 or own[n - 1].strip()]


def _without_signature(lines: list[_Line]) -> list[_Line]:
    for n, line in enumerate(lines):
        if _SIGNATURE.match(line) and n:
            lines = lines[:n]
            break
    while lines and (not lines[-1].strip() or _MOBILE.match(lines[-1])):
        lines = lines[:-1]
    return lines
