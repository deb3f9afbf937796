"""Leads: what they take from a dialog, repeats, rejecting, converting and taking that back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import objects
from crm_store.history import changes_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.personal import personal_data
from crm_store.tables.journal import changes, journal
from crm_store.tables.objects import leads, object_tags
from hub import (
    ChangeClient,
    ChangeLead,
    Conflict,
    ConvertLead,
    CreateClient,
    CreateLead,
    CreateObject,
    CreateUser,
    EraseContact,
    Invalid,
    Lead,
    LeadId,
    NotAllowed,
    NotFound,
    RejectLead,
    RemoveLead,
    ReopenLead,
    SaveRole,
    TakeLead,
    UndoConversion,
    UpdateAccount,
    UpdateContact,
    UserId,
)
from tests.houses import House, house, letter, message, until

LEAD, CLIENT = NOUNS["lead"], NOUNS["client"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def lead_of(home: House, lead_id: int) -> Lead:
    found: Lead = await home.user.read(objects.one, LEAD, lead_id)
    return found


async def clients(home: House) -> int:
    return await home.user.read(objects.count, CLIENT, ObjectQuery())


async def listed(home: House, **more: Any) -> list[int]:
    page = await home.user.read(objects.page, LEAD, ObjectQuery(**more))
    return [one.id for one in page.items]


async def made(home: House, **values: object) -> LeadId:
    return LeadId((await home.user.do(CreateLead(values=values)))[0])


async def test_an_unknown_writer_becomes_a_lead_and_no_client(home: House) -> None:
    """S1: asking makes nobody a client."""
    sent = (
        await home.receive(letter("1", text="Do you sell boats?", subject="Boats"), letter=True)
    )[0]
    lead_id = (await home.user.do(CreateLead(dialog_id=sent.dialog_id)))[0]
    lead = await lead_of(home, lead_id)
    assert (lead.title, lead.status, lead.email) == ("Boats", "new", "anna@example.com")
    assert (lead.message, lead.channel) == ("Do you sell boats?", "letter")
    assert lead.contact_id == (await home.user.dialog(sent.dialog_id)).contact_id
    assert [one.id for one in await home.user.read(objects.of_dialog, LEAD, sent.dialog_id)] == [
        lead_id
    ]
    assert await clients(home) == 0
    again = await home.user.do(CreateLead(dialog_id=sent.dialog_id, unless_open=True))
    assert again == [lead_id]


async def test_a_person_who_asks_again_makes_a_lead_marked_repeat(home: House) -> None:
    first = await made(home, name="Anna", phone="+7 912 000-00-00")
    await home.user.do(RejectLead(lead_id=first, reason="too dear"))
    second = (
        await home.user.do(CreateLead(values={"phone": "+7 912 000-00-00"}, unless_open=True))
    )[0]
    assert second != first
    assert (await lead_of(home, second)).repeat_of == first
    other = await made(home, name="Anna", phone="8 (912) 000-00-00")
    assert (await lead_of(home, other)).repeat_of == second
    assert (await lead_of(home, await made(home, name="Boris"))).repeat_of == 0


async def test_work_on_a_lead_goes_its_ways_and_no_others(home: House) -> None:
    lead_id = await made(home, title="Boats")
    await home.user.do(TakeLead(lead_id=lead_id))
    lead = await lead_of(home, lead_id)
    assert (lead.status, lead.owner_id) == ("in_work", home.user.actor.id)
    with pytest.raises(Invalid):
        await home.user.do(RejectLead(lead_id=lead_id, reason="  "))
    await home.user.do(RejectLead(lead_id=lead_id, reason="no money"))
    assert (await lead_of(home, lead_id)).reason == "no money"
    for command in (TakeLead(lead_id=lead_id), ConvertLead(lead_id=lead_id)):
        with pytest.raises(Conflict):
            await home.user.do(command)
    closed_at = (await lead_of(home, lead_id)).closed_at
    lines = await home.user.read(changes_of, LEAD, lead_id)
    assert {one.field: (one.before, one.after) for one in lines if one.after != "in_work"} == {
        "status": ("in_work", "rejected"),
        "reason": (None, None),
        "closed_at": (0, closed_at),
        "owner_id": ("0", str(home.user.actor.id)),
    }
    # Numbers too are read by everybody who follows the journal.
    await until(lambda: home.runtime.feed.last >= lines[0].event_id)
    await home.user.do(ReopenLead(lead_id=lead_id))
    lead = await lead_of(home, lead_id)
    assert (lead.status, lead.reason, lead.closed_at) == ("in_work", "", 0)
    with pytest.raises(Conflict):
        await home.user.do(UndoConversion(lead_id=lead_id))


async def test_a_conversion_makes_a_client_and_is_taken_back(home: House) -> None:
    sent = (await home.receive(message("1", text="boats?")))[0]
    lead_id = (await home.user.do(CreateLead(dialog_id=sent.dialog_id)))[0]
    client_id = (
        await home.user.do(ConvertLead(lead_id=lead_id, name="Boats Ltd", organisation=True))
    )[0]
    lead = await lead_of(home, lead_id)
    assert (lead.status, lead.client_id) == ("qualified", client_id)
    contact = await home.user.contact(lead.contact_id)
    assert contact.client_id == client_id
    card = await home.user.read(objects.one, CLIENT, client_id)
    assert (card.name, card.organisation, card.status) == ("Boats Ltd", True, "prospect")

    await home.user.do(UndoConversion(lead_id=lead_id))
    assert await clients(home) == 0
    lead = await lead_of(home, lead_id)
    assert (lead.status, lead.client_id, lead.closed_at) == ("in_work", 0, 0)
    assert (await home.user.contact(lead.contact_id)).client_id == 0


async def test_a_conversion_to_a_client_that_is_there_links_and_undoes(home: House) -> None:
    old = (await home.user.do(CreateClient(name="Harbour")))[0]
    lead_id = await made(home, name="Vera", company="Harbour")
    assert await home.user.do(ConvertLead(lead_id=lead_id, client_id=old)) == [old]
    contact_id = (await lead_of(home, lead_id)).contact_id
    assert (await home.user.contact(contact_id)).name == "Vera"
    await home.user.do(UndoConversion(lead_id=lead_id))
    assert (await home.user.contact(contact_id)).client_id == 0
    assert await clients(home) == 1


async def test_who_was_written_down_is_known_when_he_writes(home: House) -> None:
    lead_id = await made(home, name="Vera", email="Vera@Example.com", phone="8 912 000-00-00")
    client_id = (await home.user.do(ConvertLead(lead_id=lead_id)))[0]
    came = (await home.receive(letter("1", "vera@example.com"), letter=True))[0]
    person = await home.user.contact(came.contact_id)
    assert (person.id, person.client_id) == ((await lead_of(home, lead_id)).contact_id, client_id)
    # The address is hers: another lead's person does not get it.
    other = await made(home, name="V.", email="vera@example.com")
    await home.user.do(ConvertLead(lead_id=other))
    assert (await home.user.contact(person.id)).name == "Vera"


async def test_a_client_with_work_is_not_taken_back_nor_a_person_who_moved(home: House) -> None:
    lead_id = await made(home, name="Vera")
    client_id = (await home.user.do(ConvertLead(lead_id=lead_id)))[0]
    values = {"title": "Repair", "client_id": client_id}
    await home.user.do(CreateObject(kind="request", values=values))
    with pytest.raises(Conflict, match="worked on"):
        await home.user.do(UndoConversion(lead_id=lead_id))
    old, new = [(await home.user.do(CreateClient(name=one)))[0] for one in ("Old", "New")]
    lead_id = await made(home, name="Boris")
    await home.user.do(ConvertLead(lead_id=lead_id, client_id=old))
    contact_id = (await lead_of(home, lead_id)).contact_id
    await home.user.do(UpdateContact(contact_id=contact_id, values={"client_id": new}))
    await home.user.do(UndoConversion(lead_id=lead_id))
    assert (await home.user.contact(contact_id)).client_id == new


async def test_a_conversion_makes_cards_only_for_who_may(home: House) -> None:
    rights = frozenset({"leads.view", "leads.edit"})
    await home.user.do(SaveRole(name="intake", based_on="agent", permissions=rights))
    made_user = await home.user.do(CreateUser(email="i@office.example", name="Ina", role="intake"))
    ina = home.system.as_user(UserId(made_user[0]))
    lead_id = (await ina.do(CreateLead(values={"name": "Vera"})))[0]
    with pytest.raises(NotAllowed):
        await ina.do(ConvertLead(lead_id=lead_id))


async def test_a_client_that_was_worked_on_is_not_taken_back(home: House) -> None:
    lead_id = await made(home, name="Vera")
    client_id = (await home.user.do(ConvertLead(lead_id=lead_id)))[0]
    await home.user.do(ChangeClient(client_id=client_id, values={"region": "Pskov"}))
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoConversion(lead_id=lead_id))
    assert refused.value.what == "worked_on"


async def test_changes_are_on_record_without_anybodys_words(home: House) -> None:
    lead_id = await made(home, title="Boats", tags=["hot"])
    version = (
        await home.user.do(
            ChangeLead(
                lead_id=lead_id, values={"title": "Secret", "source": "fair", "tags": "a, B"}
            )
        )
    )[0]
    assert version == 2
    lead = await lead_of(home, lead_id)
    assert (lead.title, lead.source, lead.tags) == ("Secret", "fair", ("a", "B"))
    with pytest.raises(Conflict) as refused:
        await home.user.do(ChangeLead(lead_id=lead_id, values={"title": "x"}, version=1))
    assert refused.value.what == "version"
    for wrong in ({"status": "qualified"}, {"nonsense": "1"}, {"title": ""}, {"owner_id": "me"}):
        with pytest.raises(Invalid):
            await home.user.do(ChangeLead(lead_id=lead_id, values=wrong))

    def kept(conn: Any) -> str:
        rows = [list(row) for table in (journal, changes) for row in conn.execute(select(table))]
        return json.dumps(rows, default=str)

    written = await home.runtime.database.read(kept)
    assert "Secret" not in written
    assert '"fair"' in written


async def test_a_list_is_filtered_found_sorted_and_paged(home: House) -> None:
    ids = [await made(home, title=f"Boat {n}", name="Ёлка" if n == 3 else "") for n in range(7)]
    await home.user.do(TakeLead(lead_id=ids[2]))
    await home.user.do(ChangeLead(lead_id=ids[4], values={"tags": ["Hot"]}))
    assert await listed(home) == ids[::-1]
    taken = {"field": "lead.status", "operator": "equals", "value": "in_work"}
    mine = {"field": "lead.owner", "operator": "equals", "value": "me"}
    assert await listed(home, filter={"all": [taken, mine]}) == [ids[2]]
    hot = {"field": "lead.tags", "operator": "contains", "value": "hot"}
    assert await listed(home, filter=hot) == [ids[4]]
    assert await listed(home, text="елка BOAT") == [ids[3]]
    seen: list[int] = []
    before = ""
    for _ in range(4):
        page = await home.user.read(
            objects.page, LEAD, ObjectQuery(sort="created_at", before=before, limit=2)
        )
        seen += [one.id for one in page.items]
        before = page.next
    assert (seen, before) == (ids, "")
    for wrong in ("title", "x"):
        with pytest.raises(Invalid):
            await listed(home, sort=wrong)
    for wrong in ("1", "a~b", "-1~2"):
        with pytest.raises(Invalid):
            await listed(home, before=wrong)


async def test_what_is_removed_comes_back_whole(home: House) -> None:
    lead_id = await made(home, title="Boats", tags=["hot"])
    await home.user.do(RemoveLead(lead_id=lead_id))
    assert await listed(home) == []
    assert await listed(home, removed=True) == [lead_id]
    await home.user.do(RemoveLead(lead_id=lead_id, restore=True))
    assert await listed(home) == [lead_id]
    assert (await lead_of(home, lead_id)).tags == ("hot",)


async def test_who_may_only_look_changes_nothing(home: House) -> None:
    lead_id = await made(home, title="Boats")
    system = home.runtime.handle(home.user.actor)
    auditor_id = (await system.do(CreateUser(email="a@example.com", name="A", role="auditor")))[0]
    auditor = home.runtime.handle(home.user.actor).as_user(auditor_id)
    assert (await auditor.read(objects.one, LEAD, lead_id)).title == "Boats"
    for command in (CreateLead(values={"title": "x"}), TakeLead(lead_id=lead_id)):
        with pytest.raises(NotAllowed):
            await auditor.do(command)


async def test_a_lead_of_a_hidden_dialog_is_hidden_with_it(home: House) -> None:
    sent = (await home.receive(message("1", text="a secret of that channel")))[0]
    hidden = LeadId((await home.user.do(CreateLead(dialog_id=sent.dialog_id)))[0])
    shown = await made(home, title="Boats", name="Anna")
    agents = await home.system.do(
        CreateUser(email="a@example.com", name="A", role="agent"),
        CreateUser(email="b@example.com", name="B", role="agent"),
    )
    await home.user.do(UpdateAccount(account_id=home.pigeon, members=(UserId(agents[0]),)))
    member, other = (home.system.as_user(UserId(one)) for one in agents)
    assert [one.id for one in (await member.read(objects.page, LEAD, ObjectQuery())).items] == [
        shown,
        hidden,
    ]
    assert [one.id for one in (await other.read(objects.page, LEAD, ObjectQuery())).items] == [
        shown
    ]
    assert await other.read(objects.counts_by, LEAD, "status") == {"new": 1}
    assert await other.read(objects.titles, LEAD, [hidden, shown]) == {shown: "Boats"}
    with pytest.raises(NotFound):
        await other.read(objects.one, LEAD, hidden)
    for command in (TakeLead(lead_id=hidden), CreateLead(dialog_id=sent.dialog_id)):
        with pytest.raises(NotFound):
            await other.do(command)
    await member.do(TakeLead(lead_id=hidden))
    assert (await lead_of(home, hidden)).owner_id == agents[0]


async def test_an_erased_person_leaves_no_words_in_leads_and_cards(home: House) -> None:
    sent = (await home.receive(letter("1", text="planted words", subject="planted"), letter=True))[
        0
    ]
    lead_id = (await home.user.do(CreateLead(dialog_id=sent.dialog_id)))[0]
    await home.user.do(ChangeLead(lead_id=lead_id, values={"tags": ["planted"]}))
    await home.user.do(ConvertLead(lead_id=lead_id, name="planted name"))
    contact_id = (await lead_of(home, lead_id)).contact_id
    kept, _ = await home.user.read(personal_data, contact_id)
    assert [one["title"] for one in kept["leads"]] == ["planted"]
    await home.user.do(EraseContact(contact_id=contact_id))

    def words(conn: Any) -> str:
        tables = (leads, object_tags, CLIENT.table)
        rows = [list(row) for table in tables for row in conn.execute(select(table))]
        return json.dumps(rows, default=str)

    left = await home.runtime.database.read(words)
    assert "planted" not in left
    assert "anna" not in left
    assert (await lead_of(home, lead_id)).status == "qualified"
