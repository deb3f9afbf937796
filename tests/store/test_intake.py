"""Taking messages in: once, to the right person, into the right dialog."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.tables.dialogs import dialogs, messages, quarantine
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses, contacts
from hub import (
    Address,
    Attachment,
    BlockAddress,
    DeleteMessage,
    DialogQuery,
    DialogStatus,
    MergeDialogs,
    Micros,
    SetDialogStatus,
    SnoozeDialog,
    SplitDialog,
    UpdateAccount,
)
from tests.houses import US, House, house, letter, message, until


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def count(home: House, table: object) -> int:
    return await home.runtime.database.read(
        lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one()
    )


async def test_a_repeat_of_a_message_changes_nothing(home: House) -> None:
    first = (await home.receive(message("k1")))[0]
    events = await count(home, journal)
    again = (await home.receive(message("k1", text="other words")))[0]
    assert again.message_id == first.message_id
    assert again.dialog_id == first.dialog_id
    assert first.new
    assert not again.new
    assert await count(home, messages) == 1
    assert await count(home, journal) == events


async def test_long_keys_and_addresses_that_begin_alike_are_two(home: House) -> None:
    long = "x" * 500
    one, other, again = [
        (await home.receive(message(f"{long}{end}", f"{long}{end}")))[0] for end in "121"
    ]
    assert one.new
    assert other.new
    assert not again.new
    assert again.message_id == one.message_id
    assert one.contact_id != other.contact_id
    page = await home.user.dialogs(
        DialogQuery(address_kind=message("k").sender.kind, address=f"{long}2")
    )
    assert [each.id for each in page.dialogs] == [other.dialog_id]


async def test_fifty_copies_at_once_make_one_message(home: House) -> None:
    found = await asyncio.gather(*(home.receive(message("same")) for _ in range(50)))
    assert len({one[0].message_id for one in found}) == 1
    assert sum(one[0].new for one in found) == 1
    assert await count(home, messages) == 1
    assert await count(home, dialogs) == 1


async def test_many_first_messages_of_many_new_senders_make_one_dialog_each(home: House) -> None:
    await asyncio.gather(
        *(
            home.receive(message(f"{who}-{n}", f"sender{who}"))
            for n in range(10)
            for who in range(20)
        )
    )
    assert await count(home, contacts) == 20
    assert await count(home, addresses) == 20
    assert await count(home, dialogs) == 20
    assert await count(home, messages) == 200
    page = await home.user.dialogs(DialogQuery(limit=100))
    assert {one.inbound_count for one in page.dialogs} == {10}
    assert {one.message_count for one in page.dialogs} == {10}


async def test_a_message_is_found_by_its_words_at_once(home: House) -> None:
    from crm_store.search import search

    given = (await home.receive(message("k1", text="Где мои заказы?")))[0]
    found = await home.user.read(search, "заказ")
    assert [one.message_id for one in found.messages] == [given.message_id]


@pytest.mark.parametrize(
    ("rule", "days", "same"),
    [
        ("always_one", 0, True),
        ("reopen", 30, True),
        ("reopen", 0, False),
        ("always_new", 30, False),
    ],
)
async def test_a_message_after_a_closed_dialog_follows_the_rule(
    home: House, rule: str, days: int, same: bool
) -> None:
    command = UpdateAccount(account_id=home.pigeon, thread_rule=rule, reopen_days=days)
    first = (await home.receive(message("k1")))[0]
    await home.user.do(command, SetDialogStatus(dialog_id=first.dialog_id, status="closed"))
    home.world.offset_us += US
    second = (await home.receive(message("k2")))[0]
    assert (second.dialog_id == first.dialog_id) is same
    assert (await home.user.dialog(second.dialog_id)).status in (
        DialogStatus.OPEN if same else DialogStatus.NEW,
    )


async def test_an_automatic_message_neither_wakes_nor_reopens(home: House) -> None:
    first = (await home.receive(message("k1")))[0]
    await home.user.do(SetDialogStatus(dialog_id=first.dialog_id, status="closed"))
    await home.receive(message("k2", automated=True))
    dialog = await home.user.dialog(first.dialog_id)
    assert dialog.status is DialogStatus.CLOSED
    assert dialog.waiting_since == 0
    assert dialog.inbound_count == 2


async def test_a_message_wakes_a_snoozed_dialog(home: House) -> None:
    first = (await home.receive(message("k1")))[0]
    until_then = Micros(home.world.now() + 3600 * US)
    await home.user.do(SnoozeDialog(dialog_id=first.dialog_id, until=until_then))
    assert (await home.user.dialog(first.dialog_id)).status is DialogStatus.SNOOZED
    await home.receive(message("k2"))
    dialog = await home.user.dialog(first.dialog_id)
    assert dialog.status is DialogStatus.OPEN
    assert dialog.snoozed_until == 0


async def test_a_late_message_stands_where_it_belongs_and_says_so(home: House) -> None:
    now = home.world.now()
    await home.receive(message("new", text="second", sent_at=Micros(now)))
    given = (await home.receive(message("old", text="first", sent_at=Micros(now - 3600 * US))))[0]
    thread = await home.user.thread(given.dialog_id)
    assert [one.text for one in thread.messages] == ["first", "second"]
    assert [one.late for one in thread.messages] == [True, False]


async def test_a_deleted_message_does_not_come_back(home: House) -> None:
    given = (await home.receive(message("k1", text="secret words")))[0]
    await home.user.do(DeleteMessage(message_id=given.message_id))
    again = (await home.receive(message("k1", text="secret words")))[0]
    assert not again.new
    thread = await home.user.thread(given.dialog_id)
    assert thread.messages == ()


async def test_a_blocked_sender_is_dropped_and_kept_on_record(home: House) -> None:
    from plugins import blocked_senders

    home.runtime.plugins.add("blocked_senders", blocked_senders)
    given = (await home.receive(message("k1")))[0]
    contact = await home.user.contact(given.contact_id)
    await home.user.do(BlockAddress(address_id=contact.addresses[0].id, reason="spam"))
    await until(lambda: home.runtime.arrivals.blocked)
    await home.receive(message("k2", text="buy now"))
    assert await count(home, messages) == 1
    assert await count(home, quarantine) == 1
    await home.user.do(BlockAddress(address_id=contact.addresses[0].id, reason=""))
    await until(lambda: not home.runtime.arrivals.blocked)
    await home.receive(message("k3"))
    assert await count(home, messages) == 2


async def test_an_answer_by_reference_lands_in_its_dialog(home: House) -> None:
    first = (await home.receive(letter("k1", external_id="<a@x>"), letter=True))[0]
    other = (await home.receive(letter("k2", external_id="<b@x>"), letter=True))[0]
    assert other.dialog_id != first.dialog_id
    answer = letter("k3", external_id="<c@x>", in_reply_to="<a@x>")
    assert (await home.receive(answer, letter=True))[0].dialog_id == first.dialog_id


async def test_a_reference_to_a_letter_never_seen_still_binds_the_thread(home: House) -> None:
    first = letter("k1", external_id="<a@x>", references=("<unseen@x>",))
    second = letter("k2", external_id="<b@x>", references=("<unseen@x>",))
    one = (await home.receive(first, letter=True))[0]
    two = (await home.receive(second, letter=True))[0]
    assert one.dialog_id == two.dialog_id


async def test_a_stranger_with_the_reference_gets_a_dialog_of_his_own(home: House) -> None:
    first = (await home.receive(letter("k1", external_id="<a@x>"), letter=True))[0]
    stranger = letter("k2", "eve@example.com", external_id="<b@x>", in_reply_to="<a@x>")
    given = (await home.receive(stranger, letter=True))[0]
    assert given.dialog_id != first.dialog_id
    shown = await home.user.message(given.message_id)
    assert shown.extra["related"] == str(first.dialog_id)


async def test_somebody_copied_in_takes_part(home: House) -> None:
    boss = Address(kind="email", value="boss@example.com")
    first = (await home.receive(letter("k1", external_id="<a@x>", cc=(boss,)), letter=True))[0]
    answer = letter("k2", "boss@example.com", external_id="<b@x>", in_reply_to="<a@x>")
    assert (await home.receive(answer, letter=True))[0].dialog_id == first.dialog_id


async def test_our_token_binds_a_participant_and_a_forged_one_nobody(home: House) -> None:
    first = (await home.receive(letter("k1", external_id="<a@x>"), letter=True))[0]
    token = home.runtime.keys.sign("dialog", str(first.dialog_id))
    good = (await home.receive(letter("k2", dialog_token=token), letter=True))[0]
    forged = (await home.receive(letter("k3", dialog_token=token[:-2] + "xx"), letter=True))[0]
    assert good.dialog_id == first.dialog_id
    assert forged.dialog_id != first.dialog_id


async def test_answers_to_a_merged_dialog_land_in_the_survivor(home: House) -> None:
    one = (await home.receive(letter("k1", external_id="<a@x>"), letter=True))[0]
    two = (await home.receive(letter("k2", external_id="<b@x>"), letter=True))[0]
    await home.user.do(MergeDialogs(survivor_id=one.dialog_id, merged_id=two.dialog_id))
    answer = letter("k3", external_id="<c@x>", in_reply_to="<b@x>")
    assert (await home.receive(answer, letter=True))[0].dialog_id == one.dialog_id
    assert len((await home.user.thread(one.dialog_id)).messages) == 3


async def test_answers_of_a_merged_dialog_follow_its_survivor_into_a_newer_one(home: House) -> None:
    first = (await home.receive(message("1", "anna")))[0]
    last = (await home.receive(message("2", "anna", text="something else")))[0]
    other = (await home.receive(message("3", "boris")))[0]
    await home.user.do(MergeDialogs(survivor_id=first.dialog_id, merged_id=other.dialog_id))
    [newer] = await home.user.do(SplitDialog(dialog_id=first.dialog_id, message_id=last.message_id))
    # The survivor is the older half now: it is closed and cannot be opened beside the newer one.
    got = (await home.receive(message("4", "boris", text="and I")))[0]
    assert got.dialog_id == newer
    assert (await home.receive(message("5", "anna")))[0].dialog_id == newer


async def test_a_split_dialog_keeps_every_message(home: House) -> None:
    given = [
        (
            await home.receive(
                letter(f"k{n}", external_id=f"<{n}@x>", in_reply_to="<0@x>" if n else ""),
                letter=True,
            )
        )[0]
        for n in range(4)
    ]
    new = (
        await home.user.do(
            SplitDialog(dialog_id=given[0].dialog_id, message_id=given[2].message_id)
        )
    )[0]
    old = await home.user.thread(given[0].dialog_id)
    other = await home.user.thread(new)
    assert [one.id for one in old.messages] == [one.message_id for one in given[:2]]
    assert [one.id for one in other.messages] == [one.message_id for one in given[2:]]
    assert old.dialog.inbound_count == 2
    assert other.dialog.inbound_count == 2


async def test_files_are_kept_with_their_bytes(home: House) -> None:
    files = (
        Attachment(name="a.txt", media_type="text/plain", content=b"words"),
        Attachment(name="later.png", media_type="image/png", reference="vendor:1"),
    )
    given = (await home.receive(message("k1", attachments=files)))[0]
    shown = await home.user.message(given.message_id)
    assert [(one.name, one.state) for one in shown.attachments] == [
        ("a.txt", "ready"),
        ("later.png", "pending"),
    ]
    assert (await home.user.file(shown.attachments[0].id)).content == b"words"


async def test_unread_counts_what_the_user_has_not_seen(home: House) -> None:
    from hub import MarkRead

    given = [(await home.receive(message(f"k{n}")))[0] for n in range(3)]
    dialog_id = given[0].dialog_id
    assert (await home.user.dialog(dialog_id)).unread == 3
    await home.user.do(MarkRead(dialog_id=dialog_id, message_id=given[1].message_id))
    assert (await home.user.dialog(dialog_id)).unread == 1
    await home.user.do(MarkRead(dialog_id=dialog_id, message_id=given[2].message_id))
    assert (await home.user.dialog(dialog_id)).unread == 0
    await home.receive(message("k9"))
    assert (await home.user.dialog(dialog_id)).unread == 1
