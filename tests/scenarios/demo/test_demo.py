"""The demo company is there after one start, and its customers answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crm_store import objects
from crm_store.dialog_counts import counters
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.users import all_users
from hub import (
    SYSTEM,
    AccountId,
    Conflict,
    Dialog,
    DialogId,
    DialogQuery,
    Direction,
    MessageId,
    SendMessage,
    UpdateAccount,
)
from hub.demo import seed
from hub.feed import Signal
from hub.handle import BoundHub
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.workers import Workers


@asynccontextmanager
async def demo(folder: Path, url: str) -> AsyncIterator[BoundHub]:
    """The hub with its demo, its people at the highest pace."""
    settings = HubSettings(data=folder, database_url=url)
    runtime = Runtime(settings)
    await asyncio.to_thread(runtime.migrate)
    await seed(settings)
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    plugin = runtime.plugins.plugins["demo_customer"]
    workers = Workers(runtime)
    await runtime.plugins.call(plugin, "startup", hub=hub)
    workers.start()
    try:
        for one in await hub.accounts():
            if one.channel.startswith("demo_"):
                changed = {**one.settings, "pause": 0.01}
                await hub.do(UpdateAccount(account_id=one.id, settings=changed))
        yield hub
    finally:
        await workers.stop()
        await runtime.plugins.call(plugin, "shutdown", hub=hub)
        await runtime.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 60
    while not await condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


async def dialog_of(hub: BoundHub, name: str) -> Dialog:
    for view in ("all", "closed", "snoozed"):
        for one in (await hub.dialogs(DialogQuery(view=view, limit=50))).dialogs:
            if one.contact_name == name:
                return one
    raise AssertionError(name)


async def say(hub: BoundHub, dialog_id: DialogId, text: str) -> MessageId:
    users = {one.email.partition("@")[0]: one.id for one in await hub.read(all_users)}
    command = SendMessage(dialog_id=dialog_id, text=text, send_anyway=True)
    message_id: MessageId = (await hub.as_user(users["anna"]).do(command))[0]
    return message_id


async def test_the_company_looks_as_if_it_had_worked_for_days(
    tmp_path: Path, empty_database_url: str
) -> None:
    async with demo(tmp_path, _url(empty_database_url)) as hub:
        roles = sorted(one.role for one in await hub.read(all_users))
        assert roles == ["administrator", "agent", "agent", "supervisor"]
        channels = {one.channel for one in await hub.accounts()}
        assert channels == {"web_chat", "demo_messenger", "demo_mail"}
        overdue = await dialog_of(hub, "Виктор Орлов")
        assert hub.now() - overdue.waiting_since > 24 * 3_600_000_000
        counts = await hub.read(counters)
        assert counts.failed == 2
        assert counts.snoozed == 1
        statuses = set()
        for name in ("Chloe Martin", "Артём Носов"):
            thread = await hub.thread((await dialog_of(hub, name)).id)
            statuses.add(thread.messages[-1].status)
        assert statuses == {"failed", "unknown"}
        photo = (await hub.thread((await dialog_of(hub, "Robert Hughes")).id)).messages[0]
        assert (await hub.file(photo.attachments[0].id)).content[:4] == b"\x89PNG"  # type: ignore[index]
        there = {
            kind: await hub.read(objects.count, NOUNS[kind], ObjectQuery())
            for kind in ("client", "lead", "interest", "request", "task")
        }
        assert there == {"client": 2, "lead": 3, "interest": 5, "request": 2, "task": 4}
        won = await hub.read(objects.page, NOUNS["interest"], ObjectQuery(text="партнёрам"))
        assert [(one.status, one.amount) for one in won.items] == [("won", 25 * 420_000)]


async def test_a_second_start_changes_nothing(tmp_path: Path, empty_database_url: str) -> None:
    url = _url(empty_database_url)
    settings = HubSettings(data=tmp_path, database_url=url)
    Runtime(settings).migrate()
    first = await seed(settings)
    assert await seed(settings) == first
    runtime = Runtime(settings)
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    assert len(await hub.accounts()) == 3
    assert await hub.read(objects.count, NOUNS["interest"], ObjectQuery()) == 5
    assert len((await hub.thread((await dialog_of(hub, "Наталья Белова")).id)).messages) == 7
    await runtime.stop()


async def test_a_customer_reads_types_and_answers(tmp_path: Path, empty_database_url: str) -> None:
    async with demo(tmp_path, _url(empty_database_url)) as hub:
        dialog = await dialog_of(hub, "Елена Громова")
        typed: list[Signal] = []

        async def listen() -> None:
            async with hub.runtime.feed.subscribe() as subscription:
                while True:
                    typed.extend(one for one in await subscription.get() if isinstance(one, Signal))

        listener = asyncio.create_task(listen())
        await asyncio.sleep(0)
        asked = await say(hub, dialog.id, "Да, можно при 30 градусах. Какая длина нужна?")

        async def answered() -> bool:
            last = (await hub.thread(dialog.id)).messages[-1]
            return last.direction is Direction.IN and last.external_id == f"demo-reply:{asked}"

        await until(answered)
        assert (await hub.message(asked)).status == "read"
        assert any(one.dialog_id == dialog.id and one.contact for one in typed)
        listener.cancel()


async def test_people_who_cannot_be_reached_make_honest_failures(
    tmp_path: Path, empty_database_url: str
) -> None:
    async with demo(tmp_path, _url(empty_database_url)) as hub:
        dialog = await dialog_of(hub, "Артём Носов")
        message_id = await say(hub, dialog.id, "Hello again")

        async def unknown() -> bool:
            return (await hub.message(message_id)).status == "unknown"

        await until(unknown)
        # She has blocked us, which an answer in her story found out.
        dialog = await dialog_of(hub, "Chloe Martin")
        with pytest.raises(Conflict) as refused:
            await say(hub, dialog.id, "Hello again")
        assert refused.value.what == "person_blocked"


async def test_somebody_new_writes_in_the_language_of_the_account(
    tmp_path: Path, empty_database_url: str
) -> None:
    from plugins.demo_customer.people import newcomer, number

    async with demo(tmp_path, _url(empty_database_url)) as hub:
        for one in await hub.accounts():
            if one.channel.startswith("demo_"):
                await hub.do(
                    UpdateAccount(
                        account_id=AccountId(one.id),
                        settings={**one.settings, "language": "ru"},
                    )
                )
        before = {one.id for one in (await hub.dialogs(DialogQuery(limit=50))).dialogs}
        slot = next(n for n in range(10**7, 10**7 + 100) if number("come", n) % 3 == 0)
        hub.runtime.now = lambda: slot * 60_000_000  # type: ignore[assignment,return-value]
        await newcomer(hub)
        await newcomer(hub)
        after = (await hub.dialogs(DialogQuery(limit=50))).dialogs
        fresh = [one for one in after if one.id not in before]
        assert len(fresh) == 1
        assert any("а" <= letter <= "я" for letter in fresh[0].preview.casefold())


def _url(url: str) -> str:
    return "" if url.startswith("sqlite") else url
