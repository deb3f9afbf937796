"""A house with rules: the real engine on a clock that the test turns, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import DialogId, Message, RuleId, SaveRule
from hub.records.rules import RuleRun, RuleTimer
from hub.rule_engine import RuleEngine
from plugins import crm_actions
from tests.houses import House, World, house
from triggers import runs, timer_rows

US = 1_000_000


@dataclass
class Ruled:
    """A house, its engine, and what a test asks of them."""

    home: House
    engine: RuleEngine

    async def rule(self, enabled: bool = True, **definition: Any) -> RuleId:
        """Write a rule."""
        definition.setdefault("name", "A rule")
        if "if_" in definition:
            definition["if"] = definition.pop("if_")
        made = await self.home.user.do(SaveRule(definition=definition, enabled=enabled))
        await self.settle()
        return RuleId(made[0])

    async def settle(self) -> None:
        """Let the engine work until nothing is left to do now."""
        for _ in range(300):
            if not await self.engine.step():
                return
        raise AssertionError("the engine does not come to rest")

    async def later(self, seconds: float) -> None:
        """Let time pass, and the engine work."""
        self.home.world.offset_us += int(seconds * US)
        await self.settle()

    async def noon(self) -> None:
        """Let time pass until the next noon, which is in nobody's quiet hours."""
        now = self.home.world.now() // US
        await self.later((12 * 3600 - now) % 86_400 or 86_400)

    async def runs(self, **which: Any) -> list[RuleRun]:
        """The run log, the newest first."""
        return await self.home.user.read(lambda reader: runs.page(reader, **which))

    async def waiting(self, **which: Any) -> list[RuleTimer]:
        """What waits."""
        return await self.home.user.read(lambda reader: timer_rows.waiting(reader, **which))

    async def leads(self) -> list[Any]:
        """Every lead."""
        page = await self.home.user.read(objects.page, NOUNS["lead"], ObjectQuery())
        return list(page.items)

    async def said(self, dialog_id: DialogId) -> list[Message]:
        """What we wrote in a dialog, the oldest first."""
        thread = await self.home.user.thread(dialog_id)
        return [one for one in thread.messages if one.direction == "out"]


@asynccontextmanager
async def ruled(
    folder: Path,
    url: str,
    *,
    rules: Sequence[Mapping[str, Any]] = (),
    plugins: Sequence[tuple[str, Any]] = (),
    world: World | None = None,
) -> AsyncIterator[Ruled]:
    """Run a house with these rules."""
    every = [("crm_actions", crm_actions), *plugins]
    async with house(folder, url, plugins=every, world=world) as home:
        engine = RuleEngine(home.runtime)
        await engine.begin()
        one = Ruled(home, engine)
        for definition in rules:
            await one.rule(**definition)
        yield one
