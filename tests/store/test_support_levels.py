"""Support levels: the organisation's own list, in cards, filters, deadlines and other processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import custom, objects, support_levels
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from hub import (
    ChangeObject,
    Conflict,
    CreateObject,
    Invalid,
    NotFound,
    RemoveSupportLevel,
    Request,
    SaveSlaPolicy,
    SaveSupportLevel,
)
from tests.houses import House, house

REQUEST = NOUNS["request"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def made(home: House, **values: str) -> Request:
    number = (await home.user.do(CreateObject(kind="request", values={"title": "x", **values})))[0]
    found: Request = await home.user.read(objects.one, REQUEST, number)
    return found


async def names(home: House) -> list[str]:
    return [one.name for one in await home.user.read(support_levels.all_levels)]


async def test_a_level_is_added_used_asked_for_and_promised(home: House) -> None:
    assert await names(home) == ["standard", "extended", "premium"]
    assert (await made(home)).level == "standard"
    with pytest.raises(Invalid):
        await made(home, level="gold")
    gold = (await home.user.do(SaveSupportLevel(label="Gold", label_ru="Золотой")))[0]
    assert gold == "gold"
    policy = SaveSlaPolicy(
        name="Gold",
        position=0,
        filter={"field": "request.level", "operator": "equals", "value": "gold"},
        solution_minutes=30,
    )
    policy_id = (await home.user.do(policy))[0]
    request = await made(home, level="gold")
    assert (request.level, request.policy_id) == ("gold", policy_id)
    asked = {"field": "request.level", "operator": "equals", "value": "gold"}
    assert await home.user.read(objects.count, REQUEST, ObjectQuery(filter=asked)) == 1
    whole = await home.user.read(lambda reader: custom.whole(reader.conn, REQUEST))
    last = whole.kind.property("level").choices[-1]
    assert (last.value, last.label, last.translations) == ("gold", "Gold", {"ru": "Золотой"})
    plain = await made(home)
    values = {"level": "nonsense"}
    with pytest.raises(Invalid):
        await home.user.do(ChangeObject(kind="request", object_id=plain.id, values=values))
    await home.user.do(ChangeObject(kind="request", object_id=plain.id, values={"level": "gold"}))
    assert (await home.user.read(objects.one, REQUEST, plain.id)).policy_id == policy_id


async def test_a_level_is_renamed_ordered_and_removed_when_its_requests_know_where(
    home: House,
) -> None:
    request = await made(home)
    await home.user.do(SaveSupportLevel(name="premium", label="Best", position=0))
    assert await names(home) == ["premium", "standard", "extended"]
    assert (await made(home)).level == "premium"
    with pytest.raises(Conflict):
        await home.user.do(RemoveSupportLevel(name="standard"))
    await home.user.do(RemoveSupportLevel(name="standard", move_to="extended"))
    assert (await home.user.read(objects.one, REQUEST, request.id)).level == "extended"
    for wrong in (SaveSupportLevel(name="gone", label="x"), RemoveSupportLevel(name="gone")):
        with pytest.raises(NotFound):
            await home.user.do(wrong)
    with pytest.raises(Invalid):
        await home.user.do(SaveSupportLevel(label=" "))
    await home.user.do(RemoveSupportLevel(name="premium", move_to="extended"))
    with pytest.raises(Conflict):
        await home.user.do(RemoveSupportLevel(name="extended"))


async def test_a_request_takes_the_level_of_its_client_unless_it_has_its_own(home: House) -> None:
    gold = (await home.user.do(SaveSupportLevel(label="Gold", position=9)))[0]
    policy = SaveSlaPolicy(
        name="Gold",
        position=0,
        filter={"field": "request.level", "operator": "equals", "value": gold},
        solution_minutes=30,
    )
    policy_id = (await home.user.do(policy))[0]

    async def client(level: str) -> str:
        command = CreateObject(kind="client", values={"name": f"A {level}", "level": level})
        return str((await home.user.do(command))[0])

    rich, plain = await client(gold), await client("")
    with pytest.raises(Invalid):
        await client("nonsense")
    with pytest.raises(Invalid):
        await home.user.do(
            ChangeObject(kind="client", object_id=int(plain), values={"level": "nonsense"})
        )
    # The promise follows the level, whoever named it.
    taken = await made(home, client_id=rich)
    assert (taken.level, taken.policy_id) == (gold, policy_id)
    assert (await made(home, client_id=plain)).level == "standard"
    own = await made(home, client_id=rich, level="extended")
    assert own.level == "extended"

    async def changed(request: Request, **values: str) -> Request:
        command = ChangeObject(kind="request", object_id=request.id, values=values)
        await home.user.do(command)
        found: Request = await home.user.read(objects.one, REQUEST, request.id)
        return found

    # Another client, another level; one of its own stays, and empty means the client's again.
    assert (await changed(taken, client_id=plain)).level == "standard"
    again = await changed(taken, client_id=rich)
    assert (again.level, again.policy_id) == (gold, policy_id)
    assert (await changed(own, client_id=plain)).level == "extended"
    assert (await changed(own, client_id=rich, level="")).level == gold
    # What nobody has bought any more is said for clients too.
    await changed(again, level="standard")
    await changed(own, level="standard")
    with pytest.raises(Conflict):
        await home.user.do(RemoveSupportLevel(name=gold))
    await home.user.do(RemoveSupportLevel(name=gold, move_to="premium"))
    card = await home.user.read(objects.one, NOUNS["client"], int(rich))
    assert card.level == "premium"


async def test_clients_are_asked_for_by_their_level(home: House) -> None:
    for name, level in (("A", "premium"), ("B", "")):
        values = {"name": name, "level": level}
        await home.user.do(CreateObject(kind="client", values=values))
    for asked, count in (
        ({"operator": "equals", "value": "premium"}, 1),
        ({"operator": "empty"}, 1),
        ({"operator": "not_equals", "value": "premium"}, 1),
    ):
        query = ObjectQuery(filter={"field": "client.level", **asked})
        assert await home.user.read(objects.count, NOUNS["client"], query) == count
    whole = await home.user.read(lambda reader: custom.whole(reader.conn, NOUNS["client"]))
    first, *known = whole.kind.property("level").choices
    assert (first.value, [one.value for one in known]) == ("", await names(home))
    field = whole.kind.registered()["client.level"]
    assert [one.value for one in field.choices] == await names(home)
