"""What an import of a file leaves, and leaves alone, when it is taken back; whose its cards are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from crm_store import clients as client_reads
from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.search_people import search_contacts
from crm_store.tables.dialogs import dialogs
from crm_store.tables.imports import external_ids
from crm_store.tables.interests import interest_people
from crm_store.tables.people import addresses, contacts
from crm_store.unlinked import unlinked_clause
from crm_store.viewer import Reader
from hub import (
    Address,
    CreateClient,
    CreateContact,
    CreateObject,
    CreateUser,
    FillSegment,
    Participant,
    SaveRole,
    SaveSegment,
    SetInterestPeople,
)
from hub.roles import Scope
from tests.houses import BoundHub, House, letter
from tests.store.test_imports import given, home, started

__all__ = ["home"]
CLIENT = NOUNS["client"]


async def limited(home: House) -> BoundHub:
    """Give a colleague who imports and sees what is his own."""
    own = dict.fromkeys(("contacts", "clients", "leads", "dialogs"), Scope.OWN)
    await home.user.do(SaveRole(name="narrow", based_on="administrator", scopes=own))
    (user,) = await home.user.do(CreateUser(email="l@example.com", name="L", role="narrow"))
    return home.system.as_user(user)


async def test_a_person_who_wrote_since_stays_and_is_unlinked(home: House, tmp_path: Path) -> None:
    number = await given(home, tmp_path, "Название;Почта\nАнна;anna@example.com\n")
    await started(home, number)
    [got] = await home.receive(letter("1", "anna@example.com"), letter=True)
    undone = (await started(home, number, "undo")).undone
    assert (undone["removed"], undone["contacts"]) == (1, 0)
    [person] = await home.system.read(lambda r: r.conn.execute(select(contacts)).all())
    assert (person.client_id, person.deleted_at) == (0, 0)
    alone = select(dialogs.c.id).where(*unlinked_clause())
    assert await home.system.read(lambda r: r.conn.execute(alone).scalars().all()) == [
        got.dialog_id
    ]


async def test_people_whom_somebody_named_stay(home: House, tmp_path: Path) -> None:
    text = "Имя;Почта\nАнна;anna@example.com\nБорис;boris@example.com\nВера;vera@example.com\n"
    number = await given(home, tmp_path, text, "contact")
    await started(home, number)
    ids = select(contacts.c.name, contacts.c.id)
    people = dict(await home.system.read(lambda r: r.conn.execute(ids).all()))  # type: ignore[arg-type]
    (interest,) = await home.user.do(CreateObject(kind="interest", values={"title": "Sail"}))
    chief = Participant(contact_id=people["Анна"], role="chief")
    await home.user.do(SetInterestPeople(interest_id=interest, people=(chief,)))
    (segment,) = await home.user.do(SaveSegment(name="Chosen", static=True))
    await home.user.do(FillSegment(segment_id=segment, add=(people["Борис"],)))
    undone = (await started(home, number, "undo")).undone
    assert (undone["removed"], undone["kept"]) == (1, 2)
    left = select(interest_people.c.contact_id)
    assert await home.system.read(lambda r: r.conn.execute(left).scalar_one()) == people["Анна"]


async def test_whoever_sees_only_his_own_has_what_he_imports(home: House, tmp_path: Path) -> None:
    me = await limited(home)
    number = await given(replace(home, user=me), tmp_path, "Название;ИНН\nQ;7707083893\n")
    await started(replace(home, user=me), number)
    page = await me.read(objects.page, CLIENT, ObjectQuery())
    assert [(one.name, one.owner_id) for one in page.items] == [("Q", me.actor.id)]


async def test_a_card_that_a_file_fills_in_is_more_complete(home: House, tmp_path: Path) -> None:
    values = {"inn": "7707083893"}
    (card,) = await home.user.do(CreateClient(name="A", organisation=True, values=values))
    before = (await home.user.read(client_reads.client, card)).completeness
    text = "ИНН;Телефон;Источник\n7707083893;+7 495 000-00-01;сайт\n"
    number = await given(home, tmp_path, text, keys=("inn",), policy="overwrite")
    await started(home, number)
    after = (await home.user.read(client_reads.client, card)).completeness
    assert (before, after) == (25, 75)
    await started(home, number, "undo")
    assert (await home.user.read(client_reads.client, card)).completeness == before


async def test_a_segment_is_filled_with_whom_one_sees(home: House) -> None:
    me = await limited(home)
    mine = {"owner_id": home.user.actor.id}
    (other,) = await home.user.do(CreateClient(name="Hidden", values=mine))
    (hidden,) = await home.user.do(CreateContact(name="Hidden", client_id=other))
    (segment,) = await me.do(SaveSegment(name="S", static=True))
    assert await me.do(FillSegment(segment_id=segment, add=(hidden,))) == [0]
    assert await home.user.do(FillSegment(segment_id=segment, add=(hidden,))) == [1]
    assert await me.do(FillSegment(segment_id=segment, remove=(hidden,))) == [0]


async def test_a_number_that_is_there_becomes_the_main_one(home: House, tmp_path: Path) -> None:
    numbers = ("+74950000001", "+74950000002")
    values = {"inn": "7707083893", "addresses": [{"kind": "phone", "value": n} for n in numbers]}
    (card,) = await home.user.do(CreateClient(name="A", organisation=True, values=values))

    async def phones() -> list[tuple[str, bool]]:
        one = await home.user.read(client_reads.client, card)
        return [(address.value, address.main) for address in one.every_address]

    before = await phones()
    text = "ИНН;Телефон\n7707083893;+7 495 000-00-02\n"
    number = await given(home, tmp_path, text, keys=("inn",), policy="overwrite")
    await started(home, number)
    assert sorted(await phones()) == [(numbers[0], False), (numbers[1], True)]
    await started(home, number, "undo")
    assert await phones() == before


async def test_what_a_file_added_to_cards_that_were_there_goes_again(
    home: House, tmp_path: Path
) -> None:
    await home.user.do(CreateClient(name="A", organisation=True, values={"inn": "7707083893"}))
    mail = (Address(kind="email", value="anna@example.com"),)
    (anna,) = await home.user.do(CreateContact(name="Анна", addresses=mail))
    text = "ИНН;Контакт;Почта контакта;Код\n7707083893;Петров;petrov@example.com;X7\n"
    columns = ("inn", "contact_name", "email", "external_id")
    firms = await given(
        home, tmp_path, text, columns=columns, keys=("inn",), policy="fill"
    )  # fmt: skip
    assert (await started(home, firms)).counts["updated"] == 1
    text = "Имя;Почта;Телефон\nАнна;anna@example.com;+79120000001\n"
    more = {"columns": ("name", "email", "phone"), "keys": ("email",), "policy": "fill"}
    people = await given(home, tmp_path, text, "contact", **more)
    assert (await started(home, people)).counts["updated"] == 1

    async def there() -> tuple[set[str], set[str], list[str]]:
        def read(r: Reader) -> tuple[set[str], set[str], list[str]]:
            ask = r.conn.execute
            names = set(ask(select(contacts.c.name)).scalars())
            told = set(ask(select(addresses.c.value)).scalars())
            return names, told, list(ask(select(external_ids.c.external_id)).scalars())

        return await home.system.read(read)

    numbers = {"anna@example.com", "petrov@example.com", "+79120000001"}
    assert await there() == ({"Анна", "Петров"}, numbers, ["X7"])
    for number in (people, firms):
        undone = (await started(home, number, "undo")).undone
        assert (undone["restored"], undone["kept"]) == (1, 0)
    assert await there() == ({"Анна"}, {"anna@example.com"}, [])
    found = await home.user.read(search_contacts, "+79120000001")
    assert not list(found)
    assert (await home.user.contact(anna)).version >= 1
