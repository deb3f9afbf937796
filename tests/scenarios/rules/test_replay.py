"""Random rules and events, crashes and repeats: nothing is decided or done twice; kill -9 leaves all or nothing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_store.tables.dialogs import messages
from crm_store.tables.journal import journal
from crm_store.tables.rules import rule_effects, rule_runs, rule_timers
from hub import EventId, SendMessage, SetPriority
from hub.commands import MoveCursor
from hub.rule_desk import RuleDesk
from hub.rule_engine import RuleEngine
from plugins import crm_actions
from tests.houses import World, build, message
from tests.scenarios.rules.engine_child import POINTS
from tests.scenarios.rules.house import Ruled, ruled
from tests.warm import WarmProcess

EVENTS = ["message.received", "message.opening", "note.added", "dialog.tagged", "message.answered"]
WORDS = ["цена", "boat", "hello"]


def random_rule(dice: random.Random, n: int) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"field": "message.text", "operator": "words", "value": dice.choice(WORDS)},
        {"field": "dialog.priority", "operator": "less", "value": dice.randint(0, 2)},
        {"field": "dialog.tags", "operator": "not_contains", "value": f"t{dice.randint(0, 2)}"},
    ]
    steps: list[dict[str, Any]] = [
        {"action": "crm_actions.note", "params": {"text": f"note {n}"}},
        {"action": "crm_actions.tag", "params": {"tags": [f"t{dice.randint(0, 2)}"]}},
        {"action": "crm_actions.send_message", "params": {"text": f"answer {n}"}},
        {"action": "crm_actions.create_lead"},
    ]
    chosen = dice.sample(steps, dice.randint(1, 3))
    if dice.random() < 0.3:
        chosen[-1] = {**chosen[-1], "wait": "1h", "cancel_on": ["agent_answers"]}
    return {
        "name": f"rule {n}",
        "when": [{"event": dice.choice(EVENTS)}],
        "if": {dice.choice(["all", "any"]): dice.sample(parts, dice.randint(1, 2))},
        "then": chosen,
        "guards": {"once_per": dice.choice(["", "dialog", "contact_day"])},
        "stop": dice.random() < 0.2,
    }


async def state(world: Ruled) -> tuple[Any, ...]:
    """What rules did, in a comparable form."""

    def run(conn: Any) -> tuple[Any, ...]:
        keys = (rule_runs.c.rule_id, rule_runs.c.cause, rule_runs.c.step, rule_runs.c.occurrence)
        runs = conn.execute(select(*keys, rule_runs.c.state).order_by(*keys)).all()
        said = conn.execute(
            select(messages.c.direction, func.count()).group_by(messages.c.direction)
        ).all()
        return (tuple(runs), tuple(sorted(said)))

    found: tuple[Any, ...] = await world.home.runtime.database.read(run)
    return found


@pytest.mark.parametrize("seed", [1])
async def test_whatever_is_repeated_nothing_is_done_twice(
    seed: int, tmp_path: Path, database_url: str
) -> None:
    dice = random.Random(seed)
    async with ruled(tmp_path, database_url) as world:
        for n in range(8):
            await world.rule(**random_rule(dice, n))
        sent = []
        for n in range(12):
            text = " ".join(dice.sample(WORDS, 2))
            one = message(str(n), dice.choice(["anna", "boris", "clara"]), text=text)
            sent.append(one)
            got = (await world.home.receive(one))[0]
            if dice.random() < 0.3:
                await world.home.user.do(SendMessage(dialog_id=got.dialog_id, text="Hello"))
            if dice.random() < 0.2:
                await world.home.user.do(SetPriority(dialog_id=got.dialog_id, priority=1))
            if dice.random() < 0.5:
                await world.settle()
        await world.settle()
        await world.later(3700)
        before = await state(world)
        # No chain runs away: at most three automatic acts in a row.
        depths = await world.home.runtime.database.read(
            lambda conn: [
                row.cause.get("depth", 0) for row in conn.execute(select(journal.c.cause))
            ]
        )
        assert max(depths) <= 3
        # The provider repeats, and the engine reads everything from the beginning.
        await world.home.receive(*sent)
        await world.home.system.do(MoveCursor(name="rules", event_id=EventId(0)))
        world.engine = RuleEngine(world.home.runtime)
        await world.engine.begin()
        await world.settle()
        after = await state(world)
        decided = {row[:4] for row in before[0]}
        assert {row for row in after[0] if row[:4] in decided} == set(before[0])
        assert before[0]


async def test_a_preview_says_what_the_run_does(tmp_path: Path, database_url: str) -> None:
    dice = random.Random(7)
    async with ruled(tmp_path, database_url) as world:
        rules = [
            await world.rule(**{**random_rule(dice, n), "guards": {}, "stop": False})
            for n in range(3)
        ]
        await world.home.receive(message("1", text="цена boat hello"))
        for _ in range(60):
            place, book = world.engine.place, world.engine.book
            assert book is not None
            tried: dict[tuple[int, int], bool] = {}
            desk = RuleDesk(world.home.runtime, world.home.user)
            event = place + 1
            found = await world.home.runtime.database.read(
                lambda conn, e=event: conn.execute(
                    select(journal.c.id).where(journal.c.id >= e)
                ).first()
            )
            if found is None:
                break
            for rule_id in rules:
                rule, definition = await desk.to_try(rule_id, None)
                one = await desk.on_event(rule, definition, EventId(found.id))
                tried[rule_id, found.id] = one.heard and one.fires and "hear" not in one.reason
            await world.engine.step()
            ran = {
                (one.rule_id, one.event_id): one
                for one in await world.runs(limit=200)
                if one.event_id == found.id and one.step == 0
            }
            assert {key for key, fires in tried.items() if fires} == set(ran)


async def test_kill_during_a_run_leaves_all_of_it_or_nothing(
    tmp_path: Path, database_url: str
) -> None:
    """A child process carries rules out and is killed at a random moment, again and again."""
    async with ruled(tmp_path, database_url) as world:
        await world.rule(
            when=[{"event": "message.received"}],
            then=[
                {"action": "crm_actions.create_lead", "params": {"even_if_open": True}},
                {"action": "crm_actions.note", "params": {"text": "seen"}},
            ],
        )
        await world.home.receive(*(message(str(n), f"p{n}") for n in range(60)))
    dice = random.Random(3)
    for n in range(2):
        child = _engine(tmp_path / f"said-{n}", str(tmp_path), database_url)
        await asyncio.to_thread(child.wait_until_said, "begun", 60)
        await asyncio.sleep(dice.random() * 0.15)
        child.kill()
    assert await _made(tmp_path, database_url) == (60, 60, 60, 60)


async def test_a_power_cut_at_each_point_of_a_run_leaves_all_of_it_or_nothing(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, database_url) as world:
        await world.rule(
            when=[{"event": "message.received"}],
            then=[
                {"action": "crm_actions.create_lead", "params": {"even_if_open": True}},
                {"action": "crm_actions.note", "params": {"text": "seen"}},
                {"action": "crm_actions.tag", "params": {"tags": ["late"]}, "wait": "1h"},
            ],
        )
        await world.home.receive(*(message(str(n), f"p{n}") for n in range(30)))
    for n, point in enumerate(POINTS):
        child = _engine(tmp_path / f"said-{n}", str(tmp_path), database_url, point)
        try:
            code = await asyncio.to_thread(child.wait, 120)
        finally:
            child.kill()
        assert code == -signal.SIGKILL, (point, child.said())
        # Whatever was begun: as many leads and notes as runs, each with its timer.
        whole = await _counted(tmp_path, database_url)
        assert len(set(whole)) == 1, (point, whole)
    assert await _made(tmp_path, database_url) == (30, 30, 30, 30)


def _engine(output: Path, *arguments: str) -> WarmProcess:
    module = "tests.scenarios.rules.engine_child"
    return WarmProcess(module, *arguments, env=os.environ, output=output)


async def _counted(folder: Path, url: str) -> tuple[int, ...]:
    """How many runs, leads, notes, and timers there are."""
    runtime = build(folder, url, World(), [("crm_actions", crm_actions)])

    def count(conn: Any) -> tuple[int, ...]:
        return (*_numbers(conn), conn.execute(select(func.count(rule_timers.c.id))).scalar_one())

    await runtime.start()
    try:
        return await runtime.database.read(count)
    finally:
        await runtime.stop()


def _numbers(conn: Any) -> tuple[int, int, int, int]:
    def number(statement: Any) -> int:
        return int(conn.execute(statement).scalar_one())

    return (
        number(select(func.count()).select_from(rule_runs)),
        number(select(func.count()).where(rule_effects.c.kind == "lead")),
        number(select(func.count()).where(messages.c.direction == "note")),
        number(select(func.count()).where(journal.c.type == "lead.created")),
    )


async def _made(folder: Path, url: str) -> tuple[int, int, int, int]:
    """Let an engine finish what was left, and count."""
    runtime = build(folder, url, World(), [("crm_actions", crm_actions)])
    await runtime.start()
    try:
        engine = RuleEngine(runtime)
        await engine.begin()
        while await engine.step():
            pass
        return await runtime.database.read(_numbers)
    finally:
        await runtime.stop()
