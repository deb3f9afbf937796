"""Custom fields on the cards of every kind: kept, changed, asked for, merged, and judged by rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store import custom_acts, objects, sla
from crm_store.history import changes_of
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    ChangeObject,
    ContactId,
    CreateContact,
    CreateObject,
    FieldChoice,
    FieldId,
    MergeContacts,
    SaveField,
    SaveSlaPolicy,
    UpdateContact,
)
from tests.houses import House, house

VALUES: dict[str, dict[str, object]] = {
    "client": {"name": "Anna"},
    "contact": {"name": "Anna"},
    "interest": {"title": "A boat"},
    "lead": {"title": "A boat"},
    "meeting": {"title": "Talk", "at": 1_700_000_000_000_000},
    "request": {"title": "Help"},
    "task": {"title": "Call"},
}


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def field(home: House, kind: str, label: str, type: str = "line", **more: Any) -> FieldId:
    made = await home.user.do(SaveField(kind=kind, label=label, type=type, **more))
    return FieldId(made[0])


async def made(home: House, kind: str, **custom: object) -> int:
    values = {**VALUES[kind], "custom": custom}
    return int((await home.user.do(CreateObject(kind=kind, values=values)))[0])


async def card(home: House, kind: str, number: int) -> Any:
    return await home.user.read(objects.one, NOUNS[kind], number)


async def test_every_kind_takes_fields(home: House) -> None:
    assert set(custom_acts.extendable(NOUNS)) == set(NOUNS) == set(VALUES)
    boats = (FieldChoice(label="Sail"), FieldChoice(label="Motor"))
    for kind, noun in NOUNS.items():
        await field(home, kind, "Code")
        await field(home, kind, "Boat", "choice", choices=boats)
        await field(home, kind, "Signed", "date")
        number = await made(home, kind, code="A-1", boat="sail")
        other = await made(home, kind, code="B-2")
        assert (await card(home, kind, number)).custom["code"] == "A-1", kind
        change = {"custom.code": "A-9", "custom.signed": "31.01.2026"}
        await home.user.do(ChangeObject(kind=kind, object_id=number, values=change))
        now = (await card(home, kind, number)).custom
        assert (now["code"], now["boat"], now.plain()["signed"]) == ("A-9", "sail", "2026-01-31")
        tree = {"field": f"{kind}.custom.boat", "operator": "in", "value": ["sail"]}
        query = ObjectQuery(filter=tree, sort="-custom.code")
        page = await home.user.read(objects.page, noun, query)
        assert [one.id for one in page.items] == [number]
        every = await home.user.read(objects.page, noun, ObjectQuery(sort="custom.code"))
        assert [one.id for one in every.items][-2:] == [number, other]
        lines = await home.user.read(changes_of, noun, number)
        assert ("custom.code", "A-1", "A-9") in {
            (one.field, one.before, one.after) for one in lines
        }


async def test_a_contact_keeps_its_fields_when_cards_become_one(home: House) -> None:
    await field(home, "contact", "Shoe size", "number")
    await field(home, "contact", "Club")
    command = CreateContact(name="Anna", values={"custom": {"shoe_size": 39}})
    anna = ContactId((await home.user.do(command))[0])
    twin = ContactId(await made(home, "contact", club="Sailors"))
    await home.user.do(UpdateContact(contact_id=anna, values={"custom.shoe_size": "40"}))
    before = await card(home, "contact", anna)
    await home.user.do(UpdateContact(contact_id=anna, values={"custom.shoe_size": 40}))
    assert (await card(home, "contact", anna)).version == before.version
    await home.user.do(MergeContacts(survivor_id=anna, merged_id=twin))
    assert dict((await card(home, "contact", anna)).custom) == {"shoe_size": 40, "club": "Sailors"}


async def test_what_is_promised_may_hang_on_a_custom_field(home: House) -> None:
    await field(home, "request", "Contract", "flag")
    tree = {"field": "request.custom.contract", "operator": "equals", "value": True}
    policy = SaveSlaPolicy(name="Contract", filter=tree, first_minutes=60, position=0, active=True)
    policy_id = (await home.user.do(policy))[0]
    covered = await made(home, "request", contract="yes")
    plain = await made(home, "request")
    assert (await card(home, "request", covered)).policy_id == policy_id
    assert (await card(home, "request", plain)).policy_id != policy_id
    assert (await home.user.read(sla.all_policies))[0].name == "Contract"
