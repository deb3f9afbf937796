"""A task in one line: words with a date in them, as people write it in Russian or English.

    позвонить Анне завтра 15:00        call Anna fri 5pm
    отправить счёт через 3 дня !       send the invoice +2h
    договор к пятнице                  the contract by friday
    отчёт каждый месяц 1 числа         report every month on the 1st

Pure: the moment and its time zone come in, a date on the same wall clock goes out. What is not
understood stays in the words, so nothing that was typed is ever lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

END_OF_DAY = time(18)
"""When something is due of which only the day is said."""

MORNING = time(9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """What was understood: words, an end, whether it is important, how it repeats."""

    title: str
    due: datetime | None = None
    high: bool = False
    repeat: str = "never"


_MONTHS = {
    "янв": 1, "фев": 2, "мар": 3, "апр": 4, "мая": 5, "май": 5, "июн": 6, "июл": 7, "авг": 8,
    "сен": 9, "окт": 10, "ноя": 11, "дек": 12,
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_MONTH = (
    "янв(?:аря|арь)?|фев(?:раля|раль)?|мар(?:та|т)?|апр(?:еля|ель)?|ма[яй]|июн[яь]?|июл[яь]?"
    "|авг(?:уста|уст)?|сен(?:тября|тябрь|т)?|окт(?:ября|ябрь)?|ноя(?:бря|брь)?|дек(?:абря|абрь)?"
    "|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t|tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAYS = (
    ("mon", "monday", "пн", "понедельник", "понедельника", "понедельнику"),
    ("tue", "tues", "tuesday", "вт", "вторник", "вторника", "вторнику"),
    ("wed", "wednesday", "ср", "среда", "среду", "среды", "среде"),
    ("thu", "thur", "thurs", "thursday", "чт", "четверг", "четверга", "четвергу"),
    ("fri", "friday", "пт", "пятница", "пятницу", "пятницы", "пятнице"),
    ("sat", "saturday", "сб", "суббота", "субботу", "субботы", "субботе"),
    ("sun", "sunday", "вс", "воскресенье", "воскресенья", "воскресенью"),
)
_WEEKDAY = {word: n for n, words in enumerate(_WEEKDAYS) for word in words}
_DAY_NAMES = "|".join(sorted(_WEEKDAY, key=len, reverse=True))
_UNITS = (
    (r"m|min|mins|minutes?|м|мин|минут[уы]?", "minutes"),
    (r"h|hr|hrs|hours?|ч|час(?:а|ов)?", "hours"),
    (r"d|days?|д|дн|день|дня|дней", "days"),
    (r"w|weeks?|н|нед|недел[юиь]", "weeks"),
    (r"months?|мес|месяц(?:а|ев)?", "months"),
)
_UNIT = "|".join(f"(?P<{name}>{words})" for words, name in _UNITS)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "пару": 2, "два": 2, "две": 2, "три": 3}


@dataclass(slots=True)
class _Found:
    now: datetime
    day: datetime | None = None
    clock: time | None = None
    exact: datetime | None = None
    may_be_today: bool = False
    high: bool = False
    repeat: str = "never"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], _Found], bool]]


def _rule(pattern: str, take: Callable[[re.Match[str], _Found], bool]) -> _Rule:
    return re.compile(rf"(?<![\w.,:])(?:{pattern})(?![\w:]|[.,]\d)"), take


def _later(match: re.Match[str], found: _Found) -> bool:
    if found.exact or found.day:
        return False
    word = match["amount"] or "1"
    count = int(word) if word.isdecimal() else _NUMBERS.get(word, 1)
    unit = next(name for _, name in _UNITS if match[name])
    if count > 5000:
        return False
    if unit == "months":
        found.day = _months_on(found.now, count)
    elif unit in ("days", "weeks"):
        found.day = found.now + timedelta(**{unit: count})
    else:
        found.exact = found.now + timedelta(**{unit: count})
    return True


def _months_on(day: datetime, count: int) -> datetime:
    month = day.month - 1 + count
    for back in range(4):
        try:
            return day.replace(
                year=day.year + month // 12, month=month % 12 + 1, day=day.day - back
            )
        except ValueError:
            continue
    return day


def _minutes_on(minutes: int) -> Callable[[re.Match[str], _Found], bool]:
    def take(match: re.Match[str], found: _Found) -> bool:
        found.exact = found.now + timedelta(minutes=minutes)
        return True

    return take


def _in_days(days: int) -> Callable[[re.Match[str], _Found], bool]:
    def take(match: re.Match[str], found: _Found) -> bool:
        if found.day is not None:
            return False
        found.day = found.now + timedelta(days=days)
        return True

    return take


def _on_weekday(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    weekday = _WEEKDAY[match["weekday"]]
    ahead = (weekday - found.now.weekday()) % 7 or 7
    found.day = found.now + timedelta(days=ahead)
    # "Next Monday", said on a Monday, is never today, whatever the hour.
    found.may_be_today = not match.groupdict().get("next")
    return True


def _next_week(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    found.day = found.now + timedelta(days=7 - found.now.weekday())
    found.clock = found.clock or MORNING
    return True


def _week_end(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    found.day = found.now + timedelta(days=(4 - found.now.weekday()) % 7)
    return True


def _date(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    groups = match.groupdict()
    month = int(groups["month"]) if groups.get("month") else _MONTHS[groups["name"][:3]]
    year = groups.get("year")
    try:
        day = found.now.replace(
            year=int(year) if year else found.now.year, month=month, day=int(groups["day"])
        )
        if not year and day.date() < found.now.date():
            day = day.replace(year=day.year + 1)
    except ValueError:
        return False
    found.day = day
    return True


def _month_end(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    found.day = _months_on(found.now.replace(day=1), 1) - timedelta(days=1)
    return True


def _day_of_month(match: re.Match[str], found: _Found) -> bool:
    if found.day is not None:
        return False
    number = int(match["day"])
    for months in range(3):
        day = _months_on(found.now.replace(day=1), months)
        try:
            day = day.replace(day=number)
        except ValueError:
            continue
        if day.date() >= found.now.date():
            found.day = day
            return True
    return False


def _at(match: re.Match[str], found: _Found) -> bool:
    if found.clock is not None:
        return False
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    half = (match["half"] or "").replace(".", "")
    if half in ("pm", "вечера", "дня") and hour < 12:
        hour += 12
    elif half in ("am", "утра", "ночи") and hour == 12:
        hour = 0
    if hour > 23 or minute > 59:
        return False
    found.clock = time(hour, minute)
    return True


def _clock(at: time) -> Callable[[re.Match[str], _Found], bool]:
    def take(match: re.Match[str], found: _Found) -> bool:
        if found.clock is not None:
            return False
        found.clock = at
        return True

    return take


def _tonight(match: re.Match[str], found: _Found) -> bool:
    return _in_days(0)(match, found) and _clock(END_OF_DAY)(match, found)


def _again(repeat: str) -> Callable[[re.Match[str], _Found], bool]:
    def take(match: re.Match[str], found: _Found) -> bool:
        if found.repeat != "never":
            return False
        found.repeat = repeat
        return True

    return take


def _important(match: re.Match[str], found: _Found) -> bool:
    found.high = True
    return True


def _weekly(match: re.Match[str], found: _Found) -> bool:
    found.repeat = "weekly"
    return _on_weekday(match, found)


_HALF = r"(?:час(?:а|ов)? )?(?P<half>am|pm|a\.m\.|p\.m\.|утра|дня|вечера|ночи)"
_ON_DAY = r"(?:(?<=day )|(?<=tomorrow ))"
_RULES: tuple[_Rule, ...] = (
    _rule(r"every day|daily|каждый день|ежедневно", _again("daily")),
    _rule(
        r"every (?:work ?day|working day|weekday)|on weekdays|каждый (?:рабочий|будний) день|по будням",
        _again("workdays"),
    ),
    _rule(rf"(?:every|кажд(?:ый|ую|ое)) (?P<weekday>{_DAY_NAMES})", _weekly),
    _rule(r"every week|weekly|каждую неделю|еженедельно", _again("weekly")),
    _rule(r"every month|monthly|каждый месяц|ежемесячно", _again("monthly")),
    _rule(r"every year|yearly|каждый год|ежегодно", _again("yearly")),
    _rule(r"через полчаса|in half an hour", _minutes_on(30)),
    _rule(r"через полтора часа|in an hour and a half", _minutes_on(90)),
    _rule(
        rf"(?:\+ ?|in |через )(?P<amount>\d+|an?|one|two|пару|два|две|три)? ?(?:{_UNIT})", _later
    ),
    # Before the days, which take their own words away: "the morning report" is a report.
    _rule(rf"{_ON_DAY}morning", _clock(MORNING)),
    _rule(rf"{_ON_DAY}afternoon", _clock(time(14))),
    _rule(rf"{_ON_DAY}evening", _clock(END_OF_DAY)),
    _rule(r"(?:the )?day after tomorrow|послезавтра", _in_days(2)),
    _rule(r"tomorrow|tmrw?|завтра", _in_days(1)),
    _rule(r"tonight|сегодня вечером", _tonight),
    _rule(r"today|сегодня", _in_days(0)),
    _rule(r"next week|на следующей неделе|следующая неделя", _next_week),
    _rule(r"(?:by )?(?:the )?end of (?:the )?week|(?:до )?(?:конца|конец) недели", _week_end),
    _rule(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", _date),
    _rule(
        r"(?:by |до |к |в )?(?:(?:the )?end of (?:the )?month|(?:конца|конец|конце|концу) месяца)",
        _month_end,
    ),
    _rule(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})(?:[./](?P<year>\d{4}))?", _date),
    _rule(
        rf"(?:on |by |до |к )?(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th|-?го|-?му)? (?:of )?"
        rf"(?P<name>{_MONTH})(?:,? (?P<year>\d{{4}}))?",
        _date,
    ),
    _rule(
        rf"(?:on )?(?P<name>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
        _date,
    ),
    _rule(r"(?:до |к )?(?P<day>\d{1,2})(?:-?го|-?му)? числ[ау]", _day_of_month),
    _rule(r"(?:on|by) the (?P<day>\d{1,2})(?:st|nd|rd|th)", _day_of_month),
    _rule(
        r"(?:on |by |во? |ко? |до )?(?P<next>next |следующ(?:ий|ую|ее|ей|ему|его) )?"
        rf"(?P<weekday>{_DAY_NAMES})",
        _on_weekday,
    ),
    _rule(rf"(?:at |by |в |к |до )?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}}) ?{_HALF}?", _at),
    _rule(rf"(?:at |by |в |к |до )?(?P<hour>\d{{1,2}})(?P<minute>)? ?{_HALF}", _at),
    _rule(r"(?:at |в )(?P<hour>\d{1,2})(?P<minute>)?(?P<half>)(?: ?ч(?:ас(?:а|ов)?)?)?", _at),
    _rule(r"к (?P<hour>\d{1,2})(?P<minute>)?(?P<half>) ?ч(?:ас(?:у|ам))?", _at),
    _rule(r"(?:at |by )?noon|в полдень|к полудню", _clock(time(12))),
    _rule(r"in the morning|утром", _clock(MORNING)),
    _rule(r"in the afternoon|днем|после обеда", _clock(time(14))),
    _rule(r"in the evening|вечером", _clock(END_OF_DAY)),
    (re.compile(r"(?<!\S)!{1,3}(?!\S)"), _important),
)


def read(text: str, now: datetime) -> Quick:
    """Read one line; `now` carries the time zone in which days and hours are meant."""
    words = " ".join(text.split())[:1000]
    plain = words.lower().replace("ё", "е")
    if len(plain) != len(words):
        # A letter whose small form is longer (Turkish İ): the words are kept as they are.
        return Quick(title=words)
    found = _Found(now=now.replace(second=0, microsecond=0))
    for pattern, take in _RULES:
        for match in pattern.finditer(plain):
            if take(match, found):
                start, end = match.span()
                words = words[:start] + " " * (end - start) + words[end:]
                plain = plain[:start] + " " * (end - start) + plain[end:]
                break
    title = " ".join(words.split()).strip(" ,;—–-")
    return Quick(title=title, due=_due(found), high=found.high, repeat=found.repeat)


def _due(found: _Found) -> datetime | None:
    now = found.now
    if found.exact is not None:
        # Time really passes, also over the change of summer time.
        start = datetime.fromtimestamp(now.timestamp(), now.tzinfo)
        return datetime.fromtimestamp(
            start.timestamp() + (found.exact - now).total_seconds(), now.tzinfo
        )
    if found.day is None:
        if found.clock is None:
            return _on(now, END_OF_DAY) if found.repeat != "never" else None
        today = _on(now, found.clock)
        return today if today > now else _on(now + timedelta(days=1), found.clock)
    due = _on(found.day, found.clock or END_OF_DAY)
    if found.may_be_today and found.clock is not None:
        # "Friday at five", said on a Friday at three, is today.
        sooner = _on(found.day - timedelta(days=7), found.clock)
        due = sooner if sooner > now else due
    return due


def _on(day: datetime, at: time) -> datetime:
    return day.replace(hour=at.hour, minute=at.minute, fold=0)
