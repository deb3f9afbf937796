"""What goes to many: each person once, nobody who refused, and never in an agent's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store import journey as ways
from crm_store import many
from crm_store import person_timeline as lines
from crm_store.consents import standing
from crm_store.personal import personal_data
from crm_store.suppressions import bounce_of
from crm_store.tables.dialogs import dialogs
from crm_store.tables.journal import journal
from crm_store.tables.outbox import attempts, deliveries
from crm_store.tables.people import addresses
from hub import (
    Address,
    ClaimDeliveries,
    CreateContact,
    DeliveryReceipt,
    DeliveryStatus,
    EraseContact,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    MergeContacts,
    PermanentFailure,
    PlanMany,
    RejectReason,
    ReleaseAddress,
    SendMany,
    SendMessage,
    SteerMany,
    SuppressAddress,
    UpdateContact,
    WithdrawConsent,
    quiet_until,
)
from tests.houses import US, House, house, letter, message, until

DAY = 86_400 * US
HOUR = 3_600 * US
HELLO = ManyContent(text="Здравствуйте, {{ contact.first_name }}!")


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def people(home: House, *names: str, agreed: bool = True, kind: str = "pigeon") -> list[int]:
    """Make people with one address each; gives the contacts' ids."""
    made = []
    for name in names:
        value = f"{name.lower()}@example.com" if kind == "email" else name.lower()
        command = CreateContact(name=name, addresses=(Address(kind=kind, value=value),))
        made.append((await home.user.do(command))[0])
    if agreed:
        await home.user.do(
            *(GiveConsent(contact_id=one, how="form", evidence="box 1") for one in made)
        )
    return made


async def address_of(home: House, contact_id: int) -> int:
    return (await home.user.contact(contact_id)).addresses[0].id  # type: ignore[arg-type]


async def planned(
    home: House, *contents: ManyContent, number: int = 1, **more: object
) -> tuple[int, int]:
    more = {"title": "News", "topic": "news", **more}
    command = PlanMany(mailing_id=number, contents=contents or (HELLO,), **more)  # type: ignore[arg-type]
    send_id, ids = (await home.user.do(command))[0]
    return send_id, ids[0]


async def given(
    home: House,
    send: tuple[int, int],
    contacts: list[int],
    account: int = 0,
    due_at: int = 0,
    aside: bool = False,
) -> object:
    recipients = [
        ManyRecipient(
            contact_id=one,  # type: ignore[arg-type]
            address_id=await address_of(home, one),  # type: ignore[arg-type]
            account_id=account or home.pigeon,  # type: ignore[arg-type]
            content_id=send[1],
            due_at=due_at,  # type: ignore[arg-type]
            aside=aside,
        )
        for one in contacts
    ]
    return (await home.user.do(SendMany(send_id=send[0], recipients=tuple(recipients))))[0]


async def states(home: House, send: tuple[int, int]) -> dict[tuple[str, str], int]:
    return dict(await home.user.read(many.counts, [send[0]]))


async def claim(home: House, limit: int = 10) -> list[tuple[int, int]]:
    command = ClaimDeliveries(account_id=home.pigeon, worker="test", limit=limit, lease_us=60 * US)
    return (await home.system.do(command))[0]


async def test_everybody_once_with_a_reason_for_who_is_kept_back(home: House) -> None:
    anna, boris, vera = await people(home, "Anna", "Boris", "Vera")
    [silent] = await people(home, "Silent", agreed=False)
    await home.user.do(
        WithdrawConsent(contact_id=boris, topic="news", how="link"),
        SuppressAddress(address_id=await address_of(home, vera), text="asked by phone"),
    )
    send = await planned(home)
    everybody = [anna, boris, vera, silent]
    queued = await given(home, send, everybody)
    assert (queued.queued, dict(queued.kept_back)) == (  # type: ignore[attr-defined]
        1,
        {"unsubscribed": 1, "by_hand": 1, "no_consent": 1},
    )
    again = await given(home, send, [*everybody, anna])
    assert (again.queued, again.known) == (0, 5)  # type: ignore[attr-defined]
    assert await planned(home) == send
    assert sum((await states(home, send)).values()) == 4
    # Who is left aside to compare has no row, unless he may not be sent it anyway.
    compared = await planned(home, number=3)
    aside = await given(home, compared, everybody, aside=True)
    assert (aside.queued, aside.aside) == (0, (anna,))  # type: ignore[attr-defined]
    assert aside.kept_back == queued.kept_back  # type: ignore[attr-defined]
    assert sum((await states(home, compared)).values()) == 3
    # A service letter asks nobody's consent.
    service = await planned(home, number=2, advertising=False)
    assert (await given(home, service, everybody)).queued == 4  # type: ignore[attr-defined]
    # No dialog was opened, and none will be until somebody answers.
    found = await home.user.read(
        lambda r: r.conn.execute(select(func.count()).select_from(dialogs)).scalar()
    )
    assert found == 0


async def test_a_refusal_between_queueing_and_sending_stops_it(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    send = await planned(home)
    await given(home, send, [anna, boris])
    await home.receive(message("k1", "anna", text="Стоп!"))
    assert await states(home, send) == {("queued", ""): 1, ("suppressed", "unsubscribed"): 1}
    # Said where no row could be ended at once (another card): the claim asks again.
    await home.user.do(
        SuppressAddress(address_id=await address_of(home, boris), reason="complained")
    )
    assert await claim(home) == []
    assert (await states(home, send))["suppressed", "complained"] == 1
    where = await home.user.read(standing, anna)
    assert [(one.state, one.how) for one in where.log] == [
        ("withdrawn", "message"),
        ("given", "form"),
    ]
    assert where.log[0].evidence.startswith("message ")


async def test_an_automatic_answer_is_no_refusal_and_an_import_lifts_none(home: House) -> None:
    [anna] = await people(home, "Anna", kind="email")
    await home.receive(letter("k1", "anna@example.com", text="stop", automated=True), letter=True)
    assert (await home.user.read(standing, anna)).current[0].state == "given"
    await home.receive(letter("k2", "anna@example.com", text="stop"), letter=True)
    assert (await home.user.do(GiveConsent(contact_id=anna, how="import", channel="email")))[
        0
    ] is False
    await home.receive(letter("k3", "anna@example.com", text="Подписаться"), letter=True)
    send = await planned(home)
    assert (await given(home, send, [anna], home.letter)).queued == 1  # type: ignore[attr-defined]


async def test_pause_resume_cancel_and_the_rate_change_what_leaves(home: House) -> None:
    crowd = await people(home, *(f"P{n}" for n in range(6)))
    send = await planned(home, per_minute=60)
    await given(home, send, crowd)
    assert len(await claim(home)) == 1
    home.world.offset_us += 1 * US
    assert len(await claim(home)) == 1
    await home.user.do(SteerMany(send_id=send[0], state="paused"))
    home.world.offset_us += 60 * US
    assert await claim(home) == []
    assert (await states(home, send))["paused", ""] == 4
    await home.user.do(SteerMany(send_id=send[0], state="running"))
    assert len(await claim(home)) == 1
    await home.user.do(SteerMany(send_id=send[0], state="cancelled"))
    assert (await states(home, send))["suppressed", "cancelled"] == 3
    assert await claim(home) == []


async def test_quiet_hours_and_the_cap_are_the_persons_own(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    now = home.system.now()
    hour = int(now // HOUR % 24)
    # It is night in UTC, and day for who lives half a day away.
    await home.user.do(
        UpdateContact(contact_id=boris, time_zone="Etc/GMT-12"),
        UpdateContact(contact_id=anna, time_zone="UTC"),
    )
    quiet = {"quiet_from": hour * 60, "quiet_until": (hour + 1) % 24 * 60}
    send = await planned(home, **quiet)
    await given(home, send, [anna, boris])
    [(gone, _)] = await claim(home)
    home.world.offset_us += 2 * HOUR
    assert len(await claim(home)) == 1
    assert gone
    await home.user.do(*(GiveConsent(contact_id=one, how="form") for one in (anna, boris)))


async def test_an_old_refusal_ends_nothing_that_was_agreed_to_since(home: House) -> None:
    (anna,) = await people(home, "Anna", agreed=False)
    (boris,) = await people(home, "Boris")
    now = home.system.now()
    old = {"how": "import", "at": now - DAY}
    await home.user.do(
        GiveConsent(contact_id=anna, how="form", at=now - 2 * DAY),
        GiveConsent(contact_id=anna, topic="news", how="form"),
    )
    news, sales = await planned(home), await planned(home, number=2, topic="sales")
    for one in (news, sales):
        await given(home, one, [anna, boris])
    # Of Anna's only that to which she has not agreed since; Boris agreed to all.
    refusals = [WithdrawConsent(contact_id=one, **old) for one in (anna, boris)]
    assert await home.user.do(*refusals) == [1, 0]
    assert await states(home, news) == {("queued", ""): 2}
    assert await states(home, sales) == {("queued", ""): 1, ("suppressed", "unsubscribed"): 1}
    (log, *_) = (await home.user.read(standing, boris)).log
    assert (log.state, log.at) == ("withdrawn", now - DAY)
    told = select(journal.c.subject_id).where(journal.c.type == "consent.withdrawn")
    found = await home.runtime.database.read(lambda conn: conn.execute(told).scalars().all())
    assert found == [anna]


@pytest.mark.parametrize(
    ("start", "end", "hours"), [(22 * 60, 8 * 60, 9), (0, 0, 0), (1 * 60, 2 * 60, 0)]
)
def test_quiet_hours_go_over_midnight(start: int, end: int, hours: int) -> None:
    eleven_at_night = 23 * HOUR
    until_then = quiet_until(eleven_at_night, "UTC", start, end) if start != end else 0
    assert until_then == (eleven_at_night + hours * HOUR if hours else 0)


@pytest.mark.parametrize(
    ("reason", "text", "verdict"),
    [
        ("invalid_address", "550 5.1.1 no such user", "bounced_hard"),
        ("provider_error", "552 5.2.2 mailbox full", "bounced_soft"),
        ("spam", "554 5.7.1 looks like spam", ""),
        ("rejected", "550 5.1.8 Sender address rejected: Domain not found", ""),
        ("rejected", "550 5.1.7 bad sender", ""),
        ("too_large", "552 5.3.4 message too big", ""),
        ("provider_error", "421 4.7.0 try later", "bounced_soft"),
        ("invalid_address", "no mailbox here", "bounced_hard"),
        ("blocked", "403", ""),
    ],
)
def test_a_bounce_is_judged_by_its_code(reason: str, text: str, verdict: str) -> None:
    assert bounce_of(reason, text) == verdict


async def test_what_was_sent_is_narrow_learns_of_bounces_and_goes_with_its_person(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url, workers=True) as home:
        anna, boris, vera = await people(home, "Anna", "Boris", "Vera")
        home.world.outcomes = [PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 unknown")]
        send = await planned(home, cap_count=1)
        await given(home, send, [anna])
        await until(lambda: states_are(home, send, {("failed", "invalid_address"): 1}))
        await given(home, send, [boris, vera])
        wanted = {("failed", "invalid_address"): 1, ("sent", ""): 2}
        await until(lambda: states_are(home, send, wanted))
        assert many.is_finished(await states(home, send))
        texts = sorted(one.text for one in home.world.sent)
        assert texts == ["Здравствуйте, Anna!", "Здравствуйте, Boris!", "Здравствуйте, Vera!"]
        assert all(one.unsubscribe_url and one.lane == "mailing" for one in home.world.sent)
        # The hard bounce keeps the address out of the next one; the cap keeps the others.
        second = await planned(home, number=2, cap_count=1)
        queued = await given(home, second, [anna, boris])
        assert dict(queued.kept_back) == {"bounced_hard": 1}  # type: ignore[attr-defined]
        await until(
            lambda: states_are(
                home,
                second,
                {("suppressed", "bounced_hard"): 1, ("suppressed", "frequency_cap"): 1},
            )
        )
        await home.user.do(
            ReleaseAddress(address_id=await address_of(home, anna), reason="bounced_hard")
        )
        assert not (await home.user.read(standing, anna)).suppressions
        # Two cards of one person: a refusal given on one holds for both, and both words stay.
        await home.user.do(WithdrawConsent(contact_id=vera, how="link"))
        await home.user.do(MergeContacts(survivor_id=boris, merged_id=vera))
        assert {one.state for one in (await home.user.read(standing, boris)).log} == {
            "given",
            "withdrawn",
        }
        third = await planned(home, number=3)
        kept = await given(home, third, [boris])
        assert dict(kept.kept_back) == {"unsubscribed": 1}  # type: ignore[attr-defined]
        found, _ = await home.user.read(personal_data, anna)
        assert [one["state"] for one in found["consents"]] == ["given"]
        assert len(found["mailings"]) == 2
        await home.user.do(EraseContact(contact_id=anna))
        assert (await home.user.read(standing, anna)).log == ()
        rows = await home.user.read(
            lambda r: r.conn.execute(select(attempts.c.outcome)).scalars().all()
        )
        assert rows == ["failed"]


async def states_are(
    home: House, send: tuple[int, int], wanted: dict[tuple[str, str], int]
) -> bool:
    return await states(home, send) == wanted


async def test_an_answer_never_waits_behind_a_mailing(tmp_path: Path, database_url: str) -> None:
    """A slow wire and many in line: what a person writes leaves within a second of that wire. It is
    counted in letters, twenty of them a second, for a busy machine's clock is not the wire's."""
    async with house(tmp_path, database_url, workers=True) as home:

        async def slowly(_: object) -> None:
            await asyncio.sleep(0.05)

        home.world.outcomes = [slowly] * 5_000
        [first] = await home.receive(message("k1", "zoe"))
        crowd = await people(home, *(f"Q{n}" for n in range(60)))
        send = await planned(home)
        await given(home, send, crowd)
        await until(lambda: len(home.world.sent) >= 5)
        await home.user.do(SendMessage(dialog_id=first.dialog_id, text="Here I am"))
        before = len(home.world.sent)
        await until(lambda: any(one.text == "Here I am" for one in home.world.sent))
        place = [one.text for one in home.world.sent].index("Here I am")
        assert place - before < 20
        assert len(home.world.sent) < 61
        await home.user.do(SteerMany(send_id=send[0], state="cancelled"))
        left = sum(n for (state, _), n in (await states(home, send)).items() if state == "queued")
        assert left == 0


async def test_an_answer_leaves_within_a_second_of_a_mailing_at_full_speed(
    tmp_path: Path, database_url: str
) -> None:
    """By the hub's own instants; of five answers the middle one counts, for the machine is shared."""
    async with house(tmp_path, database_url, workers=True) as home:
        [first] = await home.receive(message("k1", "zoe"))
        crowd = await people(home, *(f"Q{n}" for n in range(1_500)))
        send = await planned(home)
        await given(home, send, crowd)
        await until(lambda: len(home.world.sent) >= 50)
        answers = []
        for n in range(5):
            answers += await home.user.do(SendMessage(dialog_id=first.dialog_id, text=f"Here {n}"))
            await until(lambda n=n: any(one.text == f"Here {n}" for one in home.world.sent))
        # It was under way all the while.
        assert len(home.world.sent) < len(crowd)
        await home.user.do(SteerMany(send_id=send[0], state="cancelled"))
        asked = select(deliveries.c.created_at, deliveries.c.sent_at).where(
            deliveries.c.message_id.in_(answers)
        )

        def all_left() -> bool:
            rows = home.runtime.database.read_now(lambda conn: conn.execute(asked).all())
            return all(row.sent_at for row in rows)

        await until(all_left)
        rows = home.runtime.database.read_now(lambda conn: conn.execute(asked).all())
        took = sorted(row.sent_at - row.created_at for row in rows)
        assert took[2] < 1_000_000, took


async def test_a_person_with_two_addresses_gets_one(home: House) -> None:
    [anna] = await people(home, "Anna")
    await home.receive(message("k1", "anna2", name="Anna"))
    rows = await home.user.read(
        lambda r: r.conn.execute(select(addresses.c.id, addresses.c.value)).all()
    )
    other = next(row.id for row in rows if row.value == "anna2")
    send = await planned(home)
    own = await address_of(home, anna)
    both = tuple(
        ManyRecipient(contact_id=anna, address_id=one, account_id=home.pigeon, content_id=send[1])  # type: ignore[arg-type]
        for one in (own, other)
    )
    queued = (await home.user.do(SendMany(send_id=send[0], recipients=both)))[0]
    assert (queued.queued, queued.known) == (1, 1)
    count = await home.user.read(
        lambda r: r.conn.execute(select(func.count()).select_from(deliveries)).scalar()
    )
    assert count == 1
    receipt = DeliveryReceipt(dedupe_key="r1", external_id="nobody", status=DeliveryStatus.READ)
    assert receipt


async def test_a_persons_timeline_tells_the_mailings_he_got(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    await home.user.do(WithdrawConsent(contact_id=boris, topic="news", how="link"))
    send = await planned(home)
    await given(home, send, [anna, boris])

    async def told(contact_id: int, kinds: tuple[str, ...]) -> list[tuple[str, object, object]]:
        subject = await home.user.read(lines.of_contact, contact_id)
        found, _ = await home.user.read(lines.timeline, subject, kinds)
        return [(one.title, one.data.get("status"), one.data.get("reason")) for one in found]

    assert await told(anna, ("mailing",)) == [("News", "queued", None)]
    assert await told(boris, ("mailing",)) == [("News", "suppressed", "unsubscribed")]
    # Read from the outbox: it is nowhere a second time.
    assert await told(anna, ("message",)) == []
    stops = await home.user.read(ways.journey_of_contact, anna)
    assert [(one.kind, one.word) for one in stops] == [("mailing", "News")]
    assert await home.user.read(ways.journey_of_contact, boris) == []


async def test_faults_of_long_ago_make_no_row(home: House) -> None:
    [anna] = await people(home, "Anna", kind="email")
    full = SuppressAddress(address_id=await address_of(home, anna), reason="bounced_soft")
    month = 31 * 24 * HOUR
    for pause in (0, HOUR, month, month, HOUR):
        home.world.offset_us += pause
        await home.user.do(full)
    assert [one.count for one in (await home.user.read(standing, anna)).suppressions] == [2]
