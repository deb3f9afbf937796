"""The inbox: the list, one dialog, and the fragments that keep both fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_store import accounts as account_reads
from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import objects as object_reads
from crm_store import people as people_reads
from crm_store import search as search_reads
from crm_store import users as user_reads
from crm_store.objects import NOUNS
from crm_store.tables.dialogs import messages as message_table
from crm_store.viewer import Reader
from hub.errors import Invalid, NotFound
from hub.extensions import Panel
from hub.ids import AccountId, ContactId, DialogId, MessageId, Micros, TeamId, UserId
from hub.records.dialogs import Dialog, DialogPage, DialogQuery, Thread
from hub.records.system import Account
from hub.web.packing import packed
from hub.web.plugin_answers import PluginRenderer
from hub.web.timeline import timeline

VIEWS = (
    "mine",
    "unassigned",
    "mentions",
    "all",
    "waiting",
    "drafts",
    "failed",
    "snoozed",
    "closed",
)
FILTERS = ("view", "account", "channel", "team", "assignee", "tag", "sort", "contact")
PANEL_SECONDS = 3.0
# A plugin that needs longer for its section is waited for afterwards, by the section alone.
PANEL_PATIENCE = 0.15
AROUND = 25
FOUND = 20


@dataclass(frozen=True, slots=True)
class Section:
    """A plugin's part of the client card: its panel, or None where it failed or is `late`."""

    plugin: str
    panel: Panel | None = None
    late: bool = False
    words: Callable[[str], str] = str

    def say(self, text: str) -> str:
        """Give a text of the plugin in the reader's language."""
        return self.words(text) if text else ""


@cache
def _words(renderer: PluginRenderer, language: str) -> Callable[[str], str]:
    return renderer.catalogue(language).gettext


def number(text: object, name: str = "id") -> int:
    """Read an id out of an address or a body; raises Invalid."""
    try:
        value = int(str(text))
    except ValueError as error:
        raise Invalid("this is not an id", field=name) from error
    if not 0 <= value < 1 << 63:
        raise Invalid("this is not an id", field=name)
    return value


def query_of(request: Request) -> DialogQuery:
    """Read what the list shows out of the address: the address is the state."""
    params = request.query_params
    return DialogQuery(
        view=params.get("view", "all"),
        account_id=AccountId(number(params.get("account", "0") or "0")),
        channel=params.get("channel", ""),
        team_id=TeamId(number(params.get("team", "0") or "0")),
        assignee_id=UserId(number(params.get("assignee", "0") or "0")),
        contact_id=ContactId(number(params.get("contact", "0") or "0")),
        tag=params.get("tag", ""),
        sort=params.get("sort", "newest"),
        before=params.get("before", ""),
        limit=50,
    )


def address_of(request: Request, **changes: str) -> str:
    """Give the list's address with some of its parts changed."""
    kept = {name: request.query_params.get(name, "") for name in FILTERS}
    kept |= changes
    return urlencode({name: value for name, value in kept.items() if value})


def list_values(reader: Reader, query: DialogQuery) -> dict[str, Any]:
    """Read everything the list pane shows, in one snapshot."""
    return {
        "list": dialog_reads.page(reader, query),
        "counters": dialog_reads.counters(reader),
        "accounts": account_reads.all_accounts(reader),
        "users": {one.id: one for one in user_reads.all_users(reader)},
        "teams": user_reads.all_teams(reader),
        "views": user_reads.saved_views(reader),
        "tags": dialog_reads.all_tags(reader),
    }


async def home(request: Request) -> Response:
    """Lead to the inbox."""
    return RedirectResponse("/inbox", 303)


async def inbox(request: Request) -> Response:
    """Show the inbox, with a dialog open where the address names one."""
    hub = request.state.hub
    query = query_of(request)
    dialog_id = request.path_params.get("dialog_id")
    live_id = live_position(request)
    values: dict[str, Any] = await hub.read(list_values, query)
    values["down_accounts"] = down_accounts(values["accounts"])
    values["dialog"] = None
    if dialog_id is not None:
        values |= await thread_values(request, DialogId(number(dialog_id)))
    return _page(
        request,
        "inbox/inbox.html",
        query=query,
        live_id=live_id,
        address=lambda **c: address_of(request, **c),
        **values,
    )


def live_position(request: Request) -> str:
    """Give the number of the last fact that a page drawn from now on has certainly seen."""
    runtime = request.app.state.runtime
    return f"{runtime.epoch}-{runtime.feed.last}"


def down_accounts(accounts: Iterable[Account]) -> list[Account]:
    """Give the channels that everybody should know are not working."""
    return [one for one in accounts if one.state in ("down", "needs_secret")]


async def banners(request: Request) -> Response:
    """Give what stands above every page: channels that do not work."""
    accounts = await request.state.hub.read(account_reads.all_accounts)
    return _page(request, "inbox/banners.html", down_accounts=down_accounts(accounts))


def _page(request: Request, template: str, **values: Any) -> Response:
    response: Response = request.app.state.renderer.page(request, template, **values)
    return packed(request, response)


async def rows(request: Request) -> Response:
    """Give a page of rows: more of the list, or all of it again."""
    query = query_of(request)
    values = await request.state.hub.read(_row_values, query)
    return _page(request, "inbox/rows.html", query=query, dialog=None, **values)


def _row_values(reader: Reader, query: DialogQuery) -> dict[str, Any]:
    return {
        "list": dialog_reads.page(reader, query),
        "users": {one.id: one for one in user_reads.all_users(reader)},
    }


async def row(request: Request) -> Response:
    """Give one row of the list."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))

    def load(reader: Reader) -> dict[str, Any]:
        one = dialog_reads.one(reader, dialog_id)
        return {
            "list": DialogPage(dialogs=(one,), next=""),
            "users": {user.id: user for user in user_reads.all_users(reader)},
        }

    values = await request.state.hub.read(load)
    return _page(request, "inbox/rows.html", query=DialogQuery(), dialog=None, **values)


async def counters(request: Request) -> Response:
    """Give the numbers beside the views."""
    return JSONResponse(asdict(await request.state.hub.read(dialog_reads.counters)))


async def dialog_fragment(request: Request) -> Response:
    """Give one dialog whole: header, messages, composer and card under one root."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    values = await thread_values(request, dialog_id)
    return _page(request, "inbox/dialog.html", **values)


async def late_panels(request: Request) -> Response:
    """Give the sections of plugins that were not ready when the dialog was shown."""
    dialog = await request.state.hub.dialog(DialogId(number(request.path_params["dialog_id"])))
    found = await panels(request, dialog, PANEL_SECONDS)
    return _page(request, "inbox/panels.html", panels=found, dialog=dialog)


async def messages(request: Request) -> Response:
    """Give older or newer messages of a dialog, or some by their ids."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    before = MessageId(number(request.query_params.get("before", "0")))
    after = MessageId(number(request.query_params.get("after", "0")))
    thread = await request.state.hub.thread(dialog_id, before=before, after=after)
    users = await request.state.hub.read(user_reads.all_users)
    return _page(
        request,
        "inbox/message_page.html",
        entries=timeline(thread, with_unread=False, zone=request.state.zone),
        dialog=thread.dialog,
        thread=thread,
        users={one.id: one for one in users},
    )


async def find(request: Request) -> Response:
    """Find messages of one dialog by their words."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    text = request.query_params.get("q", "")[:200]

    def load(reader: Reader) -> list[dict[str, str]]:
        clause = message_table.c.dialog_id == dialog_id
        hits, _ = search_reads.search_messages(reader, text, FOUND, clause=clause)
        return [{"message": str(one.message_id), "label": str(one.snippet)} for one in hits]

    return JSONResponse(await request.state.hub.read(load))


async def message(request: Request) -> Response:
    """Give one message as a bubble."""
    message_id = MessageId(number(request.path_params["message_id"]))
    hub = request.state.hub
    one = await hub.read(message_reads.one, message_id, False)
    dialog = await hub.dialog(one.dialog_id)
    return _page(request, "inbox/message.html", message=one, dialog=dialog)


async def full_text(request: Request) -> Response:
    """Give the whole text of a message, quotes included."""
    message_id = MessageId(number(request.path_params["message_id"]))
    one = await request.state.hub.message(message_id)
    return JSONResponse({"text": one.full_text or one.text})


async def attempts(request: Request) -> Response:
    """Give what was tried to deliver a message."""
    message_id = MessageId(number(request.path_params["message_id"]))
    delivery = await request.state.hub.read(message_reads.delivery, message_id)
    return _page(request, "inbox/attempts.html", delivery=delivery)


async def thread_values(request: Request, dialog_id: DialogId) -> dict[str, Any]:
    """Read everything that one open dialog shows; all of it carries the same dialog id.

    `?message=` in the address shows the window around that message instead of the newest.
    """
    hub = request.state.hub
    around = MessageId(number(request.query_params.get("message", "0") or "0"))
    position = live_position(request)

    def load(reader: Reader) -> dict[str, Any]:
        dialog = dialog_reads.one(reader, dialog_id)
        if dialog.merged_into:
            dialog = dialog_reads.one(reader, dialog.merged_into)
        try:
            contact = people_reads.contact(reader, dialog.contact_id)
        except NotFound:
            contact = None
        draft = message_reads.draft(reader, dialog.id)
        files = message_reads.attachments_of(reader, draft.attachments) if draft else []
        return {
            "dialog": dialog,
            "thread": _window(reader, dialog.id, around),
            "contact": contact,
            "account": account_reads.account(reader, dialog.account_id),
            "draft": draft,
            "draft_files": files,
            "teams": user_reads.all_teams(reader),
            "users": {one.id: one for one in user_reads.all_users(reader)},
            "leads": leads_of(reader, dialog.id),
        }

    values: dict[str, Any] = await hub.read(load)
    dialog: Dialog = values["dialog"]
    runtime = request.app.state.runtime
    values["capabilities"] = runtime.database.channels.get(dialog.channel)
    kind = runtime.channels.get(dialog.channel)
    values["measures"] = kind is not None and kind.overrides("measure")
    values["entries"] = timeline(values["thread"], zone=request.state.zone)
    values["panels"] = await panels(request, dialog)
    values["recipients"] = _recipients(values)
    values["found"] = around
    values["position"] = position
    return values


def leads_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the leads of a dialog, where the reader may see leads."""
    if not reader.viewer.may(NOUNS["lead"].kind.read):
        return []
    return object_reads.of_dialog(reader, NOUNS["lead"], dialog_id)


def _window(reader: Reader, dialog_id: DialogId, around: MessageId) -> Thread:
    if not around:
        return message_reads.thread(reader, dialog_id)
    found = message_reads.several(reader, [around])
    if not found or found[0].dialog_id != dialog_id:
        return message_reads.thread(reader, dialog_id)
    older = message_reads.thread(reader, dialog_id, before=around, limit=AROUND)
    newer = message_reads.thread(reader, dialog_id, after=around, limit=AROUND)
    messages = (*older.messages, *found, *newer.messages)
    end = Micros(messages[-1].at if newer.has_newer else 0)
    return replace(
        newer,
        messages=messages,
        history=message_reads.history(reader, dialog_id, Micros(messages[0].at), end),
        has_older=older.has_older,
        has_newer=newer.has_newer,
    )


def _recipients(values: dict[str, Any]) -> dict[str, Any]:
    """Derive To and Cc from the newest message of the person (R16)."""
    capabilities = values["capabilities"]
    if capabilities is None or not capabilities.copies:
        return {}
    thread = values["thread"]
    own = str(values["account"].settings.get("address", "")).lower()
    for one in reversed(thread.messages):
        if one.direction == "in":
            sender = one.extra.get("profile", {}).get("reply_to") or values["dialog"].address
            copies = [
                each
                for each in (*one.to, *one.cc)
                if each.address.lower() not in (own, str(sender).lower())
            ]
            return {"to": sender, "cc": copies, "subject": one.subject, "reply_to": one.id}
        if one.direction == "out":
            return {
                "to": one.to[0].address if one.to else values["dialog"].address,
                "cc": list(one.cc),
                "subject": one.subject,
                "reply_to": one.id,
            }
    return {"to": values["dialog"].address, "cc": [], "subject": "", "reply_to": 0}


async def panels(
    request: Request, dialog: Dialog, patience: float = PANEL_PATIENCE
) -> list[Section]:
    """Ask the plugins for their sections; one that fails draws a small notice in its place."""
    runtime, hub = request.app.state.runtime, request.state.hub
    language: str = request.state.language

    async def ask(plugin: Any) -> list[Section]:
        try:
            async with asyncio.timeout(patience):
                found = await runtime.plugins.call(plugin, "dialog_panels", hub=hub, dialog=dialog)
        except TimeoutError:
            return [Section(plugin.name, late=patience < PANEL_SECONDS)]
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            return [Section(plugin.name)]
        words = _words(request.app.state.plugin_pages.renderer(plugin.name), language)
        return [Section(plugin.name, one, words=words) for one in found or ()]

    answers = await asyncio.gather(
        *(ask(one) for one in runtime.plugins.with_hook("dialog_panels"))
    )
    found = [one for answer in answers for one in answer]
    return sorted(found, key=lambda one: one.panel.order if one.panel is not None else 999)


def routes() -> list[Route]:
    """Give the routes of the inbox."""
    return [
        Route("/", home),
        Route("/inbox", inbox),
        Route("/inbox/rows", rows),
        Route("/inbox/row/{dialog_id:int}", row),
        Route("/inbox/counters", counters),
        Route("/inbox/dialog/{dialog_id:int}", dialog_fragment),
        Route("/inbox/dialog/{dialog_id:int}/messages", messages),
        Route("/inbox/dialog/{dialog_id:int}/panels", late_panels),
        Route("/inbox/dialog/{dialog_id:int}/find", find),
        Route("/inbox/banners", banners),
        Route("/inbox/message/{message_id:int}", message),
        Route("/inbox/message/{message_id:int}/text", full_text),
        Route("/inbox/message/{message_id:int}/attempts", attempts),
        Route("/inbox/{dialog_id:int}", inbox),
    ]
