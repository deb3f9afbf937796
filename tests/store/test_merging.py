"""Two cards that are one: what goes over, what comes back, what is refused, what waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm_store import clients as client_reads
from crm_store import objects, people
from crm_store.erasure import address_hash
from crm_store.merge_pair import LEFT, places_of
from crm_store.merge_reading import merge_preview, merges_of
from crm_store.search import search_contacts
from crm_store.tables import metadata
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.interests import interests
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses, contacts, erased_addresses, merges
from crm_store.tables.requests import tasks
from crm_store.tables.segments import segment_members
from hub import (
    AddAddress,
    Address,
    ChangeClient,
    ChangeObject,
    Conflict,
    Contact,
    ContactId,
    ConvertLead,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    EraseContact,
    FillSegment,
    HubError,
    LinkContact,
    LinkDialog,
    MergeClients,
    MergeContacts,
    MergeDialogs,
    MergeId,
    MergeLeads,
    SaveSegment,
    SplitContact,
    UndoMerge,
    UndoSplit,
    UpdateContact,
)
from hub.objects import Ref
from tests.houses import House, house, letter, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def card(home: House, contact_id: int) -> Contact:
    found: Contact = await home.user.read(people.contact, ContactId(contact_id))
    return found


async def writes(home: House, key: str, sender: str, **more: Any) -> tuple[ContactId, int]:
    given = (await home.receive(message(key, sender, **more)))[0]
    return given.contact_id, given.dialog_id


def rows(home: House, statement: Any) -> list[Any]:
    return list(home.runtime.database.read_now(lambda conn: conn.execute(statement).all()))


async def test_a_merged_person_is_one_with_all_of_both_and_two_again(home: House) -> None:
    anna, talk = await writes(home, "1", "anna")
    given = (await home.receive(letter("2", "anya@example.com", name="Anya P."), letter=True))[0]
    anya, post = given.contact_id, given.dialog_id
    lead = (await home.user.do(CreateLead(dialog_id=post)))[0]
    task = (
        await home.user.do(
            CreateObject(
                kind="task",
                values={"title": "Call Anya", "object_kind": "contact", "object_id": anya},
            )
        )
    )[0]
    (both, hers) = await home.user.do(
        SaveSegment(name="Both", static=True), SaveSegment(name="Hers", static=True)
    )
    await home.user.do(
        FillSegment(segment_id=both, add=(anna, anya)), FillSegment(segment_id=hers, add=(anya,))
    )
    await home.user.do(
        UpdateContact(contact_id=anna, values={"position": "buyer", "tags": "boats"}),
        UpdateContact(contact_id=anya, values={"language": "ru", "tags": "boats, oars"}),
    )
    before = await card(home, anna)
    seen = await home.user.read(merge_preview, "contact", anna, anya)
    assert dict(seen.moves) == {"dialogs": 1, "messages": 1, "addresses": 1, "leads": 1, "tasks": 1}
    assert {one.name: one.fills for one in seen.fields} == {"name": False, "language": True}
    merge_id = (
        await home.user.do(
            MergeContacts(survivor_id=anna, merged_id=anya, take=("name",), merged_version=2)
        )
    )[0]
    one = await card(home, anna)
    assert (one.name, one.position, one.language) == ("Anya P.", "buyer", "ru")
    assert set(one.tags) == {"boats", "oars"}
    assert {each.kind for each in one.addresses} == {"pigeon", "email"}
    assert rows(home, _about(task)) == [(anna,)]
    held = select(segment_members.c.segment_id).where(segment_members.c.contact_id == anna)
    assert {each.segment_id for each in rows(home, held)} == {both, hers}
    assert (await card(home, anya)).id == anna, "the old number leads to the survivor"
    assert {each.contact_id for each in rows(home, select(dialogs))} == {anna}
    assert {each.contact_id for each in rows(home, select(messages))} == {anna}
    found = await home.user.read(search_contacts, "anya@example.com", 5)
    assert [each.id for each in found] == [anna]
    # What comes since, over each of the two addresses.
    await home.receive(letter("3", "anya@example.com", name="Anya P."), letter=True)
    assert (await writes(home, "4", "anna"))[1] == talk
    await home.user.do(UpdateContact(contact_id=anna, position="captain"))
    [left] = await home.user.read(merges_of, "contact", anna)
    assert (left.id, left.merged_name) == (merge_id, "Anya P.")
    assert (await home.user.do(UndoMerge(merge_id=merge_id)))[0] == anya
    two = await card(home, anna)
    # Changed since, so it stays; the rest is as it was.
    assert (two.name, two.position, two.language) == (before.name, "captain", "")
    assert two.tags == before.tags
    assert [each.value for each in two.addresses] == ["anna"]
    back = await card(home, anya)
    assert (back.id, back.name, back.language, set(back.tags)) == (
        anya,
        "Anya P.",
        "ru",
        {"boats", "oars"},
    )
    assert {each.contact_id for each in rows(home, select(dialogs)) if each.id != talk} == {anya}
    counts = {row[0]: row[1] for row in rows(home, _counted())}
    assert counts == {anna: 2, anya: 2}
    found = await home.user.read(search_contacts, "anya@example.com", 5)
    assert [each.id for each in found] == [anya]
    lines = rows(home, select(journal.c.type).where(journal.c.type.like("contact.%merged")))
    assert [one.type for one in lines] == ["contact.merged", "contact.unmerged"]
    with pytest.raises(Conflict):
        await home.user.do(UndoMerge(merge_id=merge_id))
    assert (await home.user.read(_contact_of_lead, lead)) == anya
    assert rows(home, _about(task)) == [(anya,)]
    assert {each.segment_id for each in rows(home, held)} == {both}


def _about(task: int) -> Any:
    return select(tasks.c.object_id).where(tasks.c.id == task)


def _contact_of_lead(reader: Any, lead_id: int) -> int:
    from crm_store.tables.objects import leads

    return int(
        reader.conn.execute(select(leads.c.contact_id).where(leads.c.id == lead_id)).scalar_one()
    )


def _counted() -> Any:
    return select(messages.c.contact_id, func.count()).group_by(messages.c.contact_id)


async def test_two_chats_of_one_network_stay_two_chats(home: House) -> None:
    """An answer must reach the place that was written from."""
    anna, first = await writes(home, "1", "anna")
    other, second = await writes(home, "2", "anna2")
    await home.user.do(MergeContacts(survivor_id=anna, merged_id=other))
    assert await writes(home, "3", "anna2") == (anna, second)
    assert await writes(home, "4", "anna") == (anna, first)
    # Once they are merged by hand, both go on in one.
    await home.user.do(MergeDialogs(survivor_id=first, merged_id=second))
    assert await writes(home, "5", "anna2") == (anna, first)


async def test_what_cannot_be_told_apart_is_refused_in_words(home: House) -> None:
    anna, first = await writes(home, "1", "anna")
    other, second = await writes(home, "2", "anna2")
    third, _ = await writes(home, "3", "olga")
    one = (await home.user.do(MergeContacts(survivor_id=anna, merged_id=other)))[0]
    with pytest.raises(Conflict) as refused:
        await home.user.do(MergeContacts(survivor_id=third, merged_id=other))
    assert refused.value.what == "merged"
    two = (await home.user.do(MergeContacts(survivor_id=third, merged_id=anna)))[0]
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoMerge(merge_id=one))
    assert refused.value.what == "merged_again"
    await home.user.do(UndoMerge(merge_id=two))
    await home.user.do(MergeDialogs(survivor_id=first, merged_id=second))
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoMerge(merge_id=one))
    assert refused.value.what == "dialogs_merged"
    with pytest.raises(Conflict):
        await home.user.do(MergeContacts(survivor_id=anna, merged_id=third, merged_version=77))


async def test_an_address_becomes_a_person_of_its_own(home: House) -> None:
    anna, talk = await writes(home, "1", "anna")
    with pytest.raises(Conflict) as refused:
        await home.user.do(SplitContact(address_id=(await card(home, anna)).addresses[0].id))
    assert refused.value.what == "only_address"
    post = Address(kind="email", value="boss@example.com", name="Boss")
    mail = (await home.user.do(AddAddress(contact_id=anna, address=post)))[0]
    given = (await home.receive(letter("2", "boss@example.com", name="Boss"), letter=True))[0]
    assert given.contact_id == anna
    boss = (await home.user.do(SplitContact(address_id=mail)))[0]
    assert (await card(home, boss)).name == "Boss"
    assert (await home.user.dialog(given.dialog_id)).contact_id == boss
    assert (await home.user.dialog(talk)).contact_id == anna
    again = (await home.receive(letter("3", "boss@example.com"), letter=True))[0]
    assert again.contact_id == boss
    # And back, by the other door: the dialog is said to be with Anna.
    await home.user.do(LinkContact(dialog_id=given.dialog_id, contact_id=anna))
    assert {one.value for one in (await card(home, anna)).addresses} == {"anna", "boss@example.com"}
    assert (await home.user.dialog(again.dialog_id)).contact_id == anna


async def test_erasing_the_survivor_erases_the_merged_card_too(home: House) -> None:
    anna, _ = await writes(home, "1", "anna")
    other, _ = await writes(home, "2", "anna2")
    merge_id = (
        await home.user.do(MergeContacts(survivor_id=anna, merged_id=other, take=("name",)))
    )[0]
    await home.user.do(EraseContact(contact_id=other))
    assert {row.name for row in rows(home, select(contacts.c.name))} == {""}
    assert {str(row.kept) for row in rows(home, select(merges.c.kept))} == {"{}"}
    hashes = {row.hash for row in rows(home, select(erased_addresses.c.hash))}
    assert hashes == {address_hash("pigeon", one) for one in ("anna", "anna2")}
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoMerge(merge_id=merge_id))
    assert refused.value.what == "erased"


async def test_two_clients_become_one_with_their_people_and_leads(home: House) -> None:
    anna, talk = await writes(home, "1", "anna")
    keep = (await home.user.do(CreateClient(name="Boats Ltd", values={"phone": "1"})))[0]
    other = (await home.user.do(CreateClient(name="Boats", contact_id=anna)))[0]
    await home.user.do(ChangeClient(client_id=other, values={"region": "Karelia", "phone": "2"}))
    lead = (await home.user.do(CreateLead(dialog_id=talk)))[0]
    merge_id = (
        await home.user.do(MergeClients(survivor_id=keep, merged_id=other, take=("phone",)))
    )[0]
    one = await home.user.read(client_reads.client, other)
    assert (one.id, one.name, one.region, one.phone) == (keep, "Boats Ltd", "Karelia", "2")
    assert (await card(home, anna)).client_id == keep
    since = (await home.user.do(CreateLead(dialog_id=talk)))[0]
    await home.user.do(UndoMerge(merge_id=merge_id))
    one = await home.user.read(client_reads.client, keep)
    assert (one.region, one.phone) == ("", "1")
    assert (await card(home, anna)).client_id == other
    found = rows(home, select(metadata.tables["leads"].c["id", "client_id"]))
    assert {row.id: row.client_id for row in found} == {lead: other, since: other}


async def test_dialogs_of_a_merged_client_are_the_survivors_until_it_is_undone(home: House) -> None:
    _, talk = await writes(home, "1", "anna")
    keep, other = [(await home.user.do(CreateClient(name=one)))[0] for one in ("One", "Two")]
    await home.user.do(LinkDialog(dialog_id=talk, kind="client", object_id=other))
    merge_id = (await home.user.do(MergeClients(survivor_id=keep, merged_id=other)))[0]
    assert list(await home.user.read(objects.dialogs_of, Ref(kind="client", id=keep))) == [talk]
    await home.user.do(UndoMerge(merge_id=merge_id))
    assert list(await home.user.read(objects.dialogs_of, Ref(kind="client", id=keep))) == []
    assert list(await home.user.read(objects.dialogs_of, Ref(kind="client", id=other))) == [talk]


def test_a_merge_knows_every_table_that_names_a_person() -> None:
    """A table with such a column either has rows with ids, or is moved by hand (LEFT)."""
    for kind in ("contact", "client"):
        columns = {f"{kind}_id", "object_kind"}
        known = {name for name, one in metadata.tables.items() if columns & set(one.c.keys())}
        assert known - LEFT == set(places_of(kind)), "say in crm_store/merge_pair.py what it does"
        for name, table in places_of(kind).items():
            keys = [one.name for one in table.primary_key.columns]
            unique = {
                column.name
                for one in table.indexes
                if one.unique
                for column in one.columns
                if column.name == f"{kind}_id"
            }
            assert (keys, unique) == (["id"], set()), (
                f"say in crm_store/merge_pair.py what a merge of {kind}s does with {name}"
            )
    assert set(metadata.tables) >= LEFT


async def test_a_message_in_the_middle_of_a_merge_lands_at_the_survivor(home: House) -> None:
    anna, _ = await writes(home, "1", "anna")
    other, _ = await writes(home, "2", "anna2")
    for n in range(6):
        turn = [MergeContacts(survivor_id=anna, merged_id=other)]
        if n % 2:
            [left] = await home.user.read(merges_of, "contact", anna)
            turn = [UndoMerge(merge_id=left.id)]  # type: ignore[list-item]
        await asyncio.gather(
            home.user.do(*turn),
            *(home.receive(message(f"m{n}{k}", f"anna{k or ''}")) for k in (0, 2)),
            home.receive(message(f"new{n}", f"twin{n}", aliases=(_pigeon("anna2"),))),
        )
        await _sound(home)


def _pigeon(value: str) -> Address:
    return Address(kind="pigeon", value=value)


async def _sound(home: House) -> None:
    """Every dialog has one living contact, every address one owner, and they agree."""
    living = {
        row.id for row in rows(home, select(contacts.c.id).where(contacts.c.merged_into == 0))
    }
    owners = {row.id: row.contact_id for row in rows(home, select(addresses))}
    for row in rows(home, select(dialogs)):
        assert row.contact_id in living
        assert owners.get(row.address_id, row.contact_id) == row.contact_id
    assert set(owners.values()) <= living
    wrong = (
        select(messages.c.id)
        .join(dialogs, dialogs.c.id == messages.c.dialog_id)
        .where(messages.c.contact_id != dialogs.c.contact_id)
    )
    assert rows(home, wrong) == []
    deleted = {row.id for row in rows(home, select(contacts.c.id).where(contacts.c.deleted_at > 0))}
    assert not deleted & living


STEP = st.tuples(
    st.sampled_from(("writes", "letter", "merge", "undo", "split", "unsplit", "link")),
    st.integers(0, 4),
    st.integers(0, 4),
)


async def test_no_order_of_merges_splits_and_arrivals_loses_anything(home: House) -> None:
    """Whatever is done, in whichever order: nothing is lost, and nobody owns another's address."""
    number = iter(range(1_000_000))
    loop = asyncio.get_running_loop()

    async def play(steps: list[tuple[str, int, int]]) -> None:
        prefix = f"p{next(number)}-"
        said = 0
        people_of: list[ContactId] = []
        for what, one, other in steps:
            picked = [people_of[n % len(people_of)] for n in (one, other)] if people_of else []
            try:
                if what in ("writes", "letter") or not picked:
                    sender = f"{prefix}{one}"
                    key = f"k{next(number)}"
                    arrival = (
                        letter(key, f"{sender}@example.com")
                        if what == "letter"
                        else message(key, sender)
                    )
                    got = (await home.receive(arrival, letter=what == "letter"))[0]
                    said += 1
                    if got.contact_id not in people_of:
                        people_of.append(got.contact_id)
                elif what == "merge":
                    await home.user.do(MergeContacts(survivor_id=picked[0], merged_id=picked[1]))
                elif what == "undo":
                    left = await home.user.read(merges_of, "contact", picked[0])
                    await home.user.do(UndoMerge(merge_id=left[0].id if left else MergeId(1)))
                elif what == "split":
                    owned = (await card(home, picked[0])).addresses
                    if not owned:
                        continue
                    got_id = (
                        await home.user.do(SplitContact(address_id=owned[other % len(owned)].id))
                    )[0]
                    people_of.append(got_id)
                elif what == "unsplit":
                    await home.user.do(UndoSplit(contact_id=picked[0]))
                else:
                    talk = rows(home, select(dialogs.c.id).where(dialogs.c.contact_id == picked[0]))
                    if talk:
                        await home.user.do(LinkContact(dialog_id=talk[0].id, contact_id=picked[1]))
            except HubError:
                pass
        await _sound(home)
        counted = rows(home, select(messages.c.people).where(messages.c.direction == "in"))
        mine = [one for one in counted if str(one.people["from"][0]).startswith(prefix)]
        assert len(mine) == said

    @settings(
        max_examples=10,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(st.lists(STEP, min_size=8, max_size=24))
    def check(steps: list[tuple[str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(play(steps), loop).result(120)

    await asyncio.to_thread(check)


async def test_what_names_a_merged_card_reaches_the_one_that_lives_on(home: House) -> None:
    """A page that was opened before the merge, and a rule that knows the old number."""
    anna, talk = await writes(home, "1", "anna")
    firm, other = await home.user.do(CreateClient(name="Boats"), CreateClient(name="Oars"))
    (anya,) = await home.user.do(CreateContact(name="Anya"))
    lead, again = await home.user.do(
        CreateLead(values={"title": "Boats"}), CreateLead(values={"title": "Oars"})
    )
    await home.user.do(
        MergeClients(survivor_id=firm, merged_id=other),
        MergeContacts(survivor_id=anna, merged_id=anya),
        MergeLeads(survivor_id=lead, merged_id=again),
    )
    for hand in (home.user, home.system):
        for kind, number, living in (
            ("client", other, firm),
            ("contact", anya, anna),
            ("lead", again, lead),
        ):
            about = {"title": "Call", "object_kind": kind, "object_id": str(number)}
            named = {"title": "Sell", f"{kind}_id": number}
            task, deal = await hand.do(
                CreateObject(kind="task", values=about), CreateObject(kind="interest", values=named)
            )
            assert rows(home, select(tasks.c.object_id).where(tasks.c.id == task)) == [(living,)]
            found = select(interests.c[f"{kind}_id"]).where(interests.c.id == deal)
            assert rows(home, found) == [(living,)]
            await hand.do(
                ChangeObject(kind="task", object_id=task, values={"object_id": number}),
                LinkDialog(kind=kind, object_id=number, dialog_id=talk),
            )
            assert rows(home, select(tasks.c.object_id).where(tasks.c.id == task)) == [(living,)]
            ref = Ref(kind=kind, id=living)
            assert await home.user.read(objects.dialogs_of, ref) == [talk]
        await hand.do(UpdateContact(contact_id=anna, values={"client_id": other}))
        assert (await card(home, anna)).client_id == firm
        await hand.do(UpdateContact(contact_id=anna, values={"client_id": ""}))
    (bob,) = await home.user.do(CreateContact(name="Bob", client_id=other))
    assert (await card(home, bob)).client_id == firm
    await home.user.do(ConvertLead(lead_id=lead, client_id=other))
    assert (await home.user.read(objects.one, objects.NOUNS["lead"], lead)).client_id == firm
    # What is written on a card that is away would be lost.
    for command in (
        ChangeClient(client_id=other, values={"notes": "pays late"}),
        ChangeObject(kind="client", object_id=other, values={"notes": "pays late"}),
        ChangeObject(kind="contact", object_id=anya, values={"notes": "pays late"}),
    ):
        with pytest.raises(Conflict) as told:
            await home.user.do(command)
        assert told.value.what == "merged"
