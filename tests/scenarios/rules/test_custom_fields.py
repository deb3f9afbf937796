"""Rules ask for the organisation's own fields from the moment they are made until they are put away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_store import objects
from crm_store.objects import NOUNS
from hub import ArchiveField, ChangeObject, CreateObject, FieldId, Invalid, SaveField
from tests.houses import until
from tests.scenarios.rules.house import Ruled, ruled
from triggers import rules as rule_reads

URGENT = {"field": "client.custom.level", "operator": "equals", "value": "gold"}
NAMED = [{"action": "crm_actions.tag_client", "params": {"tags": ["vip"]}}]
CHANGED = [{"event": "client.changed"}]


async def client(world: Ruled, level: str) -> int:
    values = {"name": "Anna", "custom": {"level": level}}
    return int((await world.home.user.do(CreateObject(kind="client", values=values)))[0])


async def tags(world: Ruled, number: int) -> Any:
    return (await world.home.user.read(objects.one, NOUNS["client"], number)).tags


async def test_a_rule_asks_for_a_field_that_was_made_while_it_runs(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, database_url) as world:
        hub, words = world.home.user, world.home.runtime.rule_words
        with pytest.raises(Invalid):
            await world.rule(when=CHANGED, if_=URGENT, then=NAMED)
        level = FieldId((await hub.do(SaveField(kind="client", label="Level")))[0])
        await until(lambda: "client.custom.level" in words.fields)
        rule = await world.rule(when=CHANGED, if_=URGENT, then=NAMED)
        gold, plain = await client(world, "gold"), await client(world, "tin")
        for one in (gold, plain):
            change = ChangeObject(kind="client", object_id=one, values={"source": "fair"})
            await hub.do(change)
        await world.settle()
        assert (await tags(world, gold), await tags(world, plain)) == (("vip",), ())
        await hub.do(ArchiveField(field_id=level))
        await until(lambda: "client.custom.level" not in words.fields)
        await world.settle()
        # A rule that asks for what is not there stands still.
        assert (await hub.read(rule_reads.rule, rule)).paused == "plugin"
