"""One's own notices, kind by kind, and the secret address of one's own calendar."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store.accounts import all_accounts
from crm_store.mailboxes import is_mailbox
from crm_store.notice_letters import letter_state
from crm_store.notices import KINDS, Choice, choices, chosen
from crm_store.push_devices import devices_of
from crm_store.tables.requests import calendar_feeds
from crm_store.viewer import Reader
from hub.commands import ChooseNoticeMailbox, SaveCalendarFeed, UpdateProfile
from hub.ids import AccountId
from hub.web.auth import new_token, token_hash
from hub.web.settings.common import (
    _,
    form_of,
    go,
    hub_of,
    many,
    needs,
    number,
    runtime_of,
    say,
    show,
)

PATH = "/settings/notices"
KIND_NAMES = {
    "request.assigned": _("A request becomes mine"),
    "request.deadline_near": _("A deadline is near"),
    "request.deadline_missed": _("A deadline was missed"),
    "task.assigned": _("A task becomes mine"),
    "task.reminder": _("A task is due"),
    "task.review": _("A task waits for my check"),
    "task.returned": _("A task comes back to me"),
    "dialog.assigned": _("A colleague gives me a dialog"),
    "dialog.mentioned": _("A colleague mentions me in a note"),
    "export.done": _("A list of mine is written"),
    "export.failed": _("A list of mine could not be written"),
    "rule.paused": _("A rule of mine pauses"),
    "rule.told": _("A rule calls me"),
    "rule.digest": _("My plan of the day, in the morning"),
}


def _has_feed(reader: Reader) -> bool:
    mine = select(calendar_feeds.c.user_id).where(calendar_feeds.c.user_id == reader.viewer.user_id)
    return reader.conn.execute(mine).first() is not None


async def draw(
    request: Request, status: int = 200, address: str = "", problem: str = ""
) -> Response:
    """Show the screen."""
    channels = runtime_of(request).database.channels

    def load(reader: Reader) -> dict[str, Any]:
        boxes = [one for one in all_accounts(reader) if is_mailbox(channels.get(one.channel))]
        return {
            "has_feed": _has_feed(reader),
            "devices": devices_of(reader),
            "letters": letter_state(reader, channels),
            "mailboxes": [one for one in boxes if not one.removed],
        }

    values = await hub_of(request).read(load)
    return show(
        request,
        "notices",
        "notices",
        status,
        own=request.state.session,
        problem=problem,
        kinds=[
            (kind, KIND_NAMES[kind], one)
            for kind, one in choices(request.state.user.preferences).items()
        ],
        address=address,
        problems={one.id: say(request, one.last_error) for one in values["devices"]},
        **values,
    )


@needs("profile.edit")
async def notices(request: Request) -> Response:
    """Show, or choose, what one is told and how; make or end the calendar's address."""
    hub = hub_of(request)
    if request.method == "GET":
        return await draw(request)
    form = await form_of(request)
    do = form.get("do")
    if do == "make":
        token = new_token()
        await hub.do(SaveCalendarFeed(token_hash=token_hash(token)))
        return await draw(request, address=hub.public_url(f"/ical/{token}.ics"))
    if do == "end":
        await hub.do(SaveCalendarFeed(token_hash=""))
        return go(PATH, "revoked")
    if do == "mailbox":
        account_id = AccountId(number(form.get("account", "0") or "0"))
        await hub.do(ChooseNoticeMailbox(account_id=account_id))
        return go(PATH, "saved")
    shown, mailed, pushed = (set(many(form, name)) for name in ("kind", "letter", "push"))
    wanted = {kind: Choice(kind in shown, kind in mailed, kind in pushed) for kind in KINDS}
    before = choices(request.state.user.preferences)
    await hub.do(UpdateProfile(preferences=chosen(wanted, before)))
    return go(PATH, "saved")


def routes() -> list[BaseRoute]:
    """Give the routes of notices."""
    return [Route(PATH, notices, methods=["GET", "POST"])]
