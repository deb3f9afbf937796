"""Sending: once, honestly, in order, and never without being asked."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from crm_store.tables.outbox import delivery_leases
from dialogs.splitting import split_text
from hub import (
    AddNote,
    CancelSend,
    ClaimDeliveries,
    Conflict,
    DeliveryReceipt,
    DeliveryStatus,
    ExpireLeases,
    Micros,
    RecordReceipt,
    RejectReason,
    RetryDelivery,
    SendMessage,
    SettleDelivery,
    StartSending,
)
from hub.records.dialogs import Message
from tests.houses import US, House, house, message

LEASE = 60 * US


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def sent_by(home: House, *texts: str, sender: str = "anna") -> list[int]:
    """Send answers in one person's dialog; gives the messages' ids."""
    given = (await home.receive(message(f"k-{sender}", sender)))[0]
    return [
        (await home.user.do(SendMessage(dialog_id=given.dialog_id, text=one)))[0] for one in texts
    ]


async def claim(home: House, limit: int = 10, *, agent_only: bool = False) -> list[tuple[int, int]]:
    command = ClaimDeliveries(
        account_id=home.pigeon, worker="test", limit=limit, lease_us=LEASE, agent_only=agent_only
    )
    return (await home.system.do(command))[0]


async def shown(home: House, message_id: int) -> Message:
    return await home.user.message(message_id)  # type: ignore[arg-type]


async def settle(home: House, one: tuple[int, int], status: DeliveryStatus, **more: object) -> None:
    command = SettleDelivery(delivery_id=one[0], fence=one[1], status=status, **more)  # type: ignore[arg-type]
    await home.system.do(command)


async def start(home: House, one: tuple[int, int]) -> None:
    await home.system.do(StartSending(delivery_id=one[0], fence=one[1], lease_us=LEASE))  # type: ignore[arg-type]


async def test_a_dialog_is_sent_strictly_one_after_another(home: House) -> None:
    await sent_by(home, "one", "two")
    first = await claim(home)
    assert len(first) == 1
    assert await claim(home) == []
    await start(home, first[0])
    await settle(home, first[0], DeliveryStatus.QUEUED, retry_at=Micros(home.world.now() + 5 * US))
    # The first one waits for its retry; the second one still waits for the first.
    assert await claim(home) == []
    home.world.offset_us += 6 * US
    again = await claim(home)
    assert [one[0] for one in again] == [first[0][0]]


async def test_a_message_planned_for_later_holds_nobody_up(home: House) -> None:
    given = (await home.receive(message("k1")))[0]
    later = SendMessage(
        dialog_id=given.dialog_id, text="later", due_at=Micros(home.world.now() + 3600 * US)
    )
    now = SendMessage(dialog_id=given.dialog_id, text="now")
    await home.user.do(later, now)
    assert len(await claim(home)) == 1
    home.world.offset_us += 3601 * US


async def test_an_expired_claim_goes_back_and_an_expired_send_is_unknown(home: House) -> None:
    ids = await sent_by(home, "one")
    await sent_by(home, "two", sender="bert")
    claimed = await claim(home)
    assert len(claimed) == 2
    await start(home, claimed[0])
    home.world.offset_us += LEASE + US
    assert (await home.system.do(ExpireLeases()))[0] == (1, 1)
    assert (await shown(home, ids[0])).status == "unknown"
    assert [one[0] for one in await claim(home)] == [claimed[1][0]]


async def test_what_ends_together_is_written_each_as_it_ended(home: House) -> None:
    ids = [
        (await sent_by(home, "Hello", sender=one))[0] for one in ("anna", "bert", "carl", "dora")
    ]
    well, refused, lost, partly = await claim(home)
    for one in (well, refused, lost, partly):
        await start(home, one)
    await home.system.do(
        *(
            SettleDelivery(delivery_id=one[0], fence=one[1] - (one is lost), status=status, **more)  # type: ignore[arg-type]
            for one, status, more in (
                (well, DeliveryStatus.SENT, {"external_ids": ("a", "b")}),
                (refused, DeliveryStatus.FAILED, {"reason": "other", "text": "no"}),
                (lost, DeliveryStatus.FAILED, {"reason": "other"}),
                (partly, DeliveryStatus.SENT, {"external_ids": ("c",), "refused": (("x", "no"),)}),
            )
        )
    )
    found = [await shown(home, one) for one in ids]
    assert [one.status for one in found] == ["sent", "failed", "queued", "sent"]
    assert [one.external_id for one in found] == ["a", "", "", "c"]
    # Whoever lost his lease decided nothing, and what arrived is known by each of its names.
    await home.system.do(
        RecordReceipt(
            account_id=home.pigeon,
            receipt=DeliveryReceipt(
                dedupe_key="r", external_id="b", status=DeliveryStatus.DELIVERED
            ),
        )
    )
    assert (await shown(home, ids[0])).status == "delivered"


async def test_a_send_outlives_its_claim_and_no_other_lease_is_forgotten(home: House) -> None:
    await sent_by(home, "one")
    await sent_by(home, "two", sender="bert")
    await sent_by(home, "three", sender="carl")
    settled, started, _ = await claim(home)
    await settle(home, settled, DeliveryStatus.SENT, external_ids=("x1",))
    home.world.offset_us += LEASE // 2
    await start(home, started)
    home.world.offset_us += LEASE // 2 + US
    # The claim is over for the one that was not started; the other has a lease of its own.
    assert (await home.system.do(ExpireLeases()))[0] == (1, 0)
    home.world.offset_us += LEASE // 2
    assert (await home.system.do(ExpireLeases()))[0] == (0, 1)
    assert await home.runtime.database.read(looked_at) == 0


async def test_leases_of_the_dead_end_at_once(home: House) -> None:
    await sent_by(home, "one")
    await sent_by(home, "two", sender="bert")
    claimed = await claim(home)
    await start(home, claimed[0])
    home.runtime.outlive()
    home.world.offset_us += 1
    assert (await home.system.do(ExpireLeases()))[0] == (1, 1)


def looked_at(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(delivery_leases)).scalar_one())


async def test_a_lost_lease_cannot_start_nor_change_the_state(home: House) -> None:
    ids = await sent_by(home, "one")
    old = (await claim(home))[0]
    home.world.offset_us += LEASE + US
    await home.system.do(ExpireLeases())
    new = (await claim(home))[0]
    with pytest.raises(Conflict):
        await start(home, old)
    await start(home, new)
    await settle(home, old, DeliveryStatus.FAILED, reason="other")
    assert (await shown(home, ids[0])).status != "failed"


async def test_a_late_success_turns_unknown_into_sent(home: House) -> None:
    ids = await sent_by(home, "one")
    one = (await claim(home))[0]
    await start(home, one)
    home.world.offset_us += LEASE + US
    await home.system.do(ExpireLeases())
    assert (await shown(home, ids[0])).status == "unknown"
    await settle(home, one, DeliveryStatus.SENT, external_ids=("x1",))
    assert (await shown(home, ids[0])).status == "sent"
    assert await claim(home) == []


async def test_unknown_is_repeated_only_when_a_person_says_so(home: House) -> None:
    ids = await sent_by(home, "one")
    one = (await claim(home))[0]
    await start(home, one)
    await settle(home, one, DeliveryStatus.UNKNOWN)
    dialog = (await shown(home, ids[0])).dialog_id
    assert (await home.user.dialog(dialog)).failed
    with pytest.raises(Conflict) as error:
        await home.user.do(RetryDelivery(message_id=ids[0]))  # type: ignore[arg-type]
    assert error.value.what == "unknown"
    await home.user.do(RetryDelivery(message_id=ids[0], even_if_unknown=True))  # type: ignore[arg-type]
    assert len(await claim(home)) == 1
    assert not (await home.user.dialog(dialog)).failed


async def test_one_key_is_one_message(home: House) -> None:
    given = (await home.receive(message("k1")))[0]
    command = SendMessage(dialog_id=given.dialog_id, text="once", idempotency_key="key")
    first = (await home.user.do(command))[0]
    assert (await home.user.do(command))[0] == first
    assert len(await claim(home)) == 1
    assert await claim(home) == []


async def test_long_idempotency_keys_that_begin_alike_are_two(home: House) -> None:
    given = (await home.receive(message("k1")))[0]
    long = "x" * 1000
    for shape in (SendMessage, AddNote):
        made = [
            (
                await home.user.do(
                    shape(dialog_id=given.dialog_id, text="hi", idempotency_key=f"{long}{end}")
                )
            )[0]
            for end in "121"
        ]
        assert made[0] == made[2] != made[1]


async def test_the_guard_asks_when_something_came_meanwhile(home: House) -> None:
    first = (await home.receive(message("k1")))[0]
    await home.receive(message("k2", text="wait, one more thing"))
    command = SendMessage(dialog_id=first.dialog_id, text="x", seen_message_id=first.message_id)
    with pytest.raises(Conflict) as error:
        await home.user.do(command)
    assert error.value.what == "newer_messages"
    anyway = SendMessage(
        dialog_id=first.dialog_id, text="x", seen_message_id=first.message_id, send_anyway=True
    )
    await home.user.do(anyway)


async def test_a_message_can_be_taken_back_until_it_is_claimed(home: House) -> None:
    ids = await sent_by(home, "one")
    assert (await home.user.do(CancelSend(message_id=ids[0])))[0] == "one"  # type: ignore[arg-type]
    assert await claim(home) == []
    ids = await sent_by(home, "two")
    await claim(home)
    with pytest.raises(Conflict):
        await home.user.do(CancelSend(message_id=ids[0]))  # type: ignore[arg-type]


RECEIPTS = ("sent", "delivered", "read", "failed")


@pytest.mark.parametrize("order", list(itertools.permutations(RECEIPTS)))
async def test_every_order_of_receipts_ends_alike(home: House, order: tuple[str, ...]) -> None:
    ids = await sent_by(home, "one")
    one = (await claim(home))[0]
    await start(home, one)
    await settle(home, one, DeliveryStatus.SENT, external_ids=("x1",))
    account = await home.system.account(home.pigeon)
    for status in order:
        receipt = DeliveryReceipt(
            dedupe_key=f"r-{status}",
            external_id="x1",
            status=DeliveryStatus(status),
            reason=RejectReason.OTHER if status == "failed" else None,
        )
        await home.runtime.receive(account, [receipt, receipt])
    assert (await shown(home, ids[0])).status == "read"


async def test_a_receipt_that_overtakes_its_send_is_kept(home: House) -> None:
    ids = await sent_by(home, "one")
    one = (await claim(home))[0]
    await start(home, one)
    account = await home.system.account(home.pigeon)
    early = DeliveryReceipt(dedupe_key="r1", external_id="x1", status=DeliveryStatus.DELIVERED)
    await home.runtime.receive(account, [early])
    assert (await shown(home, ids[0])).status != "delivered"
    await settle(home, one, DeliveryStatus.SENT, external_ids=("x1",))
    assert (await shown(home, ids[0])).status == "delivered"


def report_of_delay(key: str) -> DeliveryReceipt:
    return DeliveryReceipt(
        dedupe_key=key,
        external_id="x1",
        status=DeliveryStatus.SENT,
        reason=RejectReason.DELAYED,
        text="smtp; 421 4.4.1 connect timed out",
    )


@pytest.mark.parametrize("before", [DeliveryStatus.SENT, DeliveryStatus.UNKNOWN])
async def test_a_delay_changes_no_state_and_is_said_until_more_is_known(
    home: House, before: DeliveryStatus
) -> None:
    ids = await sent_by(home, "one")
    one = (await claim(home))[0]
    await start(home, one)
    await settle(home, one, before, external_ids=("x1",))
    account = await home.system.account(home.pigeon)
    await home.runtime.receive(account, [report_of_delay("d1"), report_of_delay("d2")])
    found = await shown(home, ids[0])
    assert (found.status, found.reason) == (before.value, "delayed")
    assert "4.4.1" in found.reason_text
    arrived = DeliveryReceipt(dedupe_key="r1", external_id="x1", status=DeliveryStatus.DELIVERED)
    await home.runtime.receive(account, [arrived, report_of_delay("d3")])
    found = await shown(home, ids[0])
    assert (found.status, found.reason, found.reason_text) == ("delivered", "", "")


async def test_a_person_goes_before_a_mailing(home: House) -> None:
    from hub import Lane

    for n in range(5):
        given = (await home.receive(message(f"m{n}", f"reader{n}")))[0]
        await home.user.do(SendMessage(dialog_id=given.dialog_id, text="news", lane=Lane.MAILING))
    answer = await sent_by(home, "answer")
    first = (await claim(home, 1))[0]
    delivery = await home.user.read(_delivery_of, answer[0])
    assert delivery == first[0]
    assert await claim(home, agent_only=True) == []
    assert len(await claim(home)) == 5


def _delivery_of(reader: object, message_id: int) -> int:
    from crm_store.deliveries import delivery

    return delivery(reader, message_id).id  # type: ignore[arg-type]


def test_a_long_text_is_cut_where_it_hurts_least() -> None:
    text = "First sentence. " * 40 + "\n\n" + "Second paragraph. " * 10
    parts = split_text(text, 200)
    assert all(0 < len(one) <= 200 for one in parts)
    assert " ".join(" ".join(parts).split()) == " ".join(text.split())
    assert split_text("short", 200) == ["short"]
    assert split_text("x" * 450, 200) == ["x" * 200, "x" * 200, "x" * 50]
