"""Sends that may be repeated, receipts that hold for what went before, names that come late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub import (
    SYSTEM,
    Address,
    ButtonPressed,
    ClaimDeliveries,
    DeliveryReceipt,
    DeliveryStatus,
    ExpireLeases,
    IntroducePerson,
    OutcomeUnknown,
    RetryDelivery,
    SendMessage,
    SettleDelivery,
    StartSending,
    UpdateContact,
)
from hub.workers import Workers
from tests.houses import US, House, house, message, until


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    """A hub whose pigeons know a message again for an hour."""
    async with house(tmp_path, database_url) as one:
        kind = one.runtime.channels["pigeon"]
        kind.capabilities = replace(
            kind.capabilities, idempotent_send=True, idempotent_for=timedelta(hours=1)
        )
        one.runtime.database.channels["pigeon"] = kind.capabilities
        yield one


async def ask(home: House, *texts: str) -> list[int]:
    given = (await home.receive(message("k1")))[0]
    return [
        (await home.user.do(SendMessage(dialog_id=given.dialog_id, text=one)))[0] for one in texts
    ]


async def status_of(home: House, message_id: int) -> str:
    return (await home.user.message(message_id)).status  # type: ignore[arg-type]


async def start_one(home: House) -> tuple[int, int]:
    lease = 60 * US
    claim = ClaimDeliveries(account_id=home.pigeon, worker="test", limit=10, lease_us=lease)
    one: tuple[int, int] = (await home.system.do(claim))[0][0]
    await home.system.do(StartSending(delivery_id=one[0], fence=one[1], lease_us=lease))  # type: ignore[arg-type]
    return one


async def test_an_interrupted_send_is_repeated_while_the_provider_knows_its_key(
    home: House,
) -> None:
    ids = await ask(home, "one")
    await start_one(home)
    home.world.offset_us += 61 * US
    assert (await home.system.do(ExpireLeases()))[0] == (1, 0)
    assert await status_of(home, ids[0]) == "queued"


async def test_an_interrupted_send_is_unknown_once_the_key_is_forgotten(home: House) -> None:
    ids = await ask(home, "one")
    await start_one(home)
    home.world.offset_us += 3_700 * US
    assert (await home.system.do(ExpireLeases()))[0] == (0, 1)
    assert await status_of(home, ids[0]) == "unknown"


async def test_a_repeat_that_comes_too_late_is_left_to_a_person(home: House) -> None:
    """An attempt that may have arrived, an hour without the provider: then nothing is guessed."""
    home.world.outcomes = [OutcomeUnknown("no answer")]
    ids = await ask(home, "one")
    workers = Workers(home.runtime)
    workers.start()
    try:
        await until(lambda: len(home.world.sent) == 1)
        home.world.offset_us += 3_700 * US
        await until(lambda: _is(home, ids[0], "unknown"), 30)
        assert len(home.world.sent) == 1
        await home.user.do(RetryDelivery(message_id=ids[0], even_if_unknown=True))  # type: ignore[arg-type]
        await until(lambda: _is(home, ids[0], "sent"), 30)
    finally:
        await workers.stop()
    assert len(home.world.sent) == 2
    assert len({one.idempotency_key for one in home.world.sent}) == 1


async def _is(home: House, message_id: int, status: str) -> bool:
    return await status_of(home, message_id) == status


async def test_a_read_mark_holds_for_everything_before_it(home: House) -> None:
    ids = await ask(home, "one", "two", "three")
    for n in range(3):
        one = await start_one(home)
        await home.system.do(
            SettleDelivery(
                delivery_id=one[0],  # type: ignore[arg-type]
                fence=one[1],
                status=DeliveryStatus.SENT,
                external_ids=(f"x-{n}",),
            )
        )
    account = await home.system.account(home.pigeon)
    read = DeliveryReceipt(
        dedupe_key="read-1", external_id="x-1", status=DeliveryStatus.READ, earlier=True
    )
    await home.runtime.receive(account, [read])
    assert [await status_of(home, one) for one in ids] == ["read", "read", "sent"]
    # The mark may also name the person's own message that stands after ours.
    await home.receive(message("k2"))
    await home.runtime.receive(account, [replace(read, dedupe_key="read-2", external_id="in-k2")])
    assert [await status_of(home, one) for one in ids] == ["read"] * 3


async def test_a_name_that_comes_later_stands_wherever_the_number_stood(home: House) -> None:
    given = (await home.receive(message("k1", "77", name="")))[0]
    pigeon = Address(kind="pigeon", value="77", name="Анна Белова")
    assert await home.system.do(IntroducePerson(address=pigeon, language="ru")) == [True]
    contact = await home.user.contact(given.contact_id)
    assert (contact.name, contact.language, contact.addresses[0].name) == (
        "Анна Белова",
        "ru",
        "Анна Белова",
    )
    await home.receive(message("k2", "77", name=""))
    thread = await home.user.thread(given.dialog_id)
    assert [one.author_name for one in thread.messages] == ["Анна Белова"] * 2


async def test_a_name_that_a_colleague_wrote_stays(home: House) -> None:
    given = (await home.receive(message("k1", "77", name="")))[0]
    await home.user.do(UpdateContact(contact_id=given.contact_id, name="Anna of the bakery"))
    await home.system.do(
        IntroducePerson(address=Address(kind="pigeon", value="77", name="Анна Белова"))
    )
    assert (await home.user.contact(given.contact_id)).name == "Anna of the bakery"
    nobody = IntroducePerson(address=Address(kind="pigeon", value="1", name="Nobody"))
    assert await home.system.do(nobody) == [False]


async def test_a_pressed_button_is_acknowledged_after_it_was_written(home: House) -> None:
    told: list[ButtonPressed] = []

    async def acknowledge(_: object, pressed: ButtonPressed) -> None:
        told.append(pressed)
        raise RuntimeError("the provider is not interested")

    home.runtime.channels["pigeon"].acknowledge = acknowledge  # type: ignore[method-assign, assignment]
    pressed = ButtonPressed(
        dedupe_key="b1",
        external_id="x",
        sender=Address(kind="pigeon", value="anna"),
        payload="yes",
        label="Yes",
    )
    account = await home.runtime.handle(SYSTEM).account(home.pigeon)
    await home.runtime.receive(account, [pressed])
    await until(lambda: told == [pressed])
