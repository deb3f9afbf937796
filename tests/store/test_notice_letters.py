"""Letters to colleagues: gathered, once, only of what they have not seen and may see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store import notices as notice_reads
from crm_store.notice_letters import letter_state
from crm_store.quarantine import quarantined
from crm_store.tables.dialogs import dialogs
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses, contacts
from hub import (
    AddNote,
    ChooseNoticeMailbox,
    ClaimDeliveries,
    CreateObject,
    CreateUser,
    DeliveryReceipt,
    DeliveryStatus,
    ExpireLeases,
    FinishTask,
    Invalid,
    MailNotices,
    MarkRead,
    ReadNotices,
    RejectReason,
    RemindOfTasks,
    RemoveAccount,
    StartDeliveries,
    UpdateAccount,
    UpdateProfile,
    UpdateUser,
    UserId,
)
from hub.dispatcher import Dispatcher
from hub.handle import BoundHub
from hub.notice_letters import NothingToTell, NoticeLetters
from tests.houses import US, House, house, letter, message, until

MINUTE = 60 * US
KINDS = ("task.assigned", "task.reminder", "dialog.mentioned")


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def colleague(home: House, *kinds: str, email: str = "ivan@example.com") -> BoundHub:
    """Make an agent who wants letters of some kinds."""
    command = CreateUser(email=email, name="Ivan", role="agent", language="ru")
    agent = home.system.as_user((await home.system.do(command))[0])
    await agent.do(UpdateProfile(preferences={"letters": dict.fromkeys(kinds or KINDS, True)}))
    return agent


async def task_for(home: House, agent: BoundHub, title: str, **more: object) -> int:
    values = {"title": title, "owner_id": str(agent.actor.id), **more}
    return (await home.user.do(CreateObject(kind="task", values=values)))[0]


async def letters_of(home: House) -> list[tuple[int, str]]:
    """The rows of the outbox that go to colleagues."""
    found = select(deliveries.c.id, deliveries.c.status).where(deliveries.c.user_id > 0)
    rows = await home.system.read(lambda reader: reader.conn.execute(found).all())
    return [(row.id, row.status) for row in sorted(rows)]


async def mailed(home: House, minutes: int = 11) -> int:
    """Let time pass; gives how many letters are written then."""
    home.world.offset_us += minutes * MINUTE
    return (await home.system.do(MailNotices()))[0]


async def made(home: House, letter_id: int) -> object:
    """What a letter would be on the wire at this moment."""
    row = select(deliveries).where(deliveries.c.id == letter_id)
    return await home.system.read(
        lambda reader: NoticeLetters(home.runtime).read(
            reader.conn, reader.conn.execute(row).all()
        )[letter_id]
    )


@asynccontextmanager
async def carrying(home: House) -> AsyncIterator[None]:
    """Let what is in the outbox leave."""
    task = asyncio.create_task(Dispatcher(home.runtime).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ends_as(home: House, status: str) -> bool:
    return {one[1] for one in await letters_of(home)} == {status}


async def people_of(home: House) -> tuple[int, ...]:
    return await home.system.read(
        lambda reader: tuple(
            reader.conn.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (dialogs, contacts, addresses)
        )
    )


async def test_what_was_not_seen_leaves_in_one_letter_and_its_echo_is_nobodys(home: House) -> None:
    agent = await colleague(home)
    await task_for(home, agent, "Call <Petrov>")
    await task_for(home, agent, "Write to Anna")
    assert await mailed(home, 9) == 0
    before = await people_of(home)
    assert await mailed(home, 2) == 1
    assert await mailed(home) == 0
    async with carrying(home):
        await until(lambda: ends_as(home, "sent"))
    [sent] = home.world.sent
    assert (sent.to.value, sent.automated, sent.subject) == (
        "ivan@example.com", True, "Уведомления для вас: 2",
    )  # fmt: skip
    assert sent.text.index("Вам поставили задачу: Call <Petrov>") < sent.text.index("Write to Anna")
    assert f"{home.runtime.public_url}/tasks/" in sent.text
    assert "Call &lt;Petrov&gt;" in sent.html
    # An answer, an absence note and a report of failure: none of them is a customer's.
    [(letter_id, _)] = await letters_of(home)
    name = f"out-{letter_id}"
    await home.receive(
        letter("r1", "Ivan@example.com", in_reply_to=name, text="Thanks"), letter=True
    )
    away = letter("r2", "ivan@example.com", automated=True, text="On holiday")
    await home.receive(away, letter=True)
    failed = DeliveryReceipt(
        dedupe_key="r3",
        external_id=name,
        status=DeliveryStatus.FAILED,
        reason=RejectReason.INVALID_ADDRESS,
        text="550 5.1.1 no such user",
    )
    account = await home.system.account(home.letter)
    await home.runtime.receive(account, [failed])
    assert await people_of(home) == before
    refused = await home.user.read(quarantined)
    assert [(one.source, one.error) for one in refused] == [
        ("dropped", "an answer to a letter to a colleague")
    ] * 2
    state = await agent.read(letter_state, home.runtime.database.channels)
    assert (state.last_status, state.last_reason) == ("failed", "550 5.1.1 no such user")
    # What a colleague writes of himself is taken in like anybody's.
    await home.receive(letter("r4", "ivan@example.com", text="A question"), letter=True)
    assert (await people_of(home))[0] == before[0] + 1


async def test_nothing_leaves_of_what_was_seen_is_over_or_is_out_of_sight(home: House) -> None:
    agent = await colleague(home)
    await task_for(home, agent, "Seen")
    await agent.do(ReadNotices())
    given = (await home.receive(message("m1")))[0]
    me = UserId(agent.actor.id)
    await home.user.do(AddNote(dialog_id=given.dialog_id, text="secret words", mentions=(me,)))
    await agent.do(MarkRead(dialog_id=given.dialog_id, message_id=given.message_id))
    assert await mailed(home) == 0
    assert await agent.read(notice_reads.unread_count) == 0
    done = await task_for(home, agent, "Done meanwhile")
    await task_for(home, agent, "Kept")
    await home.user.do(AddNote(dialog_id=given.dialog_id, text="secret words", mentions=(me,)))
    assert await mailed(home) == 1
    [(letter_id, _)] = await letters_of(home)
    await home.system.do(FinishTask(task_id=done))
    sent = await made(home, letter_id)
    assert "Kept" in sent.text
    assert "Done meanwhile" not in sent.text
    assert f"/inbox/{given.dialog_id}" in sent.text
    assert "secret" not in sent.text
    # The channel is closed to him; then he wants no letters of the rest; then he is gone.
    only = (UserId(home.user.actor.id),)
    await home.user.do(UpdateAccount(account_id=home.pigeon, members=only))
    assert f"/inbox/{given.dialog_id}" not in (await made(home, letter_id)).text
    await agent.do(UpdateProfile(preferences={"letters": {}}))
    assert isinstance(await made(home, letter_id), NothingToTell)
    await home.user.do(UpdateUser(user_id=me, active=False))
    async with carrying(home):
        await until(lambda: ends_as(home, "suppressed"))
    assert home.world.sent == []


async def test_a_reminder_goes_at_once_and_the_next_ones_wait_for_each_other(home: House) -> None:
    agent = await colleague(home, "task.reminder")
    written = []
    async with carrying(home):
        for n in range(7):
            await task_for(home, agent, f"Task {n}", due_at=home.world.now())
            await home.system.do(RemindOfTasks())
            written.append(await mailed(home, 1))
            await until(lambda: ends_as(home, "sent"))
    assert written == [1, 0, 0, 0, 0, 1, 0]
    assert home.world.sent[1].subject.endswith("5")


async def test_a_letter_cut_off_on_the_wire_is_not_written_again(home: House) -> None:
    agent = await colleague(home)
    await task_for(home, agent, "Once")
    assert await mailed(home) == 1
    [(letter_id, _)] = await letters_of(home)
    # What comes while it waits is told by the same letter.
    await task_for(home, agent, "Twice")
    assert await mailed(home) == 0
    assert "Twice" in (await made(home, letter_id)).text
    claim = ClaimDeliveries(account_id=home.letter, worker="dies", limit=5, lease_us=US)
    [(number, fence)] = (await home.system.do(claim))[0]
    await home.system.do(StartDeliveries(deliveries=((number, fence, 0),), lease_us=US))
    home.world.offset_us += MINUTE
    await home.system.do(ExpireLeases())
    assert await mailed(home) == 0
    assert await letters_of(home) == [(letter_id, "unknown")]


async def test_the_mailbox_is_chosen_and_without_one_nothing_waits(home: House) -> None:
    channels = home.runtime.database.channels
    assert (await home.user.read(letter_state, channels)).account_id == home.letter
    with pytest.raises(Invalid):
        await home.user.do(ChooseNoticeMailbox(account_id=home.pigeon))
    await home.user.do(ChooseNoticeMailbox(account_id=home.letter))
    assert (await home.user.read(letter_state, channels)).chosen == home.letter
    await home.user.do(RemoveAccount(account_id=home.letter))
    state = await home.user.read(letter_state, channels)
    assert (state.chosen, state.account_id) == (0, 0)
    agent = await colleague(home)
    await task_for(home, agent, "Nobody carries it")
    assert await mailed(home) == 0
    assert await letters_of(home) == []
