"""Texts of rules are filled in by the renderer of everything else, and leave no trace of nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub import Facts, MessageReceived, ready_text
from triggers.wording import filled, slips


def facts(**more: Any) -> Facts:
    contact = SimpleNamespace(name="Петрова Анна Ивановна", language="ru", custom={"boat": "Gull"})
    event = MessageReceived.__new__(MessageReceived)
    values: dict[str, Any] = {"contact": contact, "fill": filled, **more}
    return Facts(now=0, event=event, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Здравствуйте, {{ contact.polite_name }}!", "Здравствуйте, Анна Ивановна!"),
        ('{{ contact.gender | gendered("готов", "готова") }}', "готова"),
        ("{% if contact.language == 'ru' %}Да{% else %}Yes{% endif %}", "Да"),
        ("{{ contact.custom.boat }} {{ contact.custom.mast }}is here", "Gull is here"),
        ('{{ request.number | "your request" }} is ready', "your request is ready"),
        ("Number {{ request.number }}.", "Number 17."),
        ("See company.com, {{ lead.title }}!", "See company.com!"),
        ("{{ message.text }}", "{{ contact.name }}"),
    ],
)
def test_a_rule_says_what_a_quick_reply_would(text: str, said: str) -> None:
    request = SimpleNamespace(number=17) if "17" in said else None
    message = SimpleNamespace(text="{{ contact.name }}")
    assert ready_text(text, facts(objects={"request": request}, message=message)) == said


def test_slips_are_named_with_their_place_when_a_rule_is_saved() -> None:
    params = {"text": "{{ contact.frist_name }}", "buttons": ["{{ contact.name"], "title": "a {b}"}
    found = [(place, one.name, one.suggestion) for place, one in slips(params, "then[0].params")]
    assert found == [
        ("then[0].params.text", "contact.frist_name", "contact.first_name"),
        ("then[0].params.buttons.0", "", ""),
    ]
    assert not list(slips({"text": "{{ contact.custom.boat }} {{ request.number }}"}, ""))


def test_facts_made_by_hand_are_filled_plainly() -> None:
    bare = facts(fill=None)
    assert ready_text('{{ contact.nobody | "Friend" }}, hello', bare) == "Friend, hello"
