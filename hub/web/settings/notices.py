"""One's own notices, kind by kind, and the secret address of one's own calendar."""

from __future__ import annotations

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store.notices import KINDS
from crm_store.tables.requests import calendar_feeds
from crm_store.viewer import Reader
from hub.commands import SaveCalendarFeed, UpdateProfile
from hub.web.auth import new_token, token_hash
from hub.web.settings.common import _, form_of, go, hub_of, many, needs, show

PATH = "/settings/notices"
KIND_NAMES = {
    "request.assigned": _("A request becomes mine"),
    "request.deadline_near": _("A deadline is near"),
    "request.deadline_missed": _("A deadline was missed"),
    "task.assigned": _("A task becomes mine"),
    "task.reminder": _("A task is due"),
    "task.review": _("A task waits for my check"),
    "task.returned": _("A task comes back to me"),
    "export.done": _("A list of mine is written"),
    "export.failed": _("A list of mine could not be written"),
    "rule.paused": _("A rule of mine pauses"),
    "rule.told": _("A rule calls me"),
    "rule.digest": _("My plan of the day, in the morning"),
}


def _has_feed(reader: Reader) -> bool:
    mine = select(calendar_feeds.c.user_id).where(calendar_feeds.c.user_id == reader.viewer.user_id)
    return reader.conn.execute(mine).first() is not None


async def _draw(request: Request, address: str = "") -> Response:
    chosen = request.state.user.preferences.get("notices", {})
    return show(
        request,
        "notices",
        "notices",
        kinds=[(kind, KIND_NAMES[kind], chosen.get(kind) is not False) for kind in KINDS],
        has_feed=await hub_of(request).read(_has_feed),
        address=address,
    )


@needs("profile.edit")
async def notices(request: Request) -> Response:
    """Show, or choose, what one is told; make or end the calendar's address."""
    hub = hub_of(request)
    if request.method == "GET":
        return await _draw(request)
    form = await form_of(request)
    do = form.get("do")
    if do == "make":
        token = new_token()
        await hub.do(SaveCalendarFeed(token_hash=token_hash(token)))
        return await _draw(request, hub.public_url(f"/ical/{token}.ics"))
    if do == "end":
        await hub.do(SaveCalendarFeed(token_hash=""))
        return go(PATH, "revoked")
    wanted = set(many(form, "kind"))
    kept = {kind: kind in wanted for kind in KINDS}
    await hub.do(UpdateProfile(preferences={"notices": kept}))
    return go(PATH, "saved")


def routes() -> list[BaseRoute]:
    """Give the routes of notices."""
    return [Route(PATH, notices, methods=["GET", "POST"])]
