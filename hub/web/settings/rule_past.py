"""What rules did and wait to do, over all of them; and why they did not run in one dialog."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.commands import CancelTimer
from hub.ids import DialogId, TimerId
from hub.records.rules import Judged
from hub.rule_desk import RuleDesk
from hub.web.settings.common import form_of, go, hub_of, need, needs, number, runtime_of, show
from hub.web.settings.rule_words import STATES
from triggers import runs, timer_rows
from triggers.explain import from_data

PATH = "/settings/rules"
PAGE = 50


def _label(request: Request) -> Any:
    desk = RuleDesk(runtime_of(request), hub_of(request))
    return desk.label(request.state.language)


@needs("rules.view")
async def log(request: Request) -> Response:
    """Show every run, found by words and by what became of it."""
    given = request.query_params
    state = given.get("state", "") if given.get("state", "") in STATES else ""
    before = number(given["before"]) if given.get("before") else 0
    found = await hub_of(request).read(
        lambda reader: runs.page(
            reader, state=state, text=given.get("q", "")[:200], before=before, limit=PAGE
        )
    )
    return show(
        request,
        "rule_log",
        "rules",
        tab="log",
        runs=found,
        following=str(found[-1].id) if len(found) == PAGE else "",
        q=given.get("q", ""),
        state=state,
        states=STATES,
        why_of=from_data,
        label=_label(request),
    )


@needs("rules.view")
async def waits(request: Request) -> Response:
    """Show what all rules wait to do, the next first; each can be called off."""
    if request.method == "POST":
        form = await form_of(request)
        need(request, "rules.manage")
        await hub_of(request).do(CancelTimer(timer_id=TimerId(number(form.get("timer")))))
        return go(f"{PATH}/waits", "removed")
    before = request.query_params.get("before", "")[:60]
    found = await hub_of(request).read(
        lambda reader: timer_rows.waiting(reader, before=before, limit=PAGE)
    )
    return show(
        request,
        "rule_waits",
        "rules",
        tab="waits",
        waiting=found,
        following=f"{found[-1].due_at}-{found[-1].id}" if len(found) == PAGE else "",
    )


@needs("rules.view")
async def why(request: Request) -> Response:
    """Say of every rule whether it ran in a dialog, and if not, what kept it."""
    hub = hub_of(request)
    desk = RuleDesk(runtime_of(request), hub)
    dialog_id = DialogId(number(request.path_params["dialog"]))
    dialog = await hub.dialog(dialog_id)
    found = await desk.why_in_dialog(dialog_id)
    return show(
        request,
        "rule_why",
        "rules",
        dialog=dialog,
        found=[
            (rule, cases, _first_miss(cases[0].judged) if cases else None) for rule, cases in found
        ],
        states=STATES,
        label=desk.label(request.state.language),
    )


def _first_miss(judged: Judged | None) -> Judged | None:
    """Give the first condition that was not met."""
    if judged is None or judged.verdict:
        return None
    if judged.field:
        return judged
    for one in judged.parts:
        if one.verdict is (judged.match == "none"):
            return one if one.field else _first_miss(one) or one
    return None


def routes() -> list[BaseRoute]:
    """Give the pages' routes."""
    return [
        Route(PATH + "/log", log),
        Route(PATH + "/waits", waits, methods=["GET", "POST"]),
        Route(PATH + "/why/{dialog}", why),
    ]
