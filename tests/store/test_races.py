"""What two processes do at the same moment on PostgreSQL, where nobody waits for a single writer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_store.unit_of_work import JOURNAL_LOCK, Transaction, UnitOfWork
from dialogs.claiming import claim_deliveries
from dialogs.receipts import record_receipt
from hub import (
    SYSTEM,
    ClaimDeliveries,
    CreateAccount,
    DeliveryReceipt,
    DeliveryStatus,
    SendMessage,
    SetSendingLimits,
    SettleDelivery,
    StartSending,
)
from hub.commands import RecordReceipt
from tests.houses import US, House, house, message
from tests.store.test_many import given, people, planned, states


@pytest.fixture
async def home(tmp_path: Path, postgres_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, postgres_url) as one:
        yield one


async def test_a_receipt_that_comes_while_its_send_is_settled_is_not_lost(home: House) -> None:
    given = (await home.receive(message("k1")))[0]
    message_id = (await home.user.do(SendMessage(dialog_id=given.dialog_id, text="hi")))[0]
    claim = ClaimDeliveries(account_id=home.pigeon, worker="test", limit=1, lease_us=60 * US)
    delivery_id, fence = (await home.system.do(claim))[0][0]
    await home.system.do(StartSending(delivery_id=delivery_id, fence=fence, lease_us=60 * US))
    recorded, go_on = threading.Event(), threading.Event()

    def slow_receipt(tx: Transaction, items: list[RecordReceipt]) -> list[Any]:
        answers = [record_receipt(UnitOfWork(tx, actor=SYSTEM), one) for one in items]
        recorded.set()
        go_on.wait(30)
        return answers

    receipt = DeliveryReceipt(dedupe_key="r", external_id="x-1", status=DeliveryStatus.READ)
    told = asyncio.ensure_future(
        home.runtime.database.write(
            slow_receipt, RecordReceipt(account_id=home.pigeon, receipt=receipt)
        )
    )
    await asyncio.to_thread(recorded.wait, 30)
    # The receipt found no send and is not committed yet: the settling must wait for it.
    settle = SettleDelivery(
        delivery_id=delivery_id,
        fence=fence,
        status=DeliveryStatus.SENT,
        external_ids=("x-1",),
    )
    settled = asyncio.ensure_future(home.system.do(settle))
    await asyncio.wait({settled}, timeout=1)
    assert not settled.done()
    go_on.set()
    await asyncio.gather(told, settled)
    assert (await home.user.message(message_id)).status == "read"


def _claiming(account: Any, limit: int = 9) -> ClaimDeliveries:
    return ClaimDeliveries(account_id=account, worker="test", limit=limit, lease_us=60 * US)


async def _claim_uncommitted(
    home: House, command: ClaimDeliveries
) -> tuple[asyncio.Future[Any], threading.Event]:
    """Claim, and hold the commit back until the event is set."""
    claimed, go_on = threading.Event(), threading.Event()

    def slow_claim(tx: Transaction, items: list[ClaimDeliveries]) -> list[Any]:
        found = [claim_deliveries(UnitOfWork(tx, actor=SYSTEM), each) for each in items]
        claimed.set()
        go_on.wait(30)
        return found

    slow = asyncio.ensure_future(home.runtime.database.write(slow_claim, command))
    await asyncio.to_thread(claimed.wait, 30)
    return slow, go_on


@pytest.mark.parametrize("first", [{"cap_count": 1}, {}], ids=["capped", "uncapped"])
async def test_two_workers_who_claim_at_once_keep_to_the_cap(
    home: House, first: dict[str, int]
) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    (other,) = await home.user.do(CreateAccount(channel="pigeon", title="More pigeons"))
    one = await planned(home, number=1, **first)
    two = await planned(home, number=2, cap_count=1)
    await given(home, one, [anna])
    await given(home, two, [anna, boris], account=other)
    slow, go_on = await _claim_uncommitted(home, _claiming(home.pigeon))
    # The first is not committed yet, and nobody waits for it: Boris is his alone.
    [quick] = await home.system.do(_claiming(other))
    waiting = await states(home, two)
    go_on.set()
    assert len(await slow) == 1
    assert (len(quick), waiting) == (1, {("claimed", ""): 1, ("queued", ""): 1})
    home.world.offset_us += US
    assert await home.system.do(_claiming(other)) == [[]]
    assert (await states(home, two))["suppressed", "frequency_cap"] == 1


@pytest.mark.parametrize("limit", ["per_day", "per_minute"])
async def test_the_first_claims_of_a_limit_count_together(home: House, limit: str) -> None:
    await home.user.do(SetSendingLimits(account_id=home.pigeon, **{limit: 1}))
    await given(home, await planned(home), await people(home, "Anna", "Boris"))
    slow, go_on = await _claim_uncommitted(home, _claiming(home.pigeon, 1))
    second = asyncio.ensure_future(home.system.do(_claiming(home.pigeon, 1)))
    await asyncio.wait({second}, timeout=0.3)
    go_on.set()
    [found] = await second
    assert (len(await slow), found) == (1, [])


async def test_a_fact_gets_its_number_under_the_lock(home: House) -> None:
    """Whoever waits for the journal has no number yet: the order of numbers is that of commits."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    newest = text("SELECT last_value FROM journal_id_seq")
    with home.runtime.database.administer() as conn:
        conn.execute(text(f"SELECT pg_advisory_xact_lock({JOURNAL_LOCK})"))
        before = conn.execute(newest).scalar_one()
        coming = asyncio.ensure_future(home.receive(message("k1")))
        async with asyncio.timeout(20):
            while not conn.execute(waiting).scalar_one():
                await asyncio.sleep(0.02)
        assert conn.execute(newest).scalar_one() == before
    assert (await coming)[0].new
