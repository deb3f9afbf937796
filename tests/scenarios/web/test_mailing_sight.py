"""A mailing goes to whom the one who let it go sees, as he was told: today, tomorrow and later."""

from __future__ import annotations

from typing import Any

from hub import (
    Actor,
    ActorKind,
    Address,
    CreateClient,
    CreateContact,
    GiveConsent,
    SaveRole,
    Scope,
    UpdateUser,
    UserId,
)
from hub.handle import BoundHub
from plugins.mailings.doing import mailing_of, send, steer
from plugins.mailings.paths import path_of
from plugins.mailings.starters import GONE, OTHERS
from tests.houses import US, World, until
from tests.scenarios.web.house import House
from tests.scenarios.web.test_mailing_times import DAY, house, ticked, world
from tests.scenarios.web.test_mailings import NAME, _draft, _ready

__all__ = ["house", "world"]
SCOPES = ("dialogs", "contacts", "requests", "interests")
STEP = {"days": 1, "subject": "Second", "text": "Still there?"}


async def _narrow(house: House) -> None:
    scopes = dict.fromkeys(SCOPES, Scope.OWN)
    await house.system.do(SaveRole(name="narrow", based_on="marketer", scopes=scopes))


def _hands(house: House, user: UserId) -> BoundHub:
    return house.runtime.handle(Actor(kind=ActorKind.USER, id=user)).for_plugin(NAME)


async def _client(house: House, owner: UserId, name: str) -> None:
    address = Address(kind="email", value=f"{name}@example.org")
    (person,) = await house.system.do(CreateContact(name=name, addresses=(address,)))
    values = {"owner_id": owner}
    await house.system.do(CreateClient(name=name, contact_id=person, values=values))
    await house.system.do(GiveConsent(contact_id=person, how="form"))


async def _let_go(house: House, hub: BoundHub, number: int) -> Any:
    path = await path_of(hub, await mailing_of(hub, str(number)))
    await send(hub, await mailing_of(hub, str(number)), seen=str(path.reached))
    return await ticked(house, number)


async def test_who_sees_few_sends_to_these_each_time_it_comes_round(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 4)
    await _narrow(house)
    me = await house.user("narrow", "n@example.org")
    hub = _hands(house, me)
    await _client(house, me, "Mine")
    number = await _draft(house, segment, account, repeat="day", steps=[STEP])
    assert (await _let_go(house, hub, number)).planned == 1
    await until(lambda: len(world.sent) == 1)
    # His next client gets the next one, and nobody else's does.
    await _client(house, me, "New")
    world.offset_us += DAY + 60 * US
    assert (await ticked(house, number)).planned == 3
    # The first one's second letter and two first ones.
    await until(lambda: len(world.sent) == 4)
    # He sees everybody now: that he meant them all is nowhere said.
    await house.system.do(UpdateUser(user_id=me, role="marketer"))
    world.offset_us += DAY
    one = await ticked(house, number)
    assert (one.state, one.reason, one.planned) == ("paused", OTHERS, 3)
    browser = house.browser()
    await browser.log_in("n@example.org")
    assert "sees others by now" in (await browser.get(f"/p/mailings/{number}")).text
    await steer(hub, one, "running")
    one = await ticked(house, number)
    assert (one.state, one.reason, one.planned) == ("scheduled", "", 9)


async def test_newcomers_are_his_who_began_it_and_it_waits_when_he_is_gone(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 4)
    await _narrow(house)
    me = await house.user("narrow", "n@example.org")
    await _client(house, me, "Mine")
    number = await _draft(house, segment, account, repeat="enter")
    assert (await _let_go(house, _hands(house, me), number)).planned == 1
    await house.system.do(UpdateUser(user_id=me, active=False))
    await _client(house, me, "New")
    world.offset_us += 360 * US
    one = await ticked(house, number)
    assert (one.state, one.reason, one.planned) == ("paused", GONE, 1)
    # A colleague who lets it go on lends his own sight.
    other = await house.user("narrow", "o@example.org")
    await _client(house, other, "His")
    await steer(_hands(house, other), one, "running")
    assert (await ticked(house, number)).planned == 2
    # What is let go on while somebody's sight counts stays his.
    boss = _hands(house, await house.user("administrator"))
    await steer(boss, await mailing_of(boss, str(number)), "paused")
    await steer(boss, await mailing_of(boss, str(number)), "running")
    assert (await ticked(house, number)).planned == 2


async def test_a_frozen_audience_outlives_who_chose_it(house: House, world: World) -> None:
    segment, account = await _ready(house, 4)
    await _narrow(house)
    me = await house.user("narrow", "n@example.org")
    hub = _hands(house, me)
    await _client(house, me, "Mine")
    number = await _draft(house, segment, account, audience="frozen")
    await send(hub, await mailing_of(hub, str(number)))
    await house.system.do(UpdateUser(user_id=me, active=False))
    assert (await ticked(house, number)).planned == 1
