"""What every settings screen shares: the menu, the right it needs, its form's token, a short word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.errors import NotAllowed, NotFound
from hub.web.auth import checked_form
from hub.web.i18n import translate

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.runtime import Runtime
    from hub.web.render import Renderer

Screen = Callable[[Request], Awaitable[Response]]
MAX_ID = 2**63 - 1


def _(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the settings' menu."""

    key: str
    title: str
    path: str
    icon: str
    permission: str
    group: str


MENU = (
    Entry("profile", _("Profile"), "/settings/profile", "user", "profile.edit", _("For me")),
    Entry(
        "notices",
        _("Notices and calendar"),
        "/settings/notices",
        "bell",
        "profile.edit",
        _("For me"),
    ),
    Entry("absences", _("Absences"), "/settings/absences", "sun", "profile.edit", _("For me")),
    Entry("channels", _("Channels"), "/settings/channels", "plug", "accounts.view", _("Channels")),
    Entry(
        "quarantine",
        _("Unread input"),
        "/settings/quarantine",
        "shield-alert",
        "accounts.manage",
        _("Channels"),
    ),
    Entry(
        "routing", _("Giving out"), "/settings/routing", "split", "accounts.manage", _("Channels")
    ),
    Entry("held", _("Held back"), "/settings/held", "pause", "system.manage", _("Channels")),
    Entry("users", _("Colleagues"), "/settings/users", "users", "users.view", _("Team")),
    Entry("desks", _("Who works now"), "/settings/desks", "user-check", "users.view", _("Team")),
    Entry("teams", _("Teams"), "/settings/teams", "git-merge", "users.view", _("Team")),
    Entry("roles", _("Roles"), "/settings/roles", "lock", "users.manage", _("Team")),
    Entry("handovers", _("Handover"), "/settings/handovers", "forward", "work.handover", _("Team")),
    Entry("rules", _("Automation"), "/settings/rules", "sparkles", "rules.view", _("Work")),
    Entry(
        "deadlines", _("Deadlines"), "/settings/deadlines", "hourglass", "requests.view", _("Work")
    ),
    Entry("calendars", _("Working hours"), "/settings/calendars", "clock", "users.view", _("Work")),
    Entry(
        "pipelines", _("Pipelines"), "/settings/pipelines", "kanban", "pipelines.manage", _("Work")
    ),
    Entry(
        "classes",
        _("Classes of clients"),
        "/settings/classes",
        "star",
        "pipelines.manage",
        _("Work"),
    ),
    Entry("fields", _("Fields"), "/settings/fields", "tag", "fields.manage", _("Work")),
    Entry("topics", _("Subscriptions"), "/settings/topics", "mail", "mailings.send", _("Work")),
    Entry("imports", _("Import"), "/settings/imports", "file-text", "lists.import", _("Data")),
    Entry(
        "retention", _("Retention"), "/settings/retention", "archive", "system.manage", _("Data")
    ),
    Entry("audit", _("Audit"), "/settings/audit", "eye", "audit.view", _("Data")),
    Entry("journal", _("Journal"), "/settings/journal", "history", "events.view", _("Data")),
    Entry(
        "organisation",
        _("Organisation"),
        "/settings/organisation",
        "building-2",
        "system.manage",
        _("System"),
    ),
    Entry(
        "security",
        _("Security"),
        "/settings/security",
        "shield-alert",
        "system.manage",
        _("System"),
    ),
    Entry("plugins", _("Plugins"), "/settings/plugins", "puzzle", "plugins.view", _("System")),
    Entry("tokens", _("API tokens"), "/settings/tokens", "key-round", "tokens.manage", _("System")),
    Entry(
        "webhooks", _("Webhooks"), "/settings/webhooks", "webhook", "webhooks.manage", _("System")
    ),
)

SAID = {
    "saved": _("Saved."),
    "counting": _("They are being counted: look again in a minute."),
    "created": _("Done."),
    "removed": _("Removed."),
    "revoked": _("Ended at once."),
    "paused": _("Paused: nothing comes in or leaves."),
    "resumed": _("It works again."),
    "released": _("On its way."),
    "handed": _("The work is being handed over."),
    "dropped": _("Dropped."),
    "replayed": _("Read: it is in the inbox now."),
    "repeated": _("It will be sent again."),
    "password": _("The password is changed; other browsers were logged out."),
    "passkey_added": _("The passkey is added: the next time you can sign in with it."),
    "passkey_removed": _("The passkey opens nothing any more."),
    "second_on": _("The second factor is on."),
    "second_off": _("The second factor is off."),
    "synchronised": _("The catalogue was read again."),
    "disconnected": _("Disconnected. Its dialogs can still be read."),
}


def needs(permission: str) -> Callable[[Screen], Screen]:
    """Let only colleagues with a right reach a screen."""

    def guard(screen: Screen) -> Screen:
        @wraps(screen)
        async def guarded(request: Request) -> Response:
            need(request, permission)
            return await screen(request)

        return guarded

    return guard


def need(request: Request, permission: str) -> None:
    """Refuse a colleague without a right."""
    if permission not in request.state.may:
        raise NotAllowed(f"this needs the right {permission!r}")


def hub_of(request: Request) -> BoundHub:
    """Give the handle with the asking colleague's eyes and hands."""
    hub: BoundHub = request.state.hub
    return hub


def runtime_of(request: Request) -> Runtime:
    """Give the running hub."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def say(request: Request, text: str) -> str:
    """Translate a text for the one who asks."""
    return translate(request.state.language, text)


def show(request: Request, template: str, key: str, status: int = 200, **values: Any) -> Response:
    """Draw a settings screen."""
    renderer: Renderer = request.app.state.renderer
    may = request.state.may
    menu = [one for one in MENU if one.permission in may]
    word = SAID.get(request.query_params.get("said", ""), "")
    return renderer.page(
        request,
        f"settings/{template}.html",
        status,
        **{
            "section": "settings",
            "menu": menu,
            "menu_groups": [
                (name, list(part)) for name, part in groupby(menu, lambda one: one.group)
            ],
            "current": key,
            "said": word,
            **values,
        },
    )


def go(path: str, said: str = "", **query: str) -> Response:
    """Lead to a screen that says one word; a reload does nothing again."""
    query = {**query, **({"said": said} if said else {})}
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


async def form_of(request: Request) -> Mapping[str, Any]:
    """Give a sent form whose token is right."""
    form: Mapping[str, Any] = await checked_form(request)
    return form


def many(form: Any, name: str) -> list[str]:
    """Give every value of a repeated field."""
    return [str(one) for one in form.getlist(name)]


def number(text: object) -> int:
    """Read an id from a path or a form; raises NotFound for anything else."""
    word = str(text)
    if not word.isascii() or not word.isdecimal() or int(word) > MAX_ID:
        raise NotFound("there is no such object")
    return int(word)
