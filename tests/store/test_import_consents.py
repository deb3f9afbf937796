"""Subscribers come in with the proof of their consent, and go out again where that was a mistake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store import imports as store
from crm_store.consents import standing
from crm_store.tables.people import addresses
from hub import (
    AddAddress,
    Address,
    ContactId,
    CreateContact,
    Import,
    ImportFields,
    ImportId,
    RemoveAddress,
    SaveTopic,
    SetUpImport,
    StartImport,
    SuppressAddress,
    WithdrawConsent,
)
from hub.importing import upload, work
from tests.houses import House, house, until

HEAD = "Имя;Почта;Согласие;Канал согласия;Тема подписки;Дата согласия;Источник согласия;Текст согласия\n"
ROWS = (
    "Анна;anna@example.org;да;почта;news;05.03.2024;site form;Yes, news by mail\n"
    "Борис;boris@example.org;да;email;news;2023-11-02T10:00:00;paper 17;\n"
    "Вера;vera@example.org;нет;;;;;by phone\n"
    "Глеб;gleb@example.org;ask;;news;;old list;\n"
    "Без слова;silent@example.org;;;;;;\n"
    "Без доказательства;x1@example.org;да;email;news;;;\n"
    "Не дата;x2@example.org;да;email;news;весной;site;\n"
    "Будущее;x3@example.org;да;email;news;2199-01-01;site;\n"
    "Не канал;x4@example.org;да;голубь;news;;site;\n"
    "Не слово;x5@example.org;может быть;email;news;;site;\n"
    "Не та тема;x6@example.org;спросить;;sales;;site;\n"
)


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


async def taken(home: House, folder: Path, text: str, *steps: str) -> Import:
    """Upload a file, set it to fill what is there, and take its steps."""
    path = folder / "subscribers.csv"
    path.write_text(text, encoding="utf-8")
    import_id = ImportId(await upload(home.user, "contact", "subscribers.csv", path))
    one = await home.user.read(store.one_import, import_id)
    assert "consent_text" in one.fields.columns
    fields = ImportFields(columns=one.fields.columns, keys=("email",), policy="fill")
    await home.user.do(SetUpImport(import_id=import_id, fields=fields))
    for step in steps:
        await stepped(home, import_id, step)
    return await home.user.read(store.one_import, import_id)


async def stepped(home: House, import_id: ImportId, step: str) -> None:
    await home.user.do(StartImport(import_id=import_id, what=step))

    async def over() -> bool:
        one = await home.user.read(store.one_import, import_id)
        return not one.is_busy

    await work(home.system, import_id)
    await until(over)


async def who(home: House, email: str) -> ContactId:
    found = await home.system.read(
        lambda reader: reader.conn.execute(
            select(addresses.c.contact_id).where(addresses.c.value == email)
        ).scalar()
    )
    return ContactId(int(found or 0))


async def words(home: House, email: str) -> list[tuple[str, str, str, str]]:
    """Give a person's newest words: state, channel, topic, evidence."""
    found = await home.user.read(standing, await who(home, email))
    return [(one.state, one.channel, one.topic, one.evidence) for one in found.current]


async def test_subscribers_come_with_proof_and_a_mistake_is_taken_back(
    home: House, tmp_path: Path
) -> None:
    await home.user.do(SaveTopic(name="news", label_ru="Новости"))
    refused = (
        await home.user.do(
            CreateContact(
                name="Борис", addresses=(Address(kind="email", value="boris@example.org"),)
            )
        )
    )[0]
    await home.user.do(WithdrawConsent(contact_id=refused, channel="email", how="link"))
    checked = await taken(home, tmp_path, HEAD + ROWS, "check")
    assert (checked.found["created"], checked.found["updated"], checked.found["bad"]) == (4, 1, 6)
    assert await who(home, "anna@example.org") == 0, "a dry run writes nothing"
    bad = await home.user.read(store.bad_rows, checked.id)
    assert [one.partition("|")[0] for one in bad.values()] == [
        "consent_text",
        "consent_at",
        "consent_at",
        "consent_channel",
        "consent",
        "consent_topic",
    ]
    await stepped(home, checked.id, "run")
    done = await home.user.read(store.one_import, checked.id)
    assert (done.state, done.counts["created"], done.counts["bad"]) == ("finished", 4, 6)
    assert await words(home, "anna@example.org") == [
        ("given", "email", "news", "site form\nYes, news by mail")
    ]
    anna = await home.user.read(standing, await who(home, "anna@example.org"))
    assert (anna.log[0].how, anna.log[0].at) == ("import", 1_709_596_800_000_000)
    # A list lifts no refusal; what is refused in it counts; who is asked has not agreed.
    assert [one[0] for one in await words(home, "boris@example.org")] == ["withdrawn"]
    assert [one[0] for one in await words(home, "vera@example.org")] == ["withdrawn"]
    assert await words(home, "gleb@example.org") == []
    assert await words(home, "silent@example.org") == []
    await until(lambda: home.world.sent)
    assert [one.to.value for one in home.world.sent] == ["gleb@example.org"]
    # The same list once more says nothing new.
    again = await taken(home, tmp_path, HEAD + ROWS, "run")
    assert (again.counts["created"], again.counts["updated"]) == (0, 0)
    assert len((await home.user.read(standing, await who(home, "anna@example.org"))).log) == 1
    await stepped(home, done.id, "undo")
    back = await home.user.read(store.one_import, done.id)
    assert (back.state, back.undone["removed"]) == ("undone", 4)
    assert [one.state for one in (await home.user.read(standing, anna.contact_id)).current] == []
    assert [one.state for one in (await home.user.read(standing, anna.contact_id)).log] == [
        "undone"
    ]


async def test_who_refused_after_an_import_outlives_it(home: House, tmp_path: Path) -> None:
    """With his address gone, the same file once more would make of his refusal a consent."""
    file = HEAD + "".join(
        f"{name};{name.lower()}@example.org;yes;email;news;;site form;Yes\n"
        for name in ("Anna", "Boris", "Vera")
    )
    done = await taken(home, tmp_path, file, "run")
    assert done.counts["created"] == 3
    anna, boris = [await who(home, f"{one}@example.org") for one in ("anna", "boris")]
    address = (await home.user.contact(boris)).addresses[0].id
    await home.user.do(
        WithdrawConsent(contact_id=anna, how="link"), SuppressAddress(address_id=address)
    )
    await stepped(home, done.id, "undo")
    undone = await home.user.read(store.one_import, done.id)
    assert (undone.undone["removed"], undone.undone["kept"]) == (1, 2)
    await taken(home, tmp_path, file, "run")
    assert (await who(home, "anna@example.org"), await who(home, "boris@example.org")) == (
        anna,
        boris,
    )
    assert "withdrawn" in [one[0] for one in await words(home, "anna@example.org")]
    assert "given" not in [one[0] for one in await words(home, "anna@example.org")]


async def test_a_suppressed_address_stays_so_whoever_gets_it_next(home: House) -> None:
    one = Address(kind="email", value="shared@example.org")
    anna, boris = [
        ContactId((await home.user.do(CreateContact(name=name)))[0]) for name in ("Anna", "Boris")
    ]
    (number,) = await home.user.do(AddAddress(contact_id=anna, address=one))
    await home.user.do(SuppressAddress(address_id=number), RemoveAddress(address_id=number))
    assert (await home.user.contact(anna)).addresses == ()
    await home.user.do(AddAddress(contact_id=boris, address=one))
    assert [each.reason for each in (await home.user.read(standing, boris)).suppressions] == [
        "by_hand"
    ]
