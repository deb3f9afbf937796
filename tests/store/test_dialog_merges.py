"""Two dialogs that are one, and two again: what goes back, what stays, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import objects
from crm_store.dialog_merges import merges_of
from crm_store.tables.dialogs import dialogs, messages, participants, thread_references
from crm_store.tables.people import merges
from hub import (
    AddNote,
    AssignDialog,
    Conflict,
    CreateContact,
    CreateLead,
    CreateUser,
    DialogId,
    DialogStatus,
    EraseContact,
    LinkContact,
    MarkRead,
    MergeContacts,
    MergeDialogs,
    NotFound,
    SaveDraft,
    SaveRole,
    Scope,
    SetDialogStatus,
    SnoozeDialog,
    SplitDialog,
    TagDialog,
    UndoMerge,
    UndoMergeDialogs,
)
from hub.objects import Ref
from tests.houses import House, house, letter, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def wrote(home: House, key: str, **more: Any) -> Any:
    """A letter of Anna's, which begins a dialog unless it answers one."""
    return (await home.receive(letter(key, external_id=f"<{key}@x>", **more), letter=True))[0]


async def merged(home: House, survivor: DialogId, other: DialogId) -> int:
    return int((await home.user.do(MergeDialogs(survivor_id=survivor, merged_id=other)))[0])


async def texts(home: House, dialog_id: DialogId) -> list[str]:
    return [one.text for one in (await home.user.thread(dialog_id)).messages]


def rows(home: House, statement: Any) -> list[Any]:
    return list(home.runtime.database.read_now(lambda conn: conn.execute(statement).all()))


def row(home: House, dialog_id: int) -> dict[str, Any]:
    """The whole row, but for what counts its changes."""
    found = rows(home, select(dialogs).where(dialogs.c.id == dialog_id))[0]
    return {name: value for name, value in found._mapping.items() if name != "version"}


def around(home: House, dialog_id: int) -> list[set[Any]]:
    """Who takes part, and what leads there."""
    return [
        {tuple(one) for one in rows(home, select(*what).where(table.c.dialog_id == dialog_id))}
        for table, what in (
            (participants, (participants.c.kind, participants.c.value)),
            (thread_references, (thread_references.c.reference,)),
        )
    ]


async def test_two_dialogs_become_one_and_two_again_as_they_were(home: House) -> None:
    one = await wrote(home, "1", text="Boats?", subject="Boats")
    two = await wrote(home, "2", text="Oars?", subject="Oars", cc=())
    await wrote(home, "3", text="And oars?", in_reply_to="<2@x>")
    first, second = one.dialog_id, two.dialog_id
    ivan = (await home.user.do(CreateUser(email="ivan@example.com", name="Ivan", role="agent")))[0]
    await home.user.do(
        TagDialog(dialog_id=first, add=("boats", "both")),
        TagDialog(dialog_id=second, add=("oars", "both")),
        AssignDialog(dialog_id=second, user_id=ivan),
        AddNote(dialog_id=second, text="He rows"),
        SaveDraft(dialog_id=second, text="We have oars"),
        MarkRead(dialog_id=first, message_id=one.message_id),
        MarkRead(dialog_id=second, message_id=two.message_id),
        SetDialogStatus(dialog_id=first, status="waiting"),
    )
    lead = (await home.user.do(CreateLead(dialog_id=second)))[0]
    before = [row(home, first), row(home, second), around(home, first), around(home, second)]
    seen = [(await home.user.dialog(each)).unread for each in (first, second)]
    assert seen == [0, 1]

    merge_id = await merged(home, first, second)
    assert await texts(home, first) == ["Boats?", "Oars?", "And oars?", "He rows"]
    assert (await home.user.dialog(first)).unread == 1
    assert set((await home.user.dialog(first)).tags) == {"boats", "both", "oars"}
    assert [each.id for each in await home.user.read(merges_of, first)] == [merge_id]

    assert await home.user.do(UndoMergeDialogs(merge_id=merge_id)) == [second]
    after = [row(home, first), row(home, second), around(home, first), around(home, second)]
    assert after == before
    assert await texts(home, first) == ["Boats?"]
    assert await texts(home, second) == ["Oars?", "And oars?", "He rows"]
    assert [(await home.user.dialog(each)).unread for each in (first, second)] == seen
    assert set((await home.user.dialog(first)).tags) == {"boats", "both"}
    assert set((await home.user.dialog(second)).tags) == {"oars", "both"}
    assert (await home.user.dialog(second)).draft == "We have oars"
    assert await home.user.read(objects.dialogs_of, Ref(kind="lead", id=lead)) == [second]
    assert await home.user.read(merges_of, first) == []
    # What the customer answers goes where it belongs.
    assert (await wrote(home, "4", in_reply_to="<3@x>")).dialog_id == second
    assert (await wrote(home, "5", in_reply_to="<1@x>")).dialog_id == first
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoMergeDialogs(merge_id=merge_id))
    assert refused.value.what == "undone"


async def test_what_was_written_since_stays_with_the_survivor(home: House) -> None:
    one, two = await wrote(home, "1", text="a"), await wrote(home, "2", text="b")
    first, second = one.dialog_id, two.dialog_id
    await home.user.do(MarkRead(dialog_id=first, message_id=one.message_id))
    merge_id = await merged(home, first, second)
    since = await wrote(home, "3", text="c", in_reply_to="<2@x>")
    assert since.dialog_id == first
    await home.user.do(MarkRead(dialog_id=first, message_id=two.message_id))
    await home.user.do(UndoMergeDialogs(merge_id=merge_id))
    assert (await texts(home, first), await texts(home, second)) == (["a", "c"], ["b"])
    # He has read the first two, in one dialog: the third is new to him, and stays so.
    assert [(await home.user.dialog(each)).unread for each in (first, second)] == [1, 0]
    told = [each for each in await facts(home, first) if each.type == "dialog.unmerged"]
    assert [(each.data["restored_id"], each.data["stayed"]) for each in told] == [(second, 1)]
    # A later answer is still told apart by what it answers.
    assert (await wrote(home, "4", in_reply_to="<3@x>")).dialog_id == first
    assert (await wrote(home, "5", in_reply_to="<2@x>")).dialog_id == second
    assert [(await home.user.dialog(each)).unread for each in (first, second)] == [2, 1]


async def facts(home: House, dialog_id: DialogId) -> Any:
    return (await home.user.thread(dialog_id)).history


async def test_states_come_back_and_so_does_who_waits(home: House) -> None:
    anna = (await home.receive(message("1", "anna")))[0]
    boris = (await home.receive(message("2", "boris")))[0]
    later = home.world.now() + 3_600_000_000
    await home.user.do(
        SetDialogStatus(dialog_id=anna.dialog_id, status="closed"),
        SnoozeDialog(dialog_id=boris.dialog_id, until=later),
    )
    before = [row(home, one.dialog_id) for one in (anna, boris)]
    merge_id = await merged(home, anna.dialog_id, boris.dialog_id)
    assert row(home, boris.dialog_id)["is_open"] is False
    await home.user.do(UndoMergeDialogs(merge_id=merge_id))
    assert [row(home, one.dialog_id) for one in (anna, boris)] == before
    # One open dialog for each person: the next words find it.
    assert (await home.receive(message("3", "boris")))[0].dialog_id == boris.dialog_id


async def test_a_dialog_whose_chat_goes_on_elsewhere_comes_back_closed(home: House) -> None:
    old = (await home.receive(message("1", "anna")))[0].dialog_id
    last = (await home.receive(message("2", "anna", text="now")))[0]
    (new,) = await home.user.do(SplitDialog(dialog_id=old, message_id=last.message_id))
    merge_id = await merged(home, old, new)
    # The chat goes on in what survived, so the other one cannot be open beside it.
    assert (await home.receive(message("3", "anna", text="more")))[0].dialog_id == old
    await home.user.do(UndoMergeDialogs(merge_id=merge_id))
    back = await home.user.dialog(new)
    assert (back.status, back.merged_into) == (DialogStatus.CLOSED, 0)
    (told,) = [each for each in await facts(home, old) if each.type == "dialog.unmerged"]
    assert told.data["closed"] is True
    assert (await home.receive(message("4", "anna")))[0].dialog_id == old


async def test_a_merge_that_cannot_be_undone_says_why(home: House) -> None:
    one, two, three = [(await wrote(home, key)).dialog_id for key in "123"]
    merge_id = await merged(home, one, two)

    async def refused(why: str, what: int = merge_id) -> None:
        with pytest.raises(Conflict) as error:
            await home.user.do(UndoMergeDialogs(merge_id=what))
        assert error.value.what == why

    later = await merged(home, one, three)
    await refused("merged_since")
    await home.user.do(UndoMergeDialogs(merge_id=later))
    onward = await merged(home, three, one)
    await refused("merged_again")
    await home.user.do(UndoMergeDialogs(merge_id=onward))
    part = (await home.user.thread(one)).messages[-1]
    (apart,) = await home.user.do(SplitDialog(dialog_id=one, message_id=part.id))
    await refused("split")
    # Merged by hand again, it is the newer merge that is undone.
    await merged(home, one, apart)
    await refused("merged_since")
    four = (await wrote(home, "4", sender="eve@example.com")).dialog_id
    last = await merged(home, one, four)
    await home.user.do(EraseContact(contact_id=(await home.user.dialog(one)).contact_id))
    await refused("erased", last)
    assert not [each for each in rows(home, select(merges.c.kept)) if each.kept]
    with pytest.raises(NotFound):
        await home.user.do(UndoMergeDialogs(merge_id=77))


async def test_people_whose_dialogs_were_merged_are_two_again_after_their_dialogs(
    home: House,
) -> None:
    anna, other = [(await home.receive(message(n, n)))[0] for n in "12"]
    people = MergeContacts(survivor_id=anna.contact_id, merged_id=other.contact_id)
    (one,) = await home.user.do(people)
    talks = await merged(home, anna.dialog_id, other.dialog_id)
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoMerge(merge_id=one))
    assert refused.value.what == "dialogs_merged"
    await home.user.do(UndoMergeDialogs(merge_id=talks), UndoMerge(merge_id=one))
    for given in (anna, other):
        thread = await home.user.thread(given.dialog_id)
        assert thread.dialog.contact_id == given.contact_id
        assert [each.id for each in thread.messages] == [given.message_id]
    assert (await home.receive(message("3", "2")))[0].dialog_id == other.dialog_id


async def test_a_dialog_that_went_to_another_person_meanwhile_gives_back_whose_is_whose(
    home: House,
) -> None:
    anna, other = [(await home.receive(message(n, n)))[0] for n in "12"]
    merge_id = await merged(home, anna.dialog_id, other.dialog_id)
    (third,) = await home.user.do(CreateContact(name="Olga"))
    await home.user.do(LinkContact(dialog_id=anna.dialog_id, contact_id=third))
    await home.user.do(UndoMergeDialogs(merge_id=merge_id))
    whose = select(messages.c["dialog_id", "contact_id"])
    assert dict(map(tuple, rows(home, whose))) == {
        anna.dialog_id: third,
        other.dialog_id: other.contact_id,
    }


async def test_two_who_undo_at_once_undo_it_once(home: House) -> None:
    one, two = [(await wrote(home, key)).dialog_id for key in "12"]
    merge_id = await merged(home, one, two)
    undo = UndoMergeDialogs(merge_id=merge_id)
    given = await asyncio.gather(*(home.user.do(undo) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in given) == ["Conflict"] * 3 + ["list"]


async def test_who_sees_one_of_the_dialogs_only_undoes_nothing(home: House) -> None:
    narrow = SaveRole(name="narrow", based_on="agent", scopes={"dialogs": Scope.OWN})
    await home.user.do(narrow)
    ivan = CreateUser(email="ivan@example.com", name="Ivan", role="narrow")
    ivan_id = (await home.user.do(ivan))[0]
    one, two = [(await wrote(home, key)).dialog_id for key in "12"]
    await home.user.do(AssignDialog(dialog_id=one, user_id=ivan_id))
    merge_id = await merged(home, one, two)
    his = home.system.as_user(ivan_id)
    assert (await his.dialog(one)).id == one
    assert await his.read(merges_of, one) == []
    with pytest.raises(NotFound):
        await his.do(UndoMergeDialogs(merge_id=merge_id))


async def test_answers_find_the_end_of_a_chain_of_merges(home: House) -> None:
    one, two, three = [(await home.receive(message(n, n)))[0].dialog_id for n in "123"]
    await merged(home, two, one)
    await merged(home, three, two)
    assert (await home.receive(message("4", "1")))[0].dialog_id == three
    await home.user.do(SetDialogStatus(dialog_id=three, status="closed"))
    assert (await home.receive(message("5", "1")))[0].dialog_id == three


async def test_what_a_split_leaves_behind_is_not_taken_for_read(home: House) -> None:
    given = [await wrote(home, str(n), in_reply_to="<0@x>" if n else "") for n in range(3)]
    talk = given[0].dialog_id
    await home.user.do(MarkRead(dialog_id=talk, message_id=given[2].message_id))
    await home.user.do(SplitDialog(dialog_id=talk, message_id=given[1].message_id))
    await wrote(home, "9", in_reply_to="<0@x>")
    assert (await home.user.dialog(talk)).unread == 1
