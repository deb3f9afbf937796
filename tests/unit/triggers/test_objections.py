"""What is wrong with a rule is said in the reader's language, whoever found it: we or a library."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.web.i18n import translate
from tests.unit.triggers.test_words import vocabulary
from triggers.objections import objections

WORDS = vocabulary()
WHEN = [{"event": "message.received"}]
NOTE = {"action": "crm_actions.note", "params": {"text": "seen"}}
GOOD: dict[str, Any] = {"name": "Notes", "when": WHEN, "then": [NOTE]}


def asked(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"if": {"all": [{"field": field, "operator": operator, "value": value}]}}


def done(action: str, /, **params: Any) -> dict[str, Any]:
    return {"then": [{"action": f"crm_actions.{action}", "params": params}]}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a rule needs a name": ({"name": ""}, "правилу нужно название"),
    "no beginning": ({"when": []}, "скажите, с чего правило начинается"),
    "no event": ({"when": [{"event": "nonsense"}]}, "нет события 'nonsense'"),
    "no action": (done("nonsense"), "нет действия 'crm_actions.nonsense'"),
    "no pattern": (
        asked("message.text", "matches", "("),
        "это не образец: не хватает закрывающей скобки ): (",
    ),
    "a word for a number": (asked("message.length", "greater", "x"), "нужно целое число"),
    "an operator of others": (
        asked("message.length", "contains", "x"),
        "message.length сравнивается одним из: ",
    ),
    "no field": (asked("message.nonsense", "equals", "x"), "нет поля 'message.nonsense'"),
    "pydantic: missing": (done("note"), "Это нужно заполнить"),
    "pydantic: more than is known": (
        {"then": [{**NOTE, "params": {"text": {"no": "text"}}}]},
        "Нужен текст",
    ),
    "a template": (
        done("note", text="{{ contact.nmae }}"),
        "строка 1: нет подстановки contact.nmae, contact.name?",
    ),
    "a template that is not closed": (
        done("note", text="{% if contact.name %}"),
        "строка 1: Шаблон неожиданно кончился: что-то в нём не закрыто.",
    ),
    "a schedule": (
        {"when": [{"event": "schedule", "cron": "each day"}]},
        "нужны минута, час, день, месяц и день недели, например 30 8 * * 1-5",
    ),
    "a guard": ({"guards": {"most_an_hour": "many"}}, "нужно число от 0 до 1000000"),
    "its own example": (
        {"examples": [{"name": "silence", "values": {}, "fires": False}]},
        "на этом примере (silence) правило должно молчать",
    ),
    "a part that is not known": ({"color": "red"}, "здесь бывает: name, note, when"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_objection_is_said_in_both_languages(name: str) -> None:
    change, russian = CASES[name]
    found = objections({**GOOD, **change}, WORDS)
    assert found, name
    texts = [str(one).removeprefix(f"{one.field}: ") for one in found]
    assert [translate("en", one) for one in texts] == texts
    assert any(translate("ru", one).startswith(russian) for one in texts), [
        (one, translate("ru", one)) for one in texts
    ]
    for one in found:
        # Beside its path, as the page with a rule's JSON shows it.
        place, _, said = translate("ru", str(one)).partition(": ")
        assert place == one.field
        assert re.search("[а-яё]{2}", said), said


def test_a_good_rule_has_none() -> None:
    assert objections(GOOD, WORDS) == []
