"""What a list shows of each kind of property: words of its reader, and nobody's text as markup."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jinja2.runtime import Context
from markupsafe import Markup

from hub.filters import Choice
from hub.properties import Property, PropertyType
from hub.web.cells import cell, cells
from hub.web.render import Renderer

AT = 1_700_000_000_000_000
ISO, FULL = "2023-11-14T22:13:20+00:00", "15 November 2023, 01:13 +0300"
T = PropertyType


def context(language: str = "en") -> Context:
    environment = Renderer().environment(language)
    return environment.from_string("").new_context({"zone": "Europe/Moscow"})


def shown(prop: Property, value: object, language: str = "en", **more: Any) -> str:
    record = SimpleNamespace(**{prop.name: value}, **more)
    names = {"client": {7: "<Anna>"}, "stage": {3: "Won"}, "user": {9: "Vera & Co"}}
    return str(cell(context(language), prop, record, names))


STATUS = Property(
    name="status", label="Status", type=T.CHOICE,
    choices=(Choice("new", "New <", {"ru": "Новая"}),),
)  # fmt: skip
SHOWN = [
    (Property(name="title", label=""), "<b>", '<span class="person">&lt;b&gt;</span>'),
    (Property(name="title", label=""), "", "—"),
    (Property(name="email", label=""), "a@b.c", "a<wbr>@b.<wbr>c"),
    (Property(name="n", label="", type=T.NUMBER), 7, '<span class="person">7</span>'),
    (Property(name="tags", label="", type=T.TAGS), ("a&b",), '<span class="label">a&amp;b</span> '),
    (Property(name="flag", label="", type=T.FLAG), False, ""),
    (STATUS, "new", '<span class="label warn">New &lt;</span>'),
    (STATUS, "gone", ""),
    (
        Property(name="client_id", label="", type=T.REF, ref="client"),
        7,
        '<a class="person" href="/clients/7">&lt;Anna&gt;</a>',
    ),
    (Property(name="client_id", label="", type=T.REF, ref="client"), 8, "—"),
    (Property(name="owner_id", label="", type=T.REF, ref="user"), 9, "Vera &amp; Co"),
    (
        Property(name="day", label="", type=T.DATE),
        86_400_000_000,
        '<span class="nowrap">Jan 2, 1970</span>',
    ),
    (
        Property(name="at", label="", type=T.INSTANT),
        AT,
        f'<time class="nowrap" datetime="{ISO}" title="{FULL}">11/15/23</time>',
    ),
    (Property(name="at", label="", type=T.INSTANT), 0, "—"),
]


@pytest.mark.parametrize(("prop", "value", "expected"), SHOWN)
def test_a_value_is_shown_by_its_kind(prop: Property, value: object, expected: str) -> None:
    assert shown(prop, value) == expected


def test_words_and_sums_are_those_of_the_reader() -> None:
    assert shown(STATUS, "new", "ru") == '<span class="label warn">Новая</span>'
    assert shown(Property(name="s", label="", type=T.REF, ref="stage"), 3, "ru") == "Выигран"
    amount = Property(name="amount", label="", type=T.MONEY)
    assert "1,234.50" in shown(amount, 123_450, currency="EUR")


def test_a_row_is_its_columns_one_after_the_other() -> None:
    amount = Property(name="amount", label="Sum", type=T.MONEY, translations={"ru": "Сумма"})
    draw = cells(context("ru"), [STATUS, amount], {})
    drawn = draw(SimpleNamespace(status="", amount=0))
    assert drawn == Markup(
        '<td data-label="Status" class="muted">—</td>'
        '<td data-label="Сумма" class="muted figure">—</td>'
    )
