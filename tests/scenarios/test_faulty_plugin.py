"""Plugins that fail, lie or hang: dialogs still flow, and the plugin is named."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Column, Integer, Table

from crm_store.journal import all_cursors, plugin_failures
from hub import Channel, MessageReceived, Verdict, VerdictKind, hookimpl, plugin_host
from hub.grades import GRADES
from hub.plugin_host import PluginHost
from tests.houses import World, channels_of, house, message, plugin_of, until

HOOK = "import hub\n\n@hub.hookimpl\n"
BROKEN = {
    "no_python": ("def :", "SyntaxError"),
    "raises": ("raise OSError('the licence server is away')", "licence server"),
    "exits": ("raise SystemExit(3)", "SystemExit"),
    "misspelt": (HOOK + "def register_chanels():\n    return []\n", "no hook"),
    "wrong_shape": (HOOK + "def event_occurred(hub, events):\n    pass\n", "must be async def"),
    "wrong_argument": (HOOK + "async def startup(house):\n    pass\n", "house"),
    "gives_words": (HOOK + "def register_channels():\n    return ['x']\n", "subclasses of Channel"),
    "gives_one": (HOOK + "def register_jobs():\n    return 5\n", "not iterable"),
    "gives_wrong": (HOOK + "def register_routes():\n    return [5]\n", "gives Route"),
    "fails_asked": (HOOK + "def register_routes():\n    return 1 / 0\n", "ZeroDivisionError"),
}


def made(name: str, **hooks: Any) -> tuple[str, ModuleType]:
    """Make a stranger's plugin."""
    module = ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return name, module


def test_a_plugin_that_does_not_load_is_named_and_left_out(tmp_path: Path) -> None:
    for name, (text, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    (tmp_path / "sound.py").write_text(HOOK + "async def startup(hub):\n    pass\n", "utf-8")
    for name, version in (("later", 99), ("today", 1)):
        (tmp_path / f"{name}.py").write_text("import hub\n", "utf-8")
        sheet = tmp_path / f"{name}.hub-plugin.toml"
        sheet.write_text(f"requires-hub = {version}\n", "utf-8")
    (tmp_path / "boasts.py").write_text("import hub\n", "utf-8")
    sheet = tmp_path / "boasts.hub-plugin.toml"
    sheet.write_text("[rules]\ncontract-green = 'surely'\n", "utf-8")
    host = PluginHost()
    host.load(tmp_path)
    for hook in ("register_channels", "register_jobs", "register_routes"):
        host.collect(hook)
    for name, (_, words) in BROKEN.items():
        assert host.plugins[name].state == "failed", name
        assert words in host.plugins[name].error, host.plugins[name].error
        assert "Traceback" in host.plugins[name].trace
    assert "needs hub API 99" in host.plugins["later"].error
    assert "done, todo or exempt" in host.plugins["boasts"].error
    assert {host.plugins[name].state for name in ("sound", "today", "telegram")} == {"loaded"}


async def test_half_of_a_plugin_is_not_taken(tmp_path: Path, database_url: str) -> None:
    def tables(metadata: Any) -> None:
        Table("dialogs", metadata, Column("id", Integer, primary_key=True))

    class Falcon(channels_of(World())[0]):  # type: ignore[misc]
        name = "falcon"

    greedy = made("greedy", register_channels=lambda: [Falcon], register_tables=tables)
    thief = made("thief", register_channels=lambda: channels_of(World()))
    async with house(tmp_path, database_url, plugins=(greedy, thief)) as home:
        found = home.runtime.plugins.plugins
        assert "does not start with greedy_" in found["greedy"].error
        assert "already, of the plugin 'pigeons'" in found["thief"].error
        assert set(home.runtime.channels) == {"pigeon", "letter"}
        [received] = await home.receive(message("1"))
        assert received.message_id


async def test_words_come_in_whatever_the_screens_do(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_host, "DECISION_DEADLINE", 0.2)
    released, asked = threading.Event(), []

    def hangs(screening: Any) -> Any:
        asked.append(screening.message.text)
        released.wait(60)

    def honest(screening: Any) -> Verdict | None:
        spam = screening.message.text == "spam"
        return Verdict(kind=VerdictKind.DROP, reason="spam") if spam else None

    def fails(screening: Any) -> Any:
        return 1 / 0

    plugins = (
        made("hangs", screen_inbound=hangs),
        made("fails", screen_inbound=fails),
        made("lies", screen_inbound=lambda screening: "drop"),
        made("honest", screen_inbound=honest),
    )
    async with house(tmp_path, database_url, plugins=plugins) as home:
        try:
            found = home.runtime.plugins.plugins
            for number in range(5):
                [received] = await home.receive(message(str(number), text=f"word {number}"))
                assert received.message_id
            # Three strikes: it is not asked any more, and its siblings are.
            assert asked == ["word 0", "word 1", "word 2"]
            assert found["hangs"].state == "decisions off"
            assert found["fails"].last_failure == "screen_inbound: ZeroDivisionError"
            assert found["lies"].last_failure == "screen_inbound: TypeError"
            assert [found[one].state for one in ("fails", "lies")] == ["broken", "broken"]
            assert await home.receive(message("9", text="spam")) != []
            thread = await home.system.thread(received.dialog_id)
            assert [one.text for one in thread.messages] == [f"word {n}" for n in range(5)]
            counted = await home.system.read(plugin_failures)
            assert {name: counted[name] for name in ("hangs", "fails", "lies")} == {
                "hangs": 3,
                "fails": 5,
                "lies": 5,
            }
            assert "honest" not in counted
        finally:
            released.set()


async def test_facts_reach_the_others_when_one_raises_and_one_hangs(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_host, "ASYNC_DEADLINE", 0.2)
    heard: list[str] = []
    told: list[int] = []

    async def listens(hub: Any, events: tuple[Any, ...]) -> None:
        heard.extend(one.type for one in events)
        told.extend(one.id for one in events)

    async def hangs(hub: Any, events: tuple[Any, ...]) -> None:
        await asyncio.Event().wait()

    async def fails(hub: Any, events: tuple[Any, ...]) -> None:
        raise SystemError("not today")

    plugins = (
        made("hangs", event_occurred=hangs),
        made("fails", event_occurred=fails),
        made("listens", event_occurred=listens),
    )
    for name, module in plugins:
        module.event_types = (MessageReceived.type,)  # type: ignore[attr-defined]
        assert name
    async with house(tmp_path, database_url, workers=True, plugins=plugins) as home:
        [received] = await home.receive(message("1"))
        await until(lambda: heard == [MessageReceived.type])

        async def parked() -> bool:
            cursors = await home.system.read(all_cursors)
            # Earlier facts, which nobody asked for, move the cursors too.
            return all(
                cursors.get(f"plugin:{name}", 0) >= told[-1]
                for name in ("listens", "hangs", "fails")
            )

        await until(parked)
        counted = await home.system.read(plugin_failures)
        assert counted["fails"] >= 3
        assert counted["hangs"] >= 3
        assert len((await home.system.thread(received.dialog_id)).messages) == 1


def test_every_bundled_plugin_says_how_good_it_is_and_no_machine_denies_it() -> None:
    host = PluginHost()
    host.load()
    host.collect("register_channels")
    bundled = [one for one in host.plugins.values() if one.bundled]
    assert bundled
    assert {one.name: one.grade.doubts for one in bundled if one.grade.doubts} == {}
    assert {one.name for one in bundled if one.grade.level not in ("gold", "platinum")} == set()
    assert all(issubclass(one, Channel) for _, one in host.collect("register_channels"))


def test_what_a_machine_can_see_is_not_taken_on_trust(tmp_path: Path) -> None:
    module = plugin_of(World())
    module.__file__ = str(tmp_path / "pigeons.py")
    sheet = tmp_path / "pigeons.hub-plugin.toml"
    rules = [rule for each in GRADES.values() for rule in each]
    claims = "[rules]\n" + "".join(f'{rule} = "done"\n' for rule in rules)
    sheet.write_text(claims, "utf-8")
    host = PluginHost()
    plugin = host.add("pigeons", module)
    host.collect("register_channels")
    assert set(plugin.grade.doubts) == {"owner-named", "receipts", "threads", "attachments"}
    assert (plugin.grade.level, plugin.grade.missing) == ("", ("owner-named",))
