"""A letter loads no fonts and no styles from elsewhere: who reads it is told to nobody by that.

Where its own font is not installed at the reader's, the next one of its list is shown, as in every
mail program that loads none anyway.
"""

from __future__ import annotations

import re

_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style\s*>)", re.IGNORECASE | re.DOTALL)
_IMPORT = re.compile(
    r"@import\s+(?:url\(\s*(?:\"[^\"]*\"|'[^']*'|[^)]*)\s*\)|\"[^\"]*\"|'[^']*')[^;{}<]*;?",
    re.IGNORECASE,
)
_FACE = re.compile(r"@font-face\s*\{[^}]*\}", re.IGNORECASE)


def without_fonts(html: str) -> str:
    """Give a letter without what would load a font or a style sheet of elsewhere."""
    return _STYLE.sub(_kept, _LINK.sub("", html))


def _kept(found: re.Match[str]) -> str:
    style = _FACE.sub("", _IMPORT.sub("", found[2]))
    return f"{found[1]}{style}{found[3]}" if style.strip() else ""
