"""Rules that fight and rules that go round are found by name, and peaceful ones are not blamed."""

from __future__ import annotations

from typing import Any, ClassVar

from hub import Action
from hub.web.i18n import translate
from triggers.checking import CONFLICT, LOOP, TEXTS, UNKNOWN, Other, doubts_among

LAST = (10_000, 1)


class Silent(Action):
    """A plugin's action that does not say what it changes."""

    name = "silent"
    label = "do something"

    def plan(self, facts: Any, params: Any) -> list[Any]:
        return []


class Told(Silent):
    """One that says it."""

    name = "told"
    writes: ClassVar = {"dialog.priority": "level", "boats.colour": ""}
    brings = ("dialog.closed", "boats.painted")


class Harmless(Silent):
    """One that changes nothing."""

    name = "harmless"
    writes: ClassVar = {}
    brings = ()


ACTIONS = {"boats.silent": Silent(), "boats.told": Told(), "boats.harmless": Harmless()}


def rule(event: str, *steps: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    then = [{"action": f"crm_actions.{action}", "params": params} for action, params in steps]
    return {"name": "Mine", "when": [{"event": event}], "then": then, **more}


def others(**given: dict[str, Any]) -> list[Other]:
    return [
        Other(name=name, place=(n, n), rule={**one, "name": name})
        for n, (name, one) in enumerate(given.items())
    ]


def said(mine: dict[str, Any], **given: dict[str, Any]) -> list[str]:
    return [one.said() for one in doubts_among(mine, "Mine", others(**given), LAST, ACTIONS)]


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


def theirs(event: str, action: str, **params: Any) -> dict[str, Any]:
    then = [{"action": f"boats.{action}", "params": params}]
    return {"name": "Mine", "when": [{"event": event}], "then": then}


def test_what_a_plugins_action_says_of_itself_is_looked_at() -> None:
    loud = theirs("message.received", "told", level=2)
    assert said(loud, Urgent=URGENT) == [CONFLICT.format(rule="Urgent", fields="dialog.priority")]
    assert said(loud, Same=loud) == []
    assert said(loud, Other=theirs("message.received", "told", level=1)) != []
    # It brings a fact of the plugin's own about, with which another rule begins.
    back = rule("boats.painted", ("reopen", {}))
    [words] = said(theirs("dialog.reopened", "told"), Back=back)
    assert words == LOOP.format(rules="“Back”", path="Mine → Back → Mine")


def test_what_is_not_known_is_said_only_where_it_matters() -> None:
    dark = theirs("message.received", "silent")
    words = UNKNOWN.format(actions="boats.silent", rules="“Urgent”")
    assert said(dark, Urgent=URGENT) == [words]
    assert said(URGENT, Dark=dark) == [UNKNOWN.format(actions="boats.silent", rules="“Dark”")]
    assert said(dark) == []
    assert said(dark, Other=rule("dialog.closed", ("set_priority", {"priority": 1}))) == []
    assert said(dark, Notes=rule("message.received", ("notify", {}))) == []
    assert said(theirs("message.received", "harmless"), Urgent=URGENT) == []


def published(name: str, *steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    named = {"field": "published.name", "operator": "equals", "value": name}
    return rule("event.published", *steps, **{"if": named})


def test_published_events_go_round_by_their_names() -> None:
    ping = published("ping", ("publish", {"name": "pong"}))
    assert said(ping, Pong=published("pong", ("publish", {"name": "pang"}))) == []
    [words] = said(ping, Pong=published("pong", ("publish", {"name": "ping"})))
    assert words == LOOP.format(rules="“Pong”", path="Mine → Pong → Mine")


def test_doubts_are_said_in_both_languages() -> None:
    for text in TEXTS:
        holes = dict.fromkeys(("moments", "actions", "rule", "fields", "rules", "path"), "x")
        assert translate("ru", text) != text
        assert translate("ru", text).format(**holes)
