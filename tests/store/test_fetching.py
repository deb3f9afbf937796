"""Files that are only named are fetched: nobody waits for another's vendor, none is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub import AccountId, Attachment, Conflict, NotFound, TemporaryFailure
from hub.commands import FetchAttachment
from hub.fetching import PATIENCE_US, Fetching
from hub.ids import AttachmentId, MessageId
from hub.records.dialogs import AttachmentRecord
from tests.houses import House, house, letter, message, until

LONG = "https://files.example/" + "a" * 900
Fetch = Callable[[str], Coroutine[Any, Any, bytes]]


def photo(reference: str = LONG) -> tuple[Attachment, ...]:
    return (Attachment(name="photo.png", media_type="image/png", reference=reference),)


@asynccontextmanager
async def fetching(home: House) -> AsyncIterator[None]:
    task = asyncio.create_task(Fetching(home.runtime).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def vendor(home: House, account: AccountId, fetch: Fetch) -> None:
    """Play a vendor's file store."""
    _, channel = await home.runtime.channel_host.get(account)
    channel.fetch = fetch  # type: ignore[assignment, method-assign]


async def file_of(home: House, message_id: MessageId) -> AttachmentRecord:
    return (await home.user.message(message_id)).attachments[0]


async def test_who_waits_for_a_slow_vendor_keeps_nobody_else_waiting(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        gate = asyncio.Event()
        asked: list[str] = []

        async def slow(reference: str) -> bytes:
            asked.append(reference)
            await gate.wait()
            return b"slow"

        async def quick(reference: str) -> bytes:
            return reference.encode()

        await vendor(home, home.pigeon, slow)
        await vendor(home, home.letter, quick)
        async with fetching(home):
            first, second = await home.receive(
                message("1", attachments=photo()), message("2", attachments=photo())
            )
            await until(lambda: asked)
            third = (await home.receive(letter("3", attachments=photo()), letter=True))[0]

            async def is_there() -> bool:
                return (await file_of(home, third.message_id)).state == "ready"

            await until(is_there)
            # An address is kept whole, however long; one account's files come one by one.
            assert (await file_of(home, third.message_id)).size == len(LONG)
            assert asked == [LONG]
            assert (await file_of(home, first.message_id)).state == "pending"
            gate.set()

            async def are_there() -> bool:
                files = [await file_of(home, one.message_id) for one in (first, second)]
                return all(one.state == "ready" for one in files)

            await until(are_there)


async def test_a_vendor_that_is_gone_is_asked_for_a_day_and_again_by_hand(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        is_up = False

        async def fetch(reference: str) -> bytes:
            if not is_up:
                raise TemporaryFailure("the vendor is gone")
            return b"a picture"

        await vendor(home, home.pigeon, fetch)
        came = (await home.receive(message("1", attachments=photo())))[0]
        file_id = AttachmentId((await file_of(home, came.message_id)).id)
        again = FetchAttachment(attachment_id=file_id)
        work = Fetching(home.runtime)
        with pytest.raises(Conflict):
            await home.user.do(again)
        with pytest.raises(NotFound):
            await home.user.do(FetchAttachment(attachment_id=AttachmentId(1)))
        for hours in (0, 1, 23):
            home.world.offset_us = hours * PATIENCE_US // 24
            await work._account(home.pigeon)
            assert (await file_of(home, came.message_id)).state == "pending"
        await work._account(home.pigeon)
        assert work._tries == {file_id: 3}, "asked again before its pause was over"
        home.world.offset_us = PATIENCE_US + 1_000_000
        await work._account(home.pigeon)
        failed = await file_of(home, came.message_id)
        assert (failed.state, failed.error) == ("failed", "the vendor is gone")

        await home.user.do(again)
        is_up = True
        await work._account(home.pigeon)
        found = await file_of(home, came.message_id)
        assert (found.state, found.error, found.size) == ("ready", "", len(b"a picture"))
