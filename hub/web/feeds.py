"""The calendar of one colleague under a secret address, for the calendar program on his phone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import objects as reads
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.tables.requests import calendar_feeds
from crm_store.tables.users import users
from crm_store.viewer import Reader
from hub.ical import Entry, calendar
from hub.ids import UserId
from hub.objects import Actor, ActorKind
from hub.web.auth import token_hash
from hub.web.day import mine_of
from hub.web.i18n import translate
from hub.web.requests import OPEN

MOST = 200


async def feed(request: Request) -> Response:
    """Give the calendar behind a secret; a wrong or ended secret is not told from no page."""
    runtime = request.app.state.runtime
    hashed = token_hash(request.path_params["token"])

    def owner(conn: Connection) -> Any:
        return conn.execute(
            select(users.c.id, users.c.language)
            .join(calendar_feeds, calendar_feeds.c.user_id == users.c.id)
            .where(calendar_feeds.c.token_hash == hashed, users.c.active)
        ).first()

    found = await runtime.database.read(owner)
    if found is None:
        return PlainTextResponse("not found", 404)
    hub = runtime.handle(Actor(kind=ActorKind.USER, id=UserId(found.id)))
    base = hub.public_url().rstrip("/")
    entries = await hub.read(_entries, base)
    name = translate(found.language or "en", "My day")
    return Response(
        calendar(f"Dialog Hub · {name}", entries, hub.now()),
        media_type="text/calendar; charset=utf-8",
        headers={"Cache-Control": "private, no-store"},
    )


def _entries(reader: Reader, base: str) -> list[Entry]:
    found: list[Entry] = []
    kinds: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("task", "due_at", {"field": "task.status", "operator": "equals", "value": "open"}),
        ("request", "due_at", {"field": "request.status", "operator": "in", "value": OPEN}),
        ("meeting", "at", {}),
    )
    for name, due, is_open in kinds:
        noun = NOUNS.get(name)
        if noun is None or not reader.viewer.may(noun.kind.read):
            continue
        dated: dict[str, object] = {"field": f"{name}.{due}", "operator": "not_empty"}
        tree = mine_of(name, dated, *([is_open] if is_open else []))
        query = ObjectQuery(filter=tree, sort=f"-{due}", limit=MOST)
        for one in reads.page(reader, noun, query).items:
            number = f"#{one.number} " if name == "request" else ""
            found.append(
                Entry(
                    uid=f"{name}-{one.id}@dialog-hub",
                    title=f"{number}{one.title}",
                    at=getattr(one, due),
                    changed_at=one.created_at,
                    url=f"{base}/{noun.kind.path}/{one.id}" if base else "",
                    remind_at=one.remind_at if name == "task" else 0,
                    minutes=getattr(one, "minutes", 0),
                )
            )
    return found


def routes() -> list[BaseRoute]:
    """Give the route of calendars."""
    return [Route("/ical/{token}.ics", feed, methods=["GET"])]
