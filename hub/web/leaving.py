"""Public pages of advertising: unsubscribe and preferences, links, the picture that tells an open.

No login, no script. A person's POST changes something; GET, HEAD and whatever prefetches links
change nothing (RFC 8058). A link is signed, and leads only where its letter said.
"""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_store import sessions as session_reads
from crm_store.frequency import limits_of
from crm_store.many import delivery, topics_of
from crm_store.many_places import as_left, at_place, by_kind, last_left, parted
from crm_store.tables.people import addresses, contacts
from crm_store.topics import listed
from hub.commands import (
    GiveConsent,
    LimitAdvertising,
    SendPreferences,
    TakeBackWithdrawal,
    TouchMany,
    WithdrawConsent,
)
from hub.errors import HubError, UntrustedRequest
from hub.ids import AccountId, ContactId
from hub.many_rendering import CLICK, LEAVE, OPEN, Contents, link_target, many_message, which
from hub.messages import Address
from hub.objects import SYSTEM

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
MACHINES = (
    "bot",
    "crawler",
    "spider",
    "preview",
    "scanner",
    "proofpoint",
    "mimecast",
    "barracuda",
    "safelinks",
    "googleimageproxy",
    "yahoomailproxy",
    "python",
    "curl",
    # What messengers send to draw a preview of a link.
    "facebookexternalhit",
    "vkshare",
    "whatsapp/",
    "viber/",
    "wget",
    "headless",
)
PROXIES = ("googleimageproxy",)
"""Who loads a picture in a person's stead, when he opens the letter (Google's help: "When your users
open email messages, Gmail uses Google's secure proxy servers to serve images")."""
OFFERED = "offered"
OFTEN = ("0", "7", "30")
"""In how many days at most one: as it comes, once a week, once a month."""
ASKS, WINDOW_US = 10, 900_000_000
"""So often somebody may ask for fresh links, in a quarter of an hour."""
SOON_US = 3_000_000
"""A click so soon after the sending is a scanner's."""


class Who(NamedTuple):
    """Whom an unsubscribe link is for, and the letter it stood in: its way, its channel, its topic."""

    number: int
    place: int
    contact_id: ContactId
    kind: str
    topic: str


def _who(request: Request) -> Who:
    """Read the token of an unsubscribe link; raises UntrustedRequest."""
    runtime = request.app.state.runtime
    value = runtime.keys.unsign(LEAVE, request.path_params["token"])
    named, contact, kind, topic = value.split(" ", 3)
    number, _, place = named.partition(".")
    return Who(int(number), int(place or 0), ContactId(int(contact)), kind, topic)


def _letter_of(runtime: Any, conn: Any, who: Who) -> Any:
    """Give the delivery of a letter as it left, also where its person was reached another way since."""
    row = delivery(conn, who.number)
    if row is None or not row.routes:
        return row
    channels = runtime.database.channels
    account_id = at_place(row.routes, who.place) or by_kind(conn, channels, row, who.kind)
    return as_left(conn, channels, row, account_id)


async def leave(request: Request) -> Response:
    """Show where the person stands; changes nothing."""
    try:
        who = _who(request)
    except (UntrustedRequest, ValueError):
        return public_page(request, "public/leave_unknown.html", 404, fresh=True)
    return await _shown(request, who)


async def _shown(request: Request, who: Who, done: str = "") -> Response:
    runtime = request.app.state.runtime
    contact_id, topic = who.contact_id, who.topic

    def read(conn: Any) -> dict[str, Any]:
        row = _letter_of(runtime, conn, who)
        address = conn.execute(
            select(addresses.c.value).where(addresses.c.id == (row.address_id if row else 0))
        ).scalar()
        known = _topics(conn, contact_id, topic)
        language = conn.execute(
            select(contacts.c.language).where(contacts.c.id == contact_id)
        ).scalar()
        return {
            "address": hidden(address or ""),
            "often": str(limits_of(conn, [contact_id]).get(contact_id, 0)),
            "topics": known,
            "listed": {one.name: one for one in listed(conn)},
            "person_language": language or "",
        }

    values = await runtime.database.read(read)
    if values["person_language"]:
        request.state.language = "ru" if values["person_language"].startswith("ru") else "en"
    brand = await runtime.handle(SYSTEM).brand()
    return public_page(
        request,
        "public/leave.html",
        token=request.path_params["token"],
        topic=topic,
        kind=who.kind,
        done=done,
        brand=brand,
        **values,
    )


def _topics(conn: Any, contact_id: ContactId, topic: str) -> list[tuple[str, str]]:
    """Give the topics of a person's page: those of his words and letters, and what is offered."""
    known = dict(topics_of(conn, contact_id))
    if topic:
        known.setdefault(topic, "")
    for one in listed(conn):
        if one.public:
            known.setdefault(one.name, OFFERED)
    return sorted(known.items())


async def decide(request: Request) -> Response:
    """Take the person's word: one click of a mail program, or a button of the page."""
    try:
        who = _who(request)
    except (UntrustedRequest, ValueError):
        return public_page(request, "public/leave_unknown.html", 404, fresh=True)
    number, place, contact_id, kind, topic = who
    form = await request.form()
    if not contact_id:  # A letter that was only tried out: there is nobody who could leave.
        return PlainTextResponse("a test: nobody was unsubscribed")
    one_click = form.get("List-Unsubscribe") == "One-Click"
    what = "all_here" if one_click else str(form.get("do", ""))
    if one_click and topic:
        what = "topic"
    evidence = f"delivery {which(number, place)}"
    shared: dict[str, Any] = {
        "contact_id": contact_id,
        "how": "one_click" if one_click else "link",
        "evidence": evidence + (f": {str(form.get('why', ''))[:300]}" if form.get("why") else ""),
        "ip": getattr(request.state, "client", ""),
    }
    commands: list[WithdrawConsent | TakeBackWithdrawal | GiveConsent | LimitAdvertising] = []
    if what == "topic":
        commands.append(WithdrawConsent(channel=kind, topic=topic, **shared))
    elif what == "all_here":
        commands.append(WithdrawConsent(channel=kind, **shared))
    elif what == "all":
        commands.append(WithdrawConsent(**shared))
    elif what == "undo":
        commands.append(TakeBackWithdrawal(contact_id=contact_id, evidence=evidence))
    elif what == "often" and form.get("days") in OFTEN:
        commands.append(LimitAdvertising(days=int(str(form["days"])), **shared))
    elif what == "topics":
        wanted = set(form.getlist("topic"))
        runtime = request.app.state.runtime
        known = await runtime.database.read(lambda conn: _topics(conn, contact_id, topic))
        for name, state in known:
            # A topic that was only offered, and is not taken, is no refusal.
            if name in wanted:
                commands.append(GiveConsent(channel=kind, topic=name, **shared))
            elif state != OFFERED:
                commands.append(WithdrawConsent(channel=kind, topic=name, **shared))
    if not commands:
        return await _shown(request, who)
    try:
        await request.app.state.runtime.handle(SYSTEM).do(*commands)
    except HubError:
        return public_page(request, "public/leave_unknown.html", 404, fresh=True)
    if one_click:
        return PlainTextResponse("unsubscribed")
    return await _shown(request, who, done=what)


async def lost(request: Request) -> Response:
    """Offer a fresh link to whoever lost his."""
    return public_page(request, "public/fresh_link.html")


async def fresh(request: Request) -> Response:
    """Send a fresh link to the address that was typed, where somebody is known by it.

    The page says the same in every case, and it is answered before anything is looked up, so that
    neither its words nor its time tell whether the address is known.
    """
    runtime = request.app.state.runtime
    bucket = f"fresh:{getattr(request.state, 'client', '')}"
    asked = await runtime.database.write(session_reads.count_attempts, (bucket, WINDOW_US))
    if asked > ASKS:
        return public_page(request, "public/fresh_link.html", 429, state="limited")
    form = await request.form()
    value = str(form.get("address", "")).strip()[:320]
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", value):
        return public_page(request, "public/fresh_link.html", 422, state="no_address")
    response = public_page(request, "public/fresh_link.html", state="asked")
    command = SendPreferences(
        address=Address(kind="email", value=value), language=request.state.language
    )
    response.background = BackgroundTask(runtime.handle(SYSTEM).do, command)
    return response


async def letter(request: Request) -> Response:
    """Show the letter in the browser, as this person got it."""
    runtime = request.app.state.runtime
    try:
        who = _who(request)
        message = await runtime.database.read(lambda conn: _message(runtime, conn, who))
    except (UntrustedRequest, ValueError, HubError):
        return public_page(request, "public/leave_unknown.html", 404, fresh=True)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src *; sandbox allow-popups"
    headers = {"content-security-policy": policy, "x-robots-tag": "noindex"}
    if message.html:
        return Response(message.html, 200, headers, "text/html; charset=utf-8")
    return Response(message.text, 200, headers, "text/plain; charset=utf-8")


def _message(runtime: Any, conn: Any, who: Who) -> Any:
    row = _letter_of(runtime, conn, who)
    if row is None or row.contact_id != who.contact_id:
        raise UntrustedRequest("there is no such letter")
    return many_message(runtime, conn, Contents(), row)


def _clicked(runtime: Any, token: str) -> tuple[int, int, int]:
    """Read which link of which delivery it was, and the place of the way by which it left.

    Letters of earlier days have longer tokens, and name no way.
    """
    if "." not in token:
        number, part = runtime.keys.unsign_short(CLICK, token)
        return number, *parted(part)
    number, n = runtime.keys.unsign(CLICK, token).split()
    return int(number), 0, int(n)


def _way_of(runtime: Any, conn: Any, number: int, place: int) -> Any:
    """Give a delivery as it left by a way of its send; where none is named, by its last."""
    row = delivery(conn, number)
    if row is None or not row.routes:
        return row
    account_id = at_place(row.routes, place) or last_left(conn, row)
    return as_left(conn, runtime.database.channels, row, account_id)


async def click(request: Request) -> Response:
    """Count the click and lead on, only where the letter said; a HEAD counts nothing."""
    runtime = request.app.state.runtime
    try:
        number, place, n = _clicked(runtime, request.path_params["token"])
    except (UntrustedRequest, ValueError):
        return public_page(request, "public/leave_unknown.html", 404)

    def read(conn: Any) -> tuple[str, int, AccountId]:
        way = _way_of(runtime, conn, number, place)
        if way is None:
            return "", 0, AccountId(0)
        return link_target(runtime, conn, way, n), way.sent_at, AccountId(way.account_id)

    try:
        target, sent_at, account_id = await runtime.database.read(read)
    except HubError:
        # What of the person stood in the link is gone from his card.
        target = ""
    if not target.lower().startswith(("https://", "http://")):
        return public_page(request, "public/leave_unknown.html", 404)
    if request.method == "GET":
        soon = not sent_at or runtime.now() - sent_at < SOON_US
        machine = soon or _is_machine(request)
        command = TouchMany(delivery_id=number, n=n, machine=machine, account_id=account_id)
        await runtime.handle(SYSTEM).do(command)
    return RedirectResponse(target, 302, {"cache-control": "no-store", "referrer-policy": "origin"})


async def opened(request: Request) -> Response:
    """Count that the picture of a letter was loaded; it is an estimate, never more."""
    runtime = request.app.state.runtime
    headers = {"cache-control": "no-store"}
    try:
        named, _, place = runtime.keys.unsign(OPEN, request.path_params["token"]).partition(".")
        number, at = int(named), int(place or 0)
    except (UntrustedRequest, ValueError):
        return Response(PIXEL, 200, headers, "image/gif")
    if request.method == "GET":
        agent = request.headers.get("user-agent", "").lower()
        machine = _is_machine(request) and not any(one in agent for one in PROXIES)
        account_id = await runtime.database.read(lambda conn: _over(runtime, conn, number, at))
        command = TouchMany(delivery_id=number, n=0, machine=machine, account_id=account_id)
        await runtime.handle(SYSTEM).do(command)
    return Response(PIXEL, 200, headers, "image/gif")


def _over(runtime: Any, conn: Any, number: int, place: int) -> AccountId:
    """Give the account of a letter's picture: only letters have one."""
    row = delivery(conn, number)
    if row is None or not row.routes:
        return AccountId(0)
    letters = by_kind(conn, runtime.database.channels, row, "email")
    return AccountId(at_place(row.routes, place) or letters)


def _is_machine(request: Request) -> bool:
    agent = request.headers.get("user-agent", "").lower()
    purpose = request.headers.get("purpose", "") + request.headers.get("sec-purpose", "")
    return not agent or "prefetch" in purpose or any(one in agent for one in MACHINES)


def hidden(address: str) -> str:
    """Show an address half-hidden: who holds the link knows the rest."""
    name, at, domain = address.partition("@")
    if not at:
        return f"…{address[-4:]}" if len(address) > 4 else "…"
    return f"{name[:2]}…@{domain}"


def public_page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Show a page to whoever holds its link: it is kept nowhere and found by no search."""
    response: Response = request.app.state.renderer.page(request, template, status, **values)
    response.headers["x-robots-tag"] = "noindex"
    response.headers["cache-control"] = "no-store"
    return response


def routes() -> list[Route]:
    """Give the routes."""
    return [
        Route("/u/fresh", lost, methods=["GET", "HEAD"]),
        Route("/u/fresh", fresh, methods=["POST"]),
        Route("/u/{token}", leave, methods=["GET", "HEAD"]),
        Route("/u/{token}", decide, methods=["POST"]),
        Route("/u/{token}/letter", letter, methods=["GET", "HEAD"]),
        Route("/c/{token}", click, methods=["GET", "HEAD"]),
        Route("/o/{token}", opened, methods=["GET", "HEAD"]),
    ]
