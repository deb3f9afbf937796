"""Rules ask for what a client has bought: the support level, and when the last interest was won."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_store import objects
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from hub import ChangeObject, CreateObject, InterestId, WinInterest
from tests.scenarios.rules.house import Ruled, ruled

BOUGHT = {"field": "client.last_purchase", "operator": "within_last", "value": "1d"}
NEVER = {"field": "client.last_purchase", "operator": "empty"}
PREMIUM = {"field": "client.level", "operator": "equals", "value": "premium"}
CLIENT = NOUNS["client"]


async def client(world: Ruled, name: str, level: str, *, bought: bool) -> int:
    hub = world.home.user
    values: dict[str, Any] = {"name": name, "level": level}
    number = int((await hub.do(CreateObject(kind="client", values=values)))[0])
    values = {"title": "A boat", "client_id": str(number)}
    made = (await hub.do(CreateObject(kind="interest", values=values)))[0]
    if bought:
        await hub.do(WinInterest(interest_id=InterestId(int(made))))
    return number


async def test_rules_and_lists_ask_for_the_level_and_the_last_purchase(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, database_url) as world:
        for tag, asked in (
            ("bought", BOUGHT),
            ("never", NEVER),
            ("premium", PREMIUM),
            ("both", {"all": [BOUGHT, PREMIUM]}),
        ):
            await world.rule(
                name=tag,
                when=[{"event": "client.changed"}],
                if_={
                    "all": [asked, {"field": "client.source", "operator": "equals", "value": tag}]
                },
                then=[{"action": "crm_actions.tag_client", "params": {"tags": [tag]}}],
            )
        cards = {
            "Anna": await client(world, "Anna", "premium", bought=True),
            "Boris": await client(world, "Boris", "", bought=True),
            "Vera": await client(world, "Vera", "premium", bought=False),
        }
        for tag in ("bought", "never", "premium", "both"):
            for number in cards.values():
                change = ChangeObject(kind="client", object_id=number, values={"source": tag})
                await world.home.user.do(change)
            await world.settle()
        read = world.home.user.read
        tags = {name: (await read(objects.one, CLIENT, one)).tags for name, one in cards.items()}
        assert {name: set(one) for name, one in tags.items()} == {
            "Anna": {"bought", "premium", "both"},
            "Boris": {"bought"},
            "Vera": {"never", "premium"},
        }
        for tree, names in (
            (BOUGHT, {"Anna", "Boris"}),
            (NEVER, {"Vera"}),
            ({"field": "client.last_purchase", "operator": "not_empty"}, {"Anna", "Boris"}),
            ({"all": [BOUGHT, PREMIUM]}, {"Anna"}),
        ):
            found = await read(objects.page, CLIENT, ObjectQuery(filter=tree))
            assert {one.name for one in found.items} == names
