"""What people write to make words stand out in a chat, read once for every channel.

An author writes `*bold*`, `_italic_`, `~struck~`, `` `code` `` and `[words](https://…)`, as in
WhatsApp and, with the signs doubled, in Telegram. The text is kept as written; a channel whose
`Capabilities.formatting` says so turns the signs into its own formatting when it sends. A sign
counts only around whole words of one line, so that 2*3*4, snake_case and a blank to fill in stay
what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

BOLD, ITALIC, STRUCK, CODE, LINK = "bold", "italic", "struck", "code", "link"
_PAIRS = (("*", BOLD), ("_", ITALIC), ("~", STRUCK))
_ADDRESS = r"(?:https?://|mailto:|tel:)(?:[^\s()<>]|\([^\s()<>]*\))+"


def _pair(sign: str, name: str) -> str:
    one = re.escape(sign)
    inner = rf"(?![\s{one}])[^\n{one}]*[^\s{one}]"
    return rf"(?<![\w{one}])(?P<{name}_>{one}{{1,2}})(?P<{name}>{inner})(?P={name}_)(?![\w{one}])"


# Code and addresses come first: what stands in them means nothing else.
_MARKS = re.compile(
    "|".join(
        (
            rf"(?<![\w`])`(?P<{CODE}>[^`\n]*[^`\s])`(?![\w`])",
            rf"\[(?P<words>[^\[\]\n]+)\]\((?P<{LINK}>{_ADDRESS})\)",
            r"(?P<bare>https?://\S+)",
            *(_pair(sign, name) for sign, name in _PAIRS),
        )
    )
)
_TAGS = {BOLD: "b", ITALIC: "i", STRUCK: "s", CODE: "code"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a text that stands out: bold, italic, struck, code or link; `end` is beyond it."""

    kind: str
    start: int
    end: int
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatted:
    """A text without its signs, and what they said of it; spans nest and never cross."""

    text: str
    spans: tuple[Span, ...] = ()

    def part(self, start: int, end: int) -> Formatted:
        """Give a stretch of it, with what of the spans lies inside."""
        inside = tuple(
            Span(
                kind=one.kind,
                start=max(one.start, start) - start,
                end=min(one.end, end) - start,
                url=one.url,
            )
            for one in self.spans
            if one.start < end and one.end > start
        )
        return Formatted(text=self.text[start:end], spans=inside)

    def written(
        self, around: Callable[[Span], tuple[str, str]], text: Callable[[str], str] = str
    ) -> str:
        """Write it in another notation: what stands before and after a span, and how text is."""
        found: list[str] = []
        closing: list[tuple[int, str]] = []
        place = 0

        def upto(where: int) -> None:
            nonlocal place
            while closing and closing[-1][0] <= where:
                end, after = closing.pop()
                found.extend((text(self.text[place:end]), after))
                place = end
            found.append(text(self.text[place:where]))
            place = where

        for one in sorted(self.spans, key=lambda span: (span.start, -span.end)):
            upto(one.start)
            before, after = around(one)
            found.append(before)
            closing.append((one.end, after))
        upto(len(self.text))
        return "".join(found)

    def html(self, line: str = "<br>\n") -> str:
        """Give it as HTML: b, i, s, code and a; `line` is what ends a line."""
        return self.written(_tag, escape).replace("\n", line)


def _tag(span: Span) -> tuple[str, str]:
    if span.kind == LINK:
        return f'<a href="{escape(span.url)}">', "</a>"
    return f"<{_TAGS[span.kind]}>", f"</{_TAGS[span.kind]}>"


def formatted(text: str) -> Formatted:
    """Read the signs of a text."""
    words, spans = _read(text)
    return Formatted(text=words, spans=tuple(spans))


def _read(text: str) -> tuple[str, list[Span]]:
    found: list[str] = []
    spans: list[Span] = []
    length = last = 0
    for match in _MARKS.finditer(text):
        kind = str(match.lastgroup)
        inner = match["words"] if kind == LINK else match[kind]
        within: list[Span] = []
        if kind == "bare" or not any(one.isalnum() for one in inner):
            continue
        if kind not in (CODE, LINK):
            inner, within = _read(inner)
        found += [text[last : match.start()], inner]
        start = length + match.start() - last
        length = start + len(inner)
        last = match.end()
        url = match[LINK] if kind == LINK else ""
        spans.append(Span(kind=kind, start=start, end=length, url=url))
        spans += [
            Span(kind=one.kind, start=start + one.start, end=start + one.end, url=one.url)
            for one in within
        ]
    found.append(text[last:])
    return "".join(found), spans
