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
from crm_store import duplicates as duplicate_reads
from crm_store import messages as message_reads
from crm_store import objects as object_reads
from crm_store import people as people_reads
from crm_store import person_timeline as lines
from crm_store import search as search_reads
from crm_store import unlinked as unlinked_reads
from crm_store import views as view_reads
from crm_store.consents import standing
from crm_store.objects import NOUNS
from crm_store.request_clocks import dues_of
from crm_store.tables.dialogs import messages as message_table
from crm_store.viewer import Reader
from hub.errors import Invalid, NotFound
from hub.extensions import Panel
from hub.ids import AccountId, ContactId, DialogId, MessageId, Micros, TeamId, UserId
from hub.objects import Actor, ActorKind
from hub.records.consents import Standing
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
    "unlinked",
    "closed",
)
FILTERS = ("view", "account", "channel", "team", "assignee", "tag", "sort", "contact")
PANEL_SECONDS = 3.0
# A plugin that needs longer for its section is waited for afterwards, by the section alone.
PANEL_PATIENCE = 0.15
AROUND = 25
FOUND = 20
WHOLE = 50


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


def dues(reader: Reader, shown: DialogPage) -> dict[int, int]:
    """Give the nearest deadlines of listed dialogs, to those who may see requests."""
    if not reader.viewer.may(NOUNS["request"].kind.read):
        return {}
    return dues_of(reader.conn, (one.id for one in shown.dialogs))


def list_values(reader: Reader, query: DialogQuery) -> dict[str, Any]:
    """Read everything the list pane shows, in one snapshot."""
    shown = dialog_reads.page(reader, query)
    return {
        "list": shown,
        "dues": dues(reader, shown),
        "counters": dialog_reads.counters(reader),
        "accounts": account_reads.all_accounts(reader),
        "views": view_reads.saved_views(reader),
        "tags": dialog_reads.all_tags(reader),
    }


async def colleagues(request: Request) -> dict[str, Any]:
    """Give who works here: colleagues and teams, as the inbox's templates name them."""
    staff = await request.app.state.runtime.staff()
    return {"users": staff.users, "teams": staff.teams}


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
    values |= await colleagues(request)
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
    values = await request.state.hub.read(_row_values, query) | await colleagues(request)
    return _page(request, "inbox/rows.html", query=query, dialog=None, **values)


def _row_values(reader: Reader, query: DialogQuery) -> dict[str, Any]:
    shown = dialog_reads.page(reader, query)
    return {"list": shown, "dues": dues(reader, shown)}


async def row(request: Request) -> Response:
    """Give one row of the list."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))

    def load(reader: Reader) -> dict[str, Any]:
        shown = DialogPage(dialogs=(dialog_reads.one(reader, dialog_id),), next="")
        return {"list": shown, "dues": dues(reader, shown)}

    values = await request.state.hub.read(load) | await colleagues(request)
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
    return _page(
        request,
        "inbox/message_page.html",
        entries=timeline(thread, with_unread=False, zone=request.state.zone),
        dialog=thread.dialog,
        thread=thread,
        **await colleagues(request),
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
            "thread": _window(reader, dialog, around),
            "contact": contact,
            "account": account_reads.account(reader, dialog.account_id),
            "draft": draft,
            "draft_files": files,
            "leads": leads_of(reader, dialog.id),
            **acquaintance_of(reader, dialog),
            "interests": interests_of(reader, dialog.id),
            "standing": _standing(reader, dialog.contact_id),
            "requests": requests_of(reader, dialog.id),
        }

    values: dict[str, Any] = await hub.read(load) | await colleagues(request)
    dialog: Dialog = values["dialog"]
    runtime = request.app.state.runtime
    values["capabilities"] = runtime.database.channels.of(
        dialog.channel, values["account"].settings
    )
    values["max_file"] = runtime.settings.max_file
    kind = runtime.channels.get(dialog.channel)
    values["measures"] = kind is not None and kind.overrides("measure")
    values["entries"] = timeline(values["thread"], zone=request.state.zone)
    values["panels"] = await panels(request, dialog)
    values["recipients"] = _recipients(values)
    values["found"] = around
    values["position"] = position
    return values


def _standing(reader: Reader, contact_id: ContactId) -> Standing | None:
    """Give where the person stands, where the reader may see contacts."""
    return standing(reader, contact_id, 10) if reader.viewer.may("contacts.view") else None


def acquaintance_of(reader: Reader, dialog: Dialog) -> dict[str, Any]:
    """Give who a dialog's person may be, and what he told, where the reader may see people."""
    if not reader.viewer.may("contacts.view"):
        return {"pairs": [], "said": []}
    return {
        "pairs": duplicate_reads.pairs_of(reader, "contact", dialog.contact_id, 3),
        "said": unlinked_reads.said_in(reader, dialog.id),
    }


def leads_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the leads of a dialog, where the reader may see leads."""
    if not reader.viewer.may(NOUNS["lead"].kind.read):
        return []
    return object_reads.of_dialog(reader, NOUNS["lead"], dialog_id)


def requests_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the requests of a dialog, where the reader may see requests; the open ones first."""
    if not reader.viewer.may(NOUNS["request"].kind.read):
        return []
    found = object_reads.of_dialog(reader, NOUNS["request"], dialog_id)
    return sorted(found, key=lambda one: (one.status in ("solved", "closed"), -one.number))


def interests_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the interests of a dialog, where the reader may see interests."""
    if not reader.viewer.may(NOUNS["interest"].kind.read):
        return []
    return object_reads.of_dialog(reader, NOUNS["interest"], dialog_id)


def _window(reader: Reader, dialog: Dialog, around: MessageId) -> Thread:
    if not around:
        return message_reads.window(reader, dialog)
    found = message_reads.several(reader, [around])
    if not found or found[0].dialog_id != dialog.id:
        return message_reads.window(reader, dialog)
    older = message_reads.window(reader, dialog, before=around, limit=AROUND)
    newer = message_reads.window(reader, dialog, after=around, limit=AROUND)
    messages = (*older.messages, *found, *newer.messages)
    end = Micros(messages[-1].at if newer.has_newer else 0)
    return replace(
        newer,
        messages=messages,
        history=message_reads.history(reader, dialog.id, Micros(messages[0].at), end),
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
    """Ask the plugins for their sections; one that fails draws a small notice in its place.

    Each sees what the colleague sees, and its own tables.
    """
    runtime = request.app.state.runtime
    eyes = getattr(request.state, "eyes", None)
    language: str = request.state.language

    async def ask(plugin: Any) -> list[Section]:
        own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        hub = own.as_user(request.state.user.id)
        hub = hub if eyes is None else hub.looking(eyes.viewer)
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


async def person(request: Request) -> Response:
    """Give everything of a dialog's person, of all channels, beside the one dialog."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    before = request.query_params.get("until", "")[:50]

    def load(reader: Reader) -> dict[str, Any]:
        dialog = dialog_reads.one(reader, dialog_id)
        subject = lines.of_contact(reader, dialog.contact_id)
        found, following = lines.timeline(reader, subject, (), before, WHOLE)
        return {"dialog": dialog, "timeline": found, "timeline_next": following}

    return _page(request, "inbox/person.html", **await request.state.hub.read(load))


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
        Route("/inbox/dialog/{dialog_id:int}/person", person),
        Route("/inbox/banners", banners),
        Route("/inbox/message/{message_id:int}", message),
        Route("/inbox/message/{message_id:int}/text", full_text),
        Route("/inbox/message/{message_id:int}/attempts", attempts),
        Route("/inbox/{dialog_id:int}", inbox),
    ]
