"""Searching the settings: every field and heading of every screen, by the words that stand there.

The words are read out of the screens' own templates, so that nothing has to be listed twice.
"""

from __future__ import annotations

import re
from functools import cache

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hub.web.i18n import translate
from hub.web.render import TEMPLATES
from hub.web.settings.common import MENU

# A field's id is made of its name by the macro; a box may carry an id of its own.
_FIELD = re.compile(r"ui\.(field|select|check)\('([\w-]+)', _\('([^']+)'\)")
_HEADING = re.compile(r"""<h2>(?:\{\{ icon\([^)]*\) \}\})?\s*\{\{ _\('([^']+)'\) \}\}""")
_BOX = re.compile(r"""id="([\w-]+)">\s*<h2>(?:\{\{ icon\([^)]*\) \}\})?\s*\{\{ _\('([^']+)'\)""")


@cache
def places(language: str) -> tuple[dict[str, str], ...]:
    """Give what can be found: its words, the screen it stands on, its address, its right."""
    found = []
    for entry in MENU:
        screen = translate(language, entry.title)
        base = {"icon": entry.icon, "right": entry.permission}
        found.append({**base, "label": screen, "group": "", "href": entry.path})
        text = (TEMPLATES / "settings" / f"{entry.key}.html").read_text(encoding="utf-8")
        named = {words: f"#{anchor}" for anchor, words in _BOX.findall(text)}
        named |= {
            words: f"#f-{name}" if kind != "check" else ""
            for kind, name, words in _FIELD.findall(text)
        }
        named |= {words: named.get(words, "") for words in _HEADING.findall(text)}
        for words, anchor in named.items():
            label = translate(language, words)
            if label != screen:
                found.append({**base, "label": label, "group": screen, "href": entry.path + anchor})
    return tuple(found)


async def words(request: Request) -> Response:
    """Give everything of the settings that this colleague may see."""
    may = request.state.may
    return JSONResponse(
        [
            {name: text for name, text in one.items() if name != "right"}
            for one in places(request.state.language)
            if one["right"] in may
        ]
    )


def routes() -> list[BaseRoute]:
    """Give the route of the settings' words."""
    return [Route("/settings/words", words)]
