"""A mark by buttons and by a signed link: asked by a rule, given by the client, heard by a rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    Actor,
    ActorKind,
    Address,
    ButtonPressed,
    Capabilities,
    Channel,
    ClaimJobs,
    Conflict,
    ContactErased,
    ContactId,
    CreateAccount,
    CreateObject,
    CreateUser,
    DialogId,
    InboundMessage,
    MessageReceived,
    Micros,
    NotFound,
    PluginRequest,
    SaveRule,
    SendMessage,
    SetDialogStatus,
    SetRequestStatus,
    WinInterest,
    hookimpl,
)
from hub.rule_desk import RuleDesk
from hub.rule_engine import RuleEngine
from plugins import crm_actions, csat
from plugins.csat.asking import ask
from plugins.csat.commands import KeepAsk, Rate
from plugins.csat.pages import numbers, question, vote
from plugins.csat.recipes import RECIPES
from tests.houses import House, NoSettings, World, channels_of, house, message, until
from tests.scenarios.rules.house import Ruled
from triggers.gallery import rule_of

DAY_US = 86_400_000_000


def keyed(world: World) -> ModuleType:
    """A channel whose messages have buttons."""
    pigeon: Any = channels_of(world)[0]

    class Keyed(pigeon):  # type: ignore[misc]
        name = "keyed"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="keyed", initiates=True, buttons=8, rate_per_second=1000
        )
        Settings = NoSettings

    module = ModuleType("keyed")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Keyed]

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


TEXT = 'Your mark, {{ contact.first_name | "friend" }}?'


async def rules(home: House) -> None:
    """Ask whoever writes; and the ready rule of low marks."""
    then = [{"action": "csat.ask", "params": {"text": TEXT, "days": 30}}]
    asks = {"name": "Asks", "when": [{"event": "message.received"}], "then": then}
    low = next(one for one in RECIPES if one.key == "low_mark")
    await home.user.do(
        SaveRule(definition=asks, enabled=True),
        SaveRule(definition=rule_of(low, "en", {}), enabled=True),
    )


async def tasks(home: House) -> list[str]:
    page = await home.user.read(objects.page, NOUNS["task"], ObjectQuery(limit=100))
    return [one.title for one in page.items]


async def test_a_pressed_button_is_the_mark(tmp_path: Path, database_url: str) -> None:
    world = World()
    plugins = [("crm_actions", crm_actions), ("csat", csat), ("keyed", keyed(world))]
    async with house(
        tmp_path, database_url, plugins=plugins, world=world, workers=True, migrate=True
    ) as home:
        await rules(home)
        account_id = (await home.user.do(CreateAccount(channel="keyed", title="Keys")))[0]
        account = await home.user.account(account_id)
        anna = Address(kind="keyed", value="anna", name="Anna Petrova")
        says = InboundMessage(
            dedupe_key="m1", external_id="m1", sender=anna, text="Thanks", sent_at=world.now()
        )
        dialog_id = (await home.runtime.receive(account, [says]))[0].dialog_id
        sent = await until(lambda: world.sent)
        assert [one.label for one in sent[0].buttons] == ["1", "2", "3", "4", "5"]
        assert sent[0].text == "Your mark, Anna?"
        payload = sent[0].buttons[1].payload
        for press in ("p1", "p1", "p2"):
            pressed = ButtonPressed(
                dedupe_key=press,
                external_id=f"out-{sent[0].idempotency_key}",
                sender=anna,
                payload=payload,
            )
            await home.runtime.receive(account, [pressed])

        async def tagged() -> bool:
            return "bad mark" in (await home.user.dialog(dialog_id)).tags

        await until(tagged)
        # Pressed twice, and asked once though she wrote (pressed) again.
        assert await tasks(home) == ["Find out why the mark is low"]
        assert len(world.sent) == 1
        hub = home.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
        panel = (await csat.dialog_panels(hub, await home.user.dialog(dialog_id)))[0]
        assert [(one.label, one.tone) for one in panel.lines] == [("2 / 5", "bad")]


def request(token: str, method: str = "GET", **fields: str) -> PluginRequest:
    return PluginRequest(
        method=method,
        url="https://hub.example/p/csat/mark/x",
        headers={},
        query={},
        body=b"",
        received_at=Micros(0),
        path={"token": token},
        fields=fields,
        language="ru",
    )


async def test_a_link_votes_by_its_button_only(tmp_path: Path, database_url: str) -> None:
    world = World()
    async with house(
        tmp_path, database_url, plugins=[("csat", csat)], world=world, migrate=True
    ) as home:
        hub = home.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
        dialog_id = (await home.receive(message("m1", "boris", text="Hello")))[0].dialog_id
        payload = {"dialog_id": str(dialog_id), "text": "Your mark?", "days": 30}
        await ask(hub, payload)
        await ask(hub, payload)
        said = [
            one.text
            for one in (await home.user.thread(dialog_id)).messages
            if one.direction == "out"
        ]
        assert len(said) == 1
        token = said[0].rpartition("/")[2]
        page: Any = await question(hub, request(token))
        assert "Как мы справились?" in page.content.decode()
        assert (await marks(hub)) == [(1, 0, 0.0)]
        assert (await question(hub, request("forged"))).status == 404  # type: ignore[union-attr]
        assert (await vote(hub, request(token, "POST", mark="9"))).status == 422  # type: ignore[union-attr]
        await vote(hub, request(token, "POST", mark="2", comment="Long\0 wait"))
        await vote(hub, request(token, "POST", mark="4"))
        assert (await marks(hub)) == [(1, 1, 4.0)]
        dialog = await home.user.dialog(dialog_id)
        assert (await csat.dialog_panels(hub, dialog))[0].lines[0].value == "Long wait"
        await csat.event_occurred(hub, (ContactErased(contact_id=dialog.contact_id),))
        assert (await csat.dialog_panels(hub, dialog))[0].lines[0].value == ""
        world.offset_us += DAY_US + 1_000_000
        assert (await vote(hub, request(token, "POST", mark="1"))).status == 410  # type: ignore[union-attr]
        assert (await marks(hub)) == [(1, 1, 4.0)]
        with pytest.raises(NotFound):
            await hub.do(Rate(ask_id=7, mark=5, dialog_id=DialogId(1)))
        kept = KeepAsk(
            ask_id=hub.new_id(),
            dialog_id=dialog_id,
            contact_id=ContactId(dialog.contact_id),
            user_id=0,
            channel="pigeon",
            days=30,
        )
        # Neither in this dialog again, nor in another one of the same person.
        for one in (kept, replace(kept, ask_id=hub.new_id(), dialog_id=DialogId(1))):
            with pytest.raises(Conflict):
                await hub.do(one)


async def marks(hub: Any) -> list[tuple[int, int, float]]:
    given: Any = await numbers(hub, request(""))
    return [(one["asked"], one["rated"], one["mean"]) for one in given.value["items"]]


async def asked_and_low(folder: Path, url: str, key: str, end: Any, later: float) -> None:
    """Have one ready rule ask after an end, vote low by its link, and the other rule act."""
    world = World()
    plugins = [("crm_actions", crm_actions), ("csat", csat)]
    async with house(folder, url, plugins=plugins, world=world, migrate=True) as home:
        engine = RuleEngine(home.runtime)
        await engine.begin()
        stage = Ruled(home, engine)
        hub = home.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
        for one in RECIPES:
            if one.key in (key, "low_mark"):
                await home.user.do(SaveRule(definition=rule_of(one, "en", {}), enabled=True))
        dialog_id = (await home.receive(message("m1", "boris", text="Hello")))[0].dialog_id
        await home.user.do(SendMessage(dialog_id=dialog_id, text="Done"))
        for _ in range(2):
            await end(home, dialog_id)
            await stage.later(later)
            # The night of the person, where it is night there.
            await stage.noon()
            for job in (await home.system.do(ClaimJobs(worker="t", limit=9, lease_us=DAY_US)))[0]:
                await ask(hub, job.payload)
        links = [one.text for one in await stage.said(dialog_id) if "/p/csat/mark/" in one.text]
        assert len(links) == 1
        await vote(hub, request(links[0].rpartition("/")[2], "POST", mark="2"))
        await stage.settle()
        assert await tasks(home) == ["Find out why the mark is low"]
        assert "bad mark" in (await home.user.dialog(dialog_id)).tags


async def test_a_mark_is_asked_after_closing_once(tmp_path: Path, database_url: str) -> None:
    async def close(home: House, dialog_id: DialogId) -> None:
        await home.user.do(SetDialogStatus(dialog_id=dialog_id, status="open"))
        await home.user.do(SetDialogStatus(dialog_id=dialog_id, status="closed"))

    await asked_and_low(tmp_path, database_url, "ask_after_closing", close, 700)


async def test_a_mark_is_asked_after_a_request_was_solved(
    tmp_path: Path, database_url: str
) -> None:
    async def solve(home: House, dialog_id: DialogId) -> None:
        made = await home.user.do(CreateObject(kind="request", dialog_id=dialog_id))
        await home.user.do(SetRequestStatus(request_id=made[0], status="solved", solution="ok"))

    await asked_and_low(tmp_path, database_url, "ask_after_solving", solve, 700)


async def test_a_mark_is_asked_a_week_after_winning(tmp_path: Path, database_url: str) -> None:
    async def win(home: House, dialog_id: DialogId) -> None:
        values = {"title": "Boat"}
        made = await home.user.do(CreateObject(kind="interest", values=values, dialog_id=dialog_id))
        await home.user.do(WinInterest(interest_id=made[0]))

    await asked_and_low(tmp_path, database_url, "ask_after_winning", win, 7 * 86_400 + 60)


async def test_a_low_mark_is_the_supervisors_task_and_opens_the_dialog_again(
    tmp_path: Path, database_url: str
) -> None:
    plugins = [("crm_actions", crm_actions), ("csat", csat)]
    async with house(tmp_path, database_url, plugins=plugins, migrate=True) as home:
        engine = RuleEngine(home.runtime)
        await engine.begin()
        stage = Ruled(home, engine)
        hub = home.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
        boss = (
            await home.system.do(CreateUser(email="b@example.com", name="Boss", role="supervisor"))
        )[0]
        for key in ("csat.low_mark_reopens", "crm_actions.bad_mark"):
            await home.user.do(
                RuleDesk(home.runtime, home.user).of_recipe(key, "en", {}, enabled=True)
            )
        got = (await home.receive(message("m1", "boris", text="Hello")))[0]
        await ask(hub, {"dialog_id": str(got.dialog_id), "text": "Your mark?", "days": 30})
        await home.user.do(SetDialogStatus(dialog_id=got.dialog_id, status="closed"))
        [asked] = await stage.said(got.dialog_id)
        for mark in ("2", "1"):
            link = request(asked.text.rpartition("/")[2], "POST", mark=mark)
            await vote(hub, link)
            await stage.settle()
        page = await home.user.read(objects.page, NOUNS["task"], ObjectQuery())
        assert [(one.title, one.owner_id) for one in page.items] == [
            ("Find out why the mark is low", boss)
        ]
        dialog = await home.user.dialog(got.dialog_id)
        assert (dialog.status, dialog.tags) == ("open", ("bad mark",))


async def test_nobody_is_asked_for_a_mark_at_night(tmp_path: Path, database_url: str) -> None:
    plugins = [("crm_actions", crm_actions), ("csat", csat)]
    async with house(tmp_path, database_url, plugins=plugins, migrate=True) as home:
        engine = RuleEngine(home.runtime)
        await engine.begin()
        stage = Ruled(home, engine)
        await stage.noon()
        ask_now = {"action": "csat.ask", "params": {"text": "Your mark?", "days": 30}}
        rule = await stage.rule(
            when=[{"event": "message.received"}],
            then=[ask_now],
            guards={"quiet": {"from": "00:00", "to": "23:59"}},
        )
        await home.receive(message("m1", "boris", text="Hello"))
        await stage.settle()
        [run] = await stage.runs(rule_id=rule)
        assert run.steps[0].state == "waiting"


async def test_a_written_number_is_the_mark_where_nothing_else_was_asked(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url, plugins=[("csat", csat)], migrate=True) as home:
        hub = home.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="csat"))
        keys = iter(range(100))

        async def writes(who: str, text: str) -> DialogId:
            got = (await home.receive(message(f"m{next(keys)}", who, text=text)))[0]
            fact = MessageReceived(
                message_id=got.message_id,
                dialog_id=got.dialog_id,
                account_id=home.pigeon,
                contact_id=got.contact_id,
            )
            known = fact.stamped(
                id=fact.id, at=home.world.now(), actor=fact.actor, cause=fact.cause
            )
            await csat.event_occurred(hub, (known,))
            return got.dialog_id

        for who in ("anna", "boris"):
            dialog_id = await writes(who, "5")
            await ask(hub, {"dialog_id": str(dialog_id), "text": "Your mark?", "days": 30})
        assert await marks(hub) == [(2, 0, 0.0)]
        await writes("anna", "Wait, 3 pieces were missing")
        await writes("anna", " 2 из 5.")
        assert await marks(hub) == [(2, 1, 2.0)]
        # A number may answer something else.
        home.world.offset_us += 1_000_000
        await home.user.do(SendMessage(dialog_id=dialog_id, text="How many pieces?"))
        await writes("boris", "4")
        assert await marks(hub) == [(2, 1, 2.0)]
