"""Working calendars: the week in a picture, its hours, holidays and moved working days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import calendars as reads
from hub.calendars import (
    DAY_MINUTES,
    WEEKDAYS,
    Hours,
    hours_data,
    hours_text,
    read_hours,
    read_special,
    read_week,
)
from hub.commands import RemoveCalendar, SaveCalendar
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import CalendarId
from hub.records.calendars import WorkCalendar
from hub.special_days import LineNotUnderstood, read_days
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, runtime_of, say, show
from hub.zones import zone_names

PATH = "/settings/calendars"
DAY_NAMES = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
PRESETS = (_("Working hours"), _("Around the clock"))


def _bars(hours: Hours) -> list[tuple[str, str]]:
    """Give working hours as places in a picture of the day, in percent from the left."""
    return [
        (f"{one.start * 100 / DAY_MINUTES:.2f}", f"{(one.end - one.start) * 100 / DAY_MINUTES:.2f}")
        for one in hours
    ]


def _drawn(calendar: WorkCalendar) -> dict[str, Any]:
    week = read_week(calendar.week)
    return {
        "calendar": calendar,
        "days": [
            {"key": key, "name": name, "text": hours_text(hours), "bars": _bars(hours)}
            for key, name, hours in zip(WEEKDAYS, DAY_NAMES, week, strict=True)
        ],
    }


def _special(calendar: WorkCalendar, today: date, language: str) -> list[dict[str, Any]]:
    return [
        {
            "date": day,
            "day": format_date(day, "EE, d MMM y", locale=language),
            "text": hours_text(one.hours),
            "name": one.name,
            "past": day < today,
        }
        for day, one in sorted(read_special(calendar.special).items())
    ]


@needs("users.view")
async def calendars(request: Request) -> Response:
    """Show every calendar with its week, or begin another."""
    found = await hub_of(request).read(reads.all_calendars)
    return show(request, "calendars", "calendars", drawn=[_drawn(one) for one in found])


@needs("system.manage")
async def add(request: Request) -> Response:
    """Begin a calendar: it has the hours of the default one until they are changed."""
    form = await form_of(request)
    hub = hub_of(request)
    found = await hub.read(reads.all_calendars)
    made = await hub.do(
        SaveCalendar(name=str(form.get("name", "")) or say(request, "Calendar"), week=found[0].week)
    )
    return go(f"{PATH}/{made[0]}", "created")


async def _one(request: Request) -> WorkCalendar:
    return await hub_of(request).read(reads.one, CalendarId(number(request.path_params["id"])))


async def _page(
    request: Request,
    calendar: WorkCalendar,
    errors: Mapping[str, str] | None = None,
    form: Mapping[str, Any] | None = None,
) -> Response:
    zone = ZoneInfo(calendar.zone)
    today = (
        datetime.fromtimestamp(runtime_of(request).now() / 1_000_000, UTC).astimezone(zone).date()
    )
    special = _special(calendar, today, request.state.language)
    return show(
        request,
        "calendar",
        "calendars",
        422 if errors else 200,
        special=[one for one in special if not one["past"]],
        past=[one for one in special if one["past"]],
        errors=errors or {},
        form=form or {},
        year=today.year + (today.month > 10),
        zones=zone_names(),
        **_drawn(calendar),
    )


@needs("users.view")
async def one(request: Request) -> Response:
    """Show a calendar."""
    return await _page(request, await _one(request))


@needs("system.manage")
async def save(request: Request) -> Response:
    """Change a calendar's name, zone and hours, its special days, or remove it."""
    calendar = await _one(request)
    form = await form_of(request)
    wish = str(form.get("do", "save"))
    acts = {"save": _save, "days": _paste, "drop": _drop, "default": _default, "remove": _remove}
    if wish.partition(":")[0] not in acts:
        raise NotFound("there is no such action")
    errors: dict[str, str] = {}
    try:
        return await acts[wish.partition(":")[0]](request, calendar, form)
    except LineNotUnderstood as error:
        text = say(request, "Line %(line)s is not a day: %(text)s")
        errors["days"] = text % {"line": error.line, "text": error.text}
    except Invalid as error:
        errors[error.field or "name"] = say(request, str(error))
    except Conflict as error:
        errors["name"] = say(request, str(error))
    return await _page(request, calendar, errors, form)


async def _save(request: Request, calendar: WorkCalendar, form: Mapping[str, Any]) -> Response:
    week: dict[str, object] = {}
    given = str(form.get("name", "")).strip()
    for key in WEEKDAYS:
        try:
            week[key] = hours_data(read_hours(str(form.get(key, ""))))
        except Invalid as error:
            raise Invalid(str(error), field=key) from error
    await hub_of(request).do(
        SaveCalendar(
            calendar_id=calendar.id,
            # A name of ours that was shown in the reader's language stays ours.
            name=None if given == say(request, calendar.name) else given,
            time_zone=str(form.get("time_zone", "")),
            week=week,
            version=int(form["version"]) if str(form.get("version", "")).isdecimal() else None,
        )
    )
    return go(f"{PATH}/{calendar.id}", "saved")


async def _paste(request: Request, calendar: WorkCalendar, form: Mapping[str, Any]) -> Response:
    year = str(form.get("year", ""))
    ordinary = next(day for day in read_week(calendar.week) if day)
    found = read_days(
        str(form.get("days", "")), int(year) if year.isdecimal() and len(year) == 4 else 1, ordinary
    )
    if not found:
        raise Invalid("paste at least one day", field="days")
    days = {
        day.isoformat(): {"hours": hours_data(one.hours), "name": one.name}
        for day, one in found.items()
    }
    await hub_of(request).do(SaveCalendar(calendar_id=calendar.id, add_special=days))
    return go(f"{PATH}/{calendar.id}", "saved")


async def _drop(request: Request, calendar: WorkCalendar, form: Mapping[str, Any]) -> Response:
    gone = str(form.get("do", "")).partition(":")[2]
    left = {day: one for day, one in calendar.special.items() if day != gone}
    await hub_of(request).do(
        SaveCalendar(calendar_id=calendar.id, special=left, version=calendar.version)
    )
    return go(f"{PATH}/{calendar.id}", "removed")


async def _default(request: Request, calendar: WorkCalendar, form: Mapping[str, Any]) -> Response:
    await hub_of(request).do(SaveCalendar(calendar_id=calendar.id, make_default=True))
    return go(f"{PATH}/{calendar.id}", "saved")


async def _remove(request: Request, calendar: WorkCalendar, form: Mapping[str, Any]) -> Response:
    await hub_of(request).do(RemoveCalendar(calendar_id=calendar.id))
    return go(PATH, "removed")


def routes() -> list[BaseRoute]:
    """Give the routes of calendars."""
    return [
        Route(PATH, calendars, methods=["GET"]),
        Route(PATH, add, methods=["POST"]),
        Route(f"{PATH}/{{id:int}}", one, methods=["GET"]),
        Route(f"{PATH}/{{id:int}}", save, methods=["POST"]),
    ]
