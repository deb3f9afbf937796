"""Who works now, how new dialogs are given out, who is away, and work that changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import absences as away
from crm_store import accounts as account_reads
from crm_store import calendars as calendar_reads
from crm_store import desks as reads
from crm_store import users as user_reads
from crm_store.nouns import Noun
from crm_store.viewer import Reader
from hub.commands import (
    Command,
    EndAbsence,
    HandOver,
    RegisterAbsence,
    RemoveDeskStatus,
    SaveDeskStatus,
    SaveRoute,
    SetDesk,
    UndoHandover,
)
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.ids import Micros, UserId
from hub.web.settings.common import _, form_of, go, hub_of, many, needs, number, say, show

DESKS = "/settings/desks"
ROUTING = "/settings/routing"
ABSENCES = "/settings/absences"
HANDOVERS = "/settings/handovers"

MODES = {
    "nobody": _("To nobody: they stay on the list"),
    "evenly": _("Evenly: who got none for the longest"),
    "in_order": _("Strictly in turn"),
    "least_busy": _("To who has the fewest"),
}
KINDS = {
    "vacation": _("Vacation"),
    "sick": _("Sick leave"),
    "trip": _("Business trip"),
    "other": _("Another reason"),
}
REASONS = {
    "away": _("nobody is there"),
    "full": _("every desk is full"),
    "closed": _("outside working hours"),
}
HANDED_OVER = ("dialogs", "intake", "lead", "interest", "request", "task")
"""What is handed over to a substitute unless somebody says otherwise."""
NOTHING_GIVEN: Mapping[str, Any] = {
    **dict.fromkeys(("kind", "from", "to", "substitute", "access"), ""),
    "what": HANDED_OVER,
}
STATUS_NAMES = (_("At work"), _("No new ones"), _("Break"), _("Gone home"))
"""The names that a new house begins with, so that they are translated."""


def _what(request: Request, *, intake: bool) -> list[tuple[str, str]]:
    language = request.state.language
    found = [("dialogs", say(request, _("Open dialogs")))]
    if intake:
        found.append(("intake", say(request, _("What comes new or comes back"))))
    for name, noun in away.movable(request.app.state.runtime.nouns).items():
        title = str(noun.kind.plurals.get(language, noun.kind.plural))
        found.append((name, title[:1].upper() + title[1:]))
    return found


# -- desks ---------------------------------------------------------------------------------


async def _desks(request: Request, status: int = 200, problem: str = "") -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        waiting = reads.waiting_dialogs(reader)
        return {
            "desks": reads.all_desks(reader),
            "statuses": reads.statuses(reader),
            "teams": user_reads.all_teams(reader),
            "waiting": waiting,
            "away": away.away_now(reader),
        }

    found = await hub_of(request).read(load)
    counted = {
        reason: sum(1 for one in found["waiting"] if (one.reason or "away") == reason)
        for reason in REASONS
    }
    return show(
        request,
        "desks",
        "desks",
        status,
        problem=problem,
        reasons=REASONS,
        counted=counted,
        **found,
    )


@needs("users.view")
async def desks(request: Request) -> Response:
    """Show who works, with the load."""
    return await _desks(request)


@needs("profile.edit")
async def set_desk(request: Request) -> Response:
    """Choose one's status, or set that of a colleague."""
    form = await form_of(request)
    given = str(form.get("status", ""))
    try:
        await hub_of(request).do(
            SetDesk(
                user_id=UserId(number(form.get("user", "0"))),
                status_id=number(given) if given else None,
                comment=str(form["comment"]) if "comment" in form else None,
                capacity=number(form["capacity"]) if form.get("capacity") else None,
            )
        )
    except (Invalid, NotAllowed) as error:
        return await _desks(request, 422, say(request, str(error)))
    back = str(form.get("back", ""))
    return go(back if back.startswith("/") and not back.startswith("//") else DESKS, "")


@needs("users.manage")
async def save_status(request: Request) -> Response:
    """Make, change or delete a status."""
    form = await form_of(request)
    status_id = number(form.get("status", "0"))
    command: Command = SaveDeskStatus(
        status_id=status_id,
        name=str(form.get("name", "")),
        works="works" in form,
        takes_new="takes_new" in form,
        position=number(form.get("position", "0")),
    )
    if form.get("do") == "remove":
        command = RemoveDeskStatus(status_id=status_id)
    try:
        await hub_of(request).do(command)
    except (Invalid, Conflict) as error:
        return await _desks(request, 422, say(request, str(error)))
    return go(DESKS, "saved")


# -- routing -------------------------------------------------------------------------------


async def _routing(request: Request, status: int = 200, problem: str = "") -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        accounts, teams = account_reads.all_accounts(reader), user_reads.all_teams(reader)
        subjects = [("account", int(one.id), one.title) for one in accounts]
        subjects += [("team", int(one.id), one.name) for one in teams]
        return {
            "rules": [(title, reads.route(reader, kind, each)) for kind, each, title in subjects],
            "calendars": calendar_reads.all_calendars(reader),
        }

    found = await hub_of(request).read(load)
    return show(request, "routing", "routing", status, problem=problem, modes=MODES, **found)


@needs("accounts.manage")
async def routing(request: Request) -> Response:
    """Show how new dialogs are given out, account by account and team by team."""
    return await _routing(request)


@needs("accounts.manage")
async def save_route(request: Request) -> Response:
    """Set the rule of one account or team."""
    form = await form_of(request)
    try:
        await hub_of(request).do(
            SaveRoute(
                kind=str(form.get("kind", "")),
                subject_id=number(form.get("subject", "0")),
                mode=str(form.get("mode", "nobody")),
                owner_first="owner_first" in form,
                last_days=number(form.get("last_days") or "0"),
                idle_minutes=number(form.get("idle_minutes") or "0"),
                calendar_id=number(form.get("calendar") or "0"),
            )
        )
    except Invalid as error:
        return await _routing(request, 422, say(request, str(error)))
    return go(ROUTING, "saved")


# -- absences ------------------------------------------------------------------------------


async def _absences(
    request: Request,
    status: int = 200,
    problem: str = "",
    given: Mapping[str, Any] | None = None,
) -> Response:
    may_lead = "absences.manage" in request.state.may

    def load(reader: Reader) -> dict[str, Any]:
        mine = UserId(0) if may_lead else reader.viewer.user_id
        return {
            "absences": away.all_absences(reader, user_id=mine, limit=100),
            "users": {one.id: one for one in user_reads.all_users(reader)},
        }

    found = await hub_of(request).read(load)
    return show(
        request,
        "absences",
        "absences",
        status,
        problem=problem,
        kinds=KINDS,
        what=_what(request, intake=True),
        may_lead=may_lead,
        given={"user": request.state.user.id, **(given or NOTHING_GIVEN)},
        **found,
    )


@needs("profile.edit")
async def absences(request: Request) -> Response:
    """Show absences: one's own, or everybody's to who registers them."""
    return await _absences(request)


def _day(request: Request, form: Mapping[str, Any], name: str, *, after: int = 0) -> Micros:
    """Read a day of the reader's own calendar: where it begins, or where it ends."""
    try:
        day = date.fromisoformat(str(form.get(name, "")))
    except ValueError as error:
        raise Invalid("this is not a day", field=name) from error
    zone = ZoneInfo(request.state.zone or "UTC")
    at = datetime.combine(day + timedelta(days=after), time(), zone)
    return Micros(int(at.timestamp()) * 1_000_000)


@needs("profile.edit")
async def register(request: Request) -> Response:
    """Register an absence; where nobody stands in, nothing is handed over."""
    form = await form_of(request)
    names = ("kind", "from", "to")
    given: dict[str, Any] = {one: str(form.get(one, "")) for one in names}
    given |= {one: number(form.get(one) or "0") for one in ("user", "substitute")}
    given |= {"what": many(form, "what"), "access": "access" in form}
    instead = given["substitute"]
    try:
        await hub_of(request).do(
            RegisterAbsence(
                user_id=UserId(given["user"]),
                kind=given["kind"] or "vacation",
                from_at=_day(request, form, "from"),
                to_at=_day(request, form, "to", after=1),
                substitute_id=UserId(instead),
                what=tuple(given["what"]) if instead else (),
                access=bool(instead and given["access"]),
            )
        )
    except (Invalid, Conflict, NotAllowed) as error:
        return await _absences(request, 422, say(request, str(error)), given)
    return go(ABSENCES, "saved")


@needs("profile.edit")
async def end(request: Request) -> Response:
    """End an absence, or call it off."""
    form = await form_of(request)
    try:
        await hub_of(request).do(EndAbsence(absence_id=number(form.get("absence", "0"))))
    except Conflict as error:
        return await _absences(request, 422, say(request, str(error)))
    return go(ABSENCES, "saved")


# -- handovers -----------------------------------------------------------------------------


async def _handovers(
    request: Request,
    status: int = 200,
    problem: str = "",
    given: Mapping[str, Any] | None = None,
    counts: Mapping[str, int] | None = None,
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        return {
            "handovers": away.all_handovers(reader),
            "accounts": account_reads.all_accounts(reader),
            "users": {one.id: one for one in user_reads.all_users(reader)},
        }

    found = await hub_of(request).read(load)
    return show(
        request,
        "handovers",
        "handovers",
        status,
        problem=problem,
        what=_what(request, intake=False),
        given=given or {"from": 0, "to": 0, "what": ["dialogs"], "account": 0, "tag": ""},
        counts=counts,
        **found,
    )


def _limits(given: Mapping[str, Any], nouns: Mapping[str, Noun]) -> dict[str, dict[str, object]]:
    """Give the filters of a handover: dialogs of one channel, and only what has a tag."""
    asked: list[dict[str, object]] = []
    if given["account"]:
        account = str(given["account"])
        asked.append({"field": "dialog.account", "operator": "equals", "value": account})
    if given["tag"]:
        asked.append({"field": "dialog.tags", "operator": "contains", "value": given["tag"]})
    found: dict[str, dict[str, object]] = {away.DIALOGS: {"all": asked}} if asked else {}
    for name, noun in away.movable(nouns).items():
        if given["tag"] and any(one.name == "tags" for one in noun.kind.properties):
            field = f"{name}.tags"
            found[name] = {"field": field, "operator": "contains", "value": given["tag"]}
    return found


@needs("work.handover")
async def handovers(request: Request) -> Response:
    """Show handovers with their progress; a page may name whose work it is about."""
    whose = number(request.query_params.get("from") or "0")
    given = {"from": whose, "to": 0, "what": ["dialogs"], "account": 0, "tag": ""}
    if whose:
        given["what"] = [key for key, _words in _what(request, intake=False)]
    return await _handovers(request, given=given)


@needs("work.handover")
async def hand_over(request: Request) -> Response:
    """Count first what would change hands; then hand it over, or take a handover back."""
    form = await form_of(request)
    hub, wish = hub_of(request), str(form.get("do", "preview"))
    given: dict[str, Any] = {
        "from": number(form.get("from") or "0"),
        "to": number(form.get("to") or "0"),
        "what": many(form, "what"),
        "account": number(form.get("account") or "0"),
        "tag": str(form.get("tag", "")).strip()[:100],
    }
    filters = _limits(given, request.app.state.runtime.nouns)
    try:
        if wish == "undo":
            await hub.do(UndoHandover(handover_id=number(form.get("handover", "0"))))
            return go(HANDOVERS, "saved")
        if wish == "go":
            await hub.do(
                HandOver(
                    from_id=UserId(given["from"]),
                    to_id=UserId(given["to"]),
                    what=tuple(given["what"]),
                    filters=filters,
                )
            )
            return go(HANDOVERS, "handed")
        counts = await hub.read(away.preview, UserId(given["from"]), given["what"], filters)
    except (Invalid, Conflict, NotAllowed, NotFound) as error:
        return await _handovers(request, 422, say(request, str(error)), given)
    return await _handovers(request, 200, "", given, counts)


def routes() -> list[BaseRoute]:
    """Give the routes of work."""
    get, post = ["GET"], ["POST"]
    return [
        Route(DESKS, desks, methods=get),
        Route(DESKS, set_desk, methods=post),
        Route(f"{DESKS}/statuses", save_status, methods=post),
        Route(ROUTING, routing, methods=get),
        Route(ROUTING, save_route, methods=post),
        Route(ABSENCES, absences, methods=get),
        Route(ABSENCES, register, methods=post),
        Route(f"{ABSENCES}/end", end, methods=post),
        Route(HANDOVERS, handovers, methods=get),
        Route(HANDOVERS, hand_over, methods=post),
    ]
