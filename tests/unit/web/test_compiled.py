"""Templates as the hub compiles them say what Jinja's own compiler says."""

from __future__ import annotations

import gc
import weakref

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from hub.web.compiled import CompiledEnvironment

TEMPLATES = {
    "base.html": "<html>{% block head %}{% endblock %}{% block body %}<main>{% block main %}x"
    "{% endblock %}</main>{% endblock %}</html>",
    "page.html": '{% extends "base.html" %}{% macro cell(one) %}[{{ one }}]{% endmacro %}'
    "{% block main %}{% for one in rows %}{{ loop.index }}{{ cell(one) }}"
    '{% include "part.html" %}{% block scoped_one scoped %}{{ one }}{% endblock %}{% endfor %}'
    "{% block inner %}{{ rows|length }}{% endblock %}{{ super() }}{% endblock %}",
    "part.html": "{% set mine = one ~ '!' %}<i title=\"{{ mine }}\">{{ icon('star') }}{{ _('Move') }}"
    "{{ _('%(n)s left', n=3) }}</i>",
    "own.html": "{% macro of(_) %}{{ _('Move') }}{% endmacro %}{{ of(shout) }}"
    "{% set icon = shout %}{{ icon('star') }}{% for _ in [shout] %}{{ _('Move') }}{% endfor %}",
    "kinds.html": "{{ 1 }}{{ n }}{{ none }}{{ true }}{{ 1.5 }}{{ '<' }}{{ mark }}{{ mark ~ '<' }}"
    "{% autoescape false %}{{ raw }}{% endautoescape %}{{ raw }}",
    "parts.html": "{% macro put(one) %}{{ one }}{{ _('Move') }}{% endmacro %}"
    "{% macro twice(one) %}{{ put(one) }}{{ put(one) }}{% endmacro %}",
    "imports.html": '{% extends "page.html" %}{% import "parts.html" as parts with context %}'
    "{% macro own(one) %}{{ parts.twice(one) }}{% endmacro %}"
    "{% block head %}{{ own(record) }}{% endblock %}",
    "from.html": '{% from "part.html" import mine with context %}{{ mine }}',
}


def _made(kind: type[Environment]) -> Environment:
    made = kind(loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    made.globals["_"] = lambda text, **values: Markup(text) % values
    made.globals["icon"] = lambda name: Markup("<svg {}>").format(name)
    return made


@pytest.mark.parametrize("name", ["page.html", "own.html", "kinds.html", "from.html"])
def test_a_template_says_the_same(name: str) -> None:
    values = {
        "rows": ["a & b", Markup("<b>c</b>"), 7],
        "one": "first",
        "n": 12,
        "mark": Markup("<u>"),
        "raw": "<raw>",
        "shout": lambda text: f"{text.upper()} <own>",
    }
    expected = _made(Environment).get_template(name).render(**values)
    ours = _made(CompiledEnvironment)
    assert ours.get_template(name).render(**values) == expected
    # The second time constants are known.
    assert ours.get_template(name).render(**values) == expected


def test_what_is_not_there_is_still_an_error() -> None:
    made = _made(CompiledEnvironment)
    with pytest.raises(UndefinedError):
        made.from_string("{{ nothing }}").render()


class Record:
    """What a page is drawn of."""

    def __str__(self) -> str:
        return "a & b"


def test_what_a_page_was_drawn_of_does_not_wait_for_the_garbage_collector() -> None:
    made = _made(CompiledEnvironment)
    one = Record()
    gone = weakref.ref(one)
    values = {"rows": [one], "record": one}
    expected = _made(Environment).get_template("imports.html").render(**values)
    gc.collect()
    gc.disable()
    try:
        assert made.draw("imports.html", values) == expected
        del one
        values.clear()
        assert gone() is None
    finally:
        gc.enable()
