"""What a send led to: numbers by every cut, the links, the money by whose touch, the people behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store import many_earned, many_results
from crm_store.tables.journal import journal
from hub import (
    CreateLead,
    CreateObject,
    Invalid,
    ManyContent,
    Micros,
    TouchMany,
    UpdateContact,
    WinInterest,
    WithdrawConsent,
)
from tests.houses import US, House, house, letter, until
from tests.store.test_many import DAY, HOUR, given, people, planned
from tests.store.test_many_answers import sent_all

LINKS = ManyContent(
    subject="News",
    text="Hello",
    html='<a href="https://shop.example/a">A</a> <a href="https://shop.example/b">B</a> <a href="{{ unsubscribe_url }}">x</a>',
    variant="0",
)


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


async def sent(
    home: House, number: int, contacts: list[int], words: ManyContent = LINKS
) -> tuple[int, dict[str, int]]:
    """Send to people; gives the send and the deliveries by address."""
    before = len(home.world.sent)
    send = await planned(home, words, number=number)
    await given(home, send, contacts, home.letter)
    await until(lambda: sent_all(home, send))
    return send[0], {one.to.value.partition("@")[0]: one.id for one in home.world.sent[before:]}


async def interest(home: House, contact: int, amount: int) -> int:
    values = {"title": "Boat", "contact_id": contact, "amount": amount, "currency": "EUR"}
    return int((await home.user.do(CreateObject(kind="interest", values=values)))[0])


async def numbers(home: House, send: int, by: str = "") -> dict[str, object]:
    read = home.user.read
    return {one.key: one for one in await read(lambda r: many_results.tallies(r, [send], by=by))}


async def test_numbers_links_and_people_by_every_cut(home: House) -> None:
    anna, boris, vera = await people(home, "Anna", "Boris", "Vera", kind="email")
    [silent] = await people(home, "Silent", agreed=False, kind="email")
    send, rows = await sent(home, 1, [anna, boris, vera, silent])
    await home.system.do(
        TouchMany(delivery_id=rows["anna"], n=1),
        TouchMany(delivery_id=rows["anna"], n=2),
        TouchMany(delivery_id=rows["boris"], n=2, machine=True),
        WithdrawConsent(contact_id=vera, topic="news", how="link", evidence=f"delivery {rows['vera']}: why"),
    )  # fmt: skip
    one = (await numbers(home, send))[""]
    assert (one.planned, one.kept_back, one.sent, one.failed) == (4, 1, 3, 0)
    assert (one.seen, one.clicked, one.answered, one.unsubscribed) == (1, 1, 0, 1)
    assert {key: each.sent for key, each in (await numbers(home, send, "domain")).items()} == {
        "example.com": 3
    }
    assert (await numbers(home, send, "channel"))["letter"].clicked == 1
    assert (await numbers(home, send, "variant"))["0"].planned == 4
    hours = await numbers(home, send, "hour")
    assert sum(each.planned for each in hours.values()) == 4
    assert hours[""].kept_back == 1
    assert str(home.letter) in await numbers(home, send, "account")
    links = await home.user.read(many_results.links_of, [send])
    assert [(each.url[-1], each.people, each.machines) for each in links] == [
        ("a", 1, 0),
        ("b", 1, 1),
    ]
    assert await home.user.read(many_results.costs, [send]) == {home.letter: 3}

    async def behind(number: str, **more: str) -> list[int]:
        return await home.user.read(lambda r: many_results.behind(r, [send], number, **more))

    assert await behind("clicked") == [anna]
    assert await behind("kept_back") == [silent]
    assert await behind("unsubscribed") == [vera]
    assert await behind("sent", by="domain", key="example.com") == [anna, boris, vera]
    assert await behind("sent", by="domain", key="elsewhere.org") == []
    assert await behind("planned", link="https://shop.example/b") == [anna]
    with pytest.raises(Invalid, match="no such link"):
        await behind("planned", link="https://elsewhere.example")
    with pytest.raises(Invalid, match="no such number"):
        await behind("guessed")
    with pytest.raises(Invalid, match="cut"):
        await numbers(home, send, "weather")


async def test_an_opening_is_a_fact_once_and_a_machines_is_none(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris", kind="email")
    _, rows = await sent(home, 1, [anna, boris])

    async def opened() -> list[int]:
        found = select(journal.c.data).where(journal.c.type == "mailing.opened")
        facts = await home.runtime.database.read(lambda conn: conn.execute(found).scalars().all())
        return [int(one["contact_id"]) for one in facts]

    await home.system.do(TouchMany(delivery_id=rows["anna"], n=0, machine=True))
    assert await opened() == []
    # Once a person, always a person; and once is enough.
    for who in ("anna", "anna", "boris"):
        await home.system.do(TouchMany(delivery_id=rows[who], n=0))
    await home.system.do(TouchMany(delivery_id=rows["anna"], n=0, machine=True))
    assert await opened() == [anna, boris]


async def test_who_follows_every_link_at_once_is_a_machine(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris", kind="email")
    links = "".join(f'<a href="https://shop.example/{n}">A</a> ' for n in range(3))
    words = replace(LINKS, html=f'{links}<a href="{{{{ unsubscribe_url }}}}">x</a>')
    send, rows = await sent(home, 1, [anna, boris], words)
    clock = home.system.now()
    home.runtime.database.set_clock(lambda: clock)

    async def followed() -> list[tuple[int, int]]:
        found = await home.user.read(many_results.links_of, [send])
        return [(one.people, one.machines) for one in sorted(found, key=lambda one: one.n)]

    await home.system.do(*(TouchMany(delivery_id=rows["anna"], n=n) for n in (1, 2)))
    assert await followed() == [(1, 0), (1, 0), (0, 0)]
    await home.system.do(TouchMany(delivery_id=rows["anna"], n=3))
    assert await followed() == [(0, 1)] * 3
    # The same links, but read in between.
    for n in (1, 2, 3):
        await home.system.do(TouchMany(delivery_id=rows["boris"], n=n))
        clock = Micros(clock + 4 * US)
    assert await followed() == [(1, 1)] * 3


async def test_money_belongs_to_whose_touch_it_was(home: House) -> None:
    anna, boris, vera = await people(home, "Anna", "Boris", "Vera", kind="email")
    first, one = await sent(home, 1, [anna, boris])
    await home.system.do(TouchMany(delivery_id=one["anna"], n=1))
    early = await interest(home, boris, 500)
    home.world.offset_us += HOUR
    second, two = await sent(home, 2, [anna, boris])
    await home.system.do(TouchMany(delivery_id=two["anna"], n=1))
    home.world.offset_us += HOUR
    won = await interest(home, anna, 70_000)
    [place] = await home.receive(letter("k0", "anna@example.com", text="And?"), letter=True)
    await home.user.do(
        CreateLead(values={"title": "Asks"}, dialog_id=place.dialog_id),
        WinInterest(interest_id=won),
        WinInterest(interest_id=early),
    )

    async def earned(send: int, touch: str, days: int = 30) -> tuple[int, int, int, object]:
        [found] = await home.user.read(
            lambda r: many_earned.earned(r, [send], days=days, touch=touch)
        )
        return found.leads, found.interests, found.won, found.sums

    whole = (1, 1, 1, (("EUR", 70_000),))
    assert await earned(first, "any") == await earned(second, "any") == whole
    assert await earned(first, "first") == await earned(second, "last") == whole
    assert await earned(first, "last") == await earned(second, "first") == (0, 0, 0, ())
    behind = lambda r: many_results.behind(r, [first], "won", touch="last")  # noqa: E731
    assert await home.user.read(behind) == []
    [by] = await home.user.read(lambda r: many_earned.earned(r, [second], by="variant"))
    assert (by.key, by.won) == ("0", 1)
    # Boris touched nothing, yet he won after he got it: that is what is laid beside the hold-out.
    after = await home.user.read(lambda r: many_earned.won_after(r, [first], days=30))
    assert (after.won, after.people, after.sums) == (2, 2, (("EUR", 70_500),))
    now = home.world.now()
    kept = await home.user.read(
        lambda r: many_earned.won_since(r, [(anna, now - DAY), (vera, now - DAY)], days=30)
    )
    assert (kept.won, kept.sums) == (1, (("EUR", 70_000),))
    # Later than the window, nothing is owed to the letter.
    home.world.offset_us += 40 * DAY
    late = await interest(home, anna, 9)
    await home.user.do(WinInterest(interest_id=late))
    assert await earned(second, "any") == whole


async def test_what_is_won_is_summed_once_whoever_touched_it_and_however_often(home: House) -> None:
    anna, boris, vera = await people(home, "Anna", "Boris", "Vera", kind="email")
    firm = await home.user.do(CreateObject(kind="client", values={"name": "Firm"}))
    for one in (anna, boris, vera):
        await home.user.do(UpdateContact(contact_id=one, values={"client_id": firm[0]}))
    sends = []
    # A chain of two letters.
    for number in (1, 2):
        send, rows = await sent(home, number, [anna, boris, vera])
        sends.append(send)
        for who in ("anna", "boris", "vera"):
            await home.system.do(TouchMany(delivery_id=rows[who], n=1))
    begun = home.world.now() - DAY
    for currency, whose in (("EUR", {"client_id": firm[0]}), ("RUB", {"contact_id": anna})):
        values = {"title": "Boat", "amount": 70_000, "currency": currency, **whose}
        made = await home.user.do(CreateObject(kind="interest", values=values))
        await home.user.do(WinInterest(interest_id=made[0]))
    moments = [(one, begun + n) for one in (anna, boris, vera) for n in (0, DAY // 2)]
    whole = (2, 3, (("EUR", 70_000), ("RUB", 70_000)))
    for read in (
        lambda r: many_earned.won_after(r, sends, days=30),
        lambda r: many_earned.won_since(r, moments, days=30),
        lambda r: many_earned.earned(r, sends)[0],
        lambda r: many_earned.earned(r, sends[:1], touch="first")[0],
        lambda r: many_earned.earned(r, sends[1:], touch="last")[0],
    ):
        found = await home.user.read(read)
        assert (found.won, found.people, found.sums) == whole
    # The parts of a cut are those of the whole.
    parts = await home.user.read(lambda r: many_earned.earned(r, sends, by="domain"))
    assert sum(one.won for one in parts) == 2
    [tally] = await home.user.read(lambda r: many_results.tallies(r, sends))
    assert (tally.sent, tally.people) == (6, 3)
