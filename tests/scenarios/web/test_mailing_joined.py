"""A rule puts people into a mailing: once each, asked for their consent, with the letters of its chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.mailings
from hub import (
    AddAddress,
    Address,
    ContactId,
    CreateContact,
    GiveConsent,
    SaveRule,
    SaveSegment,
    SuppressAddress,
)
from hub.records.rules import RuleRun
from plugins import crm_actions
from plugins.mailings import sending
from plugins.mailings.commands import SteerMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.joining import join
from plugins.mailings.results import funnel_of
from tests.houses import US, World, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import NAME, _draft, _own, _ready
from triggers import runs

HOUR = 3_600 * US


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), (NAME, plugins.mailings), ("crm_actions", crm_actions))
    async with open_house(tmp_path, database_url, *parts) as one:
        one.runtime.now = world.now
        one.runtime.database.set_clock(world.now)
        yield one


async def _newcomer(house: House, name: str, *, agreed: bool = True) -> int:
    address = Address(kind="email", value=f"{name}@example.org")
    (contact,) = await house.system.do(CreateContact(name=name, addresses=(address,)))
    if agreed:
        await house.system.do(GiveConsent(contact_id=contact, how="form"))
    return int(contact)


async def test_who_is_put_in_gets_it_where_something_still_arrives(
    house: House, world: World
) -> None:
    _, account = await _ready(house, 0)
    (nobody,) = await house.system.do(SaveSegment(name="By rules only", static=True))
    number = await _draft(house, nobody, account, repeat="enter")
    hub = _own(house)
    await send(hub, await mailing_of(hub, str(number)))
    await sending.tick(hub, {})
    two = ContactId(await _newcomer(house, "dead"))
    dead = (await house.system.contact(two)).addresses[0].id
    await house.system.do(
        AddAddress(contact_id=two, address=Address(kind="email", value="alive@example.org")),
        SuppressAddress(address_id=dead, text="it came back"),
    )
    await join(hub, {"mailing_id": str(number), "contact_id": str(two)})
    funnel = await funnel_of(hub, await mailing_of(hub, str(number)))
    assert (funnel.waiting + funnel.sent, funnel.reasons) == (1, ())
    await until(lambda: [one.to.value for one in world.sent] == ["alive@example.org"])


async def test_a_rule_puts_people_into_a_chain_once(house: House, world: World) -> None:
    _, account = await _ready(house, 0)
    (nobody,) = await house.system.do(SaveSegment(name="By rules only", static=True))
    steps = [{"days": 1, "subject": "Second", "text": "Still there?"}]
    number = await _draft(house, nobody, account, repeat="enter", steps=steps)
    hub = _own(house)
    programs = Programs(house)
    program = await programs.program("administrator")
    words = await program.ok("GET", "/rule-words")
    assert "mailing" not in {key for key, known in words["references"].items() if known}
    await send(hub, await mailing_of(hub, str(number)))
    await sending.tick(hub, {})
    # It has begun: a rule may name it.
    words = await program.ok("GET", "/rule-words")
    (known,) = words["references"]["mailing"]
    assert (known["name"], known["label"]) == (str(number), "Spring")
    then = [{"action": "mailings.join", "params": {"mailing": str(number)}}]
    rule = {"name": "Welcome", "when": [{"event": "consent.given"}], "then": then}
    (welcome,) = await house.system.do(SaveRule(definition=rule, enabled=True))
    assert (await program.ok("GET", f"/rules/{welcome}"))["warnings"] == []
    anna = await _newcomer(house, "anna")
    await until(lambda: len(world.sent) == 1)
    assert world.sent[0].to.value == "anna@example.org"
    # Once more by the rule, by a job that is repeated, and by the mailing's own turn.
    await house.system.do(GiveConsent(contact_id=anna, topic="news", how="form"))  # type: ignore[arg-type]
    for _ in range(2):
        await join(hub, {"mailing_id": str(number), "contact_id": str(anna)})
    await sending.tick(hub, {})
    silent = await _newcomer(house, "silent", agreed=False)
    await join(hub, {"mailing_id": str(number), "contact_id": str(silent)})
    mailing = await mailing_of(hub, str(number))
    funnel = await funnel_of(hub, mailing)
    assert (funnel.sent, funnel.waiting, funnel.planned) == (1, 1, 4)
    assert {(status, reason) for status, reason, _ in funnel.reasons} == {
        ("suppressed", "no_consent")
    }
    world.offset_us += 30 * HOUR
    await sending.tick(hub, {})
    await until(lambda: len(world.sent) == 2)
    assert world.sent[1].subject == "Second"
    await hub.do(SteerMailing(mailing_id=number, state="cancelled"))
    # A job that comes too late has nothing to do, and the rule's run says why it did nothing.
    await join(hub, {"mailing_id": str(number), "contact_id": str(anna)})
    late = await _newcomer(house, "late")

    async def held() -> RuleRun | None:
        found = await house.system.read(lambda reader: runs.page(reader, rule_id=welcome))
        return next((one for one in found if one.contact_id == late), None)

    run = await until(held)
    assert [(one.state, one.reason) for one in run.steps] == [
        ("held", "this mailing does not go on")
    ]
    (warning,) = (await program.ok("GET", f"/rules/{welcome}"))["warnings"]
    assert "what it names cannot be chosen any more" in warning
    for each in programs.programs:
        await each.aclose()
