"""The gallery over the real engine: each recipe is made a rule, and does what its title says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    ChangeObject,
    CreateClient,
    CreateObject,
    DialogId,
    GiveConsent,
    InboundMessage,
    LinkContact,
    SaveRule,
    SendMessage,
    SetDialogStatus,
    SetRequestStatus,
)
from plugins.crm_actions.recipes import RECIPES
from tests.houses import message
from tests.scenarios.rules.house import Ruled, ruled
from triggers.examples import checked
from triggers.gallery import rule_of
from triggers.reading import read

DAY = 86_400


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url) as one:
        yield one


async def use(world: Ruled, *keys: str) -> None:
    """Make rules of recipes, switched on."""
    for key in keys:
        found = next(one for one in RECIPES if one.key == key)
        await world.home.user.do(SaveRule(definition=rule_of(found, "ru"), enabled=True))
    await world.settle()


async def made(world: Ruled, kind: str) -> list[Any]:
    page = await world.home.user.read(objects.page, NOUNS[kind], ObjectQuery())
    return list(page.items)


async def writes(world: Ruled, *given: InboundMessage) -> list[DialogId]:
    got = await world.home.receive(*given)
    await world.settle()
    return [one.dialog_id for one in got]


async def client_of(world: Ruled, dialog_id: DialogId) -> int:
    dialog = await world.home.user.dialog(dialog_id)
    command = CreateClient(name="Anna Ltd", contact_id=dialog.contact_id)
    return int((await world.home.user.do(command))[0])


async def did(world: Ruled) -> dict[str, list[str]]:
    """The states of the steps of each rule's newest run."""
    found: dict[str, list[str]] = {}
    for run in await world.runs(limit=200):
        found.setdefault(run.rule_name, [one.state for one in run.steps])
    return found


async def test_every_recipe_is_a_rule_in_both_languages(world: Ruled) -> None:
    words = world.home.runtime.rule_words
    assert len(RECIPES) >= 38
    for one in RECIPES:
        for language in ("en", "ru"):
            definition = read(checked(rule_of(one, language), words), words)
            assert definition.name == (one.title if language == "en" else one.translations["ru"][0])


async def test_intake(world: Ruled) -> None:
    await use(
        world,
        "reject_noise",
        "new_sender",
        "known_client_interest",
        "append_request",
        "sort_by_meaning",
        "repeat_enquiry",
    )
    [noise] = await writes(world, message("n", "robot", automated=True))
    assert (await world.home.user.dialog(noise)).status == "closed"
    [anna] = await writes(world, message("1", "anna", text="Здравствуйте"))
    [lead] = await world.leads()
    assert "Anna" in (await world.said(anna))[0].text
    await world.home.user.do(
        ChangeObject(kind="lead", object_id=lead.id, values={"source": "site"}),
    )
    await client_of(world, anna)
    await world.home.user.do(SetDialogStatus(dialog_id=anna, status="closed"))
    [boris] = await writes(world, message("2", "boris", text="Это ужасно, верните деньги"))
    dialog = await world.home.user.dialog(boris)
    assert (dialog.priority, dialog.tags) == (1, ("complaint",))
    runs = await did(world)
    assert runs["Отклонить шум"] == ["done", "done"]


async def test_a_known_client_and_an_open_request(world: Ruled) -> None:
    [first] = await writes(world, message("1", "anna", text="Привет"))
    client = await client_of(world, first)
    contact = (await world.home.user.dialog(first)).contact_id
    await use(world, "append_request", "known_client_interest")
    [second] = await writes(world, message("2", "anna-two", text="Сколько стоит? Нужна цена"))
    await world.home.user.do(LinkContact(dialog_id=second, contact_id=contact))
    third = await world.home.user.do(CreateObject(kind="request", dialog_id=first))
    # The person's next dialog is over another account: the same human, another address.
    await world.home.user.do(SetDialogStatus(dialog_id=second, status="closed"))
    await world.later(60 * DAY)
    [later] = await writes(world, message("3", "anna-two", text="И ещё вопрос"))
    links = await world.home.user.read(objects.of_dialog, NOUNS["request"], later)
    assert [one.id for one in links] == third
    assert client


async def test_service(world: Ruled) -> None:
    await use(world, "slow_first_answer", "client_silent", "nobody_took_it")
    [anna] = await writes(world, message("1", "anna", text="Есть кто?"))
    await world.later(4 * 60)
    assert [one.text for one in await world.said(anna)] == ["Минутку, мы уже смотрим ваш вопрос."]
    await world.home.user.do(SendMessage(dialog_id=anna, text="Сколько штук?"))
    await world.later(3 * DAY + 60)
    await world.later(3 * DAY + 60)
    assert (await world.home.user.dialog(anna)).status == "closed"


async def test_clients_and_sales(world: Ruled) -> None:
    await use(
        world,
        "poor_card",
        "birthday",
        "forgotten_clients",
        "stage_task",
        "request_state",
        "no_next_step",
    )
    [anna] = await writes(world, message("1", "anna", text="Хочу лодку"))
    client = await client_of(world, anna)
    await world.home.user.do(
        ChangeObject(
            kind="client", object_id=client, values={"status": "active", "birthday": "1990-05-01"}
        )
    )
    request = (await world.home.user.do(CreateObject(kind="request", dialog_id=anna)))[0]
    await world.home.user.do(SetRequestStatus(request_id=request, status="solved", solution="ok"))
    await world.settle()
    assert (await world.said(anna))[-1].text == "Ваша заявка 1001 решена."
    await world.later(8 * DAY)
    titles = {one.title for one in await made(world, "task")}
    assert "Заполнить карточку клиента" in titles
    await world.later(61 * DAY)
    await world.later(3 * DAY)
    titles = {one.title for one in await made(world, "task")}
    assert "Позвонить забытому клиенту" in titles
    # A greeting is advertising: only who consented gets it.
    contact = (await world.home.user.dialog(anna)).contact_id
    await world.home.user.do(GiveConsent(contact_id=contact))
    await world.later(365 * DAY)
    assert any(one.text == "С днём рождения!" for one in await world.said(anna))
