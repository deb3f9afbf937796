"""The engine: order, guards, depth, failures, holding, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from crm_store import notices
from crm_store.holding import hold_everything
from hub import (
    Action,
    AddNote,
    ChangeClient,
    Command,
    Conflict,
    CreateClient,
    EventId,
    Facts,
    Field,
    FieldType,
    ReleaseHeld,
    SaveRule,
    SetPriority,
    SwitchRule,
    TagDialog,
    Where,
    hookimpl,
)
from hub.commands import MoveCursor
from hub.rule_engine import RuleEngine
from tests.houses import letter, message
from tests.scenarios.rules.house import Ruled, ruled
from triggers.rules import all_rules


class Explode(Action):
    """Tags the dialog, then asks for the impossible."""

    name = "explode"
    label = "explode"

    class Params(BaseModel):
        """What is asked."""

        priority: int = 99

    def plan(self, facts: Facts, params: Any) -> list[Command]:
        """Plan it."""
        return [
            TagDialog(dialog_id=facts.dialog_id, add=("half",)),
            SetPriority(dialog_id=facts.dialog_id, priority=params.priority),
        ]


def _odd(facts: Facts) -> object:
    assert facts.message is not None
    return len(facts.message.text) // (len(facts.message.text) - 5)


def odd_plugin() -> ModuleType:
    module = ModuleType("odd")

    @hookimpl
    def register_actions() -> list[type[Action]]:
        return [Explode]

    @hookimpl
    def register_fields() -> list[Field]:
        return [
            Field(
                name="odd.share", label="Share", type=FieldType.NUMBER, value=_odd, where=Where.FACT
            )
        ]

    module.register_actions = register_actions  # type: ignore[attr-defined]
    module.register_fields = register_fields  # type: ignore[attr-defined]
    return module


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url, plugins=[("odd", odd_plugin())]) as one:
        yield one


def note(text: str, **more: Any) -> dict[str, Any]:
    return {"action": "crm_actions.note", "params": {"text": text}, **more}


RECEIVED = [{"event": "message.received"}]


async def test_a_failing_step_leaves_nothing_and_the_others_stay(world: Ruled) -> None:
    rule_id = await world.rule(when=RECEIVED, then=[note("one"), {"action": "odd.explode"}])
    got = (await world.home.receive(message("1")))[0]
    await world.settle()
    [run] = await world.runs()
    assert (run.state, [one.state for one in run.steps]) == ("partial", ["done", "failed"])
    assert "priority" in run.steps[1].reason
    dialog = await world.home.user.dialog(got.dialog_id)
    assert dialog.tags == ()
    # What fails again and again is paused, with its reason; switching it on is another chance.
    for n in range(2, 7):
        await world.home.receive(message(str(n)))
        await world.settle()
    [rule] = await world.home.user.read(all_rules)
    assert (rule.paused, rule.active) == ("errors", False)
    # Whoever wrote it is told.
    [told] = await world.home.user.read(notices.page)
    assert (told.kind, told.object_kind, told.object_id) == ("rule.paused", "rule", rule_id)
    assert len(await world.runs()) == 5
    await world.home.user.do(SwitchRule(rule_id=rule_id, enabled=True))
    await world.settle()
    assert len(await world.runs()) == 5


async def test_what_a_condition_raises_is_a_failed_run_and_no_miss(world: Ruled) -> None:
    await world.rule(
        when=RECEIVED,
        if_={"field": "odd.share", "operator": "greater", "value": 0},
        then=[note("odd")],
    )
    await world.rule(when=RECEIVED, then=[note("even")])
    await world.home.receive(message("1", text="hello"))
    await world.settle()
    states = {one.rule_name: one for one in await world.runs(state="failed")}
    [failed] = states.values()
    assert "ZeroDivisionError" in failed.reason
    assert len(await world.runs(state="done")) == 1


async def test_a_rule_does_not_hear_itself_and_chains_end(world: Ruled) -> None:
    for name in ("A", "B"):
        await world.rule(name=name, when=[{"event": "note.added"}], then=[note(f"by {name}")])
    got = (await world.home.receive(message("1")))[0]
    await world.home.user.do(AddNote(dialog_id=got.dialog_id, text="begin"))
    await world.settle()
    depths = [one.reason for one in await world.runs(state="failed")]
    assert depths
    assert all("in a row" in one for one in depths)
    thread = await world.home.user.thread(got.dialog_id)
    # One by hand, and no more than three automatic acts in a row along either path.
    assert len([one for one in thread.messages if one.direction == "note"]) <= 1 + 2 * 3


async def test_order_stop_and_once_per_dialog(world: Ruled) -> None:
    await world.rule(
        name="first",
        when=RECEIVED,
        if_={"field": "message.text", "operator": "words", "value": ["цена"]},
        then=[note("price")],
        guards={"once_per": "dialog"},
        stop=True,
    )
    await world.rule(name="second", when=RECEIVED, then=[note("any")])
    got = (await world.home.receive(message("1", text="Какие у вас цены?")))[0]
    await world.settle()
    assert [one.rule_name for one in await world.runs()] == ["first"]
    # A guard that holds a rule back does not stop the ones behind it.
    await world.home.receive(message("2", text="Цену скажите"))
    await world.settle()
    assert [one.rule_name for one in await world.runs()] == ["second", "first"]
    assert {one.dialog_id for one in await world.runs()} == {got.dialog_id}


async def test_two_dialogs_of_one_person_make_one_lead(world: Ruled) -> None:
    await world.rule(
        when=[{"event": "message.opening"}], then=[{"action": "crm_actions.create_lead"}]
    )
    await world.home.receive(letter("1", subject="Boats"), letter("2", subject="Oars"), letter=True)
    await world.settle()
    assert len(await world.leads()) == 1
    assert len(await world.runs()) == 2


async def test_machines_are_not_answered_and_two_of_them_stop(world: Ruled) -> None:
    await world.rule(
        when=RECEIVED,
        then=[{"action": "crm_actions.send_message", "params": {"text": "We are away"}}],
    )
    got = (await world.home.receive(message("1", automated=True)))[0]
    await world.settle()
    assert await world.said(got.dialog_id) == []
    [run] = await world.runs()
    assert (run.state, run.steps[0].state) == ("held", "held")
    # The other side hides that it is a machine: the ceiling of the dialog ends the talk.
    for n in range(2, 20):
        await world.home.receive(message(str(n)))
        await world.settle()
    assert len(await world.said(got.dialog_id)) == 10
    held = await world.runs(state="held")
    assert any("enough automatic" in one.steps[0].reason for one in held)


@pytest.mark.parametrize("machines", [(), ("bert",)], ids=["people", "one of them a machine"])
async def test_those_who_write_together_are_answered_each_once_and_in_order(
    world: Ruled, machines: tuple[str, ...]
) -> None:
    await world.rule(
        when=[{"event": "message.first"}],
        then=[
            {"action": "crm_actions.send_message", "params": {"text": "We read it"}},
            {"action": "crm_actions.tag", "params": {"tags": ["answered"]}},
        ],
    )
    people = ("anna", "bert", "carl", "dora")
    got = await world.home.receive(
        *(message(one, one, automated=one in machines) for one in people),
        message("anna again", "anna"),
    )
    await world.settle()
    assert len(await world.runs()) == 4
    for name, place in zip(people, got[:4], strict=True):
        said = await world.said(place.dialog_id)
        assert [one.text for one in said] == ["We read it"] * (name not in machines)
        dialog = await world.home.user.dialog(place.dialog_id)
        assert dialog.message_count == 1 + len(said) + (name == "anna")
    # Judged again from the same place, nobody is answered twice.
    await world.home.system.do(MoveCursor(name="rules", event_id=EventId(0)))
    again = RuleEngine(world.home.runtime)
    await again.begin()
    while await again.step():
        pass
    assert len(await world.runs()) == 4


async def test_two_engines_decide_once(world: Ruled) -> None:
    await world.rule(when=RECEIVED, then=[note("once")])
    other = RuleEngine(world.home.runtime)
    await other.begin()
    await world.settle()
    await world.home.receive(*(message(str(n), f"p{n}") for n in range(8)))

    async def work(engine: RuleEngine) -> None:
        for _ in range(20):
            try:
                if not await engine.step():
                    return
            except Conflict:
                # Its place was taken: it reads again where the other one is.
                await engine.begin()

    await asyncio.gather(work(world.engine), work(other))
    assert len(await world.runs()) == 8
    await world.home.system.do(MoveCursor(name="rules", event_id=EventId(0)))
    await other.begin()
    await work(other)
    assert len(await world.runs()) == 8


async def test_changes_and_by_whom(world: Ruled) -> None:
    known = (await world.home.user.do(CreateClient(name="Anna")))[0]
    await world.rule(
        when=[{"event": "client.changed"}],
        if_={
            "all": [
                {"field": "client.status", "operator": "changed_to", "value": "active"},
                {"field": "event.by", "operator": "equals", "value": "user"},
            ]
        },
        then=[{"action": "crm_actions.tag_client", "params": {"tags": ["welcome"]}}],
    )
    for status in ("partner", "active", "active", "lost"):
        await world.home.user.do(ChangeClient(client_id=known, values={"status": status}))
        await world.settle()
    assert len(await world.runs()) == 1
    assert [one.id for one in await world.runs(kind="client", object_id=known)]


async def test_timers_are_held_after_a_restore(world: Ruled) -> None:
    await world.rule(when=RECEIVED, then=[note("later", wait="1h")])
    await world.home.receive(message("1"))
    await world.settle()
    with world.home.runtime.database.administer() as conn:
        held = hold_everything(conn, world.home.world.now())
    assert held.timers == 1
    await world.later(7200)
    assert len(await world.waiting()) == 1
    await world.home.system.do(ReleaseHeld(kind="timers", release=True))
    await world.later(1)
    assert await world.waiting() == []


async def test_rules_are_read_once_for_a_burst_of_changes(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that another process wrote; a change behind the reading is heard as ever."""
    read: list[int] = []
    load = RuleEngine.load

    async def counted(self: RuleEngine) -> None:
        await load(self)
        assert self.book is not None
        read.append(len(self.book.rules))

    monkeypatch.setattr(RuleEngine, "load", counted)
    async with ruled(tmp_path, database_url) as world:

        def written(n: int) -> SaveRule:
            then = [{"action": "crm_actions.note", "params": {"text": f"note {n}"}}]
            rule = {"name": str(n), "when": [{"event": "message.received"}], "then": then}
            return SaveRule(definition=rule, enabled=True)

        read.clear()
        await world.home.user.do(*(written(n) for n in range(20)))
        for n in range(20, 30):
            await world.home.user.do(written(n))
        await world.settle()
        assert read == [30]
        [first, *_] = await world.home.user.read(all_rules)
        await world.home.user.do(SwitchRule(rule_id=first.id, enabled=False))
        got = (await world.home.receive(message("1", "anna")))[0]
        await world.settle()
        assert read == [30, 29]
        thread = await world.home.user.thread(got.dialog_id)
        notes = sorted(one.text for one in thread.messages if one.direction == "note")
        assert notes == sorted(f"note {n}" for n in range(1, 30))
