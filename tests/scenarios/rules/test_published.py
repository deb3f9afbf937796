"""An event that a rule publishes: other rules and plugins hear of it, and chains of them end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub import AskRule, Event, EventPublished, Hub, Invalid, PublishEvent, SaveRule, hookimpl
from plugins import crm_actions
from tests.houses import house, message, until
from tests.scenarios.rules.house import Ruled, ruled


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url) as one:
        yield one


def publish(name: str, text: str = "") -> dict[str, Any]:
    return {"action": "crm_actions.publish", "params": {"name": name, "text": text}}


def heard(name: str) -> dict[str, Any]:
    """Begin with a published event of this name."""
    return {
        "when": [{"event": "event.published"}],
        "if_": {"all": [{"field": "published.name", "operator": "equals", "value": name}]},
    }


async def test_other_rules_hear_what_a_rule_publishes(world: Ruled) -> None:
    note = {"action": "crm_actions.note", "params": {"text": "It is wanted"}}
    await world.rule(
        when=[{"event": "message.received"}], then=[publish("boat.wanted", "{{ message.text }}")]
    )
    rule = await world.rule(**heard("boat.wanted"), then=[note])
    other = await world.rule(**heard("oar.wanted"), then=[note])
    got = (await world.home.receive(message("1", text="A boat, please")))[0]
    await world.settle()
    [run] = await world.runs(rule_id=rule)
    assert (run.dialog_id, run.contact_id) == (got.dialog_id, got.contact_id)
    assert await world.runs(rule_id=other) == []
    thread = await world.home.user.thread(got.dialog_id)
    assert [one.text for one in thread.messages if one.direction == "note"] == ["It is wanted"]


async def test_rules_that_publish_for_each_other_come_to_an_end(world: Ruled) -> None:
    first = await world.rule(
        name="Ping", when=[{"event": "asked"}, {"event": "event.published"}], then=[publish("ping")]
    )
    second = await world.rule(
        name="Pong", when=[{"event": "event.published"}], then=[publish("pong")]
    )
    got = (await world.home.receive(message("1")))[0]
    await world.home.user.do(AskRule(rule_id=first, dialog_id=got.dialog_id))
    await world.settle()
    runs = [*await world.runs(rule_id=first), *await world.runs(rule_id=second)]
    assert len(runs) <= 6
    assert any("in a row" in one.reason for one in runs)


async def test_a_name_is_a_word(world: Ruled) -> None:
    with pytest.raises(Invalid):
        await world.home.system.do(PublishEvent(name="Two words"))


async def test_plugins_hear_what_a_rule_publishes(tmp_path: Path, database_url: str) -> None:
    told: list[tuple[str, str]] = []
    listener = ModuleType("listener")

    @hookimpl
    async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
        told.extend((one.name, one.text) for one in events if isinstance(one, EventPublished))

    listener.event_types = ("event.published",)  # type: ignore[attr-defined]
    listener.event_occurred = event_occurred  # type: ignore[attr-defined]
    plugins = [("crm_actions", crm_actions), ("listener", listener)]
    async with house(tmp_path, database_url, plugins=plugins, workers=True) as home:
        rule = {
            "name": "Tells",
            "when": [{"event": "message.received"}],
            "then": [publish("boat.wanted", "{{ message.text }}")],
        }
        await home.user.do(SaveRule(definition=rule, enabled=True))
        await home.receive(message("1", text="A boat, please"))
        await until(lambda: told, seconds=30)
        assert told == [("boat.wanted", "A boat, please")]
