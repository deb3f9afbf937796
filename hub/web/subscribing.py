"""The page of a confirmation letter: one button makes a subscription count.

No login, no script. GET, HEAD and whatever follows links change nothing: the consent counts from
the press of the button, which is a POST of this page. A late page offers a fresh letter.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm_store import topics as reads
from hub.commands import AskAgain, ConfirmSubscription
from hub.errors import HubError, UntrustedRequest
from hub.ids import AddressId
from hub.many_rendering import CONFIRM, leave_token
from hub.objects import SYSTEM
from hub.records.topics import Confirmation, Topic
from hub.web.leaving import hidden, public_page


def _which(request: Request) -> tuple[int, AddressId, str]:
    """Read the token: the letter, the address, the topic; raises UntrustedRequest."""
    value = request.app.state.runtime.keys.unsign(CONFIRM, request.path_params["token"])
    letter, address, topic = value.split(" ", 2)
    return int(letter), AddressId(int(address)), topic


async def shown(request: Request) -> Response:
    """Show the button, or what became of it; changes nothing."""
    return await _shown(request)


async def _shown(request: Request, done: str = "") -> Response:
    runtime = request.app.state.runtime
    try:
        letter, address_id, name = _which(request)
    except (UntrustedRequest, ValueError):
        return public_page(request, "public/leave_unknown.html", 404)

    def read(conn: Any) -> tuple[Confirmation | None, Topic | None]:
        found = reads.question(conn, address_id, name, runtime.now())
        return found, reads.of_name(conn, name)

    question, topic = await runtime.database.read(read)
    if question is None or topic is None:
        return public_page(request, "public/leave_unknown.html", 404)
    request.state.language = question.language or "en"
    state = "asked" if done and done != "confirmed" else question.state
    return public_page(
        request,
        "public/confirm.html",
        brand=await runtime.handle(SYSTEM).brand(),
        address=hidden(question.address),
        label=topic.label(question.language),
        about=topic.about(question.language),
        token=request.path_params["token"],
        leave=leave_token(runtime, letter, question.contact_id, "email", name),
        state=state,
        done=done,
        valid_hours=topic.valid_hours,
    )


async def press(request: Request) -> Response:
    """Take the press: confirm, or send a fresh letter where this one came too late."""
    try:
        letter, address_id, name = _which(request)
    except (UntrustedRequest, ValueError):
        return public_page(request, "public/leave_unknown.html", 404)
    form = await request.form()
    hub = request.app.state.runtime.handle(SYSTEM)
    try:
        if form.get("do") == "again":
            return await _shown(
                request, (await hub.do(AskAgain(address_id=address_id, topic=name)))[0]
            )
        if form.get("do") != "confirm":
            return await _shown(request)
        agent = request.headers.get("user-agent", "")[:200]
        await hub.do(
            ConfirmSubscription(
                address_id=address_id,
                topic=name,
                evidence=f"pressed the button of letter {letter}; {agent}",
                ip=getattr(request.state, "client", ""),
            )
        )
    except HubError:
        return public_page(request, "public/leave_unknown.html", 404)
    return await _shown(request, "confirmed")


def routes() -> list[Route]:
    """Give the routes."""
    return [
        Route("/s/{token}", shown, methods=["GET", "HEAD"]),
        Route("/s/{token}", press, methods=["POST"]),
    ]
