"""A plugin's kind is a kind as all others: `register_kinds` gives it table, rights, files, history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import inspect

from crm_store import absences, objects
from crm_store.audit import AuditQuery, audit
from crm_store.personal import personal_data
from hub import (
    CarryMoves,
    ChangeObject,
    CreateClient,
    CreateContact,
    CreateObject,
    CreateUser,
    EndAbsence,
    EraseContact,
    HandOver,
    ImportFields,
    ImportId,
    Kind,
    MergeClients,
    Micros,
    NotAllowed,
    NotFound,
    Property,
    PropertyType,
    RegisterAbsence,
    SaveField,
    SaveRole,
    SetUpImport,
    StartImport,
    TurnAbsences,
    UndoHandover,
    UndoMerge,
    UserId,
    hookimpl,
)
from hub.events import EventRegistry
from hub.importing import upload, work
from hub.plugin_host import PluginHost
from hub.registration import register
from hub.roles import Scope
from plugins import contracts
from plugins.contracts import CONTRACT, NAME
from tests.houses import House, house, message

PLUGIN = (("contracts", contracts),)


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, plugins=PLUGIN) as one:
        yield one


async def made(home: House, number: str, **values: object) -> int:
    command = CreateObject(kind=NAME, values={"number": number, **values})
    return int((await home.user.do(command))[0])


async def test_contracts_are_kept_found_and_shown_beside_their_clients_dialog(home: House) -> None:
    client = (await home.user.do(CreateClient(name="Harbour")))[0]
    [received] = await home.receive(message("1", "Hello"))
    values = {"client_id": str(client)}
    dialog = await home.user.dialog(received.dialog_id)
    change = ChangeObject(kind="contact", object_id=dialog.contact_id, values=values)
    await home.user.do(change)
    active = await made(home, "A-1", client_id=client, status="active", ends_on="2026-01-31")
    await made(home, "A-2", client_id=client, amount="1200,50")
    tree = {"field": f"{NAME}.client", "operator": "equals", "value": str(client)}
    found = await home.user.find(NAME, filter=tree, sort="-number")
    assert [one.number for one in found.items] == ["A-2", "A-1"]
    assert await home.user.count(NAME, filter=tree) == 2
    [panel] = await contracts.dialog_panels(home.user, dialog)
    assert [(one.label, one.value, one.href) for one in panel.lines] == [
        ("A-1", "2026-01-31", f"/{NAME}/{active}")
    ]
    with pytest.raises(NotFound):
        await home.user.get("contracts.draft", active)


async def test_scopes_and_rights_hold_for_a_plugins_kind(home: House) -> None:
    mine = SaveRole(
        name="own",
        based_on="agent",
        permissions=frozenset({"contacts.view", "contacts.edit", "audit.view"}),
        scopes={"contacts": Scope.OWN},
    )
    none = SaveRole(name="nothing", based_on="agent", permissions=frozenset({"profile.edit"}))
    await home.system.do(mine, none)
    hands = {}
    for role in ("own", "nothing"):
        command = CreateUser(email=f"{role}@example.com", name=role, role=role)
        hands[role] = home.system.as_user(UserId((await home.system.do(command))[0]))
    theirs = await made(home, "A-1", owner_id=str(home.user.actor.id))
    own = (await hands["own"].do(CreateObject(kind=NAME, values={"number": "B-1"})))[0]
    assert [one.number for one in (await hands["own"].find(NAME)).items] == ["B-1"]
    with pytest.raises(NotFound):
        await hands["own"].get(NAME, theirs)
    with pytest.raises(NotFound):
        await hands["own"].do(ChangeObject(kind=NAME, object_id=theirs, values={"number": "C"}))
    with pytest.raises(NotAllowed):
        await hands["nothing"].find(NAME)
    seen = await hands["own"].read(audit, home.runtime.registry, AuditQuery(kind=NAME))
    assert {one.subject.id for one in seen[0]} == {own}


async def test_a_plugins_objects_are_handed_over_and_come_back_after_an_absence(
    home: House,
) -> None:
    people = []
    for name in ("nadia", "oleg"):
        command = CreateUser(email=f"{name}@example.com", name=name, role="agent")
        people.append(UserId((await home.system.do(command))[0]))
    vera, boris = people
    mine = await made(home, "A-1", owner_id=str(vera))
    other = await made(home, "B-1", owner_id=str(home.user.actor.id))

    async def owners() -> list[int]:
        found = [await home.user.get(NAME, one) for one in (mine, other)]
        return [one.owner_id for one in found]

    async def turn() -> None:
        await home.system.do(TurnAbsences())
        while (await home.system.do(CarryMoves(limit=2)))[0]:
            pass

    assert await home.user.read(absences.preview, vera, (NAME,), {}) == {NAME: 1}
    handover = (await home.user.do(HandOver(from_id=vera, to_id=boris, what=(NAME,))))[0]
    await turn()
    assert await owners() == [boris, home.user.actor.id]
    await home.user.do(UndoHandover(handover_id=handover))
    await turn()
    assert await owners() == [vera, home.user.actor.id]
    now = home.system.now()
    away = RegisterAbsence(
        user_id=vera,
        kind="vacation",
        from_at=Micros(now),
        to_at=Micros(now + 3_600_000_000),
        substitute_id=boris,
        what=(NAME,),
    )
    absence_id = (await home.user.do(away))[0]
    await turn()
    assert await owners() == [boris, home.user.actor.id]
    await home.user.do(EndAbsence(absence_id=absence_id))
    await turn()
    assert await owners() == [vera, home.user.actor.id]


async def test_contracts_take_fields_come_from_files_and_go_with_their_client(
    home: House, tmp_path: Path
) -> None:
    await home.user.do(SaveField(kind=NAME, label="Berth"))
    path = tmp_path / "contracts.csv"
    path.write_text("Number;Subject;Berth;Status\nA-1;Winter;7;active\nA-2;Summer;9;none\n")
    import_id = ImportId(await upload(home.user, NAME, path.name, path))
    columns = ("number", "subject", "custom.berth", "status")
    fields = ImportFields(columns=columns, keys=("number",), policy="overwrite")
    await home.user.do(
        SetUpImport(import_id=import_id, fields=fields), StartImport(import_id=import_id)
    )
    await work(home.system, import_id)
    [one] = (await home.user.find(NAME)).items
    assert (one.number, one.subject, dict(one.custom)) == ("A-1", "Winter", {"berth": "7"})
    first, second = [
        (await home.user.do(CreateClient(name=name)))[0] for name in ("Harbour", "Harbor")
    ]
    await home.user.do(ChangeObject(kind=NAME, object_id=one.id, values={"client_id": str(second)}))
    merge = (await home.user.do(MergeClients(survivor_id=first, merged_id=second)))[0]
    assert (await home.user.get(NAME, one.id)).client_id == first
    await home.user.do(UndoMerge(merge_id=merge))
    assert (await home.user.get(NAME, one.id)).client_id == second


async def test_an_erased_person_leaves_nothing_in_a_plugins_objects(home: House) -> None:
    anna = (await home.user.do(CreateContact(name="Anna")))[0]
    number = await made(home, "A-1", contact_id=anna, notes="Anna pays late")
    found, _ = await home.user.read(personal_data, anna)
    assert [one["notes"] for one in found[NAME]] == ["Anna pays late"]
    report = (await home.user.do(EraseContact(contact_id=anna)))[0]
    assert report[NAME] == 1
    one = await home.user.get(NAME, number)
    assert (one.number, one.notes) == ("A-1", "")


def _described(**more: Any) -> ModuleType:
    module = ModuleType("contracts")

    @hookimpl
    def register_kinds() -> list[Kind]:
        return [replace(CONTRACT, **more)]

    module.register_kinds = register_kinds  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "contract"}, "is not called contracts.<word>"),
        ({"path": "clients"}, "its path is its name"),
        ({"read": "boats.view"}, "there is no right 'boats.view'"),
        ({"title": "name"}, "no property 'name'"),
        ({"properties": (*CONTRACT.properties, Property(name="id", label="Id"))}, "has id already"),
        (
            {"properties": (*CONTRACT.properties, Property(name="x", label="X"))},
            "its record has no x",
        ),
        (
            {
                "properties": (
                    *CONTRACT.properties,
                    Property(name="buyer", label="B", type=PropertyType.REF, ref="client"),
                )
            },
            "is called client_id",
        ),
    ],
)
def test_a_kind_that_cannot_be_kept_leaves_its_plugin_out(wrong: Any, says: str) -> None:
    host = PluginHost()
    host.add("contracts", _described(**wrong))
    given = register(host, EventRegistry(), ())
    assert not given.nouns
    assert says in host.plugins["contracts"].error


async def test_a_new_property_gets_its_column_and_keeps_what_is_there(
    tmp_path: Path, database_url: str
) -> None:
    from hub import described

    async with house(tmp_path, database_url, plugins=PLUGIN) as home:
        number = await made(home, "A-1")
    grown = described(
        name=NAME,
        words=("contract", "contracts", "договор", "договоры"),
        read=CONTRACT.read,
        write=CONTRACT.write,
        title="number",
        properties=(*CONTRACT.properties, Property(name="port", label="Port")),
    )
    module = ModuleType("contracts")

    @hookimpl
    def register_kinds() -> list[Kind]:
        return [grown]

    module.register_kinds = register_kinds  # type: ignore[attr-defined]
    from tests.houses import build

    runtime = build(tmp_path, database_url, home.world, plugins=[("contracts", module)])
    taken = runtime.migrate()
    assert [one for one in taken if "port" in one] == [
        "contracts:contracts_contract.port",
        "contracts:contracts_contract.port_folded",
    ]
    await runtime.start()
    try:
        hub = runtime.handle(home.system.actor)
        await hub.do(ChangeObject(kind=NAME, object_id=number, values={"port": "Riga"}))
        one = await hub.get(NAME, number)
        assert (one.number, one.port) == ("A-1", "Riga")
        names = await runtime.database.read(
            lambda conn: {one["name"] for one in inspect(conn).get_indexes("contracts_contract")}
        )
        assert {"ix_contracts_contract_client_id", "ix_contracts_contract_number_folded"} <= names
    finally:
        await runtime.stop()


def test_what_is_made_of_a_description_has_its_shape() -> None:
    names = [one.name for one in CONTRACT.properties]
    record = CONTRACT.record
    assert record.__name__ == "ContractsContract"
    assert list(record.__slots__) == ["id", *names, "deleted_at", "version", "custom"]  # type: ignore[attr-defined]
    assert objects.ObjectQuery().limit == 50
