"""Asking for what a card lacks: once, by a rule; the answer on the card, seen and taken off again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from crm_store import people
from crm_store.sameness import said_name
from crm_store.unlinked import said_in
from hub import (
    AddAddress,
    Address,
    Conflict,
    Contact,
    ContactId,
    CreateContact,
    DialogId,
    SettleSaid,
    TakeAnswers,
    UpdateContact,
)
from tests.houses import message
from tests.scenarios.rules.house import Ruled, ruled

ASK = {
    "action": "crm_actions.ask_for_data",
    "params": {
        "text": "One moment:",
        "name": "Your name?",
        "phone": "Your phone?",
        "email": "Your e-mail?",
    },
}
RULE = {"name": "Ask", "when": [{"event": "message.received"}], "then": [ASK]}


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url, rules=[RULE]) as one:
        yield one


async def writes(world: Ruled, key: str, text: str = "Good day", who: str = "7001") -> DialogId:
    """Somebody without a name writes, and what he answers is taken."""
    given = (await world.home.receive(message(key, who, text=text, name="")))[0]
    await world.home.system.do(TakeAnswers(message_ids=(given.message_id,)))
    await world.settle()
    return given.dialog_id


async def card(world: Ruled, dialog_id: DialogId) -> Contact:
    contact_id = (await world.home.user.dialog(dialog_id)).contact_id
    found: Contact = await world.home.user.read(people.contact, contact_id)
    return found


async def lines(world: Ruled, dialog_id: DialogId) -> list[tuple[list[str], list[str]]]:
    """What the lines of the dialog say was taken, and what could not be read."""
    thread = await world.home.user.thread(dialog_id)
    return [
        ([*cast("Any", one.data["taken"])], [*cast("Any", one.data["missing"])])
        for one in thread.history
        if one.type == "details.answered"
    ]


async def test_what_is_missing_is_asked_once_and_the_answer_is_on_the_card(world: Ruled) -> None:
    dialog = await writes(world, "1")
    asked = [one.text for one in await world.said(dialog)]
    assert asked == ["One moment:\nYour name?\nYour phone?\nYour e-mail?"]
    await writes(world, "2", "Меня зовут Анна, 8 912 345-67-89")
    found = await card(world, dialog)
    assert found.name == "Анна"
    [phone] = [one for one in found.addresses if one.kind == "phone"]
    assert (phone.value, phone.verified, phone.matched_by) == ("+79123456789", False, "answer")
    assert await lines(world, dialog) == [(["name", "phone"], ["email"])]
    # The rest of the answer may come later; nobody is asked again.
    await writes(world, "3", "and a@example.com")
    assert (await lines(world, dialog))[1:] == [(["email"], [])]
    assert len(await world.said(dialog)) == 1
    held = [one for run in await world.runs() for one in run.steps if one.state == "held"]
    assert len(held) == 2
    assert all("asked before" in one.reason for one in held)
    # What is written when everything was answered is no answer.
    await writes(world, "4", "call my friend: +7 905 111-22-33")
    assert len((await card(world, dialog)).addresses) == 3


async def test_an_answer_is_kept_or_taken_off_the_card(world: Ruled) -> None:
    dialog = await writes(world, "1")
    await writes(world, "2", "Anna, +7 912 345-67-89, a@example.com")
    told = {one.kind: one for one in await world.home.user.read(said_in, dialog)}
    assert {kind: one.on_card for kind, one in told.items()} == {
        "name": True,
        "phone": True,
        "email": True,
    }
    await world.home.user.do(
        SettleSaid(said_id=told["phone"].id, take=False),
        SettleSaid(said_id=told["name"].id, take=False),
        SettleSaid(said_id=told["email"].id, take=True),
    )
    found = await card(world, dialog)
    assert (found.name, {one.kind for one in found.addresses}) == ("7001", {"pigeon", "email"})
    assert await world.home.user.read(said_in, dialog) == []
    with pytest.raises(Conflict):
        await world.home.user.do(SettleSaid(said_id=told["phone"].id, take=True))


async def test_what_cannot_be_read_is_said_once(world: Ruled) -> None:
    dialog = await writes(world, "1")
    await writes(world, "2", "why do you ask?")
    await writes(world, "3", "no")
    assert await lines(world, dialog) == [([], ["name", "phone", "email"])]


async def test_an_address_of_somebody_else_is_left_to_a_colleague(world: Ruled) -> None:
    user = world.home.user
    boris = Address(kind="phone", value="+79123456789")
    owner = (await user.do(CreateContact(name="Boris", addresses=(boris,))))[0]
    dialog = await writes(world, "1")
    await writes(world, "2", "8 912 345-67-89")
    [told] = await user.read(said_in, dialog)
    assert (told.owner_id, told.on_card) == (ContactId(owner), False)
    assert await lines(world, dialog) == [([], ["name", "phone", "email"])]


async def test_nobody_is_asked_before_others(world: Ruled) -> None:
    sent = message(
        "1", "7004", name="", group=True, thread_key="club", profile={"group_name": "Club"}
    )
    given = (await world.home.receive(sent))[0]
    await world.settle()
    assert await world.said(given.dialog_id) == []
    [run] = await world.runs()
    assert (run.steps[0].state, run.steps[0].reason) == (
        "held",
        "several people write in this dialog",
    )


async def test_what_is_known_is_not_asked(world: Ruled) -> None:
    user = world.home.user
    dialog = await writes(world, "1", who="7002")
    other = await world.home.receive(message("2", "7003", text="/start", name=""), letter=False)
    who = (await user.dialog(other[0].dialog_id)).contact_id
    await user.do(
        UpdateContact(contact_id=who, name="Vera"),
        AddAddress(contact_id=who, address=Address(kind="phone", value="+79050000001")),
        AddAddress(contact_id=who, address=Address(kind="email", value="v@example.com")),
    )
    await world.settle()
    assert await world.said(other[0].dialog_id) == []
    assert len(await world.said(dialog)) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Анна", "Анна"),
        ("Здравствуйте, меня зовут Анна Петрова", "Анна Петрова"),
        ("my name is Vera Smith, a@b.ru", "Vera Smith"),
        ("Иванов Иван Петрович 89123456789", "Иванов Иван Петрович"),
        ("Спасибо", ""),
        ("Хорошо, завтра", ""),
        ("+7 912 345-67-89", ""),
        ("Сколько стоит?", ""),
    ],
)
def test_a_name_is_made_out_of_an_answer(text: str, name: str) -> None:
    assert said_name(text) == name
