"""What messengers can do, by programs: edits, reactions, templates, windows, counting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import Account, CreateAccount, Health, Received, Template
from tests.houses import until
from tests.parrots import Perch, plugin_of, says
from tests.scenarios.http_api.world import Program, World
from tests.scenarios.web.house import open_house


@pytest.fixture
async def perched(tmp_path: Path, database_url: str) -> AsyncIterator[tuple[World, Perch]]:
    """A world of parrots."""
    perch = Perch()
    async with open_house(tmp_path, database_url, ("parrots", plugin_of(perch))) as house:
        world = World(house)
        yield world, perch
        for program in world.programs:
            await program.aclose()


async def greeted(world: World) -> tuple[Program, Account, Received]:
    system = world.house.system
    made = (await system.do(CreateAccount(channel="parrot", title="Parrots")))[0]
    account = await system.account(made)
    given = (await world.house.runtime.receive(account, [says("1")]))[0]
    return await world.program(), account, given


async def test_a_program_edits_reacts_and_takes_back(perched: tuple[World, Perch]) -> None:
    world, perch = perched
    program, _, given = await greeted(world)
    path = f"/dialogs/{given.dialog_id}/messages"
    made = (
        await program.ok("POST", path, json={"text": "See yuo", "reply_to": f"{given.message_id}"})
    )["id"]

    async def now(field: str, value: object) -> bool:
        return bool((await program.ok("GET", f"/messages/{made}"))[field] == value)

    await until(lambda: now("status", "sent"))
    assert perch.sent[0].quotes == "in-1"
    await program.ok("PATCH", f"/messages/{made}", json={"text": "See you"})
    await until(lambda: now("text", "See you"))
    old = await program.ok("GET", f"/messages/{made}/versions")
    assert [one["text"] for one in old] == ["See yuo"]
    await program.ok("PUT", f"/messages/{made}/reaction", json={"emoji": "🦜"})
    await until(lambda: now("reactions", [{"emoji": "🦜", "who": "us"}]))
    await program.refused(422, "invalid", "PUT", f"/messages/{made}/reaction", json={"emoji": "x"})
    await program.ok("POST", f"/messages/{made}/retract")
    await until(lambda: perch.made("delete"))
    await until(lambda: _taken_back(program, made))
    await program.refused(409, "taken_back", "PATCH", f"/messages/{made}", json={"text": "x"})
    agent = await world.program("auditor")
    await agent.refused(403, "not_allowed", "POST", f"/messages/{made}/retract")


async def _taken_back(program: Program, made: str) -> bool:
    extra = (await program.ok("GET", f"/messages/{made}"))["extra"]
    return bool(extra.get("taken_back"))


async def test_a_program_sends_a_template_and_sees_the_window(
    perched: tuple[World, Perch],
) -> None:
    world, perch = perched
    perch.catalogue = [Template(name="back", language="en", body="Hi {{1}}", variables=("1",))]
    perch.health = Health(webhook="registered", quota="7 left")
    program, account, given = await greeted(world)
    found = await program.ok("POST", f"/accounts/{account.id}/templates/sync")
    assert [(one["name"], one["variables"], one["state"]) for one in found] == [
        ("back", ["1"], "approved")
    ]
    assert found == await program.ok("GET", f"/accounts/{account.id}/templates?approved=true")
    dialog = await program.ok("GET", f"/dialogs/{given.dialog_id}")
    assert dialog["window_until"].endswith("Z")
    path = f"/dialogs/{given.dialog_id}/messages"
    await program.refused(422, "invalid", "POST", path, json={"template": "back"})
    body = {"template": "back", "template_language": "en", "template_values": {"1": "Polly"}}
    assert (await program.ok("POST", path, json=body))["text"] == "Hi Polly"
    later = {"text": "late", "due_at": "2099-01-01T00:00:00Z"}
    await program.refused(409, "window_closed", "POST", path, json=later)

    async def inspected() -> bool:
        health = (await program.ok("GET", "/accounts/health"))[0]
        return (health["webhook_state"], health["quota"]) == ("registered", "7 left")

    await until(inspected)


async def test_a_program_counts_before_it_sends(perched: tuple[World, Perch]) -> None:
    world, _ = perched
    program, _, given = await greeted(world)
    found = await program.ok(
        "POST", f"/dialogs/{given.dialog_id}/measure", json={"text": "x" * 310}
    )
    assert found == {
        "messages": 2,
        "parts": 5,
        "units": 310,
        "unit_limit": 350,
        "encoding": "squawk",
        "cost": "5.00 crackers",
    }
    kinds = await program.ok("GET", "/channels")
    parrot = next(one for one in kinds if one["name"] == "parrot")
    assert parrot["needs"] == ["A parrot.", "A cracker."]
    assert parrot["capabilities"]["reply_window"] == 86400
