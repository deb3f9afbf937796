"""Placeholders are filled by one renderer, in a cage, and leave no traces of what is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store import rendering
from crm_store.rendering import check, render
from hub import Invalid, names_of


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("Здравствуйте, {{ contact.polite_name }}!", {}, "Здравствуйте!"),
        (
            "Здравствуйте, {{ contact.polite_name }}!",
            {"contact.polite_name": "Иван Сергеевич"},
            "Здравствуйте, Иван Сергеевич!",
        ),
        ("{{ contact.first_name }}, добрый день", {}, "Добрый день"),
        ("Hello {{ contact.first_name }}, how are you?", {}, "Hello, how are you?"),
        ("Спасибо, {{ contact.first_name }} {{ contact.patronymic }}, ждём", {}, "Спасибо, ждём"),
        ('Hi {{ contact.first_name | "friend" }}!', {}, "Hi friend!"),
        ("{{ 22 | plural('день', 'дня', 'дней') }}", {}, "22 дня"),
        (
            "{{ contact.gender | gendered('рад', 'рада', 'рад(а)') }}",
            {"contact.gender": "f"},
            "рада",
        ),
        ("{% if client.name %}{{ client.name }}{% else %}вы{% endif %}", {}, "вы"),
    ],
)
def test_what_is_not_known_leaves_no_trace(
    template: str, values: dict[str, str], text: str
) -> None:
    made = render(template, values)
    assert (made.text, made.missing) == (text, ())


def test_what_must_be_filled_stays_and_is_named() -> None:
    made = render("Заказ {{ interest.title }} готов, {{ contact.first_name }}", {})
    assert made.text == "Заказ {{ interest.title }} готов"
    assert made.missing == ("interest.title",)


def test_html_is_escaped_and_text_is_not() -> None:
    values = {"client.name": "<script>&"}
    assert (
        render("<b>{{ client.name }}</b>", values, html=True).text == "<b>&lt;script&gt;&amp;</b>"
    )
    assert render("{{ client.name }}", values).text == "<script>&"


def test_a_clients_own_words_are_no_template() -> None:
    made = render("{{ client.name }}", {"client.name": "{{ agent.name }}\ue001x\ue002"})
    assert made.text == "{{ agent.name }}x"
    assert made.missing == ()


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ contact.__class__ }}",
        "{{ contact.name.__init__.__globals__ }}",
        "{{ cycler.__init__ }}",
        "{{ 'a' * 999999999 }}",
        "{{ contact.name|attr('upper') }}",
        "{{ contact['name'] }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% for n in range(999999999) %}x{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set x = 1 %}{{ x }}",
        "{{ contact.name.format(contact) }}",
        "{% for a in contact %}{% for b in contact %}{% for c in contact %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ contact.name",
    ],
)
def test_a_template_is_in_a_cage(template: str) -> None:
    problems = check(template)
    try:
        made = render(template, {"contact.name": "Vera"})
    except Invalid:
        assert problems
    else:
        assert problems or made.missing or made.text == ""
        assert "class" not in made.text.replace("__class__", "")
        assert "root:" not in made.text


def test_growing_without_end_is_stopped() -> None:
    inner = "{% for one in contact %}" + "x" * 200_000 + "{% endfor %}"
    with pytest.raises(Invalid, match="grows without end"):
        render(f"{{% for one in contact %}}{inner}{{% endfor %}}", {})


def test_a_slip_is_named_with_what_was_meant() -> None:
    [problem] = check("Hello\n{{ contact.frist_name }}")
    assert (problem.line, problem.name, problem.suggestion) == (
        2,
        "contact.frist_name",
        "contact.first_name",
    )


@pytest.mark.parametrize(
    ("whole", "polite", "gender"),
    [
        ("Петров Иван Сергеевич", "Иван Сергеевич", "m"),
        ("Анна Ильинична Котова", "Анна Ильинична", "f"),
        ("Орлова Вера", "Вера", ""),
        ("Vera Smith", "Vera", ""),
        ("ivan@example.org", "", ""),
        ("+7 921 555-01-42", "", ""),
        ("", "", ""),
    ],
)
def test_names_are_taken_apart(whole: str, polite: str, gender: str) -> None:
    names = names_of(whole)
    assert (names.polite, names.gender) == (polite, gender)


@given(st.text(alphabet="\ue000\ue000aB .,:!>\n\u00a0<…", max_size=40))
def test_gaps_are_closed_where_they_stand_as_in_the_whole_text(text: str) -> None:
    assert rendering._close_gaps(text) == rendering._closed(text)


def test_values_are_made_ready_once_for_several_texts() -> None:
    values = {"contact.first_name": "Анна", "company": "Shop"}
    ready = rendering.prepared(values)
    for text in ("{{ contact.first_name }}", "{{ company }}", "{{ contact.name }}"):
        assert render(text, ready) == render(text, values)
