"""What cannot be filed stops nobody behind it."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crm_store.failures import is_passing
from crm_store.tables.dialogs import dialogs, messages, quarantine
from hub import Batch
from hub.commands import CreateContact
from hub.errors import Conflict
from hub.filing import file_arrivals, file_batch
from hub.ids import QuarantineId
from hub.records.dialogs import Received
from hub.replay import replay
from tests.houses import House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def spoiled(home: House) -> Received:
    """Let the dialog of Anna be another person's, so that the next one cannot be opened."""
    got = (await home.receive(message("1", "anna")))[0]
    [other] = await home.user.do(CreateContact(name="Olga"))
    belongs(home, got, other)
    return got


def belongs(home: House, got: Received, contact_id: int) -> None:
    mine = dialogs.c.id == got.dialog_id
    with home.runtime.database.administer() as conn:
        conn.execute(update(dialogs).where(mine).values(contact_id=contact_id))


async def aside(home: House) -> list[tuple[int, bytes, str, str]]:
    return await home.runtime.database.read(
        lambda conn: [
            (row.id, bytes(row.raw), row.error, row.state)
            for row in conn.execute(select(quarantine).order_by(quarantine.c.id))
        ]
    )


async def test_one_that_cannot_be_filed_is_put_aside_and_the_others_are_filed(home: House) -> None:
    got = await spoiled(home)
    account = await home.system.account(home.pigeon)
    batch = Batch(
        arrivals=[message("2", "anna", raw=b"from anna"), message("3", "boris")],
        mark="m2",
        poison=[(b"unreadable", "ValueError: no letter")],
    )
    await file_batch(home.runtime, account, batch)
    assert (await home.system.account(home.pigeon)).mark == "m2"
    found = await aside(home)
    [(number, _, reason, _)] = [one for one in found if one[1] != b"unreadable"]
    assert len(found) == 2
    assert reason.startswith("IntegrityError")

    async def senders() -> list[str]:
        return await home.runtime.database.read(
            lambda conn: sorted(conn.execute(select(messages.c.author_name)).scalars())
        )

    assert await senders() == ["Anna", "Boris"]
    # It was kept whole: once it can be filed it is taken in, though its channel reads no bytes.
    belongs(home, got, got.contact_id)
    assert await replay(home.runtime, QuarantineId(number)) == 1
    assert await senders() == ["Anna", "Anna", "Boris"]


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("insert", {}, Exception("the server is gone")),
        PoolTimeout("every connection is in use"),
        OSError(errno.EMFILE, "Too many open files"),
        PermissionError(errno.EACCES, "the data folder cannot be written"),
    ],
)
async def test_what_passes_by_itself_puts_nothing_aside(
    home: House, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    account = await home.system.account(home.pigeon)

    async def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(home.runtime, "receive", fail)
        with pytest.raises(type(error)):
            await file_batch(home.runtime, account, Batch(arrivals=[message("2")], mark="m2"))
    assert (await home.system.account(home.pigeon)).mark == ""
    assert not await aside(home)


def test_what_comes_again_with_the_same_content_does_not_pass() -> None:
    assert not is_passing(OSError(errno.ENAMETOOLONG, "File name too long"))
    assert not is_passing(OSError("the licence server is away"))
    assert not is_passing(ValueError("no letter"))


async def test_a_replay_that_cannot_be_filed_says_why_and_waits_on(home: House) -> None:
    await spoiled(home)
    account = await home.system.account(home.pigeon)
    with pytest.raises(IntegrityError):
        await file_arrivals(home.runtime, account, [message("2", "anna")])
    raw = b'{"key": "2", "sender": "anna"}'
    await home.runtime.receive(account, (), mark="m", poison=[(raw, "KeyError: x")])
    [(number, _, _, _)] = await aside(home)
    with home.runtime.database.administer() as conn:
        conn.execute(update(quarantine).values(source="webhook"))
    with pytest.raises(Conflict, match="IntegrityError"):
        await replay(home.runtime, QuarantineId(number))
    [(_, _, error, state)] = await aside(home)
    assert error.startswith("IntegrityError")
    assert state == "waiting"
