"""Two leads that are one: what goes over, what comes back, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_store import objects
from crm_store.merge_reading import merge_preview, merges_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.tables.interests import interests
from crm_store.tables.people import clients, merges
from crm_store.tables.requests import tasks
from hub import (
    ChangeLead,
    ChangeObject,
    Conflict,
    ConvertLead,
    CreateLead,
    CreateObject,
    EraseContact,
    HubError,
    LeadId,
    LinkDialog,
    MergeLeads,
    NotFound,
    RejectLead,
    RemoveLead,
    RemoveObject,
    ReopenLead,
    SendMessage,
    TagObject,
    TakeLead,
    UndoConversion,
    UndoMerge,
    UndoMergeLeads,
)
from hub.objects import Ref
from tests.houses import House, house, message

LEAD = NOUNS["lead"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def made(home: House, **values: Any) -> LeadId:
    return LeadId((await home.user.do(CreateLead(values=values)))[0])


async def one(home: House, lead_id: int) -> Any:
    return await home.user.read(objects.one, LEAD, lead_id)


async def listed(home: House, *, removed: bool = False) -> list[int]:
    found = await home.user.read(objects.page, LEAD, ObjectQuery(removed=removed))
    return [each.id for each in found.items]


def value(home: House, statement: Any) -> Any:
    return home.runtime.database.read_now(lambda conn: conn.execute(statement).scalar())


async def test_a_repeat_and_its_original_become_one_and_two_again(home: House) -> None:
    talk = (await home.receive(message("1", "anna", text="Boats?")))[0].dialog_id
    first = await made(home, title="Boats", phone="+7 912 000-00-00", tags="boats")
    again = (await home.user.do(CreateLead(dialog_id=talk, values={"phone": "+7 912 000-00-00"})))[
        0
    ]
    third = await made(home, title="Once more", phone="+7 912 000-00-00")
    await home.user.do(ChangeLead(lead_id=again, values={"company": "Harbour", "tags": "oars"}))
    await home.user.do(ChangeLead(lead_id=first, values={"name": "Anna"}))
    about = {"object_kind": "lead", "object_id": again}
    task = (await home.user.do(CreateObject(kind="task", values={"title": "Call", **about})))[0]
    boat = (
        await home.user.do(CreateObject(kind="interest", values={"title": "B", "lead_id": again}))
    )[0]
    before, other = await one(home, first), await one(home, again)
    assert (other.repeat_of, (await one(home, third)).repeat_of) == (first, again)
    seen = await home.user.read(merge_preview, "lead", first, again)
    assert dict(seen.moves) == {"dialogs": 1, "interests": 1, "tasks": 1}
    fills = {each.name: each.fills for each in seen.fields}
    assert (fills["company"], fills["title"]) == (True, False)
    merge = MergeLeads(survivor_id=first, merged_id=again, take=("title",))
    (merge_id,) = await home.user.do(merge)
    both = await one(home, first)
    assert (both.title, both.company, both.name) == (other.title, "Harbour", "Anna")
    assert set(both.tags) == {"boats", "oars"}
    assert (both.contact_id, both.channel) == (other.contact_id, other.channel)
    assert await home.user.read(objects.dialogs_of, Ref(kind="lead", id=first)) == [talk]
    assert value(home, select(tasks.c.object_id).where(tasks.c.id == task)) == first
    assert value(home, select(interests.c.lead_id).where(interests.c.id == boat)) == first
    assert (await one(home, third)).repeat_of == first
    # It is in no list and comes back by undoing alone.
    assert set(await listed(home)) == {first, third}
    assert await listed(home, removed=True) == []
    with pytest.raises(Conflict):
        await home.user.do(RemoveObject(kind="lead", object_id=again, restore=True))
    with pytest.raises(Conflict):
        await home.user.do(merge)
    (written,) = await home.user.read(merges_of, "lead", first)
    assert (written.id, written.merged_name) == (merge_id, other.title)
    with pytest.raises(NotFound):
        await home.user.do(UndoMerge(merge_id=merge_id))
    await home.user.do(ChangeLead(lead_id=first, values={"name": "Anna P."}))
    assert await home.user.do(UndoMergeLeads(merge_id=merge_id)) == [again]
    back = await one(home, first)
    assert (back.title, back.company, back.name) == (before.title, "", "Anna P.")
    assert (back.tags, back.contact_id, back.channel) == (before.tags, 0, "")
    assert (await one(home, third)).repeat_of == again
    restored = await one(home, again)
    assert (restored.title, restored.company, restored.deleted_at) == (other.title, "Harbour", 0)
    assert await home.user.read(objects.dialogs_of, Ref(kind="lead", id=again)) == [talk]
    assert await home.user.read(objects.dialogs_of, Ref(kind="lead", id=first)) == []
    assert value(home, select(tasks.c.object_id).where(tasks.c.id == task)) == again
    with pytest.raises(Conflict):
        await home.user.do(UndoMergeLeads(merge_id=merge_id))


async def test_the_original_goes_into_its_repeat_and_nothing_repeats_itself(home: House) -> None:
    first = await made(home, title="Boats", email="anna@example.org")
    again = await made(home, title="Oars", email="anna@example.org")
    (merge_id,) = await home.user.do(MergeLeads(survivor_id=again, merged_id=first))
    assert (await one(home, again)).repeat_of == 0
    await home.user.do(UndoMergeLeads(merge_id=merge_id))
    assert (await one(home, again)).repeat_of == first


async def test_a_converted_lead_lives_on(home: House) -> None:
    bought, asks = await made(home, title="Boats"), await made(home, title="Oars")
    await home.user.do(ConvertLead(lead_id=bought))
    with pytest.raises(Conflict) as refused:
        await home.user.do(MergeLeads(survivor_id=asks, merged_id=bought))
    assert refused.value.what == "converted"
    await home.user.do(MergeLeads(survivor_id=bought, merged_id=asks))
    assert (await one(home, bought)).status == "qualified"


async def test_who_is_erased_is_erased_in_merged_leads_too(home: House) -> None:
    given = (await home.receive(message("1", "anna", text="Boats?")))[0]
    lead = (await home.user.do(CreateLead(dialog_id=given.dialog_id)))[0]
    by_hand = await made(home, title="Anna wants oars", phone="+7 912 000-00-00")
    (merge_id,) = await home.user.do(
        MergeLeads(survivor_id=lead, merged_id=by_hand, take=("title",))
    )
    await home.user.do(EraseContact(contact_id=given.contact_id))
    assert value(home, select(LEAD.table.c.phone).where(LEAD.table.c.id == by_hand)) == ""
    assert value(home, select(merges.c.kept).where(merges.c.id == merge_id)) == {}
    with pytest.raises(HubError):
        await home.user.do(UndoMergeLeads(merge_id=merge_id))


async def test_a_lead_that_was_merged_or_is_in_the_bin_takes_no_work(home: House) -> None:
    first = await made(home, title="Boats")
    merged, removed = await made(home, title="Oars"), await made(home, title="Sails")
    refused = await made(home, title="Keels")
    await home.user.do(
        RejectLead(lead_id=refused, reason="none"),
        MergeLeads(survivor_id=first, merged_id=merged),
        MergeLeads(survivor_id=first, merged_id=refused),
        RemoveLead(lead_id=removed),
    )
    before = [await one(home, each) for each in (merged, removed, refused)]
    for lead_id, what in ((merged, "merged"), (removed, "removed")):
        for command in (
            TakeLead(lead_id=lead_id),
            ConvertLead(lead_id=lead_id, name="Harbour", interest="Oars"),
            RejectLead(lead_id=lead_id, reason="none"),
            ChangeLead(lead_id=lead_id, values={"name": "Anna"}),
            ChangeObject(kind="lead", object_id=lead_id, values={"name": "Anna"}),
            TagObject(kind="lead", object_id=lead_id, add=("boats",)),
        ):
            with pytest.raises(Conflict) as told:
                await home.user.do(command)
            assert told.value.what == what, command
    with pytest.raises(Conflict) as told:
        await home.user.do(ReopenLead(lead_id=refused))
    assert (told.value.what, told.value.details) == ("merged", {"into": str(first)})
    assert [await one(home, each) for each in (merged, removed, refused)] == before
    assert value(home, select(func.count()).select_from(clients)) == 0


async def test_the_first_answer_goes_over_and_comes_back(home: House) -> None:
    first = await made(home, title="Boats")
    talk, other = [
        (await home.receive(message(each, each, text="Boats?")))[0].dialog_id
        for each in ("anna", "boris")
    ]
    again = LeadId((await home.user.do(CreateLead(dialog_id=talk)))[0])
    await home.user.do(SendMessage(dialog_id=talk, text="Red or blue?"))
    answered = (await one(home, again)).first_responded_at
    (merge_id,) = await home.user.do(MergeLeads(survivor_id=first, merged_id=again))
    both = await one(home, first)
    assert (both.first_responded_at, both.first_response_us) == (
        answered,
        answered - both.received_at,
    )
    await home.user.do(UndoMergeLeads(merge_id=merge_id))
    back = await one(home, first)
    assert (back.first_responded_at, back.first_response_us) == (0, 0)
    assert (await one(home, again)).first_responded_at == answered
    # What is answered while they are one is of the one whose dialog it was.
    late = LeadId((await home.user.do(CreateLead(dialog_id=other)))[0])
    (merge_id,) = await home.user.do(MergeLeads(survivor_id=first, merged_id=late))
    await home.user.do(SendMessage(dialog_id=other, text="Green"))
    assert (await one(home, first)).first_responded_at > answered
    await home.user.do(UndoMergeLeads(merge_id=merge_id))
    assert (await one(home, first)).first_responded_at == 0
    assert (await one(home, late)).first_responded_at > answered


async def test_a_dialog_that_is_linked_brings_its_answer(home: House) -> None:
    lead_id = await made(home, title="Boats")
    talk = (await home.receive(message("1", "anna", text="Boats?")))[0].dialog_id
    await home.user.do(SendMessage(dialog_id=talk, text="Red or blue?"))
    link = LinkDialog(kind="lead", object_id=lead_id, dialog_id=talk)
    await home.user.do(link)
    assert (await one(home, lead_id)).first_responded_at
    await home.user.do(replace(link, unlink=True))
    assert (await one(home, lead_id)).first_responded_at == 0
    refused = await made(home, title="Oars")
    await home.user.do(RejectLead(lead_id=refused, reason="none"))
    await home.user.do(SendMessage(dialog_id=talk, text="Green?"))
    other = (await home.receive(message("2", "boris", text="Oars?")))[0].dialog_id
    await home.user.do(SendMessage(dialog_id=other, text="None"))
    await home.user.do(LinkDialog(kind="lead", object_id=refused, dialog_id=other))
    assert (await one(home, refused)).first_responded_at == 0


async def test_a_conversion_keeps_what_it_was_made_of_when_the_merge_is_undone(
    home: House,
) -> None:
    first = await made(home, title="Boats")
    given = (await home.receive(message("1", "anna", text="Boats?")))[0]
    again = LeadId((await home.user.do(CreateLead(dialog_id=given.dialog_id)))[0])
    (merge_id,) = await home.user.do(MergeLeads(survivor_id=first, merged_id=again))
    (client,) = await home.user.do(ConvertLead(lead_id=first, name="Harbour", interest="Boats"))
    await home.user.do(UndoMergeLeads(merge_id=merge_id))
    lead, back = await one(home, first), await one(home, again)
    assert (lead.status, lead.contact_id, lead.client_id) == ("qualified", given.contact_id, client)
    assert (back.status, back.contact_id, back.client_id) == ("new", given.contact_id, 0)
    await home.user.do(UndoConversion(lead_id=first))
    lead = await one(home, first)
    assert (lead.status, lead.contact_id, lead.client_id) == ("in_work", given.contact_id, 0)
    assert (await home.user.contact(given.contact_id)).client_id == 0
