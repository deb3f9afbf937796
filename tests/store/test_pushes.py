"""Notices on devices: told once, to whom may see them, in words that only that browser reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.push_devices import devices_of
from crm_store.pushes import claim
from crm_store.rekey import renew_secrets
from crm_store.tables.pushes import pushes
from hub import (
    AddNote,
    AddPushDevice,
    CreateObject,
    CreateUser,
    FinishTask,
    MarkRead,
    Micros,
    OpenSession,
    RegisterAbsence,
    RevokeSessions,
    SwitchPushDevice,
    UpdateProfile,
    UpdateUser,
    UserId,
    push_sender,
)
from hub.handle import BoundHub
from hub.push_keys import Subscription, public_key
from hub.push_sender import PushSender
from tests.houses import US, House, house, message, until
from tests.push_service import Browser, PushService, push_service


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        one.runtime.settings.push_allow_private = True
        yield one


@pytest.fixture
async def service(home: House) -> AsyncIterator[PushService]:
    async with push_service() as one:
        one.public = await public_key(home.runtime)
        yield one


@asynccontextmanager
async def pushing(home: House) -> AsyncIterator[PushSender]:
    """Let what waits leave."""
    sender = PushSender(home.runtime)
    sender.follow()
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def colleague(home: House) -> BoundHub:
    command = CreateUser(email="ivan@example.com", name="Ivan", role="agent", language="ru")
    return home.system.as_user((await home.system.do(command))[0])


async def device(home: House, agent: BoundHub, browser: Browser) -> int:
    """Log a browser in and let it be called."""
    me, login = UserId(agent.actor.id), f"{browser.name:x>64}"
    later = Micros(home.world.now() + 3600 * US)
    await home.system.do(OpenSession(user_id=me, token_hash=login, expires_at=later))
    given = browser.subscription
    one = Subscription.given(given["endpoint"], **given["keys"], plain_http=True)
    command = AddPushDevice(
        login=login,
        endpoint_hash=one.endpoint_hash,
        sealed=one.sealed(home.runtime.keys),
        name=browser.name,
    )
    return (await agent.do(command))[0]


async def waiting(home: House) -> int:
    count = select(func.count()).select_from(pushes)
    return await home.system.read(lambda reader: reader.conn.execute(count).scalar_one())


async def is_empty(home: House) -> bool:
    return not await waiting(home)


async def test_a_mention_reaches_every_device_once_in_words_only_it_can_read(
    home: House, service: PushService
) -> None:
    agent = await colleague(home)
    phone, desk = service.browser("phone"), service.browser("desk")
    for one in (phone, desk):
        await device(home, agent, one)
    given = (await home.receive(message("m1", text="private words")))[0]
    me = UserId(agent.actor.id)
    await home.user.do(AddNote(dialog_id=given.dialog_id, text="secret words", mentions=(me,)))
    assert await waiting(home) == 2
    async with pushing(home):
        await until(lambda: is_empty(home))
    assert len(service.taken) == 2
    for one in (phone, desk):
        [told] = one.told
        assert told["title"] == "Вас упоминают в заметке"
        assert told["path"] == f"/inbox/{given.dialog_id}"
        assert "words" not in str(told)
    assert all(b"inbox" not in one.body for one in service.taken)
    assert {one.headers["urgency"] for one in service.taken} == {"high"}
    assert all(one.pushed_at for one in await agent.read(devices_of))


async def task_for(home: House, agent: BoundHub, title: str) -> int:
    values = {"title": title, "owner_id": str(agent.actor.id)}
    return (await home.user.do(CreateObject(kind="task", values=values)))[0]


def titles(browser: Browser) -> list[str]:
    return [one["body"] for one in browser.told]


async def test_nothing_is_pushed_of_what_was_seen_is_over_or_is_not_wanted(
    home: House, service: PushService
) -> None:
    agent = await colleague(home)
    phone, desk = service.browser("phone"), service.browser("desk")
    await device(home, agent, phone)
    await agent.do(SwitchPushDevice(device_id=await device(home, agent, desk), active=False))
    given = (await home.receive(message("m1")))[0]
    me = UserId(agent.actor.id)
    await home.user.do(AddNote(dialog_id=given.dialog_id, text="look", mentions=(me,)))
    await agent.do(MarkRead(dialog_id=given.dialog_id, message_id=given.message_id))
    done = await task_for(home, agent, "Done meanwhile")
    await home.system.do(FinishTask(task_id=done))
    await task_for(home, agent, "Kept")
    async with pushing(home):
        await until(lambda: is_empty(home))
        assert titles(phone) == ["Kept"]
        await agent.do(UpdateProfile(preferences={"pushes": {"task.assigned": False}}))
        await task_for(home, agent, "Not wanted")
        assert await waiting(home) == 0
        await agent.do(UpdateProfile(preferences={"pushes": {}}))
        now = home.world.now()
        away = RegisterAbsence(user_id=me, kind="vacation", from_at=now - US, to_at=now + 3600 * US)
        await home.user.do(away)
        await task_for(home, agent, "While he is away")
        await until(lambda: is_empty(home))
    assert titles(phone) == ["Kept"]
    assert desk.told == []


async def test_a_device_goes_with_its_session_and_with_its_user(
    home: House, service: PushService
) -> None:
    agent = await colleague(home)
    for name in ("lost", "kept"):
        await device(home, agent, service.browser(name))
    await task_for(home, agent, "Secret")
    assert await waiting(home) == 2
    me = UserId(agent.actor.id)
    await home.user.do(RevokeSessions(user_id=me, token_hash=f"{'lost':x>64}"))
    assert [one.name for one in await agent.read(devices_of)] == ["kept"]
    assert await waiting(home) == 1
    # Its time is over, and nobody has swept it away yet.
    home.world.offset_us += 2 * 3600 * US
    async with pushing(home):
        await until(lambda: is_empty(home))
    await task_for(home, agent, "Secret too")
    assert await waiting(home) == 1
    await home.user.do(UpdateUser(user_id=me, active=False))
    assert await waiting(home) == 0
    assert service.receiver.posted == []


async def test_what_push_services_answer_is_obeyed(
    home: House, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_sender, "SCHEDULE_SECONDS", (0.01, 0.01))
    agent = await colleague(home)
    phone = service.browser("phone")
    await device(home, agent, phone)
    service.answers += [(500, {}), (429, {"retry-after": "1"}), (201, {}), (413, {}), (410, {})]
    async with pushing(home):
        await task_for(home, agent, "In the end")
        await until(lambda: is_empty(home))
        assert titles(phone) == ["In the end"]
        assert len(service.receiver.posted) == 3
        assert {one.headers["topic"] for one in service.receiver.posted} == {
            service.taken[0].headers["topic"]
        }
        await task_for(home, agent, "Too large")
        await until(lambda: is_empty(home))
        [known] = await agent.read(devices_of)
        assert known.last_error == "its push service answered 413"
        await task_for(home, agent, "Nobody there")
        await until(lambda: is_empty(home))
    assert await agent.read(devices_of) == []
    assert len(service.receiver.posted) == 5


async def test_what_was_cut_off_is_told_again_when_its_lease_is_over(
    home: House, service: PushService
) -> None:
    agent = await colleague(home)
    phone = service.browser("phone")
    await device(home, agent, phone)
    await task_for(home, agent, "Once")
    assert len(await home.runtime.database.write(claim, 5)) == 1
    assert await home.runtime.database.write(claim, 5) == []
    home.world.offset_us += 61 * US
    async with pushing(home):
        await until(lambda: is_empty(home))
    assert titles(phone) == ["Once"]


async def test_a_key_pair_is_made_once_and_again_only_where_it_cannot_be_read(
    home: House, service: PushService
) -> None:
    agent = await colleague(home)
    await device(home, agent, service.browser("phone"))
    assert await public_key(home.runtime) == service.public
    home.runtime.keys.rotate()
    with home.runtime.database.administer() as conn:
        assert renew_secrets(conn, home.runtime.keys.renew) == (2, 0)
    home.runtime.keys.forget_old_secrets()
    assert await public_key(home.runtime) == service.public
    assert len(await agent.read(devices_of)) == 1
    home.runtime.keys.rotate()
    home.runtime.keys.forget_old_secrets()
    assert await public_key(home.runtime) != service.public
    assert await agent.read(devices_of) == []
