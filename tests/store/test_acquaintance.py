"""Who may be whom: matched addresses, suggested duplicates, what was told, what is unlinked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store import clients as client_reads
from crm_store import dialogs as dialog_reads
from crm_store import people
from crm_store.duplicates import alike, pairs, pairs_of
from crm_store.sameness import likeness, phone_form, said_addresses
from crm_store.unlinked import said_in
from hub import (
    AddAddress,
    Address,
    AskDetails,
    BelongTo,
    Conflict,
    Contact,
    ContactId,
    CreateClient,
    CreateContact,
    CreateLead,
    DialogQuery,
    MergeContacts,
    NotFound,
    RefreshDuplicates,
    RejectDuplicate,
    SetAside,
    SettleSaid,
    UpdateContact,
)
from tests.houses import House, house, letter, message, until


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


def phone(value: str) -> Address:
    return Address(kind="phone", value=value)


async def person(home: House, name: str, *owned: Address) -> ContactId:
    return ContactId((await home.user.do(CreateContact(name=name, addresses=owned)))[0])


async def card(home: House, contact_id: int) -> Contact:
    found: Contact = await home.user.read(people.contact, ContactId(contact_id))
    return found


async def found(home: House, kind: str = "contact") -> list[Any]:
    return list((await home.user.read(pairs, kind))[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванов Иван Петрович", "Ivan Ivanov"),
        ("Щербакова Наталья", "Natalia Shcherbakova"),
        ("И. Иванов", "Иванов Иван"),
        ("Дмитрий Кузнецов", "Dmitry Kuznetsov"),
        ("ООО «Ромашка»", "Romashka"),
        ("Юлия Хабарова", "Iuliia Khabarova"),
    ],
)
def test_names_are_alike_in_any_alphabet_and_order(one: str, other: str) -> None:
    assert likeness(one, other) >= 95
    assert likeness(one, "Анна Попова") < 70


def test_a_phone_has_one_spelling_however_it_is_written() -> None:
    spellings = ("8 912 345-67-89", "+7 (912) 345-67-89", "79123456789", "9123456789")
    assert {phone_form(one) for one in spellings} == {"p:+79123456789"}
    assert phone_form("+44 20 7946 0958") == "p:+442079460958"
    assert [phone_form(one) for one in ("12", "order 77", "")] == ["", "", ""]
    told = said_addresses("Call 8 (912) 345-67-89 or write to Anna@Example.com. Order 1234567890.")
    assert told == [("email", "anna@example.com"), ("phone", "+79123456789")]
    told = said_addresses(
        f"{'x' * 9_000} <Anna@a.example>,boris@b.example;vera@v.example{'x' * 9_000}"
    )
    assert [value for _, value in told][:2] == ["anna@a.example", "boris@b.example"]
    assert said_addresses("x" * 20_000) == []


async def test_a_number_that_one_person_has_is_his_and_of_two_nobodys(home: House) -> None:
    anna = await person(home, "Anna", phone("8 912 345-67-89"))
    given = (await home.receive(message("1", "+79123456789", name="A.")))[0]
    assert given.contact_id == anna
    [_, known] = (await card(home, anna)).addresses
    assert (known.matched_by, known.verified_by) == ("phone", "channel")
    # A second one with the number: the third sender is asked about, never guessed.
    await person(home, "Boris", phone("8 (905) 111-22-33"))
    await person(home, "Vera", phone("+7 905 111 22 33"))
    other = (await home.receive(message("2", "+79051112233", name="B. V.")))[0]
    asked = await until(lambda: _reasons(home, other.contact_id, 2), seconds=30)
    assert set(asked) == {("phone",)}


async def _reasons(home: House, contact_id: int, count: int) -> list[tuple[str, ...]]:
    open_ones = await home.user.read(pairs_of, "contact", contact_id)
    return [one.reasons for one in open_ones] if len(open_ones) == count else []


@pytest.mark.parametrize("kind", ["lead", "pigeon"])
async def test_only_people_and_clients_are_compared(home: House, kind: str) -> None:
    for command in (
        RejectDuplicate(kind=kind, a_id=1, b_id=2),
        RefreshDuplicates(kind=kind, ids=(1,)),
    ):
        with pytest.raises(NotFound, match="no duplicates of kind"):
            await home.system.do(command)


async def test_likenesses_are_found_kept_up_to_date_and_remembered_as_wrong(home: House) -> None:
    one = await person(home, "Пётр Семёнов")
    other = await person(home, "Petr Semenov")
    await person(home, "Olga")
    [pair] = await until(lambda: found(home), seconds=30)
    assert ({pair.a_id, pair.b_id}, pair.reasons) == ({one, other}, ("name",))
    typed = await home.user.read(alike, "contact", {"name": "semenov petr", "phone": ""})
    assert {each.id for each in typed} == {one, other}
    await home.user.do(RejectDuplicate(kind="contact", a_id=one, b_id=other))
    assert await found(home) == []
    await home.user.do(AddAddress(contact_id=one, address=phone("+7 912 000-00-01")))
    third = await person(home, "P. Semenov", phone("8 912 000 00 01"))
    [pair] = [each for each in await until(lambda: found(home), seconds=30) if each.a_id == one]
    assert (pair.b_id, set(pair.reasons)) == (third, {"phone", "name"})
    # The rejected pair stays rejected, whatever is looked through again.
    await home.user.do(UpdateContact(contact_id=other, name="Petr A. Semenov"))
    await home.user.do(MergeContacts(survivor_id=one, merged_id=third))

    async def settled() -> bool:
        left = await found(home)
        return all(third not in (each.a_id, each.b_id) for each in left) and all(
            {each.a_id, each.b_id} != {one, other} for each in left
        )

    await until(settled, seconds=30)


async def test_clients_are_compared_by_their_numbers_and_names(home: House) -> None:
    first = (await home.user.do(CreateClient(name="ООО Ромашка", organisation=True)))[0]
    second = (
        await home.user.do(
            CreateClient(name="Romashka Ltd", organisation=True, values={"inn": "7701"})
        )
    )[0]
    [pair] = await until(lambda: found(home, "client"), seconds=30)
    assert ({pair.a_id, pair.b_id}, pair.reasons) == ({first, second}, ("name",))
    typed = await home.user.read(alike, "client", {"name": "Rose", "inn": "7701"})
    assert [(each.id, each.reasons) for each in typed] == [(second, ("inn",))]


async def test_what_was_told_in_a_message_is_asked_about_and_never_linked(home: House) -> None:
    boris = await person(home, "Boris", phone("8 912 345-67-89"))
    given = (await home.receive(message("1", text="call +7 912 345-67-89 or a@example.com")))[0]
    told = await until(lambda: home.user.read(said_in, given.dialog_id), seconds=30)
    by_kind = {one.kind: one for one in told}
    assert by_kind["phone"].owner_id == boris
    assert by_kind["phone"].message_id == given.message_id
    assert (await card(home, given.contact_id)).addresses[0].kind == "pigeon"
    with pytest.raises(Conflict) as refused:
        await home.user.do(SettleSaid(said_id=by_kind["phone"].id, take=True))
    assert refused.value.what == "address_taken"
    await home.user.do(
        SettleSaid(said_id=by_kind["email"].id, take=True),
        SettleSaid(said_id=by_kind["phone"].id, take=False),
    )
    assert {one.kind for one in (await card(home, given.contact_id)).addresses} == {
        "pigeon",
        "email",
    }
    assert await home.user.read(said_in, given.dialog_id) == []


async def test_an_answer_to_our_question_goes_onto_the_card(home: House) -> None:
    given = (await home.receive(message("1")))[0]
    await home.user.do(AskDetails(dialog_id=given.dialog_id, questions={"phone": "Your phone?"}))
    await home.receive(message("2", text="it is 8 912 345-67-89"))

    async def phones() -> list[str]:
        owned = (await card(home, given.contact_id)).addresses
        return [one.value for one in owned if one.kind == "phone"]

    assert await until(phones, seconds=30) == ["+79123456789"]
    [told] = await home.user.read(said_in, given.dialog_id)
    assert told.on_card


async def test_what_hangs_in_the_air_is_linked_or_set_aside(home: House) -> None:
    talks = [(await home.receive(message(str(n), f"p{n}")))[0].dialog_id for n in range(4)]
    post = (await home.receive(letter("9", "spam@example.com"), letter=True))[0].dialog_id
    await home.user.do(CreateLead(dialog_id=talks[0]))

    async def unlinked() -> set[int]:
        page = await home.user.read(dialog_reads.page, DialogQuery(view="unlinked"))
        return {one.id for one in page.dialogs}

    assert await unlinked() == {*talks[1:], post}
    [made] = await home.user.do(BelongTo(dialog_ids=(talks[1],)))
    await home.user.do(BelongTo(dialog_ids=(talks[2], talks[3]), client_id=made[0]))
    assert await unlinked() == {post}
    people_of = await home.user.read(client_reads.people_of, made[0])
    assert len(people_of) == 3
    await home.user.do(SetAside(dialog_ids=(post,), reason="spam"))
    assert await unlinked() == set()
    # It is remembered for the address: its next dialog does not ask again.
    await home.receive(letter("10", "spam@example.com"), letter=True)
    assert await unlinked() == set()
    await home.user.do(SetAside(dialog_ids=(post,), reason=""))
    assert len(await unlinked()) == 2
