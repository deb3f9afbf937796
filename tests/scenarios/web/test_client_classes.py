"""Classes of clients: who brings how much (ABC) and how regularly (XYZ), counted, shown and asked for."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from crm_store import client_classes, segments
from crm_store.tables.interests import interests
from crm_store.tables.people import clients, contacts
from hub import (
    ROLES,
    ClassifyClients,
    ClientId,
    Conflict,
    CountClasses,
    Invalid,
    Micros,
    SaveClassRules,
    SaveRole,
    Scope,
)
from hub.class_counting import count
from hub.records.classes import ClassRules
from hub.records.segments import Segment
from tests.scenarios.web.house import House, open_house

MONTH = client_classes.MONTH_US


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url) as one:
        yield one


def fill(house: House, sold: dict[int, list[tuple[int, int]]], currency: str = "RUB") -> None:
    """Write clients with what each bought: how many months ago, for how much."""
    now, number = int(house.runtime.now()), 10_000
    with house.runtime.database.administer() as conn:
        for client_id, sales in sold.items():
            name = {"name": f"Client {client_id}", "name_folded": f"client {client_id}"}
            if conn.execute(select(clients.c.id).where(clients.c.id == client_id)).first() is None:
                conn.execute(insert(clients).values(id=client_id, created_at=now, **name))
            for ago, amount in sales:
                number += 1
                conn.execute(
                    insert(interests).values(
                        id=client_id * 100_000 + number,
                        client_id=client_id,
                        status="won",
                        # In the middle of a month.
                        closed_at=now - ago * MONTH - MONTH // 2,
                        amount=amount,
                        currency=currency,
                    )
                )


def classes(house: House) -> dict[int, tuple[str, str]]:
    with house.runtime.database.administer() as conn:
        rows = conn.execute(select(clients.c.id, clients.c.abc, clients.c.xyz))
        return {one.id: (one.abc, one.xyz) for one in rows}


async def test_who_brings_the_first_eighty_percent_has_class_a(house: House) -> None:
    hub = house.system
    steady = [(n, 100_00) for n in range(12)]
    fill(
        house,
        {
            1: [(1, 7_000_00)],
            2: steady,
            3: [(2, 600_00), (3, 600_00)],
            4: [(1, 300_00)],
            # What was bought before the period, nothing at all, and another currency.
            5: [(13, 90_000_00)],
            6: [],
        },
    )
    fill(house, {7: [(1, 9_000_00)]}, "USD")
    with house.runtime.database.administer() as conn:
        open_one = {"status": "in_work", "client_id": 6, "amount": 10**9, "currency": "RUB"}
        conn.execute(insert(interests).values(id=1, closed_at=house.runtime.now() - 1, **open_one))
        bin_one = {**open_one, "status": "won", "deleted_at": 1}
        conn.execute(insert(interests).values(id=2, closed_at=house.runtime.now() - 1, **bin_one))
    await count(hub)
    # 9,700 in all: the first brings 72 per cent, the second goes over the 80, the third is alike.
    assert classes(house) == {
        1: ("a", "z"), 2: ("a", "x"), 3: ("a", "z"), 4: ("c", "z"),
        5: ("", ""), 6: ("", ""), 7: ("", ""),
    }  # fmt: skip
    why = await hub.read(client_classes.reason, ClientId(2))
    assert why is not None
    assert (why.amount, why.currency, why.per_mille, why.variation) == (1_200_00, "RUB", 124, 0)
    assert await hub.read(client_classes.reason, ClientId(5)) is None
    assert await hub.read(client_classes.counted) == {"a": 3, "c": 1}
    # Another period, other limits, another currency: saved, counted anew, on record.
    rules = SaveClassRules(months=24, a_percent=50, b_percent=40, x_percent=10, y_percent=25)
    await hub.do(rules)
    await count(hub)
    found = classes(house)
    assert {one for one, (abc, _) in found.items() if abc == "a"} == {5}
    assert {one for one, (abc, _) in found.items() if abc == "b"} == set()
    await hub.do(replace(rules, currency="USD"))
    await count(hub)
    assert {one: abc for one, (abc, _) in classes(house).items() if abc} == {7: "a"}
    known = await hub.read(client_classes.rules)
    assert (known.months, known.currency, known.version, known.whole) == (24, "USD", 3, 9_000_00)
    with pytest.raises(Conflict):
        await hub.do(replace(rules, version=1))
    for wrong in ({"months": 0}, {"b_percent": 90}, {"x_percent": 30}, {"currency": "XXX"}):
        with pytest.raises(Invalid):
            await hub.do(replace(rules, **wrong))  # type: ignore[arg-type]
    # Who sells nothing any more has no class.
    with house.runtime.database.administer() as conn:
        conn.execute(delete(interests))
    await count(hub)
    assert set(classes(house).values()) == {("", "")}


def expected(sold: dict[int, list[tuple[int, int]]]) -> dict[int, tuple[str, str]]:
    """Give the classes by the words of the rule, client by client."""
    sums = {one: sum(amount for ago, amount in sales if ago < 12) for one, sales in sold.items()}
    whole, found = sum(sums.values()), {}
    for one, mine in sums.items():
        above = sum(other for other in sums.values() if other > mine)
        abc = "a" if above * 100 < whole * 80 else "b" if above * 100 < whole * 95 else "c"
        months = [0] * 12
        for ago, amount in sold[one]:
            if ago < 12:
                months[ago] += amount
        squares = sum(each * each for each in months)
        spread = round((squares * 12 / mine**2 - 1) * 10_000) if mine else 0
        xyz = "x" if spread <= 100 else "y" if spread <= 625 else "z"
        found[one] = (abc, xyz) if mine else ("", "")
    return found


async def test_a_count_in_batches_is_what_the_rule_says(house: House) -> None:
    dice = random.Random(11)
    sold: dict[int, list[tuple[int, int]]] = {}
    for one in range(1, 200):
        steady, most = dice.random() < 0.3, dice.choice([10, 300, 9_000])
        base, part = dice.randrange(1, most + 1) * 100, dice.choice([1, 4])
        ago = range(12) if steady else [dice.randrange(15) for _ in range(dice.randrange(4))]
        sold[one] = [(n, base + dice.randrange(base // part + 1) * steady) for n in ago]
    fill(house, sold)
    hub = house.system
    await count(hub)
    wanted = expected(sold)
    assert classes(house) == wanted
    assert {abc for abc, _ in wanted.values()} == {"a", "b", "c", ""}
    assert {xyz for _, xyz in wanted.values()} == {"x", "y", "z", ""}
    # The same in small batches, over what was spoilt.
    with house.runtime.database.administer() as conn:
        conn.execute(update(clients).values(abc="b", class_sum=5))
    found = await hub.read(client_classes.borders)

    def batch(after: int) -> ClassifyClients:
        return ClassifyClients(
            after=ClientId(after), since=found.since, until=found.until, months=12, currency="RUB",
            a_from=found.a_from, b_from=found.b_from, x_percent=10, y_percent=25, limit=7,
        )  # fmt: skip

    after, turns = 0, 0
    while True:
        (after,) = await hub.do(batch(after))
        turns += 1
        if not after:
            break
    assert turns == 199 // 7 + 2
    assert classes(house) == wanted


async def test_classes_are_listed_asked_for_and_explained(house: House) -> None:
    hub = house.system
    fill(house, {1: [(n, 100_00) for n in range(12)], 2: [(1, 20_00)], 3: [(1, 10_00)]})
    await count(hub)
    with house.runtime.database.administer() as conn:
        for one in (1, 2, 3):
            conn.execute(
                insert(contacts).values(id=one, name=f"P{one}", client_id=one, created_at=1)
            )

    async def who(field: str, *values: str) -> list[int]:
        tree = {"field": field, "operator": "in", "value": list(values)}
        found = Segment(id=0, name="", static=False, filter=tree)
        return [one.contact_id for one in await hub.audience(found, channel="email")]

    assert await who("contact.client_abc", "a") == [1]
    assert await who("contact.client_abc", "b") == []
    assert await who("contact.client_abc", "a", "c") == [1, 2, 3]
    assert await who("contact.client_xyz", "x") == [1]
    wrong = Segment(
        id=0, name="", static=False, filter={"field": "contact.client_abc", "operator": "in"}
    )
    with pytest.raises(Invalid):
        await hub.read(segments.count, wrong)
    browser = await house.logged_in("administrator")
    tree = '{"field":"client.abc","operator":"in","value":["a"]}'
    page = (await browser.get("/clients", params={"filter": tree})).text
    assert "Client 1" in page
    assert "Client 2" not in page
    card = (await browser.get("/clients/1")).text
    assert "97.6 % of what all clients brought" in card
    assert "one month differs from another by 0 %" in card
    assert "Class A" in card
    given: dict[str, Any] = (await browser.get("/api/v1/clients/1")).json()
    assert (given["abc"], given["xyz"]) == ("a", "x")
    # Who does not see all interests learns the class, and no sum.
    await hub.do(SaveRole(name="narrow", based_on="agent", scopes={"interests": Scope.OWN}))
    assert "contacts.view" in ROLES["agent"].permissions
    await house.user("narrow")
    narrow = house.browser()
    await narrow.log_in("narrow@example.org")
    card = (await narrow.get("/clients/1")).text
    assert "Class A" in card
    assert "of what all clients brought" not in card


async def test_the_rule_is_set_on_screen_and_by_the_api(house: House) -> None:
    browser = await house.logged_in("administrator")
    page = (await browser.get("/settings/classes")).text
    assert 'name="a_percent"' in page
    form = {"months": "6", "a_percent": "70", "b_percent": "20", "x_percent": "15"}
    form |= {"y_percent": "40", "currency": "EUR", "version": "1", "do": "save"}
    answer = await browser.submit("/settings/classes", data=form)
    assert answer.status_code == 303, answer.text
    given = (await browser.get("/api/v1/client-classes")).json()
    assert (given["months"], given["a_percent"], given["currency"]) == (6, 70, "EUR")
    refused = await browser.submit(
        "/settings/classes", data={**form, "b_percent": "90", "version": "2"}
    )
    assert refused.status_code == 422
    assert "100 percent together" in refused.text
    assert (await browser.submit("/settings/classes", data={"do": "count"})).status_code == 303
    rules = await house.system.read(client_classes.rules)
    uncounted = replace(rules, counted_at=Micros(0), counted_months=0, counted_currency="")
    assert uncounted == ClassRules(
        months=6, a_percent=70, b_percent=20, x_percent=15, y_percent=40, currency="EUR", version=2
    )
    await house.system.do(CountClasses())
    other = await house.logged_in("agent")
    assert (await other.get("/settings/classes")).status_code in (403, 404)


def test_the_model_of_this_test_is_a_model() -> None:
    assert expected({1: [(0, 80)], 2: [(0, 20)]}) == {1: ("a", "z"), 2: ("b", "z")}
    assert isqrt(625) == 25
