"""Custom fields: added without a restart, typed, filtered, sorted, merged, imported, never lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store import custom_acts, objects
from crm_store.history import changes_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.tables.custom import custom_values
from hub import (
    ArchiveField,
    ChangeClient,
    ClientId,
    Conflict,
    CreateClient,
    FieldChoice,
    FieldId,
    ImportId,
    Invalid,
    NotAllowed,
    OrderFields,
    SaveField,
    StartImport,
)
from hub.importing import upload, work
from tests.houses import House, build, house

CLIENT = NOUNS["client"]
BOATS = (FieldChoice(label="Sail", label_ru="Парус"), FieldChoice(label="Motor", label_ru="Мотор"))


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def added(home: House, label: str, type: str = "line", **more: Any) -> FieldId:
    command = SaveField(kind="client", label=label, type=type, **more)
    return FieldId((await home.user.do(command))[0])


async def every_type(home: House) -> None:
    await added(home, "Contract", personal=False)
    await added(home, "Story", "text", personal=True)
    await added(home, "Berths", "number")
    await added(home, "Signed", "date")
    await added(home, "Boat", "choice", choices=BOATS)
    await added(
        home, "Ports", "choices", choices=(FieldChoice(label="Riga"), FieldChoice(label="Oslo"))
    )
    await added(home, "Skipper", "person")
    await added(home, "Deposit", "money")
    await added(home, "Insured", "flag")


VALUES = {
    "contract": "A-1",
    "story": "long words",
    "berths": "4",
    "signed": "31.01.2026",
    "boat": "sail",
    "ports": "riga, oslo",
    "deposit": "1200,50",
    "insured": "yes",
}


async def client_of(home: House, client_id: int) -> Any:
    return await home.user.read(objects.one, CLIENT, client_id)


async def found(
    home: House, field: str, operator: str, value: object = None, **more: Any
) -> list[str]:
    tree = {"field": f"client.custom.{field}", "operator": operator}
    tree |= {} if value is None else {"value": value}  # type: ignore[dict-item]
    page = await home.user.read(objects.page, CLIENT, ObjectQuery(filter=tree, **more))
    return [one.name for one in page.items]


async def made(home: House, name: str, **custom: object) -> ClientId:
    return ClientId((await home.user.do(CreateClient(name=name, values={"custom": custom})))[0])


async def test_values_of_every_type_are_kept_and_found(home: House) -> None:
    await every_type(home)
    skipper = str(home.user.actor.id)
    anna = await made(home, "Anna", **VALUES, skipper=skipper)
    await made(home, "Boris", berths=2)
    card = (await client_of(home, anna)).custom
    assert card["deposit"] == 120_050
    assert card["ports"] == ("oslo", "riga")
    assert card.plain() == {
        "contract": "A-1",
        "story": "long words",
        "berths": 4,
        "signed": "2026-01-31",
        "boat": "sail",
        "ports": ["oslo", "riga"],
        "skipper": skipper,
        "deposit": 120_050,
        "insured": True,
    }
    for field, operator, value in (
        ("contract", "equals", "a-1"),
        ("contract", "contains", "A"),
        ("story", "contains", "LONG"),
        ("berths", "greater", 3),
        ("boat", "in", ["sail"]),
        ("ports", "contains", "Riga"),
        ("skipper", "equals", "me"),
        ("deposit", "equals", 120_050),
        ("insured", "equals", True),
        ("signed", "not_empty", None),
    ):
        assert await found(home, field, operator, value) == ["Anna"], field
    assert await found(home, "contract", "empty") == ["Boris"]
    assert await found(home, "story", "empty") == ["Boris"]
    assert await found(home, "berths", "greater", 1, sort="custom.berths") == ["Boris", "Anna"]
    page = await home.user.read(objects.page, CLIENT, ObjectQuery(sort="-custom.contract", limit=1))
    following = ObjectQuery(sort="-custom.contract", limit=1, before=page.next)
    rest = await home.user.read(objects.page, CLIENT, following)
    assert [one.name for one in (*page.items, *rest.items)] == ["Anna", "Boris"]
    for wrong in ({"berths": "many"}, {"boat": "raft"}, {"ports": "rome"}, {"age": 1}):
        with pytest.raises(Invalid):
            await made(home, "Wrong", **wrong)


async def test_a_change_is_told_without_personal_words(home: House) -> None:
    await every_type(home)
    anna = await made(home, "Anna", **VALUES)
    new = {"custom.contract": "B-2", "custom.story": "secret", "custom.ports": "oslo"}
    assert await home.user.do(ChangeClient(client_id=anna, values=new)) == [2]
    assert await home.user.do(ChangeClient(client_id=anna, values=new)) == [2]
    lines = await home.user.read(changes_of, CLIENT, anna)
    assert {one.field: (one.before, one.after) for one in lines} == {
        "custom.contract": ("A-1", "B-2"),
        "custom.story": (None, None),
        "custom.ports": (["oslo", "riga"], ["oslo"]),
    }
    await home.user.do(ChangeClient(client_id=anna, values={"custom": {"contract": ""}}))
    assert (await client_of(home, anna)).custom["contract"] == ""


async def test_a_field_is_renamed_ordered_and_put_away_without_losing_anything(home: House) -> None:
    boat = await added(home, "Лодка мечты", "choice", choices=BOATS, label_ru="Лодка мечты")
    contract = await added(home, "Contract")
    anna = await made(home, "Anna", lodka_mechty="motor", contract="A-1")
    await home.user.do(SaveField(field_id=boat, label="Dream boat", choices=(
        FieldChoice(value="motor", label="With a motor"),
        FieldChoice(value="sail", label="Sail"),
    )))  # fmt: skip
    sail = (FieldChoice(value="sail", label="Sail"),)
    with pytest.raises(Conflict) as refused:
        await home.user.do(SaveField(field_id=boat, label="Dream boat", choices=sail))
    assert refused.value.what == "in_use"
    await home.user.do(OrderFields(kind="client", field_ids=(contract, boat)))
    fields = await home.user.read(custom_acts.all_fields, "client")
    assert [(one.name, one.label) for one in fields] == [
        ("contract", "Contract"),
        ("lodka_mechty", "Dream boat"),
    ]
    await home.user.do(ArchiveField(field_id=boat))
    assert dict((await client_of(home, anna)).custom) == {"contract": "A-1"}
    with pytest.raises(Invalid):
        await made(home, "Boris", lodka_mechty="motor")
    await home.user.do(ArchiveField(field_id=boat, restore=True))
    assert (await client_of(home, anna)).custom["lodka_mechty"] == "motor"
    again = await added(home, "Contract")
    assert (await home.user.read(custom_acts.one_field, again)).name == "contract_2"


async def test_another_process_knows_a_new_field_at_once(
    home: House, tmp_path: Path, database_url: str
) -> None:
    if home.runtime.database.dialect != "postgresql":
        pytest.skip("the embedded database has one process")
    other = build(tmp_path / "other", database_url, home.world)
    await other.start()
    try:
        await added(home, "Contract")
        command = CreateClient(name="Anna", values={"custom": {"contract": "A-1"}})
        made_there = (await other.handle(home.user.actor).do(command))[0]
        assert (await client_of(home, made_there)).custom["contract"] == "A-1"
    finally:
        await other.stop()


async def test_files_fill_custom_fields_and_undo_empties_them(home: House, tmp_path: Path) -> None:
    await every_type(home)
    anna = await made(home, "Anna", contract="A-1")
    path = tmp_path / "x.csv"
    text = "Name;Contract;Boat;Порты\nAnna;B-2;Парус;\nBoris;;Motor;Riga\nCarl;;raft;\n"
    path.write_text(text)
    import_id = ImportId(await upload(home.user, "client", "x.csv", path))
    from crm_store import imports
    from hub import ImportFields, SetUpImport

    one = await home.user.read(imports.one_import, import_id)
    assert one.fields.columns == ("name", "custom.contract", "custom.boat", "")
    columns = ("name", "custom.contract", "custom.boat", "custom.ports")
    fields = ImportFields(columns=columns, keys=("name",), policy="overwrite")
    await home.user.do(
        SetUpImport(import_id=import_id, fields=fields), StartImport(import_id=import_id)
    )
    await work(home.system, import_id)
    one = await home.user.read(imports.one_import, import_id)
    assert (one.counts["updated"], one.counts["created"], one.counts["bad"]) == (1, 1, 1)
    card = (await client_of(home, anna)).custom
    assert (card["contract"], card["boat"]) == ("B-2", "sail")
    assert await found(home, "ports", "contains", "riga") == ["Boris"]
    await home.user.do(StartImport(import_id=import_id, what="undo"))
    await work(home.system, import_id)
    card = (await client_of(home, anna)).custom
    assert (card["contract"], card["boat"]) == ("A-1", "")


async def test_fields_are_for_who_may_manage_them(home: House) -> None:
    from hub import CreateUser, UserId

    agent = (await home.system.do(CreateUser(email="a@example.com", name="A", role="agent")))[0]
    with pytest.raises(NotAllowed):
        await home.system.as_user(UserId(agent)).do(SaveField(kind="client", label="X"))
    for wrong in (
        SaveField(kind="boat", label="X"),
        SaveField(kind="client", label=" "),
        SaveField(kind="client", label="X", type="shape"),
        SaveField(kind="client", label="X", type="choice"),
    ):
        with pytest.raises(Invalid):
            await home.user.do(wrong)


async def test_no_value_is_kept_that_is_not_set(home: House) -> None:
    await every_type(home)
    await made(home, "Anna", contract="", berths=0, insured="no", ports=[])
    rows = await home.runtime.database.read(lambda conn: conn.execute(custom_values.select()).all())
    assert json.dumps([list(row) for row in rows]) == "[]"
