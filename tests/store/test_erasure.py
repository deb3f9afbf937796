"""Erasing a person: planted words are gone from every table, index and file."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from crm_store import leftovers
from crm_store.api_requests import Claim, claim_keys, keep_answers
from crm_store.erasure import address_hash
from crm_store.personal import personal_data
from crm_store.tables import metadata
from crm_store.tables.dialogs import messages
from crm_store.tables.journal import journal
from crm_store.tables.people import clients
from hub import (
    AddNote,
    Address,
    Attachment,
    ChangeObject,
    ClientId,
    Conflict,
    ContactId,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    DialogId,
    EraseContact,
    LeadId,
    LinkDialog,
    MergeClients,
    MergeContacts,
    MergeDialogs,
    MergeId,
    MergeLeads,
    MergeRequests,
    Micros,
    NotFound,
    PropertyType,
    Quarantine,
    RequestId,
    SaveDraft,
    SaveField,
    SendMessage,
    SetSubject,
    StartImport,
    UndoMerge,
    UpdateContact,
)
from hub.export import export_person
from hub.importing import upload, work
from hub.upkeep import Upkeep
from plugins import contracts
from tests.houses import US, House, house, letter

HOUR = 3600 * US
WORD = "xylophonequartz"
PARTS = ["xyl", "ylo", "rtz"]
"""Three-letter parts of it that nothing else in this house has."""


async def test_nothing_of_an_erased_person_is_left(tmp_path: Path, database_url: str) -> None:
    async with house(tmp_path, database_url) as home:
        file = Attachment(name=f"{WORD}.txt", media_type="text/plain", content=WORD.encode())
        arrival = letter(
            "k1",
            f"{WORD}@example.com",
            name=WORD,
            text=f"text {WORD}",
            full_text=f"full {WORD}",
            html=f"<b>{WORD}</b>",
            subject=f"subject {WORD}",
            external_id=f"<{WORD}@x>",
            references=(f"<{WORD}2@x>",),
            headers={"x": WORD},
            raw=WORD.encode() * 2000,
            profile={"page_url": WORD},
            attachments=(file,),
            cc=(Address(kind="email", value=f"cc{WORD}@example.com"),),
        )
        given = (await home.receive(arrival, letter=True))[0]
        await home.user.do(
            SendMessage(dialog_id=given.dialog_id, text=f"answer {WORD}"),
            AddNote(dialog_id=given.dialog_id, text=f"note {WORD}"),
            SaveDraft(dialog_id=given.dialog_id, text=f"draft {WORD}"),
            SetSubject(dialog_id=given.dialog_id, subject=f"about {WORD}"),
            UpdateContact(contact_id=given.contact_id, notes=WORD, position=WORD),
        )
        assert _places(home.runtime.database, tmp_path), "the words were never planted"
        await home.user.do(EraseContact(contact_id=given.contact_id))
        assert _places(home.runtime.database, tmp_path) == []
        # The same letter again is recognised and stays out.
        again = (await home.receive(arrival, letter=True))[0]
        assert not again.new


async def test_words_are_gone_from_cards_fields_imports_and_raw_input(
    tmp_path: Path, database_url: str
) -> None:
    """Planted in every place that a person can have; every table, index and file is searched."""
    async with house(tmp_path, database_url) as home:
        await home.user.do(
            *(
                SaveField(
                    kind=kind, label="Secret", type=type, name=f"secret_{type}", personal=True
                )
                for kind in ("client", "lead", "contact")
                for type in ("line", "text")
            )
        )
        mail = f"{WORD}@example.com"
        given = (await home.receive(letter("k1", mail, name=WORD, text=WORD), letter=True))[0]
        custom = {"secret_line": WORD, "secret_text": f"about {WORD}"}
        lead = {"title": WORD, "email": mail, "custom": custom, "tags": [WORD], "message": WORD}
        made = await home.user.do(
            CreateLead(values=lead, dialog_id=given.dialog_id),
            CreateClient(name=WORD, contact_id=given.contact_id, values={"custom": custom}),
            UpdateContact(contact_id=given.contact_id, notes=WORD),
            ChangeObject(
                kind="contact", object_id=given.contact_id, values={"custom": {"secret_line": WORD}}
            ),
            CreateObject(kind="task", values={"title": f"call {WORD}"}, dialog_id=given.dialog_id),
            CreateObject(
                kind="request", values={"title": f"mend {WORD}"}, dialog_id=given.dialog_id
            ),
            CreateObject(
                kind="interest", values={"title": f"sell {WORD}"}, dialog_id=given.dialog_id
            ),
            CreateObject(
                kind="meeting",
                values={"title": f"see {WORD}", "contact_id": given.contact_id, "at": 1},
            ),
        )
        assert made
        unread = Quarantine(
            account_id=home.letter, raw=f"From: {mail}".encode(), error="unreadable"
        )
        await home.system.do(unread)
        # One file was imported, the other only uploaded; a third is nobody's.
        rows = f"Имя;Почта;Код;Регион\n{WORD};{mail};7;{WORD}\n"
        for n, text in enumerate((rows, rows, "Name;Mail\nBob;bob@example.com\n")):
            path = tmp_path / f"{n}.csv"
            path.write_text(text)
            import_id = await upload(home.user, "client", path.name, path)
            if not n:
                await home.user.do(StartImport(import_id=import_id))
                await work(home.system, import_id)
        claim = Claim(user_id=home.user.actor.id, key="k", fingerprint="f")
        await home.runtime.database.write(claim_keys, claim)
        answer = f'{{"contact_id": "{given.contact_id}", "text": "{WORD}"}}'
        await home.runtime.database.write(keep_answers, (claim, 201, answer))
        before = _places(home.runtime.database, tmp_path)
        wanted = {"clients", "contacts", "custom_values", "leads", "object_tags", "quarantine"}
        wanted |= {"addresses", "api_requests", "tasks", "requests", "interests", "meetings"}
        assert wanted <= set(before), "the words were never planted"
        sqlite = home.runtime.database.dialect == "sqlite"
        assert _bytes(home) == ([WORD, *PARTS] if sqlite else [])
        export = tmp_path / "person.zip"
        await export_person(home.user, given.contact_id, export, "ru")
        with zipfile.ZipFile(export) as archive:
            kept = json.loads(archive.read("data.json"))
            assert WORD in archive.read("index.html").decode()
        assert {one["field"] for one in kept["custom"]} == {"secret_line", "secret_text"}
        report = (await home.user.do(EraseContact(contact_id=given.contact_id)))[0]
        assert (report["import_files"], report["raw_inputs"]) == (2, 1)
        assert _places(home.runtime.database, tmp_path) == []
        # Not even what the database keeps of it where it looks for nobody any more.
        await Upkeep(home.runtime).take_out_leftovers()
        assert _bytes(home) == []
        kept_files = [one for one in (tmp_path / "data" / "blobs").rglob("*") if one.is_file()]
        assert len(kept_files) == 1


async def test_words_are_gone_from_all_cards_of_a_person_and_from_what_hangs_on_them(
    tmp_path: Path, database_url: str
) -> None:
    """Every kind, one of a plugin too, on every card that was or became the person's."""
    async with house(tmp_path, database_url, plugins=(("contracts", contracts),)) as home:
        mail = letter("k1", f"{WORD}@example.com", name=WORD)
        given = (await home.receive(mail, letter=True))[0]
        people, cards = [given.contact_id], []
        for n in range(3):
            known = Address(kind="email", value=f"{n}{WORD}@example.com")
            person = CreateContact(name=WORD, addresses=(known,), values=_said(home, "contact"))
            people.append(ContactId((await home.user.do(person))[0]))
        for n, one in enumerate(people):
            said = {**_said(home, "client"), "phone": f"+7 495 000-00-0{n}"}
            card = CreateClient(name=WORD, contact_id=one, values=said)
            cards.append(ClientId((await home.user.do(card))[0]))
        hung = [await _hang(home, "contact", one) for one in people]
        hung += [await _hang(home, "client", one) for one in cards]
        hung += [await _link(home, given.dialog_id)]
        # The last but one into the second, and that into the first; the last person brings a card
        # of his own, which nobody merges.
        merged = [
            (await home.user.do(one))[0]
            for one in (
                MergeContacts(survivor_id=people[1], merged_id=people[2]),
                MergeContacts(survivor_id=people[0], merged_id=people[1]),
                MergeContacts(survivor_id=people[0], merged_id=people[3]),
                MergeClients(survivor_id=cards[1], merged_id=cards[2]),
                MergeClients(survivor_id=cards[0], merged_id=cards[1]),
            )
        ]
        # Somebody else, and an organisation, stay as they are.
        firm, bob = await home.user.do(
            CreateClient(name="Boats", organisation=True), CreateContact(name="Bob")
        )
        stays = await home.user.do(
            CreateObject(kind="request", values={"title": "a keel", "contact_id": bob}),
            CreateObject(kind="interest", values={"title": "a mast", "client_id": firm}),
        )
        # Two files name him by what only a merged card or a client's had, the third is Bob's.
        for n, known in enumerate((f"1{WORD}@example.com", "8 495 0000002", "8 495 0000009")):
            path = tmp_path / f"{n}.csv"
            path.write_text(f"Name;Known\nx;{known}\n")
            await upload(home.user, "client", path.name, path)
        tables = {one.table.name for one in home.runtime.nouns.values()}
        assert tables | {"merges"} <= set(_places(home.runtime.database, tmp_path))
        export, _ = await home.user.read(personal_data, people[2])
        told = {path: len(export[path]) for path in sum(hung, Counter())}
        assert told == sum(hung, Counter())
        assert (len(export["merged"]), len(export["client"])) == (3, 4)
        report = (await home.user.do(EraseContact(contact_id=people[2])))[0]
        assert {path: report[path] for path in told} == told
        assert report["import_files"] == 2
        assert _places(home.runtime.database, tmp_path) == []
        for merge_id in merged:
            with pytest.raises(Conflict):
                await home.user.do(UndoMerge(merge_id=MergeId(merge_id)))
        titles = [
            (await home.user.get(kind, one)).title
            for kind, one in zip(("request", "interest"), stays, strict=True)
        ]
        assert titles == ["a keel", "a mast"]


async def test_his_own_card_goes_with_him_where_it_was_merged_into_an_organisations(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        anna, bob = await home.user.do(CreateContact(name=WORD), CreateContact(name="Bob"))
        notes = {"notes": "builds boats"}
        firm, card, other = await home.user.do(
            CreateClient(name="Boats", organisation=True, values=notes),
            CreateClient(name=WORD, contact_id=anna, values={"notes": WORD}),
            CreateClient(name="Bob's", contact_id=bob),
        )
        merge_id, _ = await home.user.do(
            MergeClients(survivor_id=firm, merged_id=card),
            MergeClients(survivor_id=firm, merged_id=other),
        )
        report = (await home.user.do(EraseContact(contact_id=anna)))[0]
        assert report["clients"] == 1
        assert _places(home.runtime.database, tmp_path) == []
        with pytest.raises(Conflict):
            await home.user.do(UndoMerge(merge_id=merge_id))
        names = select(clients.c.name)
        kept = home.runtime.database.read_now(lambda conn: conn.execute(names).scalars().all())
        assert sorted(kept) == ["", "Boats", "Bob's"]


def _said(home: House, kind: str) -> dict[str, object]:
    """Give a word for everything personal of a kind that takes words, and what else it needs."""
    return {
        one.name: WORD if one.personal else "A-1"
        for one in home.runtime.nouns[kind].kind.properties
        if one.editable
        and (one.personal or one.required)
        and one.type in (PropertyType.LINE, PropertyType.TEXT)
        and (kind, one.name) not in (("client", "name"), ("contact", "name"))
    }


async def _hang(home: House, card: str, number: int) -> Counter[str]:
    """Let an object of every kind that can do so name a card; gives how many of which."""
    hung: Counter[str] = Counter()
    for name, noun in home.runtime.nouns.items():
        columns = {one.name for one in noun.kind.properties if one.editable}
        if name in ("client", "contact"):
            continue
        if f"{card}_id" in columns:
            on: dict[str, object] = {f"{card}_id": number}
        elif "object_kind" in columns:
            on = {"object_kind": card, "object_id": number}
        else:
            continue
        await home.user.do(CreateObject(kind=name, values={**_said(home, name), **on}))
        hung[noun.kind.path] += 1
    return hung


async def _link(home: House, dialog_id: DialogId) -> Counter[str]:
    """Let an object of every kind be linked to a dialog and name nobody, a task be about each, and
    another be merged into it where that is done; gives how many of which."""
    hung: Counter[str] = Counter()

    async def plant(kind: str, **on: object) -> int:
        values = {**_said(home, kind), **on}
        hung[home.runtime.nouns[kind].kind.path] += 1
        return int((await home.user.do(CreateObject(kind=kind, values=values)))[0])

    for name in set(home.runtime.nouns) - {"client", "contact"}:
        one = await plant(name)
        await home.user.do(LinkDialog(kind=name, object_id=one, dialog_id=dialog_id))
        await plant("task", object_kind=name, object_id=one)
        if name == "lead":
            other = LeadId(await plant(name))
            await home.user.do(MergeLeads(survivor_id=LeadId(one), merged_id=other))
        elif name == "request":
            put = RequestId(await plant(name))
            await home.user.do(MergeRequests(request_id=put, into_id=RequestId(one)))
    return hung


async def test_words_are_gone_from_others_dialogs_too(tmp_path: Path, database_url: str) -> None:
    async with house(tmp_path, database_url) as home:
        eve = f"{WORD}@example.com"
        copy = (Address(kind="email", value=eve),)
        first, merged = await home.receive(
            letter("k1", text="ours", external_id="<k1@x>", cc=copy),
            letter("k2", eve, text=f"{WORD} merged"),
            letter=True,
        )
        reply = {"in_reply_to": "<k1@x>", "references": ("<k1@x>",)}
        [joined] = await home.receive(letter("k3", eve, text=f"{WORD} too", **reply), letter=True)
        assert joined.dialog_id == first.dialog_id
        await home.user.do(MergeDialogs(survivor_id=first.dialog_id, merged_id=merged.dialog_id))
        await home.user.do(EraseContact(contact_id=merged.contact_id))
        assert _places(home.runtime.database, tmp_path) == []
        assert len(_kept(home, "ours")) == 1


async def test_what_an_erased_person_wrote_before_stays_out_and_what_comes_later_is_new(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        sent_at = Micros(home.world.now() - 2 * HOUR)
        old = letter("k1", "eve@example.com", text="old words", sent_at=sent_at)
        given = (await home.receive(old, letter=True))[0]
        await home.user.do(EraseContact(contact_id=given.contact_id))
        home.world.offset_us += 3 * HOUR
        # The mailbox is read anew, and its letters come under keys that were never seen; another
        # account over the same mailbox has never seen any.
        again = replace(old, dedupe_key="another-key")
        for is_letter in (True, False):
            read = (await home.receive(again, letter=is_letter))[0]
            assert (read.new, read.message_id, read.dialog_id) == (False, 0, 0)
        # Once more, by the key that was kept.
        assert not (await home.receive(again, letter=True))[0].new
        assert _kept(home, "old words") == []
        assert _facts(home, "arrival.refused") == 2
        # The same person writes: now, by a provider that tells no time, and again.
        fresh = letter("k2", "eve@example.com", text="new words", sent_at=home.world.now())
        timeless = letter("k3", "eve@example.com", text="timeless words")
        received = await home.receive(fresh, timeless, letter=True)
        assert [one.new for one in received] == [True, True]
        assert received[0].contact_id != given.contact_id
        # Being known anew opens no door to what was erased; others' old letters are let in.
        assert not (await home.receive(replace(old, dedupe_key="third"), letter=True))[0].new
        other = letter("k4", "bob@example.com", text="old too", sent_at=sent_at)
        assert (await home.receive(other, letter=True))[0].new


async def test_an_erasure_is_repeated_on_a_store_that_never_knew_the_person(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        erased_at = Micros(home.world.now() - HOUR)
        await home.user.do(
            EraseContact(
                contact_id=ContactId(77),
                erased_at=erased_at,
                address_hashes=(address_hash("email", "eve@example.com"),),
            )
        )
        before = letter("k1", "eve@example.com", sent_at=Micros(erased_at - HOUR))
        after = letter("k2", "eve@example.com", sent_at=Micros(erased_at + HOUR // 2))
        given = await home.receive(before, after, letter=True)
        assert [one.new for one in given] == [False, True]
        with pytest.raises(NotFound):
            await home.user.do(EraseContact(contact_id=ContactId(78)))


def _kept(home: House, words: str) -> list[object]:
    query = select(messages.c.id).where(messages.c.text == words)
    return list(home.runtime.database.read_now(lambda conn: conn.execute(query).scalars().all()))


def _facts(home: House, kind: str) -> int:
    query = select(func.count()).where(journal.c.type == kind)
    return int(home.runtime.database.read_now(lambda conn: conn.execute(query).scalar_one()))


def _places(database: object, folder: Path) -> list[str]:
    found = []
    with database.connect() as conn:  # type: ignore[attr-defined]
        plugins = [one.table for one in database.nouns.values() if one.plugin]  # type: ignore[attr-defined]
        for table in (*metadata.sorted_tables, *plugins):
            rows = conn.execute(table.select()).all()
            found += [table.name for row in rows if WORD in repr(tuple(row))]
        if conn.dialect.name == "sqlite":
            names = conn.execute(
                text("SELECT name FROM sqlite_master WHERE name LIKE '%terms%'")
            ).scalars()
            for name in list(names):
                rows = conn.execute(text(f"SELECT * FROM {name}")).all()
                found += [name for row in rows if WORD in repr(tuple(row))]
    files = [one for one in (folder / "data" / "blobs").rglob("*") if one.is_file()]
    found += [one.name for one in files if WORD.encode() in one.read_bytes()]
    return sorted(set(found))


def _bytes(home: House) -> list[str]:
    """Give whether the word stands anywhere in the bytes of SQLite's file, and which parts of it in
    those of the indexes of parts (elsewhere random bytes would spell such a part now and then)."""
    with home.runtime.database.connect() as conn:
        if conn.dialect.name != "sqlite":
            return []
        file = conn.execute(text("PRAGMA database_list")).one()[2]
        kept = b"".join(
            block
            for index in leftovers.INDEXES
            for block in conn.execute(text(f"SELECT block FROM {index}_data")).scalars()
        )
    beside = sqlite3.connect(file)
    beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    beside.close()
    found = [WORD] if WORD.encode() in Path(file).read_bytes() else []
    return found + [one for one in PARTS if one.encode() in kept]
