"""The account's page: the line to put on the site, and a page on which to try the chat."""

from __future__ import annotations

from hub import (
    AccountId,
    AccountSection,
    Answer,
    File,
    Fragment,
    Hub,
    NotFound,
    Page,
    PluginRequest,
    Route,
    UiPart,
)
from plugins.web_chat.texts import language_of, translator


def _(text: str) -> str:
    return text


TITLE = _("Put the chat on your site")
TEXTS = {
    "title": TITLE,
    "how": _("Paste this line before the end of every page of your site:"),
    "try": _("Try it on a sample page"),
    "note": _("The language follows the page. Visitors need nothing else."),
    "policy": _("If your site sends a Content-Security-Policy, allow our address:"),
    "preview": _("A sample page"),
    "preview_text": _("The chat stands in the corner. What you write here becomes a dialog."),
    "back": _("Back to the hub"),
}
STYLE = """body { margin: 0; font: 18px/1.6 Georgia, serif; color: #222; background: #faf8f4; }
main { max-width: 640px; margin: 0 auto; padding: 64px 24px; }
h1 { font-size: 34px; line-height: 1.2; } a { color: #2457d6; }
"""


def parts() -> list[UiPart]:
    """Where it stands in the inbox."""
    return [AccountSection(channel="web_chat", title=TITLE, path="section", order=10)]


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    return [
        Route(path="/section", endpoint=section, permission="accounts.view"),
        Route(path="/{account}/preview", endpoint=preview, permission="accounts.view"),
        Route(path="/preview.css", endpoint=style, public=True),
    ]


def snippet(hub: Hub, account_id: AccountId) -> str:
    """The one line for the site."""
    address = hub.public_url(f"/p/web_chat/widget.js?account={account_id}")
    return f'<script async src="{address}"></script>'


async def section(hub: Hub, request: PluginRequest) -> Answer:
    """The snippet, for an account given as `?account=`."""
    account_id = await _account(hub, request.query.get("account", ""))
    base = hub.public_url().rstrip("/")
    return Fragment(
        template="web_chat/section.html",
        values={
            "texts": _texts(request),
            "snippet": snippet(hub, account_id),
            "policy": f"script-src {base}; connect-src {base}; img-src {base}",
            "preview": f"/p/web_chat/{account_id}/preview",
        },
    )


async def preview(hub: Hub, request: PluginRequest) -> Answer:
    """A sample page of a site with the chat on it."""
    account_id = await _account(hub, request.path.get("account", ""))
    return Page(
        template="web_chat/preview.html",
        values={
            "texts": _texts(request),
            "script": f"/p/web_chat/widget.js?account={account_id}",
            "back": f"/settings/channels/{account_id}",
            "page_language": language_of(request.language),
        },
        bare=True,
    )


async def style(hub: Hub, request: PluginRequest) -> Answer:
    """The looks of the sample page."""
    return File(content=STYLE.encode(), media_type="text/css; charset=utf-8")


async def _account(hub: Hub, number: str) -> AccountId:
    if not number.isdecimal() or int(number) >= 2**63:
        raise NotFound("there is no such chat")
    account = await hub.account(AccountId(int(number)))
    if account.channel != "web_chat":
        raise NotFound("there is no such chat")
    return account.id


def _texts(request: PluginRequest) -> dict[str, str]:
    translate = translator(language_of(request.language))
    return {key: translate(text) for key, text in TEXTS.items()}
