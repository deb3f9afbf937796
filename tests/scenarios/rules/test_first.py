"""The thinnest whole path: the first message of a new contact makes a lead and is answered, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import EraseContact, EventId
from hub.commands import MoveCursor
from hub.rule_engine import RuleEngine
from tests.houses import message
from tests.scenarios.rules.house import Ruled, ruled

GREET = {
    "name": "New sender",
    "when": [{"event": "message.first"}],
    "if": {"all": [{"field": "message.automated", "operator": "equals", "value": False}]},
    "then": [
        {"action": "crm_actions.create_lead", "params": {"source": "Telegram"}},
        {
            "action": "crm_actions.send_message",
            "params": {"text": 'Good day, {{ contact.name | "friend" }}!'},
        },
    ],
}


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url) as one:
        yield one


async def test_a_new_contact_becomes_a_lead_and_is_answered_once(world: Ruled) -> None:
    rule_id = await world.rule(**GREET)
    got = (await world.home.receive(message("1", text="Do you sell boats?")))[0]
    await world.settle()
    [lead] = await world.leads()
    assert (lead.source, lead.title) == ("Telegram", "Do you sell boats?")
    [answer] = await world.said(got.dialog_id)
    assert (answer.text, answer.automated) == ("Good day, Anna!", True)
    assert (answer.cause.kind, answer.cause.id, answer.cause.text) == (
        "rule",
        rule_id,
        "New sender",
    )
    # Whatever is read again, nothing is done again.
    await world.home.system.do(MoveCursor(name="rules", event_id=EventId(0)))
    world.engine = RuleEngine(world.home.runtime)
    await world.engine.begin()
    await world.settle()
    await world.home.receive(message("2", text="And oars?"))
    await world.settle()
    assert len(await world.leads()) == 1
    assert len(await world.said(got.dialog_id)) == 1


async def test_a_run_says_what_was_seen_and_what_was_done(world: Ruled) -> None:
    await world.rule(**GREET)
    got = (await world.home.receive(message("1", text="Boats?")))[0]
    await world.settle()
    [run] = await world.runs(dialog_id=got.dialog_id)
    assert (run.state, run.trigger, run.version) == ("done", "message.first", 1)
    [clause] = run.why["parts"]
    assert (clause["field"], clause["seen"], clause["verdict"]) == (
        "message.automated",
        False,
        True,
    )
    assert [one.state for one in run.steps] == ["done", "done"]
    [lead] = await world.leads()
    assert [one.id for one in await world.runs(kind="lead", object_id=lead.id)] == [run.id]
    await world.home.user.do(EraseContact(contact_id=run.contact_id))
    [run] = await world.runs(dialog_id=got.dialog_id)
    assert (run.why, run.steps) == ({}, ())
