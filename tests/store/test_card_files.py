"""Files of cards: taken once, read by who sees the card, gone when nothing holds them any more."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from crm_store import attachments as attachment_reads
from crm_store import import_fields, objects
from crm_store.attachments import UPLOADED_US
from crm_store.blobs import SWEEP_AFTER_SECONDS
from crm_store.history import changes_of
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from crm_store.personal import personal_data
from crm_store.tables.dialogs import attachments, blobs
from hub import (
    AddNote,
    Attachment,
    AttachmentId,
    ChangeClient,
    ChangeObject,
    ClientId,
    CreateClient,
    CreateUser,
    DialogId,
    EraseContact,
    Invalid,
    MergeClients,
    MergeId,
    NotAllowed,
    NotFound,
    SaveField,
    SaveRole,
    Scope,
    UndoMerge,
    UserId,
    importing,
)
from hub.list_words import FOR_PROGRAMS
from hub.upkeep import Upkeep
from tests.houses import House, house, message

CLIENT = NOUNS["client"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        await one.user.do(SaveField(kind="client", label="Contract", type="file"))
        yield one


async def put_up(home: House, name: str = "a.txt", user: Any = None) -> AttachmentId:
    file = Attachment(name=name, media_type="text/plain", content=name.encode(), size=1)
    sent: AttachmentId = await (user or home.user).upload(file, DialogId(0))
    return sent


async def made(home: House, name: str, **custom: object) -> ClientId:
    return ClientId((await home.user.do(CreateClient(name=name, values={"custom": custom})))[0])


async def held(home: House, client_id: ClientId) -> Any:
    card = await home.user.read(objects.one, CLIENT, client_id)
    return card.custom.plain()["contract"]


async def set_to(home: House, client_id: ClientId, value: object) -> None:
    await home.user.do(ChangeClient(client_id=client_id, values={"custom": {"contract": value}}))


async def kept(home: House) -> tuple[int, int, int]:
    """Count the rows of files, those of bytes, and the bytes on the disk."""
    rows = await home.runtime.database.read(
        lambda conn: tuple(len(conn.execute(one.select()).all()) for one in (attachments, blobs))
    )
    folder = home.runtime.settings.data / "blobs"
    return (*rows, len([one for one in folder.rglob("*") if one.is_file()]))


async def test_a_card_takes_a_file_and_lets_go_of_it(home: House) -> None:
    first = await put_up(home, "=a.txt")
    anna = await made(home, "Anna", contract=str(first))
    boris = await made(home, "Boris")
    told = {"id": str(first), "name": "=a.txt", "size": 6, "media_type": "text/plain"}
    assert await held(home, anna) == told
    assert (await home.user.file(first)).content == b"=a.txt"
    # What is read may be written again.
    await set_to(home, anna, told)
    card = await home.user.read(objects.one, CLIENT, anna)
    assert card.version == 1
    noun = await home.user.read(lambda reader: import_fields.whole_noun(reader, "client"))
    assert FOR_PROGRAMS.cell(noun.kind.property("custom.contract"), card, {}) == "'=a.txt"
    assert "custom.contract" in import_fields.targets(noun.kind)
    for operator, name in (("empty", "Boris"), ("not_empty", "Anna")):
        tree = {"field": "client.custom.contract", "operator": operator}
        page = await home.user.read(objects.page, CLIENT, ObjectQuery(filter=tree))
        assert [one.name for one in page.items] == [name]
    tree = {"field": "client.custom.contract", "operator": "equals", "value": str(first)}
    with pytest.raises(Invalid):
        await home.user.read(objects.page, CLIENT, ObjectQuery(filter=tree))
    await set_to(home, anna, str(await put_up(home, "b.txt")))
    with pytest.raises(NotFound):
        await home.user.file(first)
    assert await kept(home) == (1, 1, 1)
    await set_to(home, anna, None)
    assert await kept(home) == (0, 0, 0)
    lines = await home.user.read(changes_of, CLIENT, anna)
    assert [(one.before, one.after) for one in lines] == [("b.txt", ""), ("=a.txt", "b.txt")]
    assert await held(home, boris) is None


async def test_nothing_takes_what_another_has(home: House) -> None:
    came = (await home.receive(message("1")))[0]
    agent = (await home.system.do(CreateUser(email="a@a.example", name="A", role="supervisor")))[0]
    theirs = await put_up(home, user=home.system.as_user(UserId(agent)))
    mine = await put_up(home)
    anna, boris = await made(home, "Anna", contract=str(mine)), await made(home, "Boris")
    said = await put_up(home)
    await home.user.do(AddNote(dialog_id=came.dialog_id, text="x", attachments=(said,)))
    for one in (theirs, mine, said, 1 << 60):
        with pytest.raises(Invalid):
            await set_to(home, boris, str(one))
    for who in (home.user, home.system):
        with pytest.raises(Invalid):
            await who.do(AddNote(dialog_id=came.dialog_id, text="x", attachments=(mine,)))
    assert (await held(home, anna))["id"] == str(mine)
    assert await held(home, boris) is None


async def test_a_file_is_read_by_who_sees_its_card(home: House) -> None:
    rights = frozenset({"contacts.view", "dialogs.view"})
    await home.user.do(
        SaveRole(
            name="narrow", based_on="agent", permissions=rights, scopes={"contacts": Scope.OWN}
        )
    )
    made_users = await home.user.do(
        *(CreateUser(email=f"{one}@a.example", name=one, role="narrow") for one in "io")
    )
    me, other = map(UserId, made_users)
    file = await put_up(home)
    anna = await made(home, "Anna", contract=str(file))
    for owner, seen in ((me, True), (other, False)):
        change = ChangeObject(kind="client", object_id=anna, values={"owner_id": str(owner)})
        await home.user.do(change)
        reading = home.system.as_user(me).read(attachment_reads.attachment, file)
        if seen:
            assert (await reading)[0].name == "a.txt"
        else:
            with pytest.raises(NotFound):
                await reading


async def test_who_changes_cards_brings_files_for_them_without_writing_notes(home: House) -> None:
    rights = frozenset({"contacts.view", "contacts.edit"})
    await home.user.do(SaveRole(name="keeper", based_on="agent", permissions=rights))
    created = CreateUser(email="k@a.example", name="K", role="keeper")
    me = home.system.as_user(UserId((await home.user.do(created))[0]))
    file = Attachment(name="a.txt", media_type="text/plain", content=b"a", size=1)
    for kind, error in (("", NotAllowed), ("lead", NotAllowed), ("boat", NotFound)):
        with pytest.raises(error):
            await me.upload(file, DialogId(0), kind)
    assert await kept(home) == (0, 0, 0)
    mine = await me.upload(file, DialogId(0), "client")
    values = {"custom": {"contract": str(mine)}}
    anna = ClientId((await me.do(CreateClient(name="Anna", values=values)))[0])
    assert (await held(home, anna))["name"] == "a.txt"


async def test_a_merge_takes_files_and_gives_them_back(home: House) -> None:
    mine, theirs = await put_up(home, "mine"), await put_up(home, "theirs")
    anna, ann = await made(home, "A", contract=str(mine)), await made(home, "B", contract=theirs)

    async def merged(*take: str) -> MergeId:
        command = MergeClients(survivor_id=anna, merged_id=ann, take=take)
        return MergeId((await home.user.do(command))[0])

    first = await merged("custom.contract")
    assert (await held(home, anna))["name"] == "theirs"
    await home.user.do(UndoMerge(merge_id=first))
    assert [(await held(home, one))["name"] for one in (anna, ann)] == ["mine", "theirs"]
    assert await kept(home) == (2, 2, 2)
    second = await merged("custom.contract")
    await set_to(home, anna, "")
    await home.user.do(UndoMerge(merge_id=second))
    # Nobody would get the first one back any more: its card was emptied since.
    assert await held(home, anna) is None
    assert (await held(home, ann))["name"] == "theirs"
    assert await kept(home) == (1, 1, 1)


async def test_an_erased_person_leaves_no_file(home: House) -> None:
    await home.user.do(SaveField(kind="contact", label="Passport", type="file", personal=True))
    came = (await home.receive(message("1")))[0]
    file = await put_up(home)
    values = {"custom": {"passport": str(file)}}
    await home.user.do(ChangeObject(kind="contact", object_id=came.contact_id, values=values))
    _, files = await home.user.read(personal_data, came.contact_id)
    assert [one.name for one in files] == ["a.txt"]
    await home.user.do(EraseContact(contact_id=came.contact_id))
    assert await kept(home) == (0, 0, 0)


async def test_an_upload_that_nothing_takes_is_forgotten_after_a_day(home: House) -> None:
    kept = await put_up(home, "card.txt")
    client = await made(home, "Boats", contract=kept)
    talk = (await home.receive(message("1", "anna")))[0].dialog_id
    sent = await put_up(home, "note.txt")
    await home.user.do(AddNote(dialog_id=talk, text="See", attachments=(sent,)))
    left = await put_up(home, "left.txt")
    upkeep = Upkeep(home.runtime)
    upkeep._forget()
    assert await named(home) == {kept, sent, left}
    home.world.offset_us += UPLOADED_US + 1
    upkeep._forget()
    assert await named(home) == {kept, sent}
    bytes_of = {one.blob_id for one in rows(home, select(attachments))}
    assert {one.id for one in rows(home, select(blobs))} == bytes_of
    assert await held(home, client)


async def test_only_what_was_refused_loses_its_bytes_at_once(home: House, tmp_path: Path) -> None:
    folder = home.runtime.settings.data / "blobs"

    def lying() -> list[Path]:
        return [one for one in folder.rglob("*") if one.is_file()]

    file = Attachment(name="a.txt", media_type="text/plain", content=b"a", size=1)
    table = tmp_path / "people.csv"
    table.write_text("Name\nAnna\n")
    with pytest.raises(NotFound):
        await home.user.upload(file, DialogId(7))
    assert lying() == []
    # A statement that fails stands for a database that dies: what it wrote nobody can say.
    with home.runtime.database.administer() as conn:
        conn.execute(text("ALTER TABLE blobs RENAME TO away"))
    for call in (
        home.user.upload(file, DialogId(0)),
        home.system.keep_file(b"b"),
        importing.upload(home.user, "client", "people.csv", table),
    ):
        with pytest.raises(DBAPIError):
            await call
    with home.runtime.database.administer() as conn:
        conn.execute(text("ALTER TABLE away RENAME TO blobs"))
    upkeep = Upkeep(home.runtime)
    assert home.runtime.blobs.sweep(upkeep._known) == 0
    assert len(lying()) == 3
    sent = await put_up(home, "named.txt")
    for one in lying():
        os.utime(one, (0, time.time() - SWEEP_AFTER_SECONDS - 60))
    assert home.runtime.blobs.sweep(upkeep._known) == 3
    assert (await home.user.file(sent)).content == b"named.txt"


async def named(home: House) -> set[int]:
    return {one.id for one in rows(home, select(attachments))}


def rows(home: House, statement: Any) -> list[Any]:
    return list(home.runtime.database.read_now(lambda conn: conn.execute(statement).all()))
