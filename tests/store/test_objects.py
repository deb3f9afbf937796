"""What is the same for objects of every kind: made, changed, binned, linked, by the kind's right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from crm_store import objects
from crm_store.journal import events_after
from crm_store.object_records import _maker
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    ChangeObject,
    Conflict,
    CreateObject,
    CreateUser,
    Invalid,
    LinkDialog,
    NotAllowed,
    NotFound,
    RemoveObject,
    TagObject,
    UpdateAccount,
    UserId,
)
from tests.houses import House, house, message

LEAD, CLIENT = NOUNS["lead"], NOUNS["client"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def facts(home: House, prefix: str) -> list[str]:
    read = home.runtime.database.read
    found, _ = await read(lambda conn: events_after(conn, home.runtime.registry, 0, 500))
    return [one.type for one in found if one.type.startswith(prefix)]


async def test_objects_of_every_kind_are_made_changed_and_binned_alike(home: House) -> None:
    # A person does not go into the bin.
    nouns = [one for name, one in NOUNS.items() if name != "contact"]
    for noun in nouns:
        kind, title = noun.kind.name, noun.kind.title
        assert kind in objects.NOUNS
        made = (await home.user.do(CreateObject(kind=kind, values={title: "Boats"})))[0]
        version = (
            await home.user.do(
                ChangeObject(kind=kind, object_id=made, values={title: "Ships"}, version=1)
            )
        )[0]
        found = await home.user.read(objects.one, noun, made)
        assert (getattr(found, title), found.version) == ("Ships", version)
        with pytest.raises(Conflict):
            await home.user.do(
                ChangeObject(kind=kind, object_id=made, values={title: "Late"}, version=1)
            )
        with pytest.raises(Invalid):
            await home.user.do(ChangeObject(kind=kind, object_id=made, values={"nonsense": "1"}))
        await home.user.do(RemoveObject(kind=kind, object_id=made))
        assert await home.user.read(objects.count, noun, ObjectQuery()) == 0
        await home.user.do(RemoveObject(kind=kind, object_id=made, restore=True))
        assert await home.user.read(objects.count, noun, ObjectQuery()) == 1
    one = ["object.created", "object.changed", "object.removed", "object.removed"]
    assert await facts(home, "object.") == one * len(nouns)


async def test_an_id_that_is_in_use_is_refused_and_changes_nothing(home: House) -> None:
    for kind in ("client", "contact", "lead", "task"):
        title = NOUNS[kind].kind.title
        made = (await home.user.do(CreateObject(kind=kind, values={title: "first"})))[0]
        again = CreateObject(kind=kind, object_id=made, values={title: "second"})
        with pytest.raises(Conflict, match="already"):
            await home.user.do(again)
        [found] = (await home.user.read(objects.page, NOUNS[kind], ObjectQuery())).items
        assert getattr(found, title) == "first"


async def test_a_kind_that_nobody_registered_is_refused(home: House) -> None:
    with pytest.raises(NotFound):
        await home.user.do(CreateObject(kind="ship", values={"title": "x"}))


async def test_the_right_is_that_of_the_kind(home: House) -> None:
    made = (await home.user.do(CreateObject(kind="lead", values={"title": "Boats"})))[0]
    command = CreateUser(email="a@example.com", name="A", role="auditor")
    auditor = home.system.as_user(UserId((await home.user.do(command))[0]))
    sent = (await home.receive(message("1")))[0]
    for one in (
        CreateObject(kind="client", values={"name": "x"}),
        ChangeObject(kind="lead", object_id=made, values={"title": "x"}),
        RemoveObject(kind="lead", object_id=made),
        LinkDialog(kind="lead", object_id=made, dialog_id=sent.dialog_id),
    ):
        with pytest.raises(NotAllowed):
            await auditor.do(one)


async def test_a_dialog_is_linked_once_and_only_by_who_sees_both(home: House) -> None:
    sent = (await home.receive(message("1")))[0]
    client_id = (await home.user.do(CreateObject(kind="client", values={"name": "Harbour"})))[0]
    link = LinkDialog(kind="client", object_id=client_id, dialog_id=sent.dialog_id)
    await home.user.do(link, link)
    found = await home.user.read(objects.of_dialog, CLIENT, sent.dialog_id)
    assert [one.id for one in found] == [client_id]
    agents = await home.system.do(
        CreateUser(email="a@example.com", name="A", role="agent"),
        CreateUser(email="b@example.com", name="B", role="agent"),
    )
    await home.user.do(UpdateAccount(account_id=home.pigeon, members=(UserId(agents[0]),)))
    other = home.system.as_user(UserId(agents[1]))
    mine = (await other.do(CreateObject(kind="client", values={"name": "Mine"})))[0]
    with pytest.raises(NotFound):
        await other.do(LinkDialog(kind="client", object_id=mine, dialog_id=sent.dialog_id))
    await home.user.do(
        LinkDialog(kind="client", object_id=client_id, dialog_id=sent.dialog_id, unlink=True)
    )
    assert await home.user.read(objects.of_dialog, CLIENT, sent.dialog_id) == []
    assert await facts(home, "object.linked") == ["object.linked"] * 2


async def test_what_is_made_of_a_dialog_takes_its_person_over(home: House) -> None:
    sent = (await home.receive(message("1", text="boats?")))[0]
    made = (await home.user.do(CreateObject(kind="lead", dialog_id=sent.dialog_id)))[0]
    lead = await home.user.read(objects.one, LEAD, made)
    dialog = await home.user.dialog(sent.dialog_id)
    assert (lead.title, lead.contact_id, lead.channel) == ("boats?", dialog.contact_id, "pigeon")


async def test_who_tags_at_once_loses_nobodys_tag(home: House) -> None:
    for kind, title in (("client", "name"), ("request", "title")):
        values = {title: "Boats", "tags": ["Old", "kept"]}
        made = (await home.user.do(CreateObject(kind=kind, values=values)))[0]
        one = {"kind": kind, "object_id": made}
        await asyncio.gather(
            *(home.user.do(TagObject(**one, add=(f"tag {n}", "kept"))) for n in range(6)),
            home.user.do(TagObject(**one, remove=("old",))),
        )
        found = await home.user.read(objects.one, NOUNS[kind], made)
        assert set(found.tags) == {"kept", *(f"tag {n}" for n in range(6))}
        same = (await home.user.do(TagObject(**one, add=("KEPT",))))[0]
        assert same == found.version
    with pytest.raises(NotFound):
        await home.user.do(TagObject(kind="ship", object_id=1, add=("x",)))
    looker = await home.user.do(CreateUser(email="a@example.org", name="A", role="auditor"))
    with pytest.raises(NotAllowed):
        await home.system.as_user(looker[0]).do(TagObject(**one, add=("x",)))


async def test_pages_asked_at_once_are_those_asked_one_by_one(home: House) -> None:
    for n, (status, city) in enumerate([("active", "Pskov"), ("lost", "Riga"), ("active", "Riga")]):
        values = {"name": f"Firm {n}", "region": city, "status": status, "tags": (f"t{n}",)}
        await home.user.do(CreateObject(kind="client", values=values))
    queries = [
        ObjectQuery(filter={"field": "client.status", "operator": "equals", "value": one}, limit=1)
        for one in ("active", "lost", "prospect")
    ]
    each = [await home.user.read(objects.page, CLIENT, query) for query in queries]
    assert await home.user.read(objects.pages, CLIENT, queries) == each
    assert [len(one.items) for one in each] == [1, 1, 0]
    following = [replace(queries[0], before=each[0].next), queries[1]]
    found = await home.user.read(objects.pages, CLIENT, following)
    assert [[one.name for one in page.items] for page in found] == [["Firm 0"], ["Firm 1"]]
    worded = [replace(queries[0], text="riga"), replace(queries[1], text="firm")]
    found = await home.user.read(objects.pages, CLIENT, worded)
    assert [[one.name for one in page.items] for page in found] == [[], ["Firm 1"]]
    found = await home.user.read(objects.pages, CLIENT, following, ("name", "region"))
    assert [[(one.id, one.name, one.region) for one in page.items] for page in found] == [
        [(one.id, one.name, one.region) for one in page.items]
        for page in await home.user.read(objects.pages, CLIENT, following)
    ]
    assert not hasattr(found[0].items[0], "status")
    assert found[1].next == each[1].next
    assert await home.user.read(objects.pages, CLIENT, []) == []


async def test_a_question_that_was_made_before_asks_for_whoever_asks_now(home: House) -> None:
    """Statements are kept; who "me" is, and when the last hour was, are not."""
    command = CreateUser(email="b@example.com", name="B", role="agent")
    other = home.system.as_user(UserId((await home.user.do(command))[0]))
    await home.user.do(
        CreateObject(kind="client", values={"name": "Mine", "owner_id": home.user.actor.id})
    )
    await other.do(CreateObject(kind="client", values={"name": "His", "owner_id": other.actor.id}))
    mine = ObjectQuery(filter={"field": "client.owner", "operator": "equals", "value": "me"})
    for hub, name in ((home.user, "Mine"), (other, "His"), (home.user, "Mine")):
        assert [one.name for one in (await hub.read(objects.page, CLIENT, mine)).items] == [name]
    fresh = {"field": "client.created_at", "operator": "within_last", "value": "1h"}
    for many in (2, 0):
        found = await home.user.read(objects.page, CLIENT, ObjectQuery(filter=fresh))
        assert len(found.items) == many
        home.world.offset_us += 2 * 3_600 * 1_000_000


def test_a_record_is_made_of_a_row_and_of_what_stands_elsewhere() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Slotted:
        id: int
        name: str
        tags: tuple[str, ...]
        more: list[str] = field(default_factory=list)
        mark: str = "none"

    @dataclass(kw_only=True)
    class Checked:
        id: int
        name: str
        tags: tuple[str, ...] = ()
        long: bool = field(init=False)

        def __post_init__(self) -> None:
            self.long = len(self.name) > 3

    table = Table("things", MetaData(), Column("name", Text), Column("id", Integer))
    row, columns = ("Anna", 5), ("name", "id")
    make = _maker(Slotted, table, columns)
    made = make(row, {"tags": ("vip",)})
    assert made == Slotted(id=5, name="Anna", tags=("vip",))
    assert made.more is not make(row, {"tags": ()}).more
    with pytest.raises(TypeError, match="tags"):
        make(row, {})
    assert _maker(Checked, table, columns)(row, {}).long
