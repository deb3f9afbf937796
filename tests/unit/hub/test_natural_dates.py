"""Tasks in one line: dates, hours, repeats in both languages; words that are none stay words."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.natural_dates import read

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 3, 4, 14, 20, 31, tzinfo=MOSCOW)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "title", "due"),
    [
        ("позвонить Анне завтра 15:00", "позвонить Анне", "03-05 15:00"),
        ("Позвонить Анне завтра в 15:00", "Позвонить Анне", "03-05 15:00"),
        ("завтра в 9 утра планёрка", "планёрка", "03-05 09:00"),
        ("счёт через 3 дня", "счёт", "03-07 18:00"),
        ("перезвонить через 2 часа", "перезвонить", "03-04 16:20"),
        ("перезвонить через час", "перезвонить", "03-04 15:20"),
        ("перезвонить через полчаса", "перезвонить", "03-04 14:50"),
        ("отчёт через неделю", "отчёт", "03-11 18:00"),
        ("отчёт в пятницу", "отчёт", "03-06 18:00"),
        ("отчёт во вторник 10:30", "отчёт", "03-10 10:30"),
        ("ср 16:00 встреча", "встреча", "03-04 16:00"),
        ("ср 10:00 встреча", "встреча", "03-11 10:00"),
        ("договор 15 марта", "договор", "03-15 18:00"),
        ("договор 1 февраля", "договор", "2027-02-01 18:00"),
        ("договор 31.12", "договор", "12-31 18:00"),
        ("договор 31.12.2027 в 12:00", "договор", "2027-12-31 12:00"),
        ("послезавтра вечером ужин", "ужин", "03-06 18:00"),
        ("сегодня вечером сверка", "сверка", "03-04 18:00"),
        ("в 15 созвон", "созвон", "03-04 15:00"),
        ("в 9 созвон", "созвон", "03-05 09:00"),
        ("план на следующей неделе", "план", "03-09 09:00"),
        ("до конца недели закрыть", "закрыть", "03-06 18:00"),
        ("call Anna fri 5pm", "call Anna", "03-06 17:00"),
        ("call Anna tomorrow at 9", "call Anna", "03-05 09:00"),
        ("send the invoice +2h", "send the invoice", "03-04 16:20"),
        ("send the invoice +3d", "send the invoice", "03-07 18:00"),
        ("send it in 30 minutes", "send it", "03-04 14:50"),
        ("send it in 2 weeks", "send it", "03-18 18:00"),
        ("review on March 15", "review", "03-15 18:00"),
        ("review 15 mar 2027 5:30 pm", "review", "2027-03-15 17:30"),
        ("lunch at noon", "lunch", "03-05 12:00"),
        ("pay 2026-04-01", "pay", "04-01 18:00"),
        ("next monday standup", "standup", "03-09 18:00"),
        ("next wednesday 16:00 standup", "standup", "03-11 16:00"),
        ("в следующую среду 16:00 планёрка", "планёрка", "03-11 16:00"),
        ("договор к пятнице", "договор", "03-06 18:00"),
        ("позвонить завтра в 3 часа дня", "позвонить", "03-05 15:00"),
        ("в 17ч созвон", "созвон", "03-04 17:00"),
        ("подготовить к 17 часам", "подготовить", "03-04 17:00"),
        ("перезвонить через полтора часа", "перезвонить", "03-04 15:50"),
        ("завтра после обеда сверка", "сверка", "03-05 14:00"),
        ("отчёт 10 числа", "отчёт", "03-10 18:00"),
        ("отчёт до 3-го числа", "отчёт", "04-03 18:00"),
        ("rent on the 31st", "rent", "03-31 18:00"),
        ("отчёт к концу месяца", "отчёт", "03-31 18:00"),
        ("report by the end of the month", "report", "03-31 18:00"),
        ("rent 31st of december", "rent", "12-31 18:00"),
        ("договор к 1-му апреля", "договор", "04-01 18:00"),
        ("call tomorrow morning", "call", "03-05 09:00"),
        ("call friday afternoon", "call", "03-06 14:00"),
        ("write the morning report", "write the morning report", ""),
        ("поехать к 2 клиентам", "поехать к 2 клиентам", ""),
        ("buy 2 boats", "buy 2 boats", ""),
        ("купить 12 лодок", "купить 12 лодок", ""),
        ("it may work", "it may work", ""),
        ("договор 31.02", "договор 31.02", ""),
        ("созвон в 45", "созвон в 45", ""),
        ("версия 2.15.3", "версия 2.15.3", ""),
        ("заказ №15-30", "заказ №15-30", ""),
    ],
)
def test_a_line_is_understood(text: str, title: str, due: str) -> None:
    found = read(text, NOW)
    assert found.title == title
    if not due:
        assert found.due is None
    else:
        assert found.due is not None
        wanted = due if due.startswith("20") else f"2026-{due}"
        assert found.due.strftime("%Y-%m-%d %H:%M") == wanted


@pytest.mark.parametrize(
    ("text", "title", "repeat", "due"),
    [
        ("планёрка по будням 10:00", "планёрка", "workdays", "03-05 10:00"),
        ("standup every day 15:00", "standup", "daily", "03-04 15:00"),
        ("отчёт каждую пятницу", "отчёт", "weekly", "03-06 18:00"),
        ("report every month", "report", "monthly", "03-04 18:00"),
        ("отчёт каждый месяц 1 числа", "отчёт", "monthly", "04-01 18:00"),
        ("срочно: аренда ! каждый месяц", "срочно: аренда", "monthly", "03-04 18:00"),
    ],
)
def test_a_repeat_is_understood(text: str, title: str, repeat: str, due: str) -> None:
    found = read(text, NOW)
    assert (found.title, found.repeat) == (title, repeat)
    assert found.due is not None
    assert found.due.strftime("%m-%d %H:%M") == due
    assert found.high is ("!" in text)


def test_hours_that_pass_are_hours_over_summer_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = read("check +3h", datetime(2026, 3, 29, 0, 30, tzinfo=berlin))
    assert found.due is not None
    assert found.due.astimezone(berlin).strftime("%H:%M") == "04:30"


@given(st.text(max_size=80))
def test_nothing_that_is_typed_breaks_it(text: str) -> None:
    found = read(text, NOW)
    assert found.due is None or found.due.tzinfo is not None
    assert len(found.title) <= len(text) + 1
