"""Working time: weekends, holidays, moved days, both clock changes; laws over random calendars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.calendars import (
    ALWAYS_WEEK,
    HOUR,
    MINUTE,
    OFFICE_WEEK,
    Calendar,
    Hours,
    NoWorkingTime,
    Span,
    SpecialDay,
    calendar_from,
    hours_text,
    read_hours,
    read_special,
    read_week,
    special_data,
    week_data,
    week_text,
)
from hub.errors import Invalid
from hub.ids import Micros
from hub.special_days import LineNotUnderstood, read_days

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = calendar_from("Europe/Moscow", OFFICE_WEEK, {})
WORK, SHORT = (Span(540, 1080),), (Span(600, 870),)
LUNCH = (Span(540, 780), Span(840, 1080))


def at(text: str, zone: ZoneInfo = MOSCOW) -> Micros:
    return Micros(int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000)


def wall(instant: int, zone: ZoneInfo = MOSCOW) -> str:
    moment = datetime.fromtimestamp(instant / 1_000_000, UTC).astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-02 10:00", 4, "2026-03-02 14:00"),
        ("2026-03-02 16:00", 4, "2026-03-03 11:00"),
        ("2026-03-06 17:00", 2, "2026-03-09 10:00"),  # over a weekend
        ("2026-03-07 12:00", 1, "2026-03-09 10:00"),  # asked on a Saturday
        ("2026-03-02 07:00", 1, "2026-03-02 10:00"),  # before the office opens
        ("2026-03-02 09:00", 9, "2026-03-02 18:00"),  # a whole day ends when the office closes
        ("2026-03-02 09:00", 45, "2026-03-06 18:00"),
    ],
)
def test_deadlines_run_in_working_hours(start: str, hours: int, due: str) -> None:
    found = OFFICE.add_working(at(start), hours * HOUR)
    assert wall(found) == due
    assert OFFICE.working_between(at(start), found) == hours * HOUR


def test_a_holiday_a_short_day_and_a_worked_saturday() -> None:
    special = {
        date(2026, 3, 9): SpecialDay(name="holiday"),
        date(2026, 3, 7): SpecialDay(hours=read_hours("10-14"), name="moved"),
        date(2026, 3, 6): SpecialDay(hours=read_hours("9-17")),
    }
    calendar = Calendar(zone="Europe/Moscow", week=OFFICE.week, special=special)
    assert wall(calendar.add_working(at("2026-03-06 16:00"), 5 * HOUR)) == "2026-03-07 14:00"
    assert wall(calendar.add_working(at("2026-03-06 16:00"), 6 * HOUR)) == "2026-03-10 10:00"
    assert not calendar.is_open(at("2026-03-09 12:00"))
    assert wall(calendar.next_open(at("2026-03-07 14:00"))) == "2026-03-10 09:00"


def test_the_clock_changes_leave_an_hour_out_and_repeat_one() -> None:
    night = Calendar(
        zone="Europe/Berlin",
        week=((), (), (), (), (), (), (Span(0, 6 * 60),)),
    )
    spring, autumn = at("2026-03-29 00:00", BERLIN), at("2026-10-25 00:00", BERLIN)
    week = 6 * 24 * HOUR
    assert night.working_between(spring, Micros(spring + week)) == 5 * HOUR
    assert night.working_between(autumn, Micros(autumn + week)) == 7 * HOUR
    # Half past two does not exist that night: hours that lie in the gap are nobody's.
    gap = Calendar(
        zone="Europe/Berlin",
        week=((), (), (), (), (), (), (Span(2 * 60 + 15, 2 * 60 + 45), Span(180, 240))),
    )
    assert gap.working_between(spring, Micros(spring + week)) == HOUR
    assert wall(gap.next_open(spring), BERLIN) == "2026-03-29 03:00"
    around = calendar_from("Europe/Berlin", ALWAYS_WEEK, {})
    assert around.add_working(spring, 30 * HOUR) == spring + 30 * HOUR
    assert around.is_open(at("2026-10-25 02:30", BERLIN))


def test_a_calendar_without_work_is_said_and_never_hangs() -> None:
    closed = Calendar(zone="UTC", week=((), (), (), (), (), (), ()))
    with pytest.raises(NoWorkingTime):
        closed.add_working(at("2026-03-02 10:00"), HOUR)
    with pytest.raises(NoWorkingTime):
        closed.next_open(at("2026-03-02 10:00"))
    with pytest.raises(Invalid):
        read_week({})


ZONES = ("UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
MINUTES = st.integers(0, 1440)
HOURS = st.lists(st.tuples(MINUTES, MINUTES), max_size=2).map(
    lambda pairs: tuple(Span(min(one), max(one)) for one in pairs if one[0] != one[1])
)
INSTANTS = st.integers(at("2026-01-01 00:00") // MINUTE, at("2026-12-31 00:00") // MINUTE).map(
    lambda minute: Micros(minute * MINUTE)
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = draw(st.tuples(*[HOURS] * 7).filter(any))
    days = draw(st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=8))
    special = {day: SpecialDay(hours=draw(HOURS)) for day in days}
    return Calendar(zone=draw(st.sampled_from(ZONES)), week=week, special=special)


@settings(max_examples=120, deadline=None)
@given(calendars(), INSTANTS, st.integers(1, 60), st.integers(1, 60))
def test_laws_of_working_time(calendar: Calendar, start: Micros, one: int, two: int) -> None:
    one, two = one * HOUR // 4, two * HOUR // 4
    first = calendar.add_working(start, one)
    # What was added is what lies between, and not a moment earlier.
    assert calendar.working_between(start, first) == one
    assert calendar.working_between(start, Micros(first - 1)) == one - 1
    # Two parts are the whole, and a longer promise never ends earlier.
    assert calendar.add_working(first, two) == calendar.add_working(start, one + two)
    opened = calendar.next_open(start)
    assert opened >= start
    assert calendar.is_open(opened)
    assert calendar.working_between(start, opened) == 0
    assert calendar.is_open(start) is (opened == start)


@settings(max_examples=60, deadline=None)
@given(calendars(), st.lists(INSTANTS, min_size=3, max_size=3))
def test_working_time_adds_up(calendar: Calendar, instants: list[Micros]) -> None:
    a, b, c = sorted(instants)
    parts = calendar.working_between(a, b) + calendar.working_between(b, c)
    assert parts == calendar.working_between(a, c)
    assert parts <= c - a


@given(st.tuples(*[HOURS] * 7).filter(any))
def test_what_is_kept_reads_back(week: tuple[tuple[Span, ...], ...]) -> None:
    tidy = tuple(tuple(sorted(day))[:1] for day in week)
    assert read_week(week_data(tidy)) == tidy
    for day in tidy:
        assert read_hours(hours_text(day)) == day


@pytest.mark.parametrize(
    "wrong", ["9-", "18-9", "25-26", "9:5-10", "a-b", "9-12, 11-13", "24:30-24:40", "9-18-20"]
)
def test_wrong_hours_are_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        read_hours(wrong)


def test_a_years_holidays_are_pasted() -> None:
    found = read_days(
        """
        # production calendar
        01.01.2027-03.01.2027 Новогодние каникулы
        - 23.02 День защитника Отечества
        20.02 рабочий, перенос
        30.04.2027 9:00-17:00 предпраздничный
        2027-05-01..2027-05-02
        """,
        2027,
        read_hours("9-18"),
    )
    assert len(found) == 8
    assert found[date(2027, 1, 2)].name == "Новогодние каникулы"
    assert found[date(2027, 2, 23)].hours == ()
    assert hours_text(found[date(2027, 2, 20)].hours) == "09:00-18:00"
    assert hours_text(found[date(2027, 4, 30)].hours) == "09:00-17:00"
    assert date(2027, 5, 2) in found
    assert read_special(special_data(found)) == found


@pytest.mark.parametrize("wrong", ["tomorrow", "31.02.2027 none", "02.01.2027-01.01.2027 back"])
def test_a_line_that_is_no_day_is_named(wrong: str) -> None:
    with pytest.raises(LineNotUnderstood) as caught:
        read_days(f"01.01.2027 New Year\n{wrong}", 2027, ())
    assert caught.value.line == 2


def test_the_far_future_keeps_its_pace() -> None:
    start = at("2026-03-02 10:00")
    assert OFFICE.add_working(start, 2000 * HOUR) < start + timedelta(days=400) / timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("hours", "language", "said"),
    [
        ([WORK] * 5 + [SHORT, ()], "en", "Mon–Fri 9:00–18:00, Sat 10:00–14:30"),
        ([WORK] * 5 + [SHORT, ()], "ru", "пн–пт 9:00–18:00, сб 10:00–14:30"),
        ([LUNCH, (), LUNCH, LUNCH, (), (), ()], "en", "Mon 9:00–13:00 14:00–18:00, Wed–Thu 9:00–13:00 14:00–18:00"),
        ([(Span(0, 1440),)] * 7, "ru", "круглосуточно"),
        ([()] * 7, "en", ""),
    ],
)  # fmt: skip
def test_hours_are_said_to_clients_days_alike_together(
    hours: list[Hours], language: str, said: str
) -> None:
    assert week_text(hours, language) == said
