"""Working calendars: when somebody works, holidays, and counting with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Response

from crm_store import calendars as reads
from crm_store.viewer import Reader
from hub import commands as c
from hub.calendars import Calendar, read_week
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import calendars as s
from hub.ids import CalendarId
from hub.records.calendars import WorkCalendar
from hub.shapes import GivenId
from hub.special_days import read_days

router = rights.router("Calendars")

CalendarKey = Annotated[GivenId, Path(alias="calendar_id", description="The calendar.")]


async def _kept(caller: Caller, calendar_id: int) -> WorkCalendar:
    return await caller.hub.read(reads.one, CalendarId(calendar_id))


async def _shown(caller: Caller, calendar_id: int) -> s.Calendar:
    return s.Calendar.model_validate(await _kept(caller, calendar_id))


def _command(calendar_id: int, body: s.SaveCalendar) -> c.SaveCalendar:
    return c.SaveCalendar(
        calendar_id=CalendarId(calendar_id),
        name=body.name,
        time_zone=body.time_zone,
        week=body.week,
        special=s.days_of(body.special) if body.special is not None else None,
        make_default=body.make_default,
        version=body.version,
    )


@router.get("/calendars", summary="List calendars")
async def calendars(caller: rights.MayViewUsers) -> list[s.Calendar]:
    """Give every calendar, the default first."""
    return [s.Calendar.model_validate(one) for one in await caller.hub.read(reads.all_calendars)]


@router.post("/calendars", status_code=201, summary="Add a calendar")
async def create(caller: rights.MayManageSystem, body: s.CreateCalendar) -> s.Calendar:
    """Add a calendar of working time."""
    made = await caller.hub.do(_command(0, body))
    return await _shown(caller, made[0])


@router.get("/calendars/{calendar_id}", summary="One calendar")
async def one(caller: rights.MayViewUsers, calendar_id: CalendarKey) -> s.Calendar:
    """Give a calendar."""
    return await _shown(caller, calendar_id)


@router.patch("/calendars/{calendar_id}", summary="Change a calendar", responses=failures(409))
async def change(
    caller: rights.MayManageSystem, calendar_id: CalendarKey, body: s.SaveCalendar
) -> s.Calendar:
    """Change a calendar; deadlines that are already set stay as they are."""
    await _kept(caller, calendar_id)
    await caller.hub.do(_command(calendar_id, body))
    return await _shown(caller, calendar_id)


@router.post("/calendars/{calendar_id}/days", summary="Add special days")
async def add_days(
    caller: rights.MayManageSystem, calendar_id: CalendarKey, body: s.AddDays
) -> s.Calendar:
    """Add holidays and moved working days; a day that is there is replaced."""
    kept = await _kept(caller, calendar_id)
    monday = next(day for day in read_week(kept.week) if day)
    year = body.year or datetime.now(UTC).year
    days: dict[str, Any] = {
        day.isoformat(): {
            "hours": [str(span).split("-") for span in about.hours],
            "name": about.name,
        }
        for day, about in read_days(body.text, year, monday).items()
    }
    await caller.hub.do(
        c.SaveCalendar(calendar_id=kept.id, add_special=days | s.days_of(body.days))
    )
    return await _shown(caller, calendar_id)


@router.post("/calendars/{calendar_id}/count", summary="Count working time")
async def count(caller: rights.MayViewUsers, calendar_id: CalendarKey, body: s.Count) -> s.Counted:
    """Say when an amount of working time has passed since an instant."""

    def load(reader: Reader) -> Calendar:
        reads.one(reader, CalendarId(calendar_id))
        return reads.working(reader.conn, calendar_id)

    calendar = await caller.hub.read(load)
    return s.Counted(
        ends_at=calendar.add_working(body.start, body.minutes * 60_000_000),
        is_open=calendar.is_open(body.start),
        next_open_at=calendar.next_open(body.start),
    )


@router.delete(
    "/calendars/{calendar_id}",
    status_code=204,
    summary="Remove a calendar",
    responses=failures(409),
)
async def remove(caller: rights.MayManageSystem, calendar_id: CalendarKey) -> Response:
    """Delete a calendar; the default one stays (409 `default`)."""
    await caller.hub.do(c.RemoveCalendar(calendar_id=CalendarId(calendar_id)))
    return Response(status_code=204)
