"""The words of an HTML letter, for whoever reads text: search, preview, rules, quoting."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

_BREAKS = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote"}
_SKIPPED = {"script", "style", "head", "title", "template", "noscript"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.skip = 0
        self.quote = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self.skip += 1
        if tag == "blockquote":
            self.quote += 1
        if tag in _BREAKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED and self.skip:
            self.skip -= 1
        if tag == "blockquote" and self.quote:
            self.quote -= 1
        if tag in _BREAKS and tag != "br":
            self._break()

    def _break(self) -> None:
        self.out.append("\n" + "> " * min(self.quote, 5))

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.out.append(re.sub(r"\s+", " ", data))


_HIDDEN = re.compile(r"<!--|<!\[")
_ENDS = {"<!--": re.compile(r"--\s*>"), "<![": re.compile(r">")}


def _shown(html: str) -> str:
    """Leave out comments and conditions; what opens one and never closes it hides all that follows."""
    kept: list[str] = []
    place = 0
    while begin := _HIDDEN.search(html, place):
        kept.append(html[place : begin.start()])
        end = _ENDS[begin.group()].search(html, begin.end())
        if end is None:
            return "".join(kept)
        place = end.end()
    return "".join((*kept, html[place:]))


def html_to_text(html: str) -> str:
    """Give the words of an HTML letter, quotes marked as mail marks them."""
    parser = _Text()
    # The parser looks for the end of a comment or a tag from each one's beginning anew: for hours,
    # where a letter is made of such as have none.
    html = _shown(html[:2_000_000])
    tags = html.rfind(">") + 1
    try:
        parser.feed(html[:tags])
        parser.close()
    except (AssertionError, ValueError):
        pass
    parser.handle_data(unescape(html[tags:]))
    text = "".join(parser.out)
    text = re.sub(r"[ \t\u00a0]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"(\n(?:> )*){3,}", "\n\n", text).strip()
