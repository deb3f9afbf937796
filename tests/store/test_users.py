"""Colleagues in the store: who is the last administrator, whose session lives, who guesses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm_store.sessions import (
    count_attempts,
    forget_attempts,
    session,
    sessions_of,
    token,
    touch_sessions,
)
from crm_store.users import all_users, credentials
from hub import (
    SYSTEM,
    Conflict,
    CreateToken,
    CreateUser,
    Invalid,
    Micros,
    NotAllowed,
    NotFound,
    OpenSession,
    RevokeSessions,
    RevokeToken,
    SetPassword,
    SetSecondFactor,
    UpdateProfile,
    UpdateUser,
    UserId,
)
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings

DAY = 86_400_000_000


@dataclass
class World:
    """A hub whose clock can be turned."""

    runtime: Runtime
    clock: list[int]

    @property
    def hub(self) -> BoundHub:
        return self.runtime.handle(SYSTEM)

    async def user(self, email: str, role: str = "agent") -> UserId:
        return UserId((await self.hub.do(CreateUser(email=email, name="X", role=role)))[0])

    async def log_in(self, user_id: UserId, mark: str, days: float = 1) -> None:
        expires = Micros(self.runtime.now() + int(days * DAY))
        await self.hub.do(OpenSession(user_id=user_id, token_hash=mark, expires_at=expires))

    async def is_open(self, mark: str) -> bool:
        return await self.hub.read(session, mark) is not None


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    clock = [0]
    settings = HubSettings(data=tmp_path / "data", database_url=database_url)
    runtime = Runtime(settings, plugins=PluginHost(), now=lambda: Micros(system_now() + clock[0]))
    runtime.migrate()
    await runtime.start()
    yield World(runtime, clock)
    await runtime.stop()


async def test_an_address_belongs_to_one_colleague_however_it_is_written(world: World) -> None:
    await world.user("Ada@Example.org")
    for same in ("ada@example.org", " ADA@EXAMPLE.ORG "):
        with pytest.raises(Conflict):
            await world.user(same)
    assert await world.hub.read(credentials, "aDa@example.ORG") is not None
    other = await world.user("bob@example.org")
    with pytest.raises(Conflict):
        await world.hub.do(UpdateUser(user_id=other, email="ADA@example.org"))


async def test_two_administrators_who_leave_at_once_leave_one(world: World) -> None:
    for _ in range(5):
        ids = [
            await world.user(f"{world.hub.new_id()}@example.org", "administrator") for _ in (1, 2)
        ]
        for one in await world.hub.read(all_users):
            if one.id not in ids and one.active:
                await world.hub.do(UpdateUser(user_id=one.id, active=False))
        results = await asyncio.gather(
            *(world.hub.do(UpdateUser(user_id=one, role="agent")) for one in ids),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Conflict) for one in results) == 1, results
        left = [
            one
            for one in await world.hub.read(all_users)
            if one.role == "administrator" and one.active
        ]
        assert len(left) == 1


async def test_a_session_ends_by_time_by_word_and_with_its_colleague(world: World) -> None:
    ada, bob = await world.user("ada@example.org"), await world.user("bob@example.org")
    await world.log_in(ada, "a1")
    await world.log_in(ada, "a2", days=10)
    await world.log_in(bob, "b1", days=10)
    world.clock[0] = 2 * DAY
    assert [await world.is_open(one) for one in ("a1", "a2", "b1")] == [False, True, True]
    assert [one.token_hash for one in await world.hub.read(sessions_of, ada)] == ["a2"]
    await world.hub.do(UpdateUser(user_id=bob, active=False))
    assert not await world.is_open("b1")
    await world.log_in(ada, "a3", days=10)
    await world.hub.do(RevokeSessions(user_id=ada, all_but="a3"))
    assert [await world.is_open(one) for one in ("a2", "a3")] == [False, True]
    await world.hub.do(RevokeSessions(user_id=ada, token_hash="a3"))
    assert not await world.is_open("a3")


async def test_a_session_in_use_lives_on(world: World) -> None:
    ada = await world.user("ada@example.org")
    await world.log_in(ada, "a1", days=2)
    world.clock[0] = DAY
    await world.runtime.database.write(touch_sessions, ("a1", ada, 2 * DAY))
    world.clock[0] = int(2.5 * DAY)
    assert await world.is_open("a1")
    world.clock[0] = int(3.5 * DAY)
    assert not await world.is_open("a1")
    # A session that is over is not brought back by a late sign of life.
    await world.runtime.database.write(touch_sessions, ("a1", ada, 2 * DAY))
    assert not await world.is_open("a1")


async def test_nobody_ends_sessions_or_sets_the_password_of_another(world: World) -> None:
    ada, bob = await world.user("ada@example.org"), await world.user("bob@example.org")
    await world.log_in(bob, "b1")
    mine = world.hub.as_user(ada)
    for command in (
        RevokeSessions(user_id=bob),
        SetPassword(user_id=bob, password_hash="x"),
        SetSecondFactor(user_id=bob, secret="x"),
        CreateToken(user_id=bob, name="x", token_hash="t"),
        UpdateUser(user_id=bob, role="administrator"),
    ):
        with pytest.raises(NotAllowed):
            await mine.do(command)
    assert await world.is_open("b1")
    await mine.do(UpdateProfile(name="Ada L."))
    assert (await world.hub.user(bob)).name == "X"


async def test_a_token_ends_by_word_and_by_time(world: World) -> None:
    ada = await world.user("ada@example.org", "administrator")
    hub = world.hub.as_user(ada)
    ends = Micros(world.runtime.now() + DAY)
    number = (await hub.do(CreateToken(user_id=ada, name="a", token_hash="t1", scopes=("x",))))[0]
    await hub.do(CreateToken(user_id=ada, name="b", token_hash="t2", expires_at=ends))
    assert await hub.read(token, "t1") is not None
    assert await hub.read(token, "t2") is not None
    await hub.do(RevokeToken(token_id=number))
    assert await hub.read(token, "t1") is None
    world.clock[0] = 2 * DAY
    assert await hub.read(token, "t2") is None
    with pytest.raises(NotFound):
        await hub.do(RevokeToken(token_id=1))


async def test_every_attempt_is_counted_until_its_window_closes(world: World) -> None:
    write = world.runtime.database.write
    window = 60_000_000
    counts = await asyncio.gather(*(write(count_attempts, ("pair:1", window)) for _ in range(40)))
    assert sorted(counts) == list(range(1, 41))
    assert await write(count_attempts, ("pair:2", window)) == 1
    world.clock[0] = window + 5_000_000
    assert await write(count_attempts, ("pair:1", window)) == 1
    assert await write(count_attempts, ("pair:1", window)) == 2
    await write(forget_attempts, "pair:1")
    assert await write(count_attempts, ("pair:1", window)) == 1


@pytest.mark.parametrize("wrong", [{"role": "emperor"}, {"name": "  "}, {"email": "nobody"}])
async def test_a_colleague_who_cannot_be_is_refused(world: World, wrong: dict[str, str]) -> None:
    values = {"email": "ada@example.org", "name": "Ada", "role": "agent", **wrong}
    with pytest.raises(Invalid):
        await world.hub.do(
            CreateUser(email=values["email"], name=values["name"], role=values["role"])
        )
