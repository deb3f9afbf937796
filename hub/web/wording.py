"""How the words of a message are drawn: escaped, with links, and what stands out standing out."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from hub.formatting import LINK, Span, formatted

_LINK = re.compile(r"(?<![\w@])(https?://[^\s<>\"']{3,2000}[^\s<>\"'.,;:!?)\]])")
_ANCHOR = Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">')
_TAGS = {"bold": "b", "italic": "i", "struck": "s", "code": "code"}


def linked(text: str) -> Markup:
    """Escape a text and make its web addresses links that tell the target nothing."""
    parts = []
    last = 0
    for match in _LINK.finditer(text):
        parts.append(escape(text[last : match.start()]))
        url = match.group(1)
        parts += [_ANCHOR.format(url), escape(url), Markup("</a>")]
        last = match.end()
    parts.append(escape(text[last:]))
    return Markup("").join(parts)


def said(text: str, is_formatted: bool) -> Markup:
    """Give the block of a message's words; what its author typed stands in `data-said` where the
    client sees it formatted."""
    words = formatted(text) if is_formatted else None
    if words is None or not words.spans:
        return Markup('<div class="text">{}</div>').format(linked(text))
    drawn = Markup(words.written(_around, linked))
    return Markup('<div class="text" data-said="{}">{}</div>').format(text, drawn)


def _around(span: Span) -> tuple[str, str]:
    if span.kind == LINK:
        return _ANCHOR.format(span.url), "</a>"
    return f"<{_TAGS[span.kind]}>", f"</{_TAGS[span.kind]}>"
