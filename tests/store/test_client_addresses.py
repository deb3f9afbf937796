"""Addresses of a client's own: as many as it likes, found by each, through changes, merges, files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import clients as client_reads
from crm_store import duplicates, imports, objects, personal
from crm_store.history import changes_of
from crm_store.merge_reading import merge_preview
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.tables.people import clients
from hub import (
    ChangeClient,
    Client,
    ClientId,
    ContactId,
    CreateClient,
    CreateContact,
    EraseContact,
    ImportFields,
    ImportId,
    Invalid,
    MergeClients,
    RefreshDuplicates,
    SetUpImport,
    StartImport,
    UndoMerge,
)
from hub.importing import upload, work
from tests.houses import House, house

CLIENT = NOUNS["client"]
RECEPTION = {"kind": "phone", "value": "+7 495 000-00-01", "label": "reception"}
ACCOUNTS = {"kind": "phone", "value": "+7 495 000-00-02", "label": "accounts"}
SHOP = {"kind": "telegram", "value": "@shop"}


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def made(home: House, name: str = "Garden", **values: Any) -> ClientId:
    command = CreateClient(name=name, organisation=True, values=values)
    return ClientId((await home.user.do(command))[0])


async def card(home: House, client_id: ClientId) -> Client:
    return await home.user.read(client_reads.client, client_id)


async def said(home: House, client_id: ClientId) -> list[tuple[str, str, bool]]:
    found = await card(home, client_id)
    return [(one.value, one.label, one.main) for one in found.every_address]


async def changed(home: House, client_id: ClientId, **values: Any) -> None:
    await home.user.do(ChangeClient(client_id=client_id, values=values))


async def names(home: House, **query: Any) -> list[str]:
    page = await home.user.read(objects.page, CLIENT, ObjectQuery(**query))
    return [one.name for one in page.items]


async def imported(
    home: House, folder: Path, text: str, policy: str, columns: tuple[str, ...]
) -> tuple[ImportId, dict[str, int]]:
    path = folder / "file.csv"
    path.write_bytes(text.encode())
    import_id = await upload(home.user, "client", "file.csv", path)
    fields = ImportFields(columns=columns, keys=("phone",), policy=policy)
    await home.user.do(SetUpImport(import_id=import_id, fields=fields))
    await home.user.do(StartImport(import_id=import_id, what="run"))
    await work(home.system, import_id)
    return import_id, dict((await home.user.read(imports.one_import, import_id)).counts)


async def test_a_client_has_as_many_addresses_as_it_likes(home: House) -> None:
    one = await made(
        home, phone="+7 495 000-00-01", addresses=[ACCOUNTS, {**RECEPTION, "main": True}, SHOP]
    )
    assert await said(home, one) == [
        ("+7 495 000-00-01", "reception", True),
        ("+7 495 000-00-02", "accounts", False),
        ("@shop", "", True),
    ]
    # What is kept twice could differ: the main phone stands in its line only.
    row = await home.system.read(lambda reader: reader.conn.execute(select(clients)).one())
    assert [(two.value, two.label) for two in row.addresses] == [
        ("", "reception"),
        ("+7 495 000-00-02", "accounts"),
        ("@shop", ""),
    ]


async def test_the_line_of_a_kind_is_its_main_address(home: House) -> None:
    one = await made(home, addresses=[RECEPTION, ACCOUNTS])
    # Another spelling of one that is there already: both change places.
    await changed(home, one, phone="8 (495) 000-00-02")
    assert await said(home, one) == [
        ("8 (495) 000-00-02", "accounts", True),
        ("+7 495 000-00-01", "reception", False),
    ]
    await changed(home, one, phone="+7 495 000-00-09")
    assert (await said(home, one))[0] == ("+7 495 000-00-09", "accounts", True)
    await changed(home, one, phone="")
    assert await said(home, one) == [("+7 495 000-00-01", "reception", True)]
    await changed(home, one, addresses=[])
    assert (await card(home, one)).phone == ""
    with pytest.raises(Invalid):
        await changed(home, one, addresses=[{"kind": "email", "value": "nobody"}])


async def test_a_client_is_found_by_any_of_its_addresses(home: House) -> None:
    one = await made(home, addresses=[RECEPTION, ACCOUNTS, SHOP])
    await made(home, "Other", phone="+7 495 000-00-03")
    assert await names(home, text="000-00-02") == ["Garden"]
    assert await names(home, text="@shop") == ["Garden"]
    for value, found in (("00-02", ["Garden"]), ("00-01", ["Garden"]), ("00-03", ["Other"])):
        asked = {"field": "client.addresses", "operator": "contains", "value": value}
        assert await names(home, filter=asked) == found
    empty = {"field": "client.addresses", "operator": "empty"}
    assert await names(home, filter=empty) == []
    await changed(home, one, addresses=[RECEPTION])
    assert await names(home, text="@shop") == []
    changes = await home.user.read(changes_of, CLIENT, one)
    assert [(line.field, line.before, line.after) for line in changes] == [
        ("addresses", None, None)
    ]


async def test_any_address_makes_two_clients_alike(home: House) -> None:
    one = await made(home, addresses=[RECEPTION, ACCOUNTS])
    other = await made(home, "Other", phone="84950000002")
    await home.system.do(RefreshDuplicates(kind="client", ids=(one, other)))
    pairs = await home.user.read(duplicates.pairs_of, "client", one)
    assert [(pair.b_id, pair.reasons) for pair in pairs] == [(other, ("phone",))]
    typed = {"name": "New", "phone": "8 495 000 00 02"}
    found = await home.user.read(duplicates.alike, "client", typed)
    assert {two.id for two in found} == {one, other}


@pytest.mark.parametrize("take", [(), ("phone",)])
async def test_merged_clients_have_the_addresses_of_both_until_it_is_undone(
    home: House, take: tuple[str, ...]
) -> None:
    one = await made(home, addresses=[RECEPTION])
    other = await made(home, "Other", addresses=[ACCOUNTS, SHOP, {**RECEPTION, "label": ""}])
    preview = await home.user.read(merge_preview, "client", one, other)
    assert preview.moves == {"addresses": 2}
    before = await said(home, one), await said(home, other)
    (merge_id,) = await home.user.do(MergeClients(survivor_id=one, merged_id=other, take=take))
    first, second = await said(home, one), await card(home, one)
    assert {(value, label) for value, label, _ in first} == {
        ("+7 495 000-00-01", "reception"),
        ("+7 495 000-00-02", "accounts"),
        ("@shop", ""),
    }
    assert second.phone == (ACCOUNTS if take else RECEPTION)["value"]
    await home.user.do(UndoMerge(merge_id=merge_id))
    assert (await said(home, one), await said(home, other)) == before


async def test_a_file_brings_several_addresses_of_a_client(home: House, tmp_path: Path) -> None:
    text = (
        "Name;Phone;Mobile;Other\n"
        "Garden;8 495 000-00-01, 8 495 000-00-02;+74950000003;accounts@x.example (accounts)\n"
    )
    columns = ("name", "phone", "phone", "addresses")
    _, counts = await imported(home, tmp_path, text, "skip", columns)
    assert counts["created"] == 1, counts
    (found,) = (await home.user.read(objects.page, CLIENT, ObjectQuery())).items
    assert await said(home, found.id) == [
        ("+74950000001", "", True),
        ("+74950000002", "", False),
        ("+74950000003", "", False),
        ("accounts@x.example", "accounts", True),
    ]
    # By any of them it is the same client, and what is new comes to what is there.
    text = "Name;Phone\nGarden;+7 495 000 00 03 / +7 495 000 00 04\n"
    import_id, counts = await imported(home, tmp_path, text, "fill", ("name", "phone"))
    assert counts["updated"] == 1, counts
    assert [value for value, _, _ in await said(home, found.id)][:4] == [
        "+74950000001",
        "+74950000002",
        "+74950000003",
        "+74950000004",
    ]
    await home.user.do(StartImport(import_id=import_id, what="undo"))
    await work(home.system, import_id)
    assert len(await said(home, found.id)) == 4


async def test_an_erased_person_leaves_no_address_on_his_own_client_card(home: House) -> None:
    contact_id = ContactId((await home.user.do(CreateContact(name="Anna")))[0])
    values = {"addresses": [ACCOUNTS, {**SHOP, "label": "her shop"}]}
    command = CreateClient(name="Anna", contact_id=contact_id, values=values)
    client_id = ClientId((await home.user.do(command))[0])
    told = await home.user.read(personal.personal_data, contact_id)
    assert "her shop" in json.dumps(told, ensure_ascii=False, default=str)
    await home.system.do(EraseContact(contact_id=contact_id))
    assert (await card(home, client_id)).every_address == ()
    row = await home.system.read(lambda reader: reader.conn.execute(select(clients)).one())
    assert (row.addresses, row.addresses_folded) == ((), "")
