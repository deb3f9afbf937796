"""The words of a send: whether they can be sent, and how they are stored, their links numbered."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from crm_store.many_places import LINKS
from crm_store.rendering import check
from hub.commands import ManyContent
from hub.errors import Invalid
from hub.placeholders import VARIABLES
from hub.web_addresses import PLACEHOLDER, is_countable, with_addresses

OWN_VARIABLES = ("unsubscribe_url", "view_url", "confirm_url")
_HREF = re.compile(
    rf'(<a\b[^>]*?\bhref=")(https?://(?:{PLACEHOLDER}|(?!\{{\{{)[^"])+)(")', re.IGNORECASE
)


def check_content(content: ManyContent, advertising: bool) -> None:
    """Raise Invalid for words that cannot be sent."""
    names = {*VARIABLES, *OWN_VARIABLES}
    said = [(field, getattr(content, field)) for field in ("subject", "text", "html")]
    said += [("buttons", text) for one in content.buttons for text in (one.label, one.url)]
    for field, text in said:
        problems = check(text, dict.fromkeys(names))
        if problems:
            first = problems[0]
            raise Invalid(f"line {first.line}: {first.text}", field=field)
    if not any((content.text.strip(), content.html.strip(), content.template)):
        raise Invalid("a mailing needs words", field="text")
    if any(not one.label.strip() for one in content.buttons):
        raise Invalid("a button needs a label", field="buttons")
    if any(one.url and not leads(one.url) for one in content.buttons):
        raise Invalid("a button leads to an https:// address", field="buttons")
    if advertising and content.html and "unsubscribe_url" not in content.html:
        raise Invalid("an advertising letter needs its unsubscribe link", field="html")


def leads(url: str) -> bool:
    """Say whether a button may have this address: one of the web, or one that is filled in whole."""
    return is_countable(url) or url.startswith("{{")


def content_row(content_id: int, send_id: int, content: ManyContent) -> dict[str, Any]:
    """Give words as they are stored, their links numbered where they are counted.

    Of a letter those of its HTML: its plain twin is read by people and programs that want to see
    where a link leads. A provider's template has its own words. Those of buttons come last.
    """
    text, html, links = content.text, content.html, list[str]()
    if content.tracks_clicks and html:
        html, links = _numbered(html, in_html=True)
    elif content.tracks_clicks and not content.template:
        text, links = _numbered(text)
    buttons = [[one.label, one.payload, one.url] for one in content.buttons]
    if content.tracks_clicks and not content.template:
        for one in buttons:
            if one[2] and is_countable(one[2]) and len(links) < LINKS - 1:
                links.append(one[2])
                one[2] = f"{{{{ link_{len(links)} }}}}"
    return {
        "id": content_id,
        "send_id": send_id,
        "variant": content.variant[:400],
        "account_id": content.account_id,
        "subject": content.subject[:400],
        "text": text,
        "html": html,
        "template": content.template[:400],
        "template_language": content.template_language[:40],
        "template_values": dict(content.template_values),
        "buttons": buttons,
        "attachments": [list(one) for one in content.attachments],
        "sender_name": content.sender_name[:400],
        "links": links,
        "tracks_clicks": content.tracks_clicks,
        "tracks_opens": content.tracks_opens,
    }


def _numbered(words: str, *, in_html: bool = False) -> tuple[str, list[str]]:
    """Give words with a placeholder for each of their links, and the links."""
    links: list[str] = []

    def number_of(link: str) -> str:
        if not is_countable(link) or len(links) == LINKS - 1:
            return link
        links.append(link)
        return f"{{{{ link_{len(links)} }}}}"

    def of_html(found: re.Match[str]) -> str:
        link = unescape(found[2])
        number = number_of(link)
        return found[0] if number == link else f"{found[1]}{number}{found[3]}"

    made = _HREF.sub(of_html, words) if in_html else with_addresses(words, number_of)
    names = {*VARIABLES, *OWN_VARIABLES, *(f"link_{n + 1}" for n in range(len(links)))}
    # Where a condition begins in a link and ends outside of it, none is counted.
    if any(check(one, dict.fromkeys(names)) for one in (made, *links)):
        return words, []
    return made, links
