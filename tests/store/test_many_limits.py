"""Every limit of a mailing changes what leaves: domain, account, warm-up, frequency cap, time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import many
from crm_store.buckets import IDLE_US, domain_bucket, forget
from crm_store.tables.many import buckets
from hub import (
    Address,
    Capabilities,
    ClaimDeliveries,
    CreateContact,
    DeliveryStatus,
    GiveConsent,
    Invalid,
    LimitAdvertising,
    ManyContent,
    ManyRecipient,
    Micros,
    PlanMany,
    Segment,
    SendMany,
    SetSendingLimits,
    SettleDelivery,
    StartDeliveries,
    StartSending,
    SuppressAddress,
    TakeToken,
    TooFast,
)
from hub.outcomes import judge
from hub.runtime import system_now
from tests.houses import US, House, World, house

MINUTE, DAY = 60 * US, 86_400 * US
START = system_now()
EVERYBODY = Segment(id=0, name="", static=False)
WORDS = ManyContent(text="News {{ unsubscribe_url }}")


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def person(home: House, *values: str) -> Any:
    """Make a person who agreed, with mail addresses and names of pigeons."""
    made = tuple(Address(kind="email" if "@" in one else "pigeon", value=one) for one in values)
    (contact,) = await home.user.do(CreateContact(name=values[0], addresses=made))
    await home.user.do(GiveConsent(contact_id=contact, how="form"))
    return await home.user.contact(contact)


async def sent_to(
    home: House, account: Any, people: list[Any], *, number: int = 1, due_at: int = 0, **more: Any
) -> int:
    plan = PlanMany(mailing_id=number, topic="news", contents=(WORDS,), **more)
    ((send, ids),) = await home.user.do(plan)
    kind = "email" if account == home.letter else "pigeon"
    recipients = tuple(
        ManyRecipient(
            contact_id=one.id,
            address_id=next(each.id for each in one.addresses if each.kind == kind),
            account_id=account,
            content_id=ids[0],
            due_at=due_at,  # type: ignore[arg-type]
        )
        for one in people
    )
    await home.user.do(SendMany(send_id=send, recipients=recipients))
    return int(send)


async def leave(home: House, account: Any) -> int:
    """Let what may leave now leave; gives how many did."""
    command = ClaimDeliveries(account_id=account, worker="test", limit=20, lease_us=MINUTE)
    claimed = (await home.system.do(command))[0]
    for delivery, fence in claimed:
        await home.system.do(StartSending(delivery_id=delivery, fence=fence, lease_us=MINUTE))
        settled = SettleDelivery(
            delivery_id=delivery,
            fence=fence,
            status=DeliveryStatus.SENT,
            external_ids=(f"x{delivery}",),
            started_at=home.system.now(),
        )
        await home.system.do(settled)
    return len(claimed)


async def test_a_recipient_domain_and_an_account_have_their_own_pace(home: House) -> None:
    people = [await person(home, f"p{n}@{where}.example") for n in range(3) for where in "ab"]
    await sent_to(home, home.letter, people, domain_per_minute=1)
    # One to each domain; the slow one keeps nobody of another domain waiting.
    assert await leave(home, home.letter) == 2
    assert await leave(home, home.letter) == 0
    home.world.offset_us += MINUTE + US
    assert await leave(home, home.letter) == 2
    # A second mailing shares the pace of a domain.
    more = [await person(home, f"q{n}@a.example") for n in range(2)]
    await sent_to(home, home.letter, more, number=2, domain_per_minute=1)
    assert await leave(home, home.letter) == 0
    flock = [await person(home, f"bird{n}") for n in range(3)]
    await home.user.do(SetSendingLimits(account_id=home.pigeon, per_minute=1))
    await sent_to(home, home.pigeon, flock, number=3)
    assert await leave(home, home.pigeon) == 1
    assert await leave(home, home.pigeon) == 0
    home.world.offset_us += MINUTE + US
    assert await leave(home, home.pigeon) == 1
    await home.user.do(SetSendingLimits(account_id=home.pigeon))
    home.world.offset_us += MINUTE + US
    assert await leave(home, home.pigeon) == 1


async def test_a_day_counts_what_really_left(home: House) -> None:
    flock = [await person(home, f"bird{n}") for n in range(12)]
    await home.user.do(SetSendingLimits(account_id=home.pigeon, per_minute=1, per_day=5))
    home.world.offset_us += DAY - home.system.now() % DAY + 12 * 60 * MINUTE
    await sent_to(home, home.pigeon, flock)
    left = []
    for _ in range(7):
        # What was claimed and goes back has not left.
        ask = ClaimDeliveries(account_id=home.pigeon, worker="test", limit=20, lease_us=MINUTE)
        claimed = tuple((await home.system.do(ask))[0])
        await home.system.do(StartDeliveries(deliveries=(), lease_us=0, returned=claimed))
        home.world.offset_us += MINUTE + US
        left.append(await leave(home, home.pigeon))
        home.world.offset_us += MINUTE + US
    assert left == [1, 1, 1, 1, 1, 0, 0]
    home.world.offset_us += DAY
    assert await leave(home, home.pigeon) == 1


async def test_a_limit_may_be_of_many_minutes(home: House) -> None:
    """One in eight minutes sends one: of a mailing, a domain, an account, and of what a channel counts."""
    people = [await person(home, f"p{n}@a.example") for n in range(3)]
    await sent_to(home, home.letter, people, per_minute=1, minutes=8)
    more = [await person(home, f"q{n}@b.example") for n in range(3)]
    await sent_to(home, home.letter, more, number=2, domain_per_minute=1, domain_minutes=8)
    flock = [await person(home, f"bird{n}") for n in range(3)]
    await home.user.do(SetSendingLimits(account_id=home.pigeon, per_minute=2, minutes=16))
    await sent_to(home, home.pigeon, flock, number=3)
    token = TakeToken(account_id=home.letter, name="relay", per_minute=1, minutes=8)
    for _ in range(2):
        assert await leave(home, home.letter) == 2
        assert await leave(home, home.pigeon) == 1
        assert await home.system.do(token) == [0]
        home.world.offset_us += 7 * MINUTE
        assert await leave(home, home.letter) == await leave(home, home.pigeon) == 0
        assert 0 < (await home.system.do(token))[0] <= MINUTE + 1
        home.world.offset_us += MINUTE + US
    with pytest.raises(Invalid):
        await home.user.do(SetSendingLimits(account_id=home.pigeon, per_minute=1, minutes=0))


async def test_buckets_of_long_names_stay_apart_and_idle_ones_go(home: House) -> None:
    wide = [f"{'x' * 240}.{n}.example" for n in range(2)]
    assert len({domain_bucket(one) for one in wide} | {domain_bucket(wide[0], 7)}) == 3
    assert max(len(domain_bucket(one, 2**62)) for one in wide) <= 200
    people = [await person(home, f"p{n}@{n}.example") for n in range(3)]
    await sent_to(home, home.letter, people, domain_per_minute=1)
    assert await leave(home, home.letter) == 3
    await home.user.do(SetSendingLimits(account_id=home.letter, per_day=5))

    def names(reader: Any) -> list[str]:
        return sorted(reader.conn.execute(select(buckets.c.name)).scalars())

    assert await home.user.read(names) == [f"domain:{n}.example" for n in range(3)]
    with home.runtime.database.administer() as conn:
        now = home.system.now()
        assert forget(conn, now + IDLE_US - DAY) == 0
        assert forget(conn, now + IDLE_US + DAY) == 3
    assert await home.user.read(names) == []


class Still(World):
    """A far side whose clock goes only where the test turns it."""

    def now(self) -> Micros:
        return Micros(START + self.offset_us)


async def test_a_domain_that_asks_for_less_is_slowed_down_and_recovers_by_itself(
    tmp_path: Path, database_url: str
) -> None:
    world = Still()
    async with house(tmp_path, database_url, world=world) as home:
        people = [await person(home, f"p{n}@{where}.example") for n in range(8) for where in "ab"]
        await sent_to(home, home.letter, people)

        async def refused() -> None:
            """Let the next letter be told that less is taken."""
            ask = ClaimDeliveries(account_id=home.letter, worker="test", limit=1, lease_us=MINUTE)
            [(delivery, fence)] = (await home.system.do(ask))[0]
            await home.system.do(StartSending(delivery_id=delivery, fence=fence, lease_us=MINUTE))
            said = judge(TooFast("421 4.7.28 too much"), Capabilities(address_kind="email"))
            again = Micros(world.now() + 60 * MINUTE)
            await home.system.do(
                SettleDelivery(
                    delivery_id=delivery, fence=fence, status=said.status, text=said.text,
                    code=said.code, retry_at=again, started_at=world.now(),
                )
            )  # fmt: skip

        await refused()
        # One more of the first domain, then one in two seconds; all of the other.
        assert await leave(home, home.letter) == 1 + 8
        assert await leave(home, home.letter) == 0
        world.offset_us += 2 * US + 1
        assert await leave(home, home.letter) == 1
        # Said once more, the pace is halved once more.
        world.offset_us += MINUTE
        await refused()
        assert await leave(home, home.letter) == 0
        world.offset_us += 2 * US + 1
        assert await leave(home, home.letter) == 0
        world.offset_us += 2 * US + 1
        assert await leave(home, home.letter) == 1
        world.offset_us += 20 * MINUTE
        assert await leave(home, home.letter) == 3


async def test_a_warm_up_rises_after_days_that_were_used_and_did_no_harm(home: House) -> None:
    people = [await person(home, f"p{n}@a.example") for n in range(40)]
    await home.user.do(
        SetSendingLimits(
            account_id=home.letter, warm_from=home.system.now(), warm_first=2, warm_percent=100
        )
    )
    await sent_to(home, home.letter, people[:7])

    async def day() -> int:
        left = 0
        while got := await leave(home, home.letter):
            left += got
        home.world.offset_us += DAY
        return left

    assert [await day() for _ in range(2)] == [2, 4]
    # One was left: the day is not used up, so the number stays as it is.
    assert await day() == 1
    await sent_to(home, home.letter, people[7:], number=2)
    assert await day() == 8
    complained = people[0].addresses[0].id
    await home.user.do(SuppressAddress(address_id=complained, reason="complained"))
    # Somebody complained about the day before: its number is had once more.
    assert await day() == 8
    assert await day() == 16


async def test_the_cap_counts_every_channel_and_spares_service(home: House) -> None:
    anna = await person(home, "anna@a.example", "anna")
    cap = {"cap_count": 1, "cap_days": 7}
    await sent_to(home, home.letter, [anna], **cap)
    assert await leave(home, home.letter) == 1
    second = await sent_to(home, home.pigeon, [anna], number=2, **cap)
    assert await leave(home, home.pigeon) == 0
    assert dict(await home.user.read(many.counts, [second])) == {("suppressed", "frequency_cap"): 1}

    async def told(advertising: bool = True, **more: Any) -> dict[str, int]:
        """Count what is said before a mailing is sent."""
        found = await home.user.reaches(
            EVERYBODY, channels=("pigeon",), topic="news", advertising=advertising, **more
        )
        return dict(found.each[0].kept_back)

    week = {"cap": (1, 7)}
    assert await told(**week) == {"frequency_cap": 1}
    assert await told(cap=(2, 7)) == await told() == await told(advertising=False, **week) == {}
    # Counted back from when it leaves; who wants less often is left out whatever the cap.
    assert await told(**week, at=home.system.now() + 8 * DAY) == {}
    await home.user.do(LimitAdvertising(contact_id=anna.id, days=30))
    assert await told(at=home.system.now() + 8 * DAY) == {"frequency_cap": 1}
    await home.user.do(LimitAdvertising(contact_id=anna.id, days=0))
    await sent_to(home, home.pigeon, [anna], number=3, advertising=False, **cap)
    assert await leave(home, home.pigeon) == 1
    await sent_to(home, home.pigeon, [anna], number=4)
    assert await leave(home, home.pigeon) == 1, "a mailing without a cap asks for none"
    home.world.offset_us += 8 * DAY
    await sent_to(home, home.letter, [anna], number=5, **cap)
    assert await leave(home, home.letter) == 1


async def test_nobody_gets_it_before_his_hour(home: House) -> None:
    east, west = await person(home, "east"), await person(home, "west")
    now = home.system.now()
    send = await sent_to(home, home.pigeon, [east], due_at=now + 2 * 60 * MINUTE)
    await sent_to(home, home.pigeon, [west], number=2, due_at=now + 9 * 60 * MINUTE)
    assert await leave(home, home.pigeon) == 0
    home.world.offset_us += 3 * 60 * MINUTE
    assert await leave(home, home.pigeon) == 1
    assert dict(await home.user.read(many.counts, [send])) == {("sent", ""): 1}
    home.world.offset_us += 7 * 60 * MINUTE
    assert await leave(home, home.pigeon) == 1
