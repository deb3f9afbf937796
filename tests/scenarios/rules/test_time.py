"""Rules of time on a clock that the test turns: waiting, chains, dates, schedules, bursts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialogs.loops import MOST_A_DAY
from hub import (
    AssignDialog,
    ChangeClient,
    Conflict,
    CreateClient,
    SaveRule,
    SendMessage,
    SetDialogStatus,
    SwitchRule,
)
from tests.houses import message
from tests.scenarios.rules.house import Ruled, ruled

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url) as one:
        yield one


def say(text: str, **more: Any) -> dict[str, Any]:
    return {"action": "crm_actions.send_message", "params": {"text": text}, **more}


def note(text: str, **more: Any) -> dict[str, Any]:
    return {"action": "crm_actions.note", "params": {"text": text}, **more}


async def test_who_is_not_answered_hears_from_us_once(world: Ruled) -> None:
    await world.rule(when=[{"event": "no_answer.ours", "after": "3m"}], then=[say("One moment")])
    slow = (await world.home.receive(message("1", "anna")))[0]
    quick = (await world.home.receive(message("2", "boris")))[0]
    await world.settle()
    assert len(await world.waiting()) == 2
    await world.home.user.do(SendMessage(dialog_id=quick.dialog_id, text="Hello"))
    await world.later(MINUTE)
    # Writing again is the same waiting: it does not begin anew.
    await world.home.receive(message("3", "anna", text="Are you there?"))
    await world.later(MINUTE)
    assert await world.said(slow.dialog_id) == []
    await world.later(MINUTE + 1)
    assert [one.text for one in await world.said(slow.dialog_id)] == ["One moment"]
    assert [one.text for one in await world.said(quick.dialog_id)] == ["Hello"]
    await world.home.receive(message("4", "anna", text="Hello?"))
    await world.later(HOUR)
    assert len(await world.said(slow.dialog_id)) == 1
    assert await world.waiting() == []


async def test_a_silent_client_is_reminded_once_and_then_closed(world: Ruled) -> None:
    await world.rule(
        when=[{"event": "no_answer.client", "after": "3d"}],
        if_={"field": "dialog.status", "operator": "in", "value": ["open", "waiting"]},
        then=[
            say("Are you still there?", cancel_on=["client_answers"]),
            {"action": "crm_actions.close", "wait": "3d", "cancel_on": ["client_answers"]},
        ],
    )
    silent = (await world.home.receive(message("1", "anna")))[0]
    talks = (await world.home.receive(message("2", "boris")))[0]
    for one in (silent, talks):
        await world.home.user.do(SendMessage(dialog_id=one.dialog_id, text="How many?"))
    await world.later(3 * DAY + 1)
    assert len(await world.said(silent.dialog_id)) == 2
    await world.home.receive(message("3", "boris", text="Five"))
    await world.later(3 * DAY + 1)
    assert (await world.home.user.dialog(silent.dialog_id)).status == "closed"
    assert (await world.home.user.dialog(talks.dialog_id)).status == "open"
    states = {(one.dialog_id, one.step): one.state for one in await world.runs()}
    assert states[silent.dialog_id, 2] == "done"
    # What will not be is on record with its reason.
    assert states[talks.dialog_id, 2] == "cancelled"


async def test_what_nobody_takes_is_noted_and_what_is_taken_is_not(world: Ruled) -> None:
    await world.rule(when=[{"event": "not_taken", "after": "5m"}], then=[note("Nobody took it")])
    left = (await world.home.receive(message("1", "anna")))[0]
    taken = (await world.home.receive(message("2", "boris")))[0]
    await world.settle()
    me = world.home.user.actor.id
    await world.home.user.do(AssignDialog(dialog_id=taken.dialog_id, user_id=me))
    await world.later(5 * MINUTE + 1)
    assert {one.dialog_id for one in await world.runs()} == {left.dialog_id}


async def test_a_repeated_reminder_stops_when_it_is_answered(world: Ruled) -> None:
    await world.rule(
        when=[{"event": "message.opening"}],
        then=[
            note(
                "Answer!",
                wait="1h",
                cancel_on=["agent_answers"],
                repeat={"every": "1h", "times": 5},
            )
        ],
    )
    got = (await world.home.receive(message("1")))[0]
    for _ in range(3):
        await world.later(HOUR + 1)
    done = [one for one in await world.runs() if one.state == "done" and one.step == 1]
    assert {one.occurrence for one in done} == {0, 1, 2}
    await world.home.user.do(SendMessage(dialog_id=got.dialog_id, text="Here I am"))
    await world.later(5 * HOUR)
    thread = await world.home.user.thread(got.dialog_id)
    assert sum(one.text == "Answer!" for one in thread.messages) == 3
    assert await world.waiting() == []


async def test_a_date_is_kept_when_it_moves_and_comes_every_year(world: Ruled) -> None:
    when = [{"event": "date", "field": "client.birthday", "yearly": True, "at": "10:00"}]
    known = await world.home.user.do(CreateClient(name="Anna", values={"birthday": "1990-03-01"}))
    rule_id = await world.rule(
        when=when, then=[{"action": "crm_actions.tag_client", "params": {"tags": ["cake"]}}]
    )
    [armed] = await world.waiting()
    await world.home.user.do(ChangeClient(client_id=known[0], values={"birthday": "1990-05-09"}))
    await world.settle()
    [moved] = await world.waiting()
    assert moved.due_at != armed.due_at
    world.home.world.offset_us += moved.due_at - world.home.world.now() + 1_000_000
    await world.settle()
    assert [one.state for one in await world.runs(rule_id=rule_id)] == ["done"]
    [following] = await world.waiting()
    assert 364 < (following.due_at - moved.due_at) / 1_000_000 / DAY < 367
    await world.home.user.do(ChangeClient(client_id=known[0], values={"birthday": ""}))
    await world.settle()
    assert await world.waiting() == []


async def test_a_schedule_takes_what_its_filter_finds_each_time(world: Ruled) -> None:
    for name, status in (("Anna", "active"), ("Boris", "lost"), ("Clara", "active")):
        await world.home.user.do(CreateClient(name=name, values={"status": status}))
    await world.rule(
        when=[
            {
                "event": "schedule",
                "cron": "30 8 * * *",
                "zone": "Europe/Moscow",
                "each": {
                    "kind": "client",
                    "filter": {"field": "client.status", "operator": "equals", "value": "active"},
                },
            }
        ],
        then=[{"action": "crm_actions.tag_client", "params": {"tags": ["call"]}}],
    )
    await world.later(DAY)
    assert len(await world.runs()) == 2
    await world.later(DAY)
    assert len(await world.runs()) == 4
    assert {one.kind for one in await world.waiting()} == {"schedule"}


async def test_a_burst_of_edits_is_one_change(world: Ruled) -> None:
    known = (await world.home.user.do(CreateClient(name="Anna")))[0]
    await world.rule(
        when=[{"event": "client.changed", "settle": "30s"}],
        if_={"field": "client.status", "operator": "changed_from", "value": "prospect"},
        then=[{"action": "crm_actions.tag_client", "params": {"tags": ["moved"]}}],
    )
    for status in ("active", "partner"):
        await world.home.user.do(ChangeClient(client_id=known, values={"status": status}))
        await world.later(10)
    assert await world.runs() == []
    await world.later(31)
    [run] = await world.runs()
    assert run.why["seen"] == ["prospect", "partner"]


async def test_conditions_are_judged_again_when_a_step_is_due(world: Ruled) -> None:
    await world.rule(
        when=[{"event": "message.opening"}],
        if_={"field": "dialog.status", "operator": "equals", "value": "new"},
        then=[note("at once"), note("later", wait="1h"), note("in any case", recheck=False)],
    )
    got = (await world.home.receive(message("1")))[0]
    await world.settle()
    await world.home.user.do(SetDialogStatus(dialog_id=got.dialog_id, status="closed"))
    await world.later(HOUR + 1)
    late = next(one for one in await world.runs() if one.step == 2)
    assert late.state == "held"
    assert "do not hold" in late.steps[0].reason


async def test_whoever_changes_a_rule_says_what_becomes_of_what_it_waits_for(world: Ruled) -> None:
    when = [{"event": "message.opening"}]
    rule_id = await world.rule(when=when, then=[note("old words", wait="1h")])
    got = (await world.home.receive(message("1")))[0]
    await world.settle()

    def saying(text: str, armed: str) -> SaveRule:
        definition = {"name": "A rule", "when": when, "then": [note(text, wait="1h")]}
        return SaveRule(rule_id=rule_id, definition=definition, armed=armed)

    with pytest.raises(Conflict) as refused:
        await world.home.user.do(saying("new words", "ask"))
    assert (refused.value.what, refused.value.details) == ("armed", {"waiting": 1, "steps": 1})
    await world.home.user.do(saying("new words", "keep"))
    await world.later(2 * HOUR)
    notes = (await world.home.user.thread(got.dialog_id)).messages
    assert [one.text for one in notes if one.direction == "note"] == ["new words"]
    # Nothing waits: there is nothing to ask.
    await world.home.user.do(saying("newer words", "ask"))
    await world.settle()
    await world.home.receive(message("2", "boris"))
    await world.settle()
    await world.home.user.do(saying("newest words", "cancel"))
    assert await world.waiting() == []


async def test_a_rule_that_is_off_keeps_what_it_waits_for(world: Ruled) -> None:
    rule_id = await world.rule(when=[{"event": "message.opening"}], then=[note("later", wait="1h")])
    await world.home.receive(message("1"))
    await world.settle()
    await world.home.user.do(SwitchRule(rule_id=rule_id, enabled=False))
    await world.later(2 * HOUR)
    assert len(await world.waiting()) == 1
    # What an idle rule holds is overdue for ever: the engine does not look for it all the time.
    assert await world.engine.rest() == 1.0
    await world.home.user.do(SwitchRule(rule_id=rule_id, enabled=True))
    await world.settle()
    assert await world.waiting() == []


async def test_quiet_hours_put_words_off_and_nothing_else(world: Ruled) -> None:
    now = datetime.fromtimestamp(world.home.user.now() / 1_000_000, UTC)
    quiet = {
        "from": (now - timedelta(minutes=30)).strftime("%H:%M"),
        "to": (now + timedelta(minutes=30)).strftime("%H:%M"),
    }
    await world.rule(
        when=[{"event": "message.opening"}],
        then=[note("Came at night"), say("Good morning")],
        guards={"quiet": quiet},
    )
    night = (await world.home.receive(message("1", "anna")))[0]
    await world.settle()
    assert await world.said(night.dialog_id) == []
    assert {one.state for run in await world.runs() for one in run.steps} == {"done", "waiting"}
    await world.later(29 * MINUTE)
    assert await world.said(night.dialog_id) == []
    await world.later(2 * MINUTE)
    assert [one.text for one in await world.said(night.dialog_id)] == ["Good morning"]
    day = (await world.home.receive(message("2", "boris")))[0]
    await world.settle()
    assert len(await world.said(day.dialog_id)) == 1


async def test_a_person_hears_so_much_a_day_whatever_the_rules_say(world: Ruled) -> None:
    await world.rule(when=[{"event": "message.received"}], then=[say("Noted")])
    await world.rule(when=[{"event": "message.received"}], then=[say("Noted again")])
    for n in range(14):
        got = (await world.home.receive(message(str(n), "anna", text=f"And {n}")))[0]
        await world.settle()
        await world.later(HOUR + 1)
    assert len(await world.said(got.dialog_id)) == MOST_A_DAY
    refused = [one.reason for run in await world.runs() for one in run.steps if one.state == "held"]
    assert refused
    await world.later(DAY)
    await world.home.receive(message("next", "anna"))
    await world.settle()
    assert len(await world.said(got.dialog_id)) == MOST_A_DAY + 2
