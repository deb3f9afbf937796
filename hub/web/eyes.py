"""Looking at every page with the eyes of a role, or of a colleague; nothing can be changed then.

The wish stands in a cookie, and is worth no more than what is asked for: at every request it is
looked up anew whether the one behind the session may look so. He must manage colleagues, see
everything himself, and have every right of the eyes he borrows. What he does stays his own: there
is nothing that he could do meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_store import users as user_reads
from crm_store.roles import eyes_of
from crm_store.viewer import Reader, Viewer, load_viewer
from hub.errors import NotAllowed, NotFound
from hub.ids import Micros, UserId
from hub.objects import Actor, ActorKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

COOKIE = "hub_eyes"
RIGHT = "users.manage"
LEAVING = ("/eyes/end", "/logout", "/live/watch")
"""What is let through meanwhile: the ways out, and what only says which dialogs are open."""

QUIET = ("/do/read", "/do/draft", "/do/zone", "/signal")
"""What pages send by themselves: it is dropped without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Borrowed eyes: what they see, and whose they are."""

    viewer: Viewer
    role: str
    name: str = ""


def borrow(conn: Connection, now: Micros, own: Viewer, wish: str) -> Eyes | None:
    """Give the eyes that a cookie asks for, None where its owner may not have them."""
    kind, _, value = unquote(wish).partition(":")
    if not value or not own.may(RIGHT) or own.is_limited:
        return None
    reader = Reader(conn=conn, viewer=Viewer.system(), now=now)
    name = ""
    try:
        if kind == "role":
            viewer = eyes_of(reader, value, own.user_id)
        elif kind == "user" and value.isascii() and value.isdecimal() and len(value) < 20:
            user = user_reads.user(reader, UserId(int(value)))
            viewer, name = load_viewer(conn, Actor(kind=ActorKind.USER, id=user.id)), user.name
        else:
            return None
    except NotFound:
        return None
    if viewer.is_nobody or not viewer.permissions <= own.permissions:
        return None
    return Eyes(viewer=replace(viewer, is_looking=True), role=viewer.role, name=name)


def refusal(path: str) -> Response | None:
    """Answer a request that would change something; None lets it through."""
    if path in LEAVING:
        return None
    if path in QUIET:
        return JSONResponse({"result": None})
    words = "you only look, with the eyes of others: end that first"
    if path.startswith(("/do/", "/upload/", "/api/", "/signal")):
        return JSONResponse({"error": {"code": "looking", "message": words}}, 403)
    return PlainTextResponse(words, 403)


async def begin(request: Request) -> Response:
    """Put on the eyes of a role or a colleague."""
    from hub.web.auth import checked_form

    form: Any = await checked_form(request)
    wish = str(form.get("eyes", ""))
    hub = request.state.hub

    def check(reader: Reader) -> Eyes | None:
        return borrow(reader.conn, reader.now, reader.viewer, wish)

    if await hub.read(check) is None:
        raise NotAllowed("these eyes see something that yours do not")
    answer = RedirectResponse("/inbox", 303)
    answer.set_cookie(
        COOKIE, quote(wish), httponly=True, samesite="lax", secure=request.state.secure, path="/"
    )
    return answer


async def end(request: Request) -> Response:
    """Go back to one's own eyes."""
    from hub.web.auth import checked_form

    await checked_form(request)
    answer = RedirectResponse("/settings/roles", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def routes() -> list[Route]:
    """Give the routes of other eyes."""
    return [
        Route("/eyes", begin, methods=["POST"]),
        Route("/eyes/end", end, methods=["POST"]),
    ]
