"""Taking a split back: what went over and came since, and what is refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import people
from crm_store.merge_reading import split_of
from crm_store.search import search_contacts
from crm_store.tables import metadata
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses
from hub import (
    AddAddress,
    Address,
    Command,
    Conflict,
    Contact,
    ContactId,
    CreateLead,
    CreateObject,
    EraseContact,
    FillSegment,
    GiveConsent,
    LinkContact,
    LinkDialog,
    MergeContacts,
    NotFound,
    SaveSegment,
    SplitContact,
    UndoMerge,
    UndoSplit,
    UpdateContact,
)
from tests.houses import House, house, letter, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def card(home: House, contact_id: int) -> Contact:
    found: Contact = await home.user.read(people.contact, ContactId(contact_id))
    return found


async def writes(home: House, key: str, sender: str) -> tuple[ContactId, int]:
    given = (await home.receive(message(key, sender)))[0]
    return given.contact_id, given.dialog_id


def rows(home: House, statement: Any) -> list[Any]:
    return list(home.runtime.database.read_now(lambda conn: conn.execute(statement).all()))


async def test_a_split_is_undone_with_all_that_went_over_and_came_since(home: House) -> None:
    anna, talk = await writes(home, "1", "anna")
    post = Address(kind="email", value="boss@example.com", name="Boss")
    mail = (await home.user.do(AddAddress(contact_id=anna, address=post)))[0]
    given = (await home.receive(letter("2", "boss@example.com", name="Boss"), letter=True))[0]
    lead, loose = await home.user.do(
        CreateLead(dialog_id=given.dialog_id), CreateLead(dialog_id=given.dialog_id)
    )
    mine = (await home.user.do(CreateLead(dialog_id=talk)))[0]
    leads = metadata.tables["leads"]
    whose = select(leads.c["id", "contact_id"]).order_by(leads.c.id)
    before, owned = await card(home, anna), rows(home, select(addresses).order_by(addresses.c.id))
    boss = (await home.user.do(SplitContact(address_id=mail)))[0]
    assert dict(map(tuple, rows(home, whose))) == {lead: boss, loose: boss, mine: anna}
    seen = await home.user.read(split_of, boss)
    assert seen
    assert (seen.contact_id, seen.name) == (anna, before.name)
    # What is unlinked went over too; what comes since, and is made of it, goes back with the rest.
    await home.user.do(
        LinkDialog(dialog_id=given.dialog_id, kind="lead", object_id=loose, unlink=True)
    )
    again = (await home.receive(letter("3", "boss@example.com", name="Boss"), letter=True))[0]
    assert again.contact_id == boss
    since = (await home.user.do(CreateLead(dialog_id=again.dialog_id)))[0]
    await home.user.do(GiveConsent(contact_id=boss, channel="email", how="form"))
    assert await home.user.do(UndoSplit(contact_id=boss)) == [anna]
    assert rows(home, select(addresses).order_by(addresses.c.id)) == owned
    for table in (dialogs, messages):
        assert {one.contact_id for one in rows(home, select(table))} == {anna}
    assert {row.contact_id for row in rows(home, whose)} == {anna}
    assert {row.id for row in rows(home, whose)} == {lead, loose, mine, since}
    said = rows(home, select(metadata.tables["consents"].c["contact_id", "state"]))
    assert [tuple(one) for one in said] == [(anna, "given")]
    after = await card(home, boss)
    assert (after.id, after.name, len(after.addresses)) == (anna, before.name, 2)
    found = await home.user.read(search_contacts, "boss@example.com", 5)
    assert [one.id for one in found] == [anna]
    assert await home.user.read(split_of, boss) is None
    lines = rows(home, select(journal.c.type).where(journal.c.type.like("contact.%split")))
    assert [one.type for one in lines] == ["contact.split", "contact.unsplit"]
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoSplit(contact_id=boss))
    assert refused.value.what == "undone"
    # It can be split off again: that is another card.
    assert (await home.user.do(SplitContact(address_id=mail)))[0] not in (anna, boss)
    with pytest.raises(NotFound):
        await home.user.do(UndoSplit(contact_id=anna))


async def test_a_split_whose_card_was_worked_on_is_not_undone(home: House) -> None:
    anna, talk = await writes(home, "1", "anna")
    other, third = [(await writes(home, key, f"olga{key}"))[0] for key in "23"]

    async def split(n: int) -> ContactId:
        post = Address(kind="email", value=f"boss{n}@example.com")
        mail = (await home.user.do(AddAddress(contact_id=anna, address=post)))[0]
        made: ContactId = (await home.user.do(SplitContact(address_id=mail)))[0]
        return made

    segment = (await home.user.do(SaveSegment(name="By hand", static=True)))[0]
    phone = Address(kind="phone", value="+79123456789")
    about = {"title": "Call", "object_kind": "contact"}
    merge = (await home.user.do(MergeContacts(survivor_id=anna, merged_id=third)))[0]
    work: list[tuple[str, Callable[[ContactId], Command]]] = [
        ("changed", lambda one: UpdateContact(contact_id=one, position="buyer")),
        ("addresses", lambda one: AddAddress(contact_id=one, address=phone)),
        ("merged", lambda one: MergeContacts(survivor_id=one, merged_id=other)),
        ("merged_again", lambda one: MergeContacts(survivor_id=anna, merged_id=one)),
        ("erased", lambda one: EraseContact(contact_id=one)),
        ("in_use", lambda one: FillSegment(segment_id=segment, add=(one,))),
        ("in_use", lambda one: CreateObject(kind="task", values={**about, "object_id": one})),
        ("unmerged", lambda one: UndoMerge(merge_id=merge)),
        ("addresses", lambda one: LinkContact(dialog_id=talk, contact_id=one)),
    ]
    for n, (what, done) in enumerate(work):
        made = await split(n)
        await home.user.do(done(made))
        with pytest.raises(Conflict) as refused:
            await home.user.do(UndoSplit(contact_id=made))
        assert refused.value.what == what
