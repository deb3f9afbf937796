"""Rules that fight and rules that go round are found by name, and peaceful ones are not blamed."""

from __future__ import annotations

from typing import Any

from hub.web.i18n import translate
from triggers.checking import CONFLICT, LOOP, TEXTS, Other, doubts_among

LAST = (10_000, 1)


def rule(event: str, *steps: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    then = [{"action": f"crm_actions.{action}", "params": params} for action, params in steps]
    return {"name": "Mine", "when": [{"event": event}], "then": then, **more}


def others(**given: dict[str, Any]) -> list[Other]:
    return [
        Other(name=name, place=(n, n), rule={**one, "name": name})
        for n, (name, one) in enumerate(given.items())
    ]


def said(mine: dict[str, Any], **given: dict[str, Any]) -> list[str]:
    return [one.said() for one in doubts_among(mine, "Mine", others(**given), LAST)]


def channel(*names: str) -> dict[str, Any]:
    return {"all": [{"field": "dialog.channel", "operator": "in", "value": list(names)}]}


URGENT = rule("message.received", ("set_priority", {"priority": 1}))


def test_two_rules_that_write_the_same_are_named() -> None:
    mine = rule("message.received", ("set_priority", {"priority": 2}))
    assert said(mine, Urgent=URGENT) == [
        CONFLICT.format(rule="Urgent", fields="dialog.priority"),
    ]
    cards = {"kind": "request", "values": {"priority": "low"}}
    low = rule("request.created", ("change_object", cards))
    high = rule("request.created", ("change_object", {**cards, "values": {"priority": "high"}}))
    assert "request.priority" in said(low, High=high)[0]
    tagged = rule("message.received", ("tag", {"tags": ["vip"]}))
    bare = rule("message.received", ("untag", {"tags": ["vip", "new"]}))
    assert "dialog.tags" in said(tagged, Bare=bare)[0]


def test_rules_that_do_not_meet_are_not_blamed() -> None:
    calm = rule("message.received", ("set_priority", {"priority": 2}))
    # The same value, another event, later, apart by their channels, or stopped before.
    assert said(URGENT, Same=URGENT) == []
    assert said(calm, Other=rule("dialog.closed", ("set_priority", {"priority": 1}))) == []
    later = rule("message.received", ("set_priority", {"priority": 1}))
    later["then"][0]["wait"] = "1h"
    assert said(calm, Later=later) == []
    assert said({**calm, "if": channel("vk")}, Mail={**URGENT, "if": channel("email", "max")}) == []
    assert said(calm, Stops={**URGENT, "stop": True}) == []
    more = rule("message.received", ("tag", {"tags": ["a"]}))
    assert said(more, Tags=rule("message.received", ("tag", {"tags": ["b"]}))) == []


def test_rules_that_go_round_are_named_in_their_order() -> None:
    closes = rule("dialog.reopened", ("close", {}))
    opens = rule("note.added", ("reopen", {}))
    notes = rule("dialog.closed", ("note", {"text": "closed"}))
    [words] = said(closes, Opens=opens, Notes=notes)
    assert words == LOOP.format(rules="“Notes”, “Opens”", path="Mine → Notes → Opens → Mine")
    people = {"all": [{"field": "event.by", "operator": "equals", "value": "user"}]}
    assert said(closes, Opens={**opens, "if": people}, Notes=notes) == []
    assert said(closes, Notes=notes) == []


def test_doubts_are_said_in_both_languages() -> None:
    for text in TEXTS:
        holes = dict.fromkeys(("moments", "actions", "rule", "fields", "rules", "path"), "x")
        assert translate("ru", text) != text
        assert translate("ru", text).format(**holes)
