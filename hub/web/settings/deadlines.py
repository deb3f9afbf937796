"""Deadlines of requests: what is promised for which, by which calendar, and who hears of a breach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import calendars, custom, sla, support_levels
from crm_store import users as user_reads
from crm_store.nouns import NOUNS
from crm_store.viewer import Reader
from hub.commands import (
    RemoveSlaPolicy,
    RemoveSupportLevel,
    SaveSlaPolicy,
    SaveSupportLevel,
    UpdateBrand,
)
from hub.errors import Conflict, Invalid
from hub.ids import CalendarId, SlaPolicyId, UserId
from hub.records.requests import SlaPolicy
from hub.web.settings.common import _, form_of, go, hub_of, many, needs, number, say, show

PATH = "/settings/deadlines"
ASKED = ("priority", "type", "level")
NAMES = (_("Urgent requests"), _("All other requests"))
HOURS = (
    ("first_minutes", _("First response, hours")),
    ("next_minutes", _("Next response, hours")),
    ("solution_minutes", _("Solution, hours")),
    ("warn_minutes", _("Warn before, hours")),
)


def _hours(minutes: int) -> str:
    return f"{minutes / 60:g}"


def _minutes(text: object, field: str) -> int:
    plain = str(text).strip().replace(",", ".") or "0"
    try:
        return round(float(plain) * 60)
    except (ValueError, OverflowError):
        raise Invalid("hours are a number, as 4 or 0.5", field=field) from None


def conditions(policy: SlaPolicy) -> dict[str, str] | None:
    """Read a filter as the form shows it; None where it was written by the API and says more."""
    tree = policy.filter
    parts = tree.get("all", [tree] if tree else [])
    found: dict[str, str] = {}
    for one in parts if isinstance(parts, list) else []:
        name = str(one.get("field", "")).removeprefix("request.") if isinstance(one, dict) else ""
        if name not in ASKED or one.get("operator") != "equals":
            return None
        found[name] = str(one.get("value", ""))
    return found if isinstance(parts, list) else None


def _filter(form: Mapping[str, Any]) -> dict[str, object]:
    parts = [
        {"field": f"request.{name}", "operator": "equals", "value": str(form[name])}
        for name in ASKED
        if form.get(name)
    ]
    return {"all": parts} if parts else {}


def _level(form: Mapping[str, Any]) -> SaveSupportLevel:
    return SaveSupportLevel(
        name=str(form.get("level", "")),
        label=str(form.get("label", "")),
        label_ru=str(form.get("label_ru", "")),
        position=int(str(form["position"])) if str(form.get("position", "")).isdecimal() else -1,
    )


def _load(reader: Reader) -> dict[str, Any]:
    policies = sla.all_policies(reader)
    return {
        "policies": policies,
        "levels": support_levels.all_levels(reader),
        "properties": custom.whole(reader.conn, NOUNS["request"]).kind,
        "asked": {one.id: conditions(one) for one in policies},
        "calendars": calendars.all_calendars(reader),
        "users": [one for one in user_reads.all_users(reader) if one.active],
        "texts": user_reads.brand(reader).settings.get("request_texts", {}),
    }


async def _draw(
    request: Request,
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Response:
    """Show the page; `typed` is a form that was refused, which keeps what was typed."""
    language = request.state.language
    values = await hub_of(request).read(_load)
    choices = {
        name: (
            prop.translations.get(language, prop.label),
            [(one.value, one.translations.get(language, one.label)) for one in prop.choices],
        )
        for name in ASKED
        for prop in (values["properties"].property(name),)
    }
    return show(
        request,
        "deadlines",
        "deadlines",
        status,
        problem=problem,
        typed=typed or {},
        choices=choices,
        hours=_hours,
        goals=HOURS,
        **values,
    )


@needs("requests.view")
async def deadlines(request: Request) -> Response:
    """Show what is promised, in the order in which it is asked."""
    return await _draw(request)


@needs("system.manage")
async def save(request: Request) -> Response:
    """Make a policy, change or remove one, or change the words to clients."""
    form, hub = await form_of(request), hub_of(request)
    do = str(form.get("do", ""))
    try:
        if do == "remove":
            await hub.do(RemoveSlaPolicy(policy_id=SlaPolicyId(number(form.get("policy", "0")))))
            return go(PATH, "removed")
        if do == "level":
            await hub.do(_level(form))
            return go(PATH, "saved")
        if do == "remove-level":
            name, move_to = str(form.get("level", "")), str(form.get("move_to", ""))
            await hub.do(RemoveSupportLevel(name=name, move_to=move_to))
            return go(PATH, "removed")
        if do == "texts":
            brand = await hub.brand()
            texts = {name: str(form.get(name, "")).strip()[:2000] for name in ("en", "ru")}
            await hub.do(UpdateBrand(brand_id=brand.id, settings={"request_texts": texts}))
            return go(PATH, "saved")
        first, following, solution, warn = (
            _minutes(form.get(name, ""), name) for name, _label in HOURS
        )
        given = str(form.get("name", "")).strip()
        own = await hub.read(_load)
        policy_id = number(form.get("policy", "0") or "0")
        kept = next((one for one in own["policies"] if one.id == policy_id), None)
        named = kept is not None and given == say(request, kept.name)
        await hub.do(
            SaveSlaPolicy(
                policy_id=SlaPolicyId(policy_id),
                name=None if named else given,
                position=int(str(form["position"]))
                if str(form.get("position", "")).isdecimal()
                else None,
                active=form.get("active") == "yes",
                filter=_filter(form) if form.get("simple") else None,
                calendar_id=CalendarId(number(form.get("calendar", "0") or "0")),
                pause_statuses=tuple(many(form, "pause")),
                escalate_to=UserId(number(form.get("escalate", "0") or "0")),
                tell_client=form.get("tell") == "yes",
                first_minutes=first,
                next_minutes=following,
                solution_minutes=solution,
                warn_minutes=warn,
            )
        )
    except (Invalid, Conflict) as error:
        wrong = error.field if isinstance(error, Invalid) else ""
        kept_form = {**form, "pause": many(form, "pause"), "wrong": wrong} if do == "save" else None
        return await _draw(request, 422, say(request, str(error)), kept_form)
    return go(PATH, "saved")


def routes() -> list[BaseRoute]:
    """Give the routes of deadlines."""
    return [
        Route(PATH, deadlines, methods=["GET"]),
        Route(PATH, save, methods=["POST"]),
    ]
