"""Notices on devices: told once, to whom may see them, in words that only that browser reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.push_devices import devices_of
from crm_store.tables.pushes import pushes
from hub import (
    NEVER,
    AddNote,
    AddPushDevice,
    CreateUser,
    OpenSession,
    UserId,
)
from hub.handle import BoundHub
from hub.push_keys import Subscription, public_key
from hub.push_sender import PushSender
from tests.houses import House, house, message, until
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
    await home.system.do(OpenSession(user_id=me, token_hash=login, expires_at=NEVER))
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
