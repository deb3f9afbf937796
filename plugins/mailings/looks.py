"""How a letter is shown before it leaves: by day, and in the dark."""

from __future__ import annotations

import re

from hub import VARIABLES, Answer, File, Hub, HubError, PluginRequest, Route
from plugins.mailings.letter import letter
from plugins.mailings.texts import translator
from plugins.mailings.trying import samples

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src *; frame-ancestors 'self'; sandbox"
_ASKED = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_TURNED = "body,body *{background-color:#1b1b1b!important;color:#eee!important}"


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its endpoint; it stands before `/{mailing}`."""
    see = "mailings.view"
    return [Route(path="/preview", endpoint=tried, methods=("POST",), permission=see)]


def variables(language: str) -> list[tuple[str, str, str]]:
    """Give the placeholders of a letter, as (name, what it is, an example)."""
    words = translator(language)
    known = [(one.name, words(one.label), one.sample) for one in VARIABLES.values()]
    own = [
        ("unsubscribe_url", words(_("Link to unsubscribe")), ""),
        ("view_url", words(_("Link to the letter in a browser")), ""),
    ]
    return known + own


async def tried(hub: Hub, request: PluginRequest) -> Answer:
    """Show what is written and not kept yet, by day, in the dark, or in plain words."""
    given, view = request.fields, request.fields.get("view", "")
    text, plain = (given.get(name, "").replace("\r\n", "\n") for name in ("text", "plain"))
    values = {**samples(request.language), "unsubscribe_url": "#", "view_url": "#"}
    try:
        made = letter(text, language=request.language[:2], plain_twin=plain)
        if view == "plain":
            return _words(hub.fill(made.text, values).text)
        return preview(hub.fill(made.html, values, html=True).text, dark=view == "dark")
    except HubError as error:
        return _words(translator(request.language)(str(error)))


def _words(text: str) -> Answer:
    headers = {"content-security-policy": POLICY}
    return File(content=text.encode(), media_type="text/plain; charset=utf-8", headers=headers)


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
