"""How a letter is shown before it leaves: by day, and in the dark."""

from __future__ import annotations

import re

from hub import Answer, File

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src *; frame-ancestors 'self'; sandbox"
_ASKED = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_TURNED = "body,body *{background-color:#1b1b1b!important;color:#eee!important}"


def preview(html: str, *, dark: bool) -> Answer:
    """Give the page of a frame, whichever theme the one who looks has chosen himself."""
    shown = darkened(html) if dark else _scheme(html, "light")
    headers = {"content-security-policy": POLICY}
    return File(content=shown.encode(), media_type="text/html; charset=utf-8", headers=headers)


def darkened(html: str) -> str:
    """Show a letter in the dark: by its own rules, or as a program does that turns the colours."""
    own = any(one.lower() == "dark" for one in _ASKED.findall(html))
    return _scheme(html, "dark", "" if own else _TURNED)


def _scheme(html: str, scheme: str, rules: str = "") -> str:
    # What a letter asks of the reader's theme is answered here.
    html = _ASKED.sub(
        lambda one: "(min-width: 0)" if one[1].lower() == scheme else "(max-width: 0)", html
    )
    style = f"<style>:root{{color-scheme:{scheme}}}{rules}</style>"
    if "</head>" in html:
        return html.replace("</head>", f"{style}</head>", 1)
    return f"{style}{html}"
