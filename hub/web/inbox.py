"""The inbox: the list, one dialog, and the fragments that keep both fresh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_store import accounts as account_reads
from crm_store import deliveries as delivery_reads
from crm_store import dialog_counts
from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import person_timeline as lines
from crm_store import search as search_reads
from crm_store import views as view_reads
from crm_store.holding import is_holding
from crm_store.objects import NOUNS
from crm_store.request_deadlines import dues_of
from crm_store.sql import keep_plans
from crm_store.tables.dialogs import messages as message_table
from crm_store.viewer import Reader
from hub.ids import AccountId, ContactId, DialogId, MessageId, TeamId, UserId
from hub.records.dialogs import DialogPage, DialogQuery
from hub.records.system import Account
from hub.web.live_connection import live_position
from hub.web.numbers import number
from hub.web.open_dialog import PANEL_SECONDS, colleagues, panels, thread_values
from hub.web.packing import packed
from hub.web.settings.channels import titles_of
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
FOUND = 20
WHOLE = 50


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
    _whole_views_alike(reader, query)
    shown = dialog_reads.page(reader, query)
    return {
        "list": shown,
        "dues": dues(reader, shown),
        "counters": dialog_counts.counters(reader),
        "accounts": account_reads.all_accounts(reader),
        "views": view_reads.saved_views(reader),
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
    values |= await colleagues(request)
    values["down_accounts"] = down_accounts(values["accounts"])
    values["holds"] = await holds(request)
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


def down_accounts(accounts: Iterable[Account]) -> list[Account]:
    """Give the channels that everybody should know are not working."""
    return [one for one in accounts if one.state in ("down", "needs_secret")]


async def holds(request: Request) -> bool:
    """Say whether something waits for the word of this reader, who may let it go."""
    if "system.manage" not in request.state.may:
        return False
    return bool(await request.state.hub.read(is_holding))


async def banners(request: Request) -> Response:
    """Give what stands above every page: a full disk, what is held, channels that do not work."""
    accounts = await request.state.hub.read(account_reads.all_accounts)
    return _page(
        request,
        "inbox/banners.html",
        down_accounts=down_accounts(accounts),
        holds=await holds(request),
        no_room=request.app.state.runtime.lacks_room(),
    )


def _page(request: Request, template: str, **values: Any) -> Response:
    response: Response = request.app.state.renderer.page(request, template, **values)
    return packed(request, response)


async def rows(request: Request) -> Response:
    """Give a page of rows: more of the list, or all of it again."""
    query = query_of(request)
    values = await request.state.hub.read(_row_values, query) | await colleagues(request)
    return _page(request, "inbox/rows.html", query=query, dialog=None, **values)


def _whole_views_alike(reader: Reader, query: DialogQuery) -> None:
    """Keep the plan of a standing view, which is the same for all; what is narrowed has its own."""
    whole = DialogQuery(view=query.view, sort=query.sort, before=query.before, limit=query.limit)
    if query == whole:
        keep_plans(reader.conn)


def _row_values(reader: Reader, query: DialogQuery) -> dict[str, Any]:
    _whole_views_alike(reader, query)
    shown = dialog_reads.page(reader, query)
    return {"list": shown, "dues": dues(reader, shown)}


async def row(request: Request) -> Response:
    """Give one row of the list."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))

    def load(reader: Reader) -> dict[str, Any]:
        keep_plans(reader.conn)
        shown = DialogPage(dialogs=(dialog_reads.one(reader, dialog_id),), next="")
        return {"list": shown, "dues": dues(reader, shown)}

    values = await request.state.hub.read(load) | await colleagues(request)
    return _page(request, "inbox/rows.html", query=DialogQuery(), dialog=None, **values)


async def counters(request: Request) -> Response:
    """Give the numbers beside the views."""
    return JSONResponse(asdict(await request.state.hub.read(dialog_counts.counters)))


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
    delivery = await request.state.hub.read(delivery_reads.delivery, message_id)
    return _page(request, "inbox/attempts.html", delivery=delivery)


async def person(request: Request) -> Response:
    """Give everything of a dialog's person, of all channels, beside the one dialog."""
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    before = request.query_params.get("until", "")[:50]

    def load(reader: Reader) -> dict[str, Any]:
        dialog = dialog_reads.one(reader, dialog_id)
        subject = lines.of_contact(reader, dialog.contact_id)
        found, following = lines.timeline(reader, subject, (), before, WHOLE)
        return {"dialog": dialog, "timeline": found, "timeline_next": following}

    values = await request.state.hub.read(load)
    return _page(request, "inbox/person.html", channel_titles=titles_of(request), **values)


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
