"""Working calendars: reading, counting with them, keeping them."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, delete, insert, select, update

from crm_store.sql import locked
from crm_store.tables.calendars import calendars
from crm_store.tables.users import brands
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.calendars import (
    Calendar,
    calendar_from,
    read_special,
    read_week,
    special_data,
    week_data,
)
from hub.commands import RemoveCalendar, SaveCalendar
from hub.errors import Conflict, Invalid, NotFound
from hub.events import CalendarChanged
from hub.ids import BrandId, CalendarId
from hub.records.calendars import WorkCalendar

MOST_DAYS = 5000


def all_calendars(reader: Reader) -> list[WorkCalendar]:
    """Give every calendar, the default first."""
    rows = reader.conn.execute(
        _select().order_by(calendars.c.is_default.desc(), calendars.c.name, calendars.c.id)
    )
    return [_record(row) for row in rows]


def one(reader: Reader, calendar_id: CalendarId) -> WorkCalendar:
    """Give a calendar; raises NotFound."""
    row = reader.conn.execute(_select().where(calendars.c.id == calendar_id)).first()
    if row is None:
        raise NotFound("there is no such calendar")
    return _record(row)


def working(conn: Connection, calendar_id: int = 0) -> Calendar:
    """Give a calendar to count with; of no id, or one that is gone, the organisation's default."""
    row = None
    if calendar_id:
        row = conn.execute(_select().where(calendars.c.id == calendar_id)).first()
    if row is None:
        row = conn.execute(_select().where(calendars.c.is_default)).first()
    if row is None:
        raise NotFound("there is no default calendar")
    return calendar_from(row.time_zone or row.brand_zone or "UTC", row.week, row.special)


def _select() -> Any:
    return select(calendars, brands.c.time_zone.label("brand_zone")).join(
        brands, brands.c.id == calendars.c.brand_id
    )


def _record(row: Any) -> WorkCalendar:
    return WorkCalendar(
        id=CalendarId(row.id),
        brand_id=BrandId(row.brand_id),
        name=row.name,
        time_zone=row.time_zone,
        zone=row.time_zone or row.brand_zone or "UTC",
        week=row.week,
        special=row.special,
        is_default=row.is_default,
        version=row.version,
    )


def save_calendar(uow: UnitOfWork, command: SaveCalendar) -> CalendarId:
    """Make a calendar, or change one."""
    # The organisation's row is the lock: there is one default at every moment.
    brand_id = uow.conn.execute(
        locked(uow.dialect, select(brands.c.id).order_by(brands.c.id).limit(1))
    ).scalar_one()
    row = None
    if command.calendar_id:
        row = uow.conn.execute(
            select(calendars).where(calendars.c.id == command.calendar_id)
        ).first()
        if row is None:
            raise NotFound("there is no such calendar")
        if command.version is not None and command.version != row.version:
            raise Conflict(
                "the calendar was changed meanwhile",
                what="version",
                details={"version": row.version},
            )
    values = _values(command, row)
    if command.make_default:
        uow.conn.execute(
            update(calendars)
            .where(calendars.c.brand_id == brand_id, calendars.c.is_default)
            .values(is_default=False)
        )
        values["is_default"] = True
    if row is None:
        calendar_id = CalendarId(uow.new_id())
        uow.conn.execute(insert(calendars).values(id=calendar_id, brand_id=brand_id, **values))
    else:
        calendar_id = CalendarId(row.id)
        uow.conn.execute(
            update(calendars)
            .where(calendars.c.id == calendar_id)
            .values(version=calendars.c.version + 1, **values)
        )
    uow.record(CalendarChanged(calendar_id=calendar_id))
    return calendar_id


def checked_zone(given: str) -> str:
    """Give a time zone's name as it is kept ("": another's counts); raises Invalid for no zone."""
    zone = given.strip()
    if zone and zone not in _zones():
        raise Invalid("there is no such time zone", field="time_zone")
    return zone


@cache
def _zones() -> frozenset[str]:
    # To find them six hundred files are opened.
    return frozenset(available_timezones())


def _values(command: SaveCalendar, row: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    name = " ".join((command.name or "").split())[:400]
    if (row is None or command.name is not None) and not name:
        raise Invalid("a name is needed", field="name")
    if name:
        values["name"] = name
    if command.time_zone is not None:
        values["time_zone"] = checked_zone(command.time_zone)
    if row is None or command.week is not None:
        values["week"] = week_data(read_week(command.week or {}))
    days = read_special(command.special if command.special is not None else _kept(row))
    days |= read_special(command.add_special or {})
    if len(days) > MOST_DAYS:
        raise Invalid("a calendar keeps at most 5000 special days", field="special")
    values["special"] = special_data(days)
    return values


def _kept(row: Any) -> Any:
    return row.special if row is not None else {}


def remove_calendar(uow: UnitOfWork, command: RemoveCalendar) -> None:
    """Delete a calendar."""
    row = uow.conn.execute(
        locked(uow.dialect, select(calendars).where(calendars.c.id == command.calendar_id))
    ).first()
    if row is None:
        raise NotFound("there is no such calendar")
    if row.is_default:
        raise Conflict("make another calendar the default first", what="default")
    uow.conn.execute(delete(calendars).where(calendars.c.id == row.id))
    uow.record(CalendarChanged(calendar_id=command.calendar_id, removed=True))
