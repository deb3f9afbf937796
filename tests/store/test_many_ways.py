"""The ways to a person: the first that is allowed, the next after a failure or in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store import consents, many, many_earned, many_results, segments
from crm_store.tables.outbox import attempts
from hub import (
    AddAddress,
    Address,
    CreateAccount,
    CreateContact,
    CreateObject,
    DeliveryReceipt,
    DeliveryStatus,
    ExpireLeases,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    Measure,
    Micros,
    PeerChange,
    PeerEvent,
    PermanentFailure,
    PlanMany,
    RecordReceipt,
    RejectReason,
    RetryDelivery,
    SaveSegment,
    SendMany,
    SuppressAddress,
    TemporaryFailure,
    TouchMany,
    UpdateAccount,
    WithdrawConsent,
)
from tests.houses import US, House, house, message, until
from tests.parrots import Perch
from tests.parrots import plugin_of as parrots_of
from tests.store.test_many_limits import leave

MINUTE = 60 * US
WORDS = (
    ManyContent(text="A message", variant="a"),
    ManyContent(subject="News", text="A letter", html="<p>A letter {{ unsubscribe_url }}</p>", variant="a"),
)  # fmt: skip


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


async def person(home: House, name: str, *kinds: str) -> int:
    values = {"email": f"{name.lower()}@example.com", "pigeon": name.lower()}
    command = CreateContact(
        name=name, addresses=tuple(Address(kind=one, value=values[one]) for one in kinds)
    )
    (made,) = await home.user.do(command)
    await home.user.do(GiveConsent(contact_id=made, how="form"))
    return int(made)


async def sent_to(home: House, people: list[int], order: tuple[int, ...], **more: object) -> int:
    """Plan a send over accounts in order and give it its people; gives the send."""
    own = {home.letter: WORDS[1], home.pigeon: WORDS[0]}
    contents = [ManyContent(text="For all {{ unsubscribe_url }}", variant="a")]
    contents += [
        ManyContent(
            text=own[one].text, html=own[one].html, subject=own[one].subject,
            variant="a", account_id=one,
        )
        for one in (home.letter, home.pigeon)
    ]  # fmt: skip
    plan = PlanMany(
        mailing_id=7, topic="news", contents=tuple(contents), routes=order, **more  # type: ignore[arg-type]
    )  # fmt: skip
    ((send_id, ids),) = await home.user.do(plan)
    kinds = {home.letter: "email", home.pigeon: "pigeon"}
    recipients = []
    for one in people:
        found = {each.kind: each.id for each in (await home.user.contact(one)).addresses}  # type: ignore[arg-type]
        recipients.append(
            ManyRecipient(
                contact_id=one,  # type: ignore[arg-type]
                address_id=found.get(kinds[order[0]], 0),  # type: ignore[index,arg-type]
                account_id=order[0],  # type: ignore[arg-type]
                content_id=ids[0],
            )
        )
    await home.user.do(SendMany(send_id=send_id, recipients=tuple(recipients)))
    return int(send_id)


async def path_of(home: House, send: int, contact_id: int) -> list[tuple[str, str, str]]:
    """Give the person's ways in words: channel, state, reason."""
    names = {home.letter: "letter", home.pigeon: "pigeon"}
    found = await home.user.read(many.ways_of, [send], [contact_id])
    return [(names[one.account_id], one.state, one.reason) for one in found]


async def is_over(home: House, send: int) -> bool:
    return many.is_finished(await home.user.read(many.counts, [send]))


async def test_each_goes_the_first_way_that_is_allowed_and_everybody_is_explained(
    home: House,
) -> None:
    anna = await person(home, "Anna", "email", "pigeon")
    boris = await person(home, "Boris", "pigeon")
    vera = await person(home, "Vera", "email", "pigeon")
    gleb = await person(home, "Gleb")
    zoe = await person(home, "Zoe", "email", "pigeon")
    lev = await person(home, "Lev", "email")
    vera_mail = (await home.user.contact(vera)).addresses[0].id  # type: ignore[arg-type]
    await home.user.do(
        SuppressAddress(address_id=vera_mail, reason="bounced_hard"),
        WithdrawConsent(contact_id=zoe, channel="email", how="link"),  # type: ignore[arg-type]
        WithdrawConsent(contact_id=lev, how="link"),  # type: ignore[arg-type]
    )
    everybody = [anna, boris, vera, gleb, zoe, lev]
    send = await sent_to(home, everybody, (home.letter, home.pigeon))
    await until(lambda: is_over(home, send))
    assert {one: await path_of(home, send, one) for one in everybody} == {
        anna: [("letter", "sent", "")],
        boris: [("letter", "passed", "no_address"), ("pigeon", "sent", "")],
        vera: [("letter", "passed", "bounced_hard"), ("pigeon", "sent", "")],
        gleb: [
            ("letter", "passed", "no_address"),
            ("pigeon", "passed", "no_address"),
            ("letter", "suppressed", "no_address"),
        ],
        zoe: [("letter", "passed", "unsubscribed"), ("pigeon", "sent", "")],
        lev: [
            ("letter", "passed", "unsubscribed"),
            ("pigeon", "passed", "no_address"),
            ("letter", "suppressed", "unsubscribed"),
        ],
    }
    assert sorted(one.text for one in home.world.sent) == ["A letter"] + ["A message"] * 3


async def test_a_failure_goes_the_next_way_and_the_last_one_stays(home: House) -> None:
    anna = await person(home, "Anna", "email", "pigeon")
    home.world.outcomes = [
        PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 nobody"),
        PermanentFailure(RejectReason.BLOCKED, "403 blocked by the user"),
    ]
    send = await sent_to(home, [anna], (home.letter, home.pigeon))
    await until(lambda: is_over(home, send))
    assert await path_of(home, send, anna) == [
        ("letter", "passed", "invalid_address"),
        ("pigeon", "failed", "blocked"),
    ]
    assert [one.text for one in home.world.sent] == ["A letter", "A message"]


async def test_who_is_lost_while_he_waits_goes_the_next_way(home: House) -> None:
    anna = await person(home, "Anna", "email", "pigeon")
    [mail] = [one.id for one in (await home.user.contact(anna)).addresses if one.kind == "email"]  # type: ignore[arg-type]
    await home.user.do(UpdateAccount(account_id=home.letter, paused=True))
    send = await sent_to(home, [anna], (home.letter, home.pigeon))
    await home.user.do(
        SuppressAddress(address_id=mail, reason="bounced_hard"),
        UpdateAccount(account_id=home.letter, paused=False),
    )
    await until(lambda: is_over(home, send))
    assert await path_of(home, send, anna) == [
        ("letter", "passed", "bounced_hard"),
        ("pigeon", "sent", ""),
    ]


async def test_without_a_proof_in_time_the_next_way_is_gone(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pigeon = home.runtime.channels["pigeon"]
    monkeypatch.setattr(pigeon, "measure", lambda _, text: Measure(parts=3), raising=False)
    people = {one: await person(home, one.title(), "email", "pigeon") for one in ("anna", "boris")}
    order = (home.pigeon, home.letter)
    send = await sent_to(home, list(people.values()), order, fall_back_after=60)
    await until(lambda: is_over(home, send))
    told = next(one for one in home.world.sent if one.to.value == "anna")
    receipt = DeliveryReceipt(
        dedupe_key="r1",
        external_id=f"out-{told.idempotency_key}",
        status=DeliveryStatus.DELIVERED,
    )
    await home.system.do(RecordReceipt(account_id=home.pigeon, receipt=receipt))
    home.world.offset_us += 59 * MINUTE
    await home.system.do(ExpireLeases())
    assert len(home.world.sent) == 2
    home.world.offset_us += 2 * MINUTE
    await home.system.do(ExpireLeases())
    await until(lambda: len(home.world.sent) == 3)
    await until(lambda: is_over(home, send))
    assert await path_of(home, send, people["anna"]) == [("pigeon", "delivered", "")]
    assert await path_of(home, send, people["boris"]) == [
        ("pigeon", "passed", "not_delivered_in_time"),
        ("letter", "sent", ""),
    ]
    # What left in vain is paid for too, each part of it.
    costs = await home.system.read(lambda reader: many_results.costs(reader, [send]))
    assert costs == {home.pigeon: 3 + 3, home.letter: 3}


async def told(
    home: House, send: int, contact_id: int, account: int, status: DeliveryStatus, **more: object
) -> list[tuple[str, str, str]]:
    """Take a provider's word about what left over an account; gives each way's state and what was told."""
    row = (await home.user.read(many.ways_of, [send], [contact_id]))[-1].delivery_id
    receipt = DeliveryReceipt(
        dedupe_key=f"{row} {status} {account} {more}", external_id=f"x{row}", status=status, **more  # type: ignore[arg-type]
    )  # fmt: skip
    await home.system.do(RecordReceipt(account_id=account, receipt=receipt))  # type: ignore[arg-type]
    names = {home.letter: "letter", home.pigeon: "pigeon"}
    found = await home.user.read(many.ways_of, [send], [contact_id])
    return [(names[one.account_id], one.state, one.told) for one in found]


async def test_what_is_told_of_an_earlier_way_stays_with_it(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.letter, home.pigeon))
        assert await leave(home, home.letter) == 1
        failed, delivered = DeliveryStatus.FAILED, DeliveryStatus.DELIVERED
        full = {"reason": RejectReason.OTHER, "text": "452 4.2.2 full"}
        await told(home, send, anna, home.letter, failed, **full)
        home.world.offset_us += MINUTE
        assert await leave(home, home.pigeon) == 1
        # The mailbox was emptied after all: the letter is there, and of the message nothing is known.
        passed = ("letter", "passed", "delivered")
        assert await told(home, send, anna, home.letter, delivered) == [
            passed,
            ("pigeon", "sent", ""),
        ]
        assert dict(await home.user.read(many.counts, [send])) == {("sent", ""): 1}
        # A lower word changes nothing any more, a higher one does; each way has its own.
        assert (await told(home, send, anna, home.letter, failed))[0] == passed
        assert await told(home, send, anna, home.pigeon, delivered) == [
            passed,
            ("pigeon", "delivered", ""),
        ]
        assert await told(home, send, anna, home.letter, DeliveryStatus.READ) == [
            ("letter", "passed", "read"),
            ("pigeon", "delivered", ""),
        ]
        [earlier, _] = await home.user.read(many.ways_of, [send], [anna])
        assert earlier.sent_at < earlier.at < earlier.told_at
        assert (
            earlier.address_id != (await home.user.read(many.ways_of, [send], [anna]))[1].address_id
        )


async def test_a_late_bounce_or_complaint_is_that_of_its_own_address(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        order = (home.pigeon, home.letter)
        people = [await person(home, name, "email", "pigeon") for name in ("Anna", "Boris")]
        send = await sent_to(home, people, order, fall_back_after=60)
        assert await leave(home, home.pigeon) == 2
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        assert await leave(home, home.letter) == 2
        anna, boris = people
        gone = {"reason": RejectReason.OTHER, "text": "550 5.1.1 nobody"}
        failed = DeliveryStatus.FAILED
        assert await told(home, send, anna, home.pigeon, failed, **gone) == [
            ("pigeon", "passed", "failed"),
            ("letter", "sent", ""),
        ]
        complaint = {"reason": RejectReason.COMPLAINED}
        await told(home, send, boris, home.pigeon, DeliveryStatus.DELIVERED, **complaint)
        for one, reason in ((anna, "bounced_hard"), (boris, "complained")):
            standing = await home.user.read(consents.standing, one)
            assert [(each.kind, each.reason) for each in standing.suppressions] == [
                ("pigeon", reason)
            ]


async def test_a_late_proof_of_an_earlier_way_keeps_the_next_one_from_leaving(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.pigeon, home.letter), fall_back_after=60)
        assert await leave(home, home.pigeon) == 1
        left = home.system.now()
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        proof = DeliveryStatus.DELIVERED
        assert await told(home, send, anna, home.pigeon, proof) == [("pigeon", "delivered", "")]
        assert await leave(home, home.letter) == 0
        [way] = await home.user.read(many.ways_of, [send], [anna])
        assert abs(way.sent_at - left) < MINUTE


async def test_a_message_above_an_answer_shows_the_state_of_its_own_way(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.pigeon, home.letter), fall_back_after=60)
        assert await leave(home, home.pigeon) == 1
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        assert await leave(home, home.letter) == 1
        [place] = await home.receive(message("k1", "anna", text="Yes"))

        async def shown() -> str:
            return (await home.user.thread(place.dialog_id)).messages[0].status

        assert await shown() == "sent"
        await told(home, send, anna, home.letter, DeliveryStatus.DELIVERED)
        assert await shown() == "sent"
        await told(home, send, anna, home.pigeon, DeliveryStatus.READ)
        assert await shown() == "read"


async def test_who_got_it_by_an_earlier_way_is_not_among_those_whom_it_missed(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        people = [await person(home, name, "email", "pigeon") for name in ("Anna", "Boris", "Vera")]
        send = await sent_to(home, people, (home.letter, home.pigeon))
        failed, gone = DeliveryStatus.FAILED, {"reason": RejectReason.OTHER}
        for account in (home.letter, home.pigeon):
            assert await leave(home, account) == 3
            for one in people:
                await told(home, send, one, account, failed, **gone)
        assert dict(await home.user.read(many.counts, [send])) == {("failed", "other"): 3}
        anna, boris, vera = people
        # Of two of them it is learned that the letter was there: by a proof, and by a click.
        await told(home, send, anna, home.letter, DeliveryStatus.DELIVERED)
        row = (await home.user.read(many.ways_of, [send], [boris]))[-1].delivery_id
        await home.system.do(TouchMany(delivery_id=row, n=1, account_id=home.letter))
        for field, value in (("failed_mailing", "7"), ("missed_mailing", "7:other")):
            asked = {"field": f"contact.{field}", "operator": "contains", "value": value}
            (number,) = await home.user.do(SaveSegment(name=field, filter=asked))
            whole = await home.user.read(segments.one, number)
            found = await home.user.audience(whole, channel="")
            assert [one.contact_id for one in found] == [vera]


async def test_what_is_sent_again_from_its_dialog_is_one_row_and_asks_everything_anew(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.pigeon, home.letter))
        assert await leave(home, home.pigeon) == 1
        await home.receive(message("k1", "anna", text="Yes"))
        [way] = await home.user.read(many.ways_of, [send], [anna])
        gone = {"reason": RejectReason.OTHER}
        again = RetryDelivery(message_id=way.delivery_id)  # type: ignore[arg-type]
        await told(home, send, anna, home.pigeon, DeliveryStatus.FAILED, **gone)
        # It goes by the way that it stands in the dialog by, and nobody is in the send twice.
        await home.user.do(again)
        assert await leave(home, home.letter) == 0
        assert await leave(home, home.pigeon) == 1
        assert await path_of(home, send, anna) == [("pigeon", "sent", "")]
        await told(home, send, anna, home.pigeon, DeliveryStatus.FAILED, **gone, text="once more")
        await home.user.do(again, WithdrawConsent(contact_id=anna, how="link"))  # type: ignore[arg-type]
        assert await leave(home, home.pigeon) == 0
        assert await path_of(home, send, anna) == [("pigeon", "suppressed", "unsubscribed")]


async def test_what_people_did_is_counted_with_the_way_it_came_by(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        names = ("Anna", "Boris", "Vera", "Gleb")
        people = {one: await person(home, one, "email", "pigeon") for one in names}
        order = (home.pigeon, home.letter)
        send = await sent_to(home, list(people.values()), order, fall_back_after=60)
        assert await leave(home, home.pigeon) == 4
        early = await home.user.read(many.ways_of, [send], list(people.values()))
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        assert await leave(home, home.letter) == 4
        home.world.offset_us += MINUTE
        row = {one.contact_id: one.delivery_id for one in early}
        anna, boris, _, gleb = people.values()
        won = {"title": "Boat", "contact_id": anna, "amount": 500, "currency": "EUR"}
        await home.system.do(
            TouchMany(delivery_id=row[anna], n=1, account_id=home.pigeon),  # type: ignore[index]
            TouchMany(delivery_id=row[boris], n=1, account_id=home.letter),  # type: ignore[index]
            WithdrawConsent(
                contact_id=gleb, channel="pigeon", how="link", evidence=f"delivery {row[gleb]}.1: why"  # type: ignore[arg-type,index]
            ),
        )  # fmt: skip
        home.world.offset_us += MINUTE
        await home.user.do(CreateObject(kind="interest", values=won))
        await home.receive(message("k1", "vera", text="Yes"))
        read = home.user.read

        async def by(cut: str) -> dict[str, tuple[int, int, int, int, int]]:
            found = await read(lambda r: many_results.tallies(r, [send], by=cut))
            return {
                one.key: (one.sent, one.seen, one.clicked, one.answered, one.unsubscribed)
                for one in found
            }

        assert await by("") == {"": (4, 3, 2, 1, 1)}
        apart = {"pigeon": (0, 2, 1, 1, 1), "letter": (4, 1, 1, 0, 0)}
        assert await by("channel") == apart
        assert set((await by("domain")).values()) == set(apart.values())
        assert sum(one[2] for one in (await by("hour")).values()) == 2
        assert await by("variant") == {"a": (4, 3, 2, 1, 1)}

        async def behind(number: str, key: str) -> list[int]:
            return await read(
                lambda r: many_results.behind(r, [send], number, by="channel", key=key)
            )

        assert await behind("clicked", "pigeon") == [anna]
        assert await behind("clicked", "letter") == [boris]
        assert await behind("unsubscribed", "pigeon") == [gleb]
        assert await behind("interests", "pigeon") == [anna]
        assert await behind("interests", "letter") == []
        assert len(await behind("sent", "letter")) == 4
        [money] = await read(lambda r: many_earned.earned(r, [send], by="channel"))
        assert (money.key, money.interests) == ("pigeon", 1)
        clicks = await read(many_results.by_content, [send])
        assert sorted(one for one in clicks.values() if any(one)) == [(0, 1), (4, 1)]
        # Who used the link of what had come before is sent nothing else of it.
        assert [one[1] for one in await path_of(home, send, gleb)] == ["passed", "sent"]


async def test_who_refuses_by_an_earlier_way_before_the_next_leaves_is_sent_nothing_else(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.pigeon, home.letter), fall_back_after=60)
        assert await leave(home, home.pigeon) == 1
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        way = (await home.user.read(many.ways_of, [send], [anna]))[-1]
        refused = WithdrawConsent(
            contact_id=anna, channel="pigeon", how="link", evidence=f"delivery {way.delivery_id}"  # type: ignore[arg-type]
        )  # fmt: skip
        await home.system.do(refused)
        assert await leave(home, home.letter) == 0
        assert await path_of(home, send, anna) == [("pigeon", "sent", "")]


@pytest.mark.parametrize("left", [False, True])
async def test_an_answer_over_the_way_that_was_given_up_counts(
    tmp_path: Path, database_url: str, left: bool
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        order = (home.pigeon, home.letter)
        send = await sent_to(home, [anna], order, fall_back_after=60)
        assert await leave(home, home.pigeon) == 1
        home.world.offset_us += 61 * MINUTE
        await home.system.do(ExpireLeases())
        if left:
            assert await leave(home, home.letter) == 1
        [place] = await home.receive(message("k1", "anna", text="Yes"))
        thread = await home.user.thread(place.dialog_id)
        assert [(one.author.kind.value, one.text) for one in thread.messages] == [
            ("mailing", "A message"),
            ("contact", "Yes"),
        ]
        assert (await home.user.read(many.touches, [send]))["answered"] == 1
        # Who answered needs no other message; who has got it has got it.
        assert await leave(home, home.letter) == 0
        wanted = [("pigeon", "passed", "not_delivered_in_time"), ("letter", "sent", "")]
        assert await path_of(home, send, anna) == (wanted if left else [("pigeon", "sent", "")])


@pytest.mark.parametrize("how", ["click", "open", "answer", "refusal", "machine"])
async def test_who_was_reached_before_the_time_is_up_is_sent_nothing_else(
    tmp_path: Path, database_url: str, how: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.pigeon, home.letter), fall_back_after=60)
        assert await leave(home, home.pigeon) == 1
        [way] = await home.user.read(many.ways_of, [send], [anna])
        home.world.offset_us += 10 * MINUTE
        if how == "answer":
            await home.receive(message("k1", "anna", text="Yes"))
        elif how == "refusal":
            # Of this channel only: another one could still be gone, were it not that she was reached.
            await home.system.do(
                WithdrawConsent(
                    contact_id=anna,  # type: ignore[arg-type]
                    channel="pigeon",
                    how="link",
                    evidence=f"delivery {way.delivery_id}: enough",
                )
            )
        else:
            touch = TouchMany(
                delivery_id=way.delivery_id,
                n=0 if how == "open" else 1,
                machine=how == "machine",
                account_id=home.pigeon,
            )
            await home.system.do(touch)
        home.world.offset_us += 51 * MINUTE
        await home.system.do(ExpireLeases())
        other = 1 if how == "machine" else 0
        assert await leave(home, home.letter) == other
        if not other:
            assert await path_of(home, send, anna) == [("pigeon", "sent", "")]


async def test_who_clicked_is_sent_nothing_else_where_his_letter_comes_back(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna = await person(home, "Anna", "email", "pigeon")
        send = await sent_to(home, [anna], (home.letter, home.pigeon))
        assert await leave(home, home.letter) == 1
        [way] = await home.user.read(many.ways_of, [send], [anna])
        await home.system.do(TouchMany(delivery_id=way.delivery_id, n=1))
        report = DeliveryReceipt(
            dedupe_key="b1",
            external_id=f"x{way.delivery_id}",
            status=DeliveryStatus.FAILED,
            reason=RejectReason.OTHER,
        )
        await home.system.do(RecordReceipt(account_id=home.letter, receipt=report))
        assert await leave(home, home.pigeon) == 0
        assert await path_of(home, send, anna) == [("letter", "failed", "other")]


async def test_who_cannot_be_sent_it_in_time_goes_the_next_way(home: House) -> None:
    anna = await person(home, "Anna", "email", "pigeon")
    home.world.outcomes = [TemporaryFailure("flood", retry_after=timedelta(hours=3))]
    send = await sent_to(home, [anna], (home.pigeon, home.letter), fall_back_after=60)
    tries = select(func.count()).select_from(attempts)

    async def tried() -> bool:
        return bool(await home.user.read(lambda reader: reader.conn.execute(tries).scalar()))

    # Before that is written down, an hour later would be the end of its lease.
    await until(tried)
    home.world.offset_us += 61 * MINUTE

    async def over() -> bool:
        await home.system.do(ExpireLeases())
        return await is_over(home, send)

    await until(over)
    assert await path_of(home, send, anna) == [
        ("pigeon", "passed", "not_sent_in_time"),
        ("letter", "sent", ""),
    ]


async def test_who_cannot_be_written_to_is_counted_out_and_a_window_that_closes_goes_the_next_way(
    tmp_path: Path, database_url: str
) -> None:
    parts = [("parrots", parrots_of(Perch()))]
    async with house(tmp_path, database_url, plugins=parts) as home:
        (flock,) = await home.user.do(CreateAccount(channel="parrot", title="Parrots"))
        account = await home.user.account(flock)
        [first] = await home.runtime.receive(account, [message("1", "polly", kind="parrot")])
        polly = (await home.user.dialog(first.dialog_id)).contact_id
        mail = Address(kind="email", value="polly@example.com")
        silent = CreateContact(name="Silent", addresses=(Address(kind="parrot", value="silent"),))
        _, quiet = await home.user.do(AddAddress(contact_id=polly, address=mail), silent)
        await home.user.do(*(GiveConsent(contact_id=one, how="form") for one in (polly, quiet)))
        (everybody,) = await home.user.do(SaveSegment(name="Everybody"))
        whole = await home.user.read(segments.one, everybody)

        async def reached(
            *, advertising: bool = True, template: bool = False
        ) -> tuple[int, dict[str, int], tuple[int, ...]]:
            found = await home.user.reach(
                whole,
                channel="parrot",
                account_id=flock,
                advertising=advertising,
                template=template,
            )
            _, order = await home.user.reach_in_order(
                whole,
                channels=("parrot", "email"),
                accounts=(flock, home.letter),
                templated={flock} if template else (),
                advertising=advertising,
            )
            return found.reached, dict(found.kept_back), order

        assert await reached() == (1, {"window_closed": 1}, (1, 0))
        assert await reached(advertising=False) == (1, {"window_closed": 1}, (1, 0))
        assert await reached(template=True) == (2, {}, (2, 0))
        assert (await home.user.reach(whole, channel="parrot")).reached == 2
        # Asked while it is open, and closed by our own clock before it leaves.
        letter = (
            ManyContent(text="Hi {{ unsubscribe_url }}"),
            ManyContent(text="Letter {{ unsubscribe_url }}", account_id=home.letter),
        )
        plan = PlanMany(mailing_id=1, topic="news", contents=letter, routes=(flock, home.letter))
        ((send, ids),) = await home.user.do(plan)
        place = next(
            one.id for one in (await home.user.contact(polly)).addresses if one.kind == "parrot"
        )
        to = ManyRecipient(
            contact_id=polly,
            address_id=place,
            account_id=flock,
            content_id=ids[0],
            due_at=Micros(home.user.now() + 25 * 60 * MINUTE),
        )
        await home.user.do(SendMany(send_id=send, recipients=(to,)))
        home.world.offset_us += 26 * 60 * MINUTE
        assert await leave(home, flock) == 0
        assert await leave(home, home.letter) == 1
        [passed, gone] = await home.user.read(many.ways_of, [send], [polly])
        assert (passed.account_id, passed.reason) == (flock, "window_closed")
        assert (gone.account_id, gone.state) == (home.letter, "sent")
        assert await reached() == (0, {"window_closed": 2}, (0, 1))
        # Where nobody can be written to first, only those who wrote can be reached.
        known = home.runtime.database.channels
        known["parrot"] = replace(known["parrot"], initiates=False, reply_window=None)
        assert await reached() == (1, {"never_wrote": 1}, (1, 0))
        blocks = PeerEvent(
            dedupe_key="b", sender=Address(kind="parrot", value="polly"), change=PeerChange.BLOCKED
        )
        await home.runtime.receive(account, [blocks])
        assert await reached() == (0, {"blocked": 1, "never_wrote": 1}, (0, 1))
