"""The contract of a plugin: subclass it, name the module, and pytest does the rest.

    class TestPigeonDesk(PluginContract):
        module = "pigeon_desk"

| check | what it finds | asked of |
|-------|---------------|----------|
| import | a module that fails, prints or warns when it is imported, or drags the web framework in | everybody |
| shapes | a hook that does not exist or has the wrong shape; a `register_*` that gives other things | everybody |
| door | an import of anything of ours but the front door | everybody |
| tables | a table without the plugin's prefix or without a key | `register_tables` |
| events | facts offered twice (they are, after a crash) that count twice | `event_occurred` |
| kinds | a kind that cannot be registered, or whose objects cannot be made, found, changed, exported | `register_kinds` |
| segment fields | a field that the database cannot be asked by, that loses people, or has no Russian words | `register_segment_fields` |
| blocking | a call of an asynchronous hook that waits or computes on the loop | `event_occurred`, `dialog_panels` |

The hub of `events`, `segment fields` and `blocking` is a whole real one, in a temporary folder.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from hub.errors import HubError
from hub.events.base import Event
from hub.plugin_host import GIVES, GIVES_CLASSES, PluginHost
from hub.testing.blocking import watch_loop
from hub.testing.checks import Contract, check, expect
from hub.testing.kind_checks import try_kind
from hub.testing.real_hub import RunningHub, running_hub
from hub.testing.segment_checks import try_segment_field

OURS = ("hub", "channels", "dialogs", "triggers", "crm_store", "plugins")
HEAVY = ("starlette", "fastapi", "uvicorn", "crm_store", "dialogs", "triggers", "hub.runtime")


def _has(*hooks: str) -> Any:
    def asks(case: type[PluginContract]) -> bool:
        return any(hook in case.hooks() for hook in hooks)

    return asks


class PluginContract(Contract):
    """You give `module`; the rest only where your plugin needs more to happen."""

    module: ClassVar[str]
    """The module of the plugin, as its entry point names it."""
    plugin_name: ClassVar[str] = ""
    """The name of its entry point; the last part of the module unless told."""

    async def happen(self, house: RunningHub) -> None:
        """You may override: let happen in a real hub what your plugin wants to hear of."""
        [received] = await house.arrive("How much is it?")
        await house.answer(received.dialog_id, "Ten")

    @classmethod
    def subject(cls) -> Any:
        """The module's name."""
        return getattr(cls, "module", None)

    @classmethod
    def name(cls) -> str:
        """The plugin's name."""
        return cls.plugin_name or cls.module.rpartition(".")[2]

    @classmethod
    def hooks(cls) -> tuple[str, ...]:
        """The hooks that the module implements, by the look of them; nothing is run."""
        try:
            found = importlib.import_module(cls.module)
        except Exception:  # noqa: BLE001 - the check `import` says what is wrong
            return ()
        return tuple(
            name
            for name in dir(found)
            if inspect.isroutine(getattr(found, name)) and hasattr(getattr(found, name), "hub_impl")
        )

    def host(self) -> PluginHost:
        """A host with this plugin alone."""
        host = PluginHost()
        try:
            host.add(self.name(), importlib.import_module(self.module))
        except HubError as error:
            expect(False, str(error))
        return host

    @check(1, "import")
    def test_importing_does_nothing(self) -> None:
        """A fresh interpreter imports it without a word, a warning or the web framework."""
        script = (
            f"import sys, {self.module}\n"
            f"print(*[one for one in {HEAVY!r} if one in sys.modules], end='')"
        )
        command = [sys.executable, "-W", "error", "-c", script]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=environment
        )
        said = ended.stderr.strip().splitlines()
        expect(ended.returncode == 0, f"import fails: {said[-1] if said else 'without a word'}")
        expect(not ended.stdout, f"importing prints, or drags in: {ended.stdout.strip()[:200]}")
        expect(not said, f"importing writes to standard error: {said[:1]}")

    @check(2, "shapes")
    def test_hooks_have_their_shapes(self) -> None:
        """Every hook exists, is sync or async as its kind, and gives what it is named for."""
        host = self.host()
        plugin = host.plugins[self.name()]
        expect(plugin.hooks, "the module implements no hook: mark them with @hookimpl")
        for hook in plugin.hooks:
            if hook == "register_tables" or not hook.startswith("register_"):
                continue
            with watch_loop():
                found = host.collect_from(plugin, hook)
                again = host.collect_from(plugin, hook)
            expect(not plugin.error, f"{plugin.error}")
            expect(len(found) == len(again), f"{hook} gives other things when called twice")
            for one in found:
                self._is_right(hook, one)

    def _is_right(self, hook: str, one: object) -> None:
        base = GIVES_CLASSES.get(hook)
        if base is not None:
            right = inspect.isclass(one) and issubclass(one, base)
            expect(right, f"{hook} gives {one!r}, which is no subclass of {base.__name__}")
            kind = getattr(one, "type", "") if hook == "register_events" else ""
            own = not kind or kind.startswith(f"{self.name()}.")
            expect(own, f"the type of an event is {kind!r}, not {self.name()}.…")
        elif hook in GIVES:
            words = " or ".join(one.__name__ for one in GIVES[hook])
            expect(isinstance(one, GIVES[hook]), f"{hook} gives {one!r}, not {words}")

    @check(3, "door")
    def test_only_the_front_door_is_used(self) -> None:
        """`import hub` shows all there is; what is behind it may change any day."""
        spec = importlib.util.find_spec(self.module)
        expect(spec is not None and spec.origin, "there is no such module")
        assert spec is not None
        assert spec.origin is not None
        own = self.module.split(".")
        files = [Path(spec.origin)]
        if spec.submodule_search_locations:
            files = sorted(Path(spec.origin).parent.rglob("*.py"))
        for file in files:
            if "migrations" in file.parts:
                continue
            for module in _imports(file):
                parts = module.split(".")
                if parts[0] not in OURS or parts[: len(own)] == own:
                    continue
                if parts[: len(own) - 1] == own[:-1] and parts[len(own) - 1].startswith("_"):
                    # What siblings share stands beside them: channels._twilio.
                    continue
                fine = module in _front_door() or module.rpartition(".")[0] in _front_door()
                expect(fine, f"{file.name} imports {module}, which is behind the front door")

    @check(4, "tables", asks=_has("register_tables"))
    def test_tables_carry_the_name_of_the_plugin(self) -> None:
        """Nobody else's table is touched, and every row can be named."""
        from sqlalchemy import MetaData

        host, metadata = self.host(), MetaData()
        plugin = host.plugins[self.name()]
        host.collect_from(plugin, "register_tables", metadata=metadata)
        expect(not plugin.error, plugin.error)
        expect(metadata.tables, "register_tables declares no table")
        for name, table in metadata.tables.items():
            prefix = f"{self.name()}_"
            expect(name.startswith(prefix), f"table {name!r} does not start with {prefix!r}")
            expect(list(table.primary_key), f"table {name!r} has no primary key")

    @check(5, "events", asks=_has("event_occurred"))
    def test_facts_that_come_twice_count_once(self) -> None:
        """After a crash the last facts are offered again: nothing is done again."""

        async def work(folder: Path) -> None:
            plugins = {self.name(): importlib.import_module(self.module)}
            async with running_hub(folder, plugins=plugins, only=(), workers=False) as house:
                await self.happen(house)
                events = await self._facts(house)
                expect(events, "nothing happened that the plugin wants to hear of: give `happen`")
                await self._offer(house, events)
                once = await _rows(house)
                await self._offer(house, events)
                twice = await _rows(house)
                more = {name: n for name, n in twice.items() if n != once.get(name)}
                expect(not more, f"facts offered twice make more rows in {sorted(more)}")

        self._in_a_folder(work)

    @check(6, "blocking", asks=_has("event_occurred", "dialog_panels"))
    def test_asynchronous_hooks_do_not_block(self) -> None:
        """What waits or computes on the loop holds up every dialog of the house."""

        async def work(folder: Path) -> None:
            plugins = {self.name(): importlib.import_module(self.module)}
            async with running_hub(folder, plugins=plugins, only=(), workers=False) as house:
                await self.happen(house)
                events = await self._facts(house)
                # The first round may import and open what stays open.
                for watched in (False, True):
                    with watch_loop() as found:
                        if "event_occurred" in self.hooks() and events:
                            await self._offer(house, events)
                        if "dialog_panels" in self.hooks():
                            for dialog in await house.dialogs():
                                await self._call(house, "dialog_panels", dialog=dialog)
                    expect(not (watched and found), f"a hook blocks the loop: {found[:1]}")

        self._in_a_folder(work)

    @check(7, "kinds", asks=_has("register_kinds"))
    def test_objects_of_its_kinds_live_as_all_others(self) -> None:
        """Made, found by every property, sorted, changed, exported, put into the bin."""

        async def work(folder: Path) -> None:
            plugins = {self.name(): importlib.import_module(self.module)}
            async with running_hub(folder, plugins=plugins, only=(), workers=False) as house:
                error = house.runtime.plugins.plugins[self.name()].error
                expect(not error, f"the plugin is left out: {error}")
                for noun in house.runtime.nouns.values():
                    if noun.plugin == self.name():
                        try:
                            await try_kind(house, noun)
                        except HubError as refusal:
                            expect(False, f"{noun.kind.name}: {refusal}")

        self._in_a_folder(work)

    @check(8, "segment fields", asks=_has("register_segment_fields"))
    def test_segments_can_ask_for_its_fields(self) -> None:
        """Every operator can be asked, and whom a condition does not find, its contrary finds."""

        async def work(folder: Path) -> None:
            plugins = {self.name(): importlib.import_module(self.module)}
            async with running_hub(folder, plugins=plugins, only=(), workers=False) as house:
                error = house.runtime.plugins.plugins[self.name()].error
                expect(not error, f"the plugin is left out: {error}")
                await self.happen(house)
                for field in house.runtime.segment_fields.values():
                    if field.name.startswith(f"{self.name()}."):
                        await try_segment_field(house, field)

        self._in_a_folder(work)

    def _in_a_folder(self, work: Any) -> None:
        with tempfile.TemporaryDirectory(prefix="hub-contract-") as folder:
            asyncio.run(work(Path(folder)))

    async def _facts(self, house: RunningHub) -> Sequence[Event]:
        return await house.facts(*house.runtime.plugins.plugins[self.name()].event_types)

    async def _offer(self, house: RunningHub, events: Sequence[Event]) -> None:
        await self._call(house, "event_occurred", events=tuple(events))

    async def _call(self, house: RunningHub, hook: str, **arguments: Any) -> None:
        from hub.objects import Actor, ActorKind

        handle = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=self.name()))
        plugin = house.runtime.plugins.plugins[self.name()]
        try:
            await house.runtime.plugins.call(plugin, hook, hub=handle, **arguments)
        except Exception as error:  # noqa: BLE001 - reported as what it is
            expect(False, f"{hook} raised {type(error).__name__}: {error}")


async def _rows(house: RunningHub) -> dict[str, int]:
    def count(conn: Any) -> dict[str, int]:
        from sqlalchemy import func, inspect, select, table

        names = inspect(conn).get_table_names()
        return {
            name: conn.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in names
            # What an index is made of cannot be counted, and nothing of it is kept by itself.
            if not name.startswith("grams_")
        }

    found: dict[str, int] = await house.runtime.database.read(count)
    return found


def _imports(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
            if node.module == "hub":
                found += [f"hub.{one.name}" for one in node.names if _is_module(one.name)]
    return found


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(f"hub.{name}") is not None


@cache
def _front_door() -> frozenset[str]:
    """The modules that `import hub` itself brings: these and nothing else of ours."""
    script = "import sys, hub; print(*[one for one in sys.modules if one.split('.')[0] == 'hub'])"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    return frozenset(ended.stdout.split())
