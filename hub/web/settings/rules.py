"""Automation: the list of rules, one rule as sentences, its dry run, its log, ready rules."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import users as user_reads
from hub.commands import CancelTimer, MoveRule, RemoveRule, RestoreRule, SaveRule, SwitchRule
from hub.errors import Conflict, HubError, Invalid
from hub.ids import RuleId, TimerId
from hub.records.rules import Rule
from hub.rule_desk import RuleDesk
from hub.web.settings import rule_acts, rule_past
from hub.web.settings.common import form_of, go, hub_of, needs, number, runtime_of, say, show
from hub.web.settings.rule_words import GROUPS, PAUSES, STATES
from triggers import rules as reads
from triggers import runs, timer_rows
from triggers.explain import from_data

PATH = "/settings/rules"
EMPTY = {
    "name": "",
    "when": [{"event": "message.received"}],
    "if": {"all": []},
    "then": [{"action": "crm_actions.note", "params": {"text": ""}}],
}


def _desk(request: Request) -> RuleDesk:
    return RuleDesk(runtime_of(request), hub_of(request))


@needs("rules.view")
async def page(request: Request) -> Response:
    """Show the rules in their order; switch and move them; add a ready one."""
    hub, desk = hub_of(request), _desk(request)
    if request.method == "POST":
        form = await form_of(request)
        if form.get("recipe"):
            command = desk.of_recipe(str(form["recipe"]), request.state.language, {}, enabled=False)
            made = (await hub.do(command))[0]
            return go(f"{PATH}/{made}", "created")
        await _act(request, form)
        return go(PATH, "saved")
    rules = await hub.read(reads.all_rules)
    return show(
        request,
        "rules",
        "rules",
        tab="rules",
        rules=[(one, desk.sentence(one.definition, request.state.language)) for one in rules],
        recipes=_grouped(desk.recipes(request.state.language)),
        pauses=PAUSES,
        groups=GROUPS,
    )


def _grouped(recipes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in recipes:
        found.setdefault(str(one["group"]), []).append(one)
    return found


async def _act(request: Request, form: Any) -> None:
    hub, rule_id = hub_of(request), RuleId(number(form.get("rule")))
    match form.get("do"):
        case "on" | "off" as word:
            await hub.do(SwitchRule(rule_id=rule_id, enabled=word == "on"))
        case "up" | "down" as way:
            ids = [one.id for one in await hub.read(reads.all_rules)]
            place = ids.index(rule_id)
            target = place - 1 if way == "up" else place + 2
            if 0 <= target <= len(ids):
                before = ids[target] if target < len(ids) else RuleId(0)
                await hub.do(MoveRule(rule_id=rule_id, before=before))
        case "remove":
            await hub.do(RemoveRule(rule_id=rule_id))
        case _:
            raise Invalid("there is no such act", field="do")


@needs("rules.view")
async def one(request: Request) -> Response:
    """Show one rule: sentences, its JSON, a dry run, what it did and waits to do."""
    hub, desk = hub_of(request), _desk(request)
    word = request.path_params["rule"]
    rule_id = RuleId(0 if word == "new" else number(word))
    error, tried, given = "", None, ""
    asks: dict[str, Any] = {}
    if request.method == "POST":
        form = await form_of(request)
        given = str(form.get("definition", ""))
        try:
            if form.get("do") in ("on", "off", "remove"):
                await _act(request, form)
                return go(PATH if form["do"] == "remove" else f"{PATH}/{rule_id}", "saved")
            if form.get("do") == "version":
                version = number(form.get("version"))
                armed = str(form.get("armed", "ask"))
                await hub.do(RestoreRule(rule_id=rule_id, version=version, armed=armed))
                return go(f"{PATH}/{rule_id}", "saved")
            if form.get("do") == "cancel":
                await hub.do(CancelTimer(timer_id=TimerId(number(form.get("timer")))))
                return go(f"{PATH}/{rule_id}", "removed")
            definition = _json(given)
            if form.get("do") == "try":
                given_dialog = str(form.get("dialog", "")).strip()
                asked = {"definition": definition, "dialog": given_dialog}
                tried = await rule_acts.dry_run(desk, rule_id, asked)
            else:
                made = await hub.do(SaveRule(rule_id=rule_id, definition=definition))
                return go(f"{PATH}/{made[0]}", "saved")
        except HubError as problem:
            if isinstance(problem, Conflict) and problem.what == "armed":
                details = problem.details if isinstance(problem.details, dict) else {}
                asks = {**details, "version": number(form.get("version"))}
            else:
                error = say(request, str(problem))
    known = await hub.read(reads.rule, rule_id) if rule_id else None
    definition = dict(known.definition) if known is not None else EMPTY
    language = request.state.language
    return show(
        request,
        "rule",
        "rules",
        422 if error else 409 if asks else 200,
        rule=known,
        sentence=desk.sentence(definition, language),
        text=given or json.dumps(definition, ensure_ascii=False, indent=2),
        data=_data(request, known, definition, rule_id),
        warnings=desk.warnings(definition, language) if known is not None else [],
        error=error,
        asks=asks,
        tried=tried,
        states=STATES,
        why_of=from_data,
        pauses=PAUSES,
        q=request.query_params.get("q", ""),
        label=desk.label(language),
        **await _past(request, rule_id if known is not None else RuleId(0)),
    )


def _data(
    request: Request, known: Rule | None, definition: dict[str, Any], rule_id: RuleId
) -> dict[str, Any]:
    """Give what the editor begins with."""
    return {
        "id": str(rule_id) if rule_id else "",
        "path": f"{PATH}/{rule_id or 'new'}",
        "definition": {name: one for name, one in definition.items() if name != "schema"},
        "version": known.version if known is not None else 0,
        "waiting": known.waiting if known is not None else 0,
        "may": "rules.manage" in request.state.may,
    }


async def _past(request: Request, rule_id: RuleId) -> dict[str, Any]:
    """Give what a rule did, waits to do and said before."""
    hub, desk, language = hub_of(request), _desk(request), request.state.language
    if not rule_id:
        return {"runs": [], "waiting": [], "versions": [], "users": {}}
    text = request.query_params.get("q", "")
    versions = await hub.read(reads.versions, rule_id)
    users = await hub.read(user_reads.all_users)
    return {
        "runs": await hub.read(
            lambda reader: runs.page(reader, rule_id=rule_id, text=text, limit=50)
        ),
        "waiting": await hub.read(
            lambda reader: timer_rows.waiting(reader, rule_id=rule_id, limit=20)
        ),
        "versions": [(each, desk.sentence(each.definition, language)) for each in versions],
        "users": {each.id: each.name for each in users},
    }


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid(f"this is no JSON: {error}", field="definition") from error
    if not isinstance(found, dict):
        raise Invalid("a rule is an object", field="definition")
    return found


def routes() -> list[BaseRoute]:
    """Give the screens' routes."""
    return [
        Route(PATH, page, methods=["GET", "POST"]),
        *rule_past.routes(),
        *rule_acts.routes(),
        Route(PATH + "/{rule}", one, methods=["GET", "POST"]),
    ]
