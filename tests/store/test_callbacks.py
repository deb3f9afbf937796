"""Who is to be called back: missed calls of mine and of nobody, until something came of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import dialogs
from crm_store.callbacks import callbacks
from hub import Address, AssignDialog, CallEvent, CreateUser, DialogId, SendMessage, UserId
from hub.records.dialogs import DialogQuery
from tests.houses import House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def call(home: House, key: str, state: str) -> DialogId:
    sender = Address(kind="pigeon", value=key, name=key.title())
    event = CallEvent(dedupe_key=f"{key}-{state}", external_id=key, caller=sender, state=state)
    await home.receive(event)  # type: ignore[arg-type]
    page = await home.user.read(dialogs.page, DialogQuery())
    [found] = [one.id for one in page.dialogs if one.contact_name == key.title()]
    return found


async def test_a_missed_call_is_called_back_by_whose_it_is_or_by_anybody(home: House) -> None:
    await home.receive(message("m1"))
    missed = await call(home, "faina", "missed")
    await call(home, "galina", "ended")
    assert await home.user.read(callbacks) == [missed]
    agents = await home.system.do(
        CreateUser(email="a@example.com", name="A", role="agent"),
        CreateUser(email="b@example.com", name="B", role="agent"),
    )
    mine, other = (home.system.as_user(UserId(one)) for one in agents)
    assert await mine.read(callbacks) == [missed]
    await home.user.do(AssignDialog(dialog_id=missed, user_id=UserId(agents[0])))
    assert (await mine.read(callbacks), await other.read(callbacks)) == ([missed], [])
    await mine.do(SendMessage(dialog_id=missed, text="When may I call?"))
    assert await mine.read(callbacks) == []
