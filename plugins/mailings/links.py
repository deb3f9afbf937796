"""The links of a mailing's words, and whether they lead anywhere: looked at by a press, never by itself."""

from __future__ import annotations

import html
import re

from hub import Hub, LinkCheck
from plugins.mailings.checking import Finding
from plugins.mailings.contents import contents_of, plain_addresses, steps_of
from plugins.mailings.plans import Plan

MOST = 30
_HREF = re.compile(r'\bhref="(https?://[^"]+)"', re.IGNORECASE)


def _(text: str) -> str:
    return text


WORDS = {
    "gone": _("A link leads to a page that is gone"),
    "host": _("A link leads to a host that does not exist"),
    "private": _("A link leads into a private network: clients cannot open it"),
    "address": _("A link is no web address"),
    "refused": _("A link answered with an error; open it yourself"),
    "silent": _("A link did not answer in time; open it yourself"),
}
_ALIVE = _("All links answer")
_NONE = _("There are no links to look at")
_MORE = _("Only the first links were looked at")


async def links_of(hub: Hub, plan: Plan) -> list[str]:
    """Give the addresses that stand in the words as they will leave, each once.

    Those that are filled in for each person (placeholders in them) are nobody's yet.
    """
    contents = [*await contents_of(hub, plan)]
    for step in await steps_of(hub, plan):
        contents += step
    found: dict[str, None] = {}
    for one in contents:
        for url in _HREF.findall(one.html) if one.html else plain_addresses(one):
            address = html.unescape(url).rstrip(".,;:!?)")
            if "{{" not in address and "{%" not in address:
                found[address] = None
    return list(found)


async def look(hub: Hub, plan: Plan) -> tuple[list[Finding], list[LinkCheck]]:
    """Look at the links now; gives the lines for the list before sending, and each link."""
    urls = await links_of(hub, plan)
    if not urls:
        return [Finding(level="good", text=_NONE)], []
    checks = await hub.check_links(urls[:MOST])
    found = [
        Finding(
            level="bad" if one.state == "dead" else "warn",
            text=WORDS.get(one.cause, WORDS["silent"]),
            detail=f"{one.url} ({one.code})" if one.code else one.url,
        )
        for one in checks
        if one.state != "alive"
    ]
    if not found:
        found.append(Finding(level="good", text=_ALIVE, detail=str(len(checks))))
    if len(urls) > MOST:
        found.append(Finding(level="warn", text=_MORE, detail=str(MOST)))
    return found, checks
