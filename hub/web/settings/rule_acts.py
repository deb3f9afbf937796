"""What the rule editor asks while a rule is written: is it right, what would it do, keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import search as search_reads
from hub.commands import CancelTimer, SaveRule
from hub.errors import HubError, Invalid, NotAllowed
from hub.ids import DialogId, RuleId, TimerId
from hub.records.dialogs import DialogQuery
from hub.rule_desk import RuleDesk
from hub.web.errors import as_json, status_of
from hub.web.settings.common import hub_of, needs, number, runtime_of, say
from hub.web.settings.rule_words import STATES

PATH = "/settings/rules/{rule}"
MOST_BODY = 500_000
MOST_FOUND = 20
DAYS = 7


async def _body(request: Request) -> dict[str, Any]:
    """Read what a script of ours sends; raises Invalid."""
    if not getattr(request.state, "csrf_checked", False):
        raise NotAllowed("reload the page")
    raw = await request.body()
    try:
        found = await request.json() if len(raw) <= MOST_BODY else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("definition", {}), dict):
        raise Invalid("a rule is an object", field="definition")
    return found


def _rule(request: Request) -> RuleId:
    word = request.path_params["rule"]
    return RuleId(0 if word == "new" else number(word))


def _desk(request: Request) -> RuleDesk:
    return RuleDesk(runtime_of(request), hub_of(request))


def words_of(request: Request, error: Invalid) -> dict[str, str]:
    """Give an objection without its path: the editor shows it where it belongs."""
    text = str(error).removeprefix(error.field).removeprefix(": ")
    return {"path": error.field, "text": say(request, text)}


@needs("rules.view")
async def check(request: Request) -> Response:
    """Say a rule in words, with everything that is wrong or doubtful about it."""
    try:
        definition = (await _body(request))["definition"]
    except (HubError, KeyError) as error:
        return _refusal(request, error)
    desk = _desk(request)
    wrong = desk.objections(definition)
    language = request.state.language
    doubts = [] if wrong else await desk.doubts(definition, _rule(request), language)
    return JSONResponse(
        {
            "wrong": [words_of(request, one) for one in wrong],
            "doubts": doubts,
            "sentence": desk.sentence(definition, language),
        }
    )


async def dry_run(desk: RuleDesk, rule_id: RuleId, body: Mapping[str, Any]) -> dict[str, Any]:
    """Try a rule on what is given: a dialog, a case, else the last days; raises HubError."""
    rule, ready = await desk.to_try(rule_id, body.get("definition"))
    tried: dict[str, Any] = {"days": 0, "judged": 0, "whole": True, "pasted": False}
    if body.get("dialog"):
        dialog = str(body["dialog"]).strip().rpartition("/")[2]
        tried["cases"] = await desk.why_not(rule, ready, DialogId(number(dialog)))
    elif isinstance(body.get("values"), dict):
        tried |= {"cases": [desk.on_values(ready, body["values"])], "pasted": True}
    else:
        days = body.get("days", DAYS)
        days = days if type(days) is int and 1 <= days <= 90 else DAYS
        found = await desk.on_days(rule, ready, days)
        tried |= {"cases": found.cases, "days": days, "judged": found.judged}
        tried |= {"fired": found.fired, "whole": found.whole}
    tried.setdefault("fired", sum(one.fires for one in tried["cases"]))
    return tried


@needs("rules.view")
async def attempt(request: Request) -> Response:
    """Draw a dry run: on a dialog, on a pasted case, or on the last days."""
    desk = _desk(request)
    try:
        body = await _body(request)
        tried = await dry_run(desk, _rule(request), body)
    except HubError as error:
        return _refusal(request, error)
    language = request.state.language
    drawn = request.app.state.renderer.text(
        "settings/rule_tried.html",
        language,
        tried=tried,
        states=STATES,
        label=desk.label(language),
        zone=getattr(request.state, "zone", "UTC"),
    )
    return HTMLResponse(drawn)


@needs("rules.manage")
async def keep(request: Request) -> Response:
    """Keep a rule: a new version, or a new rule; its own examples are run."""
    try:
        body = await _body(request)
        version = body.get("version")
        enabled = body.get("enabled")
        made = await hub_of(request).do(
            SaveRule(
                rule_id=_rule(request),
                definition=body.get("definition", {}),
                version=version if type(version) is int and version > 0 else None,
                enabled=enabled if isinstance(enabled, bool) else None,
                draft=body.get("draft") is True,
                armed=str(body.get("armed")) if body.get("armed") in ("keep", "cancel") else "ask",
            )
        )
    except Invalid as error:
        return JSONResponse({"error": {"code": "invalid", **_as_error(request, error)}}, 422)
    except HubError as error:
        return _refusal(request, error)
    return JSONResponse({"id": str(made[0])})


def _as_error(request: Request, error: Invalid) -> dict[str, str]:
    words = words_of(request, error)
    return {"message": words["text"], "field": words["path"]}


@needs("rules.manage")
async def call_off(request: Request) -> Response:
    """Take away one thing that a rule waits to do."""
    try:
        body = await _body(request)
        await hub_of(request).do(CancelTimer(timer_id=TimerId(number(body.get("timer")))))
    except HubError as error:
        return _refusal(request, error)
    return JSONResponse({})


@needs("rules.view")
async def dialogs(request: Request) -> Response:
    """Give dialogs to try a rule on: those that are looked for, else the newest."""
    hub = hub_of(request)
    text = request.query_params.get("q", "").strip()[:100]
    if text:
        found = list(
            await hub.read(lambda reader: search_reads.search_dialogs(reader, text, MOST_FOUND))
        )
    else:
        page = await hub.dialogs(DialogQuery(view="everything", limit=MOST_FOUND))
        found = list(page.dialogs)
    return JSONResponse(
        [
            {
                "name": str(one.id),
                "label": " · ".join(
                    part for part in (one.contact_name or one.address, one.preview) if part
                ),
                "icon": "message-square",
            }
            for one in found
        ]
    )


def _refusal(request: Request, error: Exception) -> Response:
    known = error if isinstance(error, HubError) else Invalid("a rule is an object")
    return as_json(known, status_of(known), request.state.language)


def routes() -> list[BaseRoute]:
    """Give the editor's questions."""
    return [
        Route("/settings/rules/dialogs", dialogs, methods=["GET"]),
        Route(PATH + "/check", check, methods=["POST"]),
        Route(PATH + "/try", attempt, methods=["POST"]),
        Route(PATH + "/keep", keep, methods=["POST"]),
        Route(PATH + "/call-off", call_off, methods=["POST"]),
    ]
