"""Files of lists: what people read in them, and that the importer reads the same again."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hub import Property, PropertyType
from hub.figures import lasting, sum_said
from hub.filters import Choice
from hub.import_columns import Names, Reading, suggest
from hub.import_files import _cell
from hub.list_words import FOR_PROGRAMS, ListWords
from hub.nouns import CONTACTS, INTERESTS, REQUESTS
from hub.properties import DAY
from hub.records.imports import MORE
from hub.web.filter_bar import chips, read_condition
from hub.web.objects import said_value

T = PropertyType
SAIL = Choice("sail", "Sail, big", {"ru": "Парус, большой"})
MOTOR = Choice("motor", "Motor", {"ru": "Мотор"})
AT = 1_769_860_800_000_000  # 2026-01-31 12:00 UTC


def prop(name: str, russian: str, kind: PropertyType, **more: Any) -> Property:
    words = {"ru": russian}
    return Property(name=name, label=name.title(), type=kind, translations=words, **more)


KIND: Any = SimpleNamespace(
    title="name",
    properties=(
        prop("name", "Имя", T.LINE),
        prop("notes", "Заметки", T.TEXT),
        prop("kind", "Вид", T.CHOICE, choices=(SAIL, MOTOR)),
        prop("kinds", "Виды", T.TAGS, choices=(SAIL, MOTOR)),
        prop("tags", "Метки", T.TAGS),
        prop("count", "Сколько", T.NUMBER),
        prop("price", "Цена", T.MONEY),
        prop("paid", "Оплачено", T.FLAG),
        prop("day", "День", T.DATE),
        prop("at", "Когда", T.INSTANT),
        prop("owner_id", "Ответственный", T.REF, ref="user"),
    ),
)
VALUES = {
    "name": "=Лодки",
    "notes": "две\nстроки",
    "kind": "sail",
    "kinds": ("motor", "sail"),
    "tags": ("big", "hot"),
    "count": 7,
    "price": 123_450,
    "paid": True,
    "day": 5 * DAY,
    "at": AT,
    "owner_id": 3,
}


@pytest.mark.parametrize("language", ["", "en", "ru"])
@pytest.mark.parametrize("sort", ["csv", "xlsx"])
def test_what_was_exported_is_read_again(language: str, sort: str) -> None:
    words = ListWords(language=language, zone="Asia/Yekaterinburg")
    record, names = SimpleNamespace(**VALUES), {"user": {3: "Вера"}}
    heads, cells = [], []
    for one in KIND.properties:
        if sort == "csv":
            heads.append(words.heading(one))
            cells.append(words.cell(one, record, names))
        else:
            heads.append(words.heading(one, has_zone=True))
            cells.append(_cell(words.cell_value(one, record, names)))
    columns = suggest(KIND, [one.name for one in KIND.properties], heads)
    assert columns == tuple(VALUES)
    known = Names(refs={"user": {"вера": 3}})
    row = Reading(KIND, columns, {}, known, heads).row(1, cells)
    assert (row.error, row.values) == ("", VALUES)


def test_people_read_labels_and_their_own_clock() -> None:
    words = ListWords(language="ru", zone="Asia/Yekaterinburg")
    named = {one.name: one for one in KIND.properties}
    record = SimpleNamespace(**VALUES)
    cells = {name: words.cell(one, record, {}) for name, one in named.items()}
    assert (cells["kind"], cells["paid"]) == ("Парус, большой", "да")
    assert cells["at"] == "2026-01-31 17:00:00+05:00"
    assert words.heading(named["at"], has_zone=True) == "Когда (Asia/Yekaterinburg)"
    assert words.cell_value(named["at"], record, {}) == datetime(2026, 1, 31, 17)
    raw = {name: FOR_PROGRAMS.cell(one, record, {}) for name, one in named.items()}
    assert (raw["kind"], raw["paid"], raw["at"]) == ("sail", "yes", "2026-01-31T12:00:00.000000Z")
    stage = Property(name="stage_id", label="Stage", type=T.REF, ref="stage")
    assert words.cell(stage, SimpleNamespace(stage_id=1), {"stage": {1: "New"}}) == "Новый"


def test_durations_are_durations() -> None:
    paused, spent = REQUESTS.property("paused_us"), REQUESTS.property("spent_minutes")
    record = SimpleNamespace(paused_us=93_780_000_000, spent_minutes=95)
    words = ListWords(language="ru")
    assert [words.cell(one, record, {}) for one in (paused, spent)] == ["26:03", "1:35"]
    assert str(words.cell_value(spent, record, {})) == "1:35:00"
    assert FOR_PROGRAMS.cell(paused, record, {}) == "93780000000"
    form = {"field": "request.paused_us", "operator": "greater", "value": "90", "unit": "m"}
    tree = read_condition(REQUESTS, form, lambda name: [])
    assert tree["value"] == 5_400_000_000
    [chip] = chips(REQUESTS, tree, "ru", lambda field, one: "")
    assert chip.text == "На паузе была больше 1\u00a0ч 30\u00a0мин"
    form = {"field": "interest.amount", "operator": "greater", "value": "1 200,50"}
    [chip] = chips(
        INTERESTS, read_condition(INTERESTS, form, lambda name: []), "en", lambda field, one: ""
    )
    assert chip.text == "Amount is more than 1,200.50"
    assert lasting(93_780_000_000, "ru") == "1\u00a0д 2\u00a0ч 3\u00a0мин"
    assert lasting(95, "en", 60_000_000) == "1\u00a0h 35\u00a0min"
    assert lasting(0, "en") == "0\u00a0min"
    assert (sum_said(-123_450, "ru"), sum_said(100, "en")) == ("-1\u00a0234,50", "1")


def test_values_in_stories_and_merges_are_said_as_people_do() -> None:
    known: Any = {"users": {3: SimpleNamespace(name="Вера")}, "teams": {}}
    named = {one.name: one for one in KIND.properties}
    said = {
        name: said_value(named[name], VALUES[name], known, "ru", "UTC")
        for name in ("owner_id", "price", "kinds", "kind", "paid")
    }
    assert said == {
        "owner_id": "Вера",
        "price": "1\u00a0234,50",
        "kinds": "Мотор, Парус, большой",
        "kind": "Парус, большой",
        "paid": "да",
    }


def test_columns_of_a_name_are_joined() -> None:
    heads = ("Email Address", "First Name", "Last Name", "Метки", "Группа")
    columns = suggest(CONTACTS, ("name", "tags", "email", "consent_at"), heads)
    assert columns == ("email", "name", "name", "tags", "")
    assert suggest(CONTACTS, ("name",), ("ФИО", "Фамилия")) == ("name", "")
    columns = (*columns[:4], "tags")
    reading = Reading(CONTACTS, columns, {}, Names(zone="Europe/Moscow"), heads)
    row = reading.row(2, ("Anna@Example.org", "Анна", "Сидорова", "a, b", "c"))
    assert row.values["name"] == "Анна Сидорова"
    assert row.values["tags"] == ("a", "b", "c")


def test_a_column_that_says_a_property_itself_comes_first() -> None:
    targets = ("name", "client_id", "email")
    assert suggest(CONTACTS, targets, ("Клиент", "Имя")) == ("client_id", "name")
    assert suggest(CONTACTS, targets, ("Покупатель", "Почта")) == ("name", "email")
    heads = ("Компания", "Имя", "Фамилия", "Почта")
    assert suggest(CONTACTS, targets, heads) == ("client_id", "name", "name", "email")


def test_a_cell_holds_as_many_addresses_of_a_person_as_stand_in_it() -> None:
    reading = Reading(CONTACTS, ("email", "phone"), {}, Names(country="RU"))
    row = reading.row(1, ("A@x.ru, b@x.ru; c@x.ru", "8 912 000-00-01 / +44 20 7946 0018"))
    assert (row.error, row.values["email"], row.values["phone"]) == ("", "a@x.ru", "+79120000001")
    more = (("email", "b@x.ru"), ("email", "c@x.ru"), ("phone", "+442079460018"))
    assert row.values[MORE] == more
    row = reading.row(2, ("a@x.ru;", "8 495 123-45-67, доб. 12"))
    assert row.values == {"email": "a@x.ru", "phone": "+74951234567"}
    assert reading.row(3, ("Anna a@x.ru", "")).error
    assert reading.row(4, ("a@x.ru, b@", "")).error


def test_the_day_of_a_consent_is_a_day_where_the_organisation_is() -> None:
    names = Names(zone="America/New_York")
    row = Reading(CONTACTS, ("consent_at",), {}, names).row(2, ("12.03.2024",))
    assert row.values["consent_at"] == 1_710_216_000_000_000  # 2024-03-12 00:00 in New York
