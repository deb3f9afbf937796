"""Cells of a list: how a column shows its values is chosen once for the column, and not for each cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from time import time_ns
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from hub.card_addresses import every
from hub.figures import lasting
from hub.properties import Property, PropertyType, value_of
from hub.web.filters import breakable, money
from hub.web.instants import day_only, time_tag, today_in

Shows = Callable[[Any, Any], str]
"""Gives the HTML of a value, knowing the record it belongs to."""
Names = Mapping[str, Mapping[int, str]]
NOTHING = "—"
FIGURES = (PropertyType.MONEY, PropertyType.NUMBER)
OPENED = frozenset({"client", "lead", "contact", "interest", "request"})
"""References whose names lead to a card."""
WORDS = frozenset({"stage", "pipeline", "loss_reason"})
"""References to what the hub brings itself at first, in the reader's language."""
TONES = {
    "new": "warn",
    "urgent": "bad",
    "high": "warn",
    "solved": "good",
    "done": "good",
    "review": "warn",
    "qualified": "good",
    "active": "good",
    "rejected": "bad",
    "lost": "bad",
    "won": "good",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the cells of a page have in common."""

    language: str
    zone: str
    today: date
    names: Names
    text: Callable[[str], str]
    icon: Callable[[str, str], str]


def _word(one: Any, page: Page) -> str:
    return escape(one.translations.get(page.language, one.label))


def _tags(prop: Property, page: Page) -> Shows:
    return lambda value, record: "".join(
        f'<span class="label">{escape(one)}</span> ' for one in value
    )


def _flag(prop: Property, page: Page) -> Shows:
    yes = page.icon("check", page.text("yes"))
    return lambda value, record: yes if value else ""


def _choice(prop: Property, page: Page) -> Shows:
    known = {
        one.value: f'<span class="label {TONES.get(one.value, "")}">{_word(one, page)}</span>'
        for one in prop.choices
    }
    return lambda value, record: known.get(value, "") if value else NOTHING


def _ref(prop: Property, page: Page) -> Shows:
    names, text, path = page.names.get(prop.ref, {}), page.text, f"/{prop.ref}s"

    def shows(value: Any, record: Any) -> str:
        name = names.get(value, "") if value else ""
        if not name:
            return NOTHING
        if prop.ref in OPENED:
            return f'<a class="person" href="{path}/{value}">{escape(name)}</a>'
        return escape(text(name) if prop.ref in WORDS else name)

    return shows


def _instant(prop: Property, page: Page) -> Shows:
    zone, language, today = page.zone, page.language, page.today
    return lambda value, record: time_tag(value, zone, language, today) if value else NOTHING


def _date(prop: Property, page: Page) -> Shows:
    return lambda value, record: (
        f'<span class="nowrap">{escape(day_only(value, page.language))}</span>'
        if value
        else NOTHING
    )


def _money(prop: Property, page: Page) -> Shows:
    def shows(value: Any, record: Any) -> str:
        if not value:
            return NOTHING
        sum_of = money(value, getattr(record, "currency", ""), page.language)
        return f'<span class="nowrap">{escape(sum_of)}</span>'

    return shows


def _lasting(prop: Property, page: Page) -> Shows:
    """A duration; one that still goes on says so, and how long it has been up to now."""
    running, waits, now = prop.running, page.text("waits"), time_ns() // 1000

    def shows(value: Any, record: Any) -> str:
        if value:
            return f'<span class="nowrap">{lasting(value, page.language, prop.lasts)}</span>'
        since = running(record) if running is not None else 0
        if not since:
            return NOTHING
        lasted = lasting(max(0, now - since), page.language)
        return f'<span class="label warn nowrap">{escape(waits)} {lasted}</span>'

    return shows


def _file(prop: Property, page: Page) -> Shows:
    def shows(value: Any, record: Any) -> str:
        file = record.custom.files.get(value)
        if file is None:
            return NOTHING
        return f'<a class="person" href="/files/{file.id}">{escape(file.name)}</a>'

    return shows


def _plain(prop: Property, page: Page) -> Shows:
    if prop.lasts:
        return _lasting(prop, page)
    if prop.name == "email":
        return lambda value, record: breakable(value) if value else NOTHING
    return lambda value, record: (
        f'<span class="person">{escape(value)}</span>' if value else NOTHING
    )


def _addresses(prop: Property, page: Page) -> Shows:
    return lambda value, record: (
        f'<span class="person">{escape(", ".join(one.value for one in every(record)))}</span>'
        if every(record)
        else NOTHING
    )


SHOWN: Mapping[PropertyType, Callable[[Property, Page], Shows]] = {
    PropertyType.TAGS: _tags,
    PropertyType.FLAG: _flag,
    PropertyType.CHOICE: _choice,
    PropertyType.REF: _ref,
    PropertyType.INSTANT: _instant,
    PropertyType.DATE: _date,
    PropertyType.MONEY: _money,
    PropertyType.FILE: _file,
    PropertyType.ADDRESSES: _addresses,
}
"""How the values of a property are shown; every other one is a text."""


def _page(context: Context, names: Names) -> Page:
    zone = str(context.get("zone") or "UTC")
    return Page(
        language=str(context.get("language")),
        zone=zone,
        today=today_in(zone),
        names=names,
        text=context["_"],
        icon=context["icon"],
    )


def _head(prop: Property, page: Page) -> str:
    """Begin a cell; where a row is a card, each says what it is."""
    figure = " figure" if prop.type in FIGURES else ""
    return f'<td data-label="{_word(prop, page)}" class="muted{figure}">'


def _of(prop: Property) -> Callable[[Any], Any]:
    """Give what reads a property off a record."""
    return (lambda record: value_of(record, prop.name)) if prop.is_custom else attrgetter(prop.name)


@pass_context
def cell(context: Context, prop: Property, record: Any, names: Names) -> Markup:
    """Show one value as a list does."""
    shows = SHOWN.get(prop.type, _plain)(prop, _page(context, names))
    return Markup(shows(_of(prop)(record), record))


@pass_context
def cells(context: Context, columns: Iterable[Property], names: Names) -> Callable[[Any], Markup]:
    """Give what draws the cells of a record, a column after the other."""
    page = _page(context, names)
    made = [(_head(one, page), SHOWN.get(one.type, _plain)(one, page), _of(one)) for one in columns]

    def draw(record: Any) -> Markup:
        return Markup(
            "".join(f"{head}{shows(of(record), record)}</td>" for head, shows, of in made)
        )

    return draw
