"""Imports: columns and values, duplicates, batches that are done once, and taking it all back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import event, func, select

from crm_store import imports as store
from crm_store import objects
from crm_store.history import changes_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.tables.imports import import_rows
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses, contacts
from hub import (
    Address,
    BlockAddress,
    CancelImport,
    ChangeClient,
    Conflict,
    CreateClient,
    CreateObject,
    CreateUser,
    Import,
    ImportFields,
    ImportId,
    ImportRow,
    Invalid,
    ManyContent,
    MergeClients,
    NotAllowed,
    RemoveObject,
    SetUpImport,
    StartImport,
    TryMany,
    UserId,
)
from hub.commands import WriteImportRows
from hub.importing import upload, work
from tests.houses import House, house, letter

CLIENT, LEAD = NOUNS["client"], NOUNS["lead"]
HEAD = "Название;Телефон;Почта;ИНН;Метки\n"


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def given(
    home: House, folder: Path, text: str, kind: str = "client", **more: Any
) -> ImportId:
    path = folder / "file.csv"
    path.write_bytes(text.encode(more.pop("encoding", "utf-8")))
    import_id = await upload(home.user, kind, "file.csv", path)
    if more:
        one = await state(home, import_id)
        values = {"columns": one.fields.columns, "keys": one.fields.keys, **more}
        await home.user.do(SetUpImport(import_id=import_id, fields=ImportFields(**values)))
    return import_id


async def state(home: House, import_id: ImportId) -> Import:
    return await home.user.read(store.one_import, import_id)


async def started(home: House, import_id: ImportId, what: str = "run") -> Import:
    await home.user.do(StartImport(import_id=import_id, what=what))
    await work(home.system, import_id)
    return await state(home, import_id)


async def clients(home: House, **query: Any) -> list[Any]:
    page = await home.user.read(objects.page, CLIENT, ObjectQuery(limit=200, **query))
    return list(page.items)


async def test_a_file_becomes_clients_and_their_people(home: House, tmp_path: Path) -> None:
    """Cyrillic of Windows, semicolons, quotes; later mail finds the person that was imported."""
    rows = '"Лодки; ""Онега""";8 912 000-00-01;Anna@Example.com;7701;"опт, вип"\n;;;\nПлохая;1;не почта;;\n'
    import_id = await given(home, tmp_path, HEAD + rows, encoding="cp1251")
    one = await state(home, import_id)
    assert one.form == {"format": "csv", "encoding": "cp1251", "delimiter": ";"}
    assert one.fields.columns == ("name", "phone", "email", "inn", "tags")
    assert (one.fields.keys, one.fields.policy) == (("inn", "email", "phone"), "skip")
    checked = await started(home, import_id, "check")
    assert checked.state == "checked"
    assert checked.found == {
        "created": 1, "updated": 0, "unchanged": 0, "duplicates": 0, "bad": 1
    }  # fmt: skip
    assert await clients(home) == []
    done = await started(home, import_id)
    assert (done.state, done.counts) == ("finished", checked.found)
    client = (await clients(home))[0]
    assert (client.name, client.inn, client.tags) == ('Лодки; "Онега"', "7701", ("вип", "опт"))
    assert await home.user.read(store.bad_rows, import_id) == {
        3: "email|this is not an e-mail address"
    }
    came = (await home.receive(letter("1", "anna@example.com"), letter=True))[0]
    person = await home.user.contact(came.contact_id)
    assert (person.client_id, person.name) == (client.id, client.name)


async def test_a_workbook_is_read_like_a_file(home: House, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Name", "Phone", "Birthday"],
        ["Vera", 79120000001, None],
        [None],
        ["Max", 5, None],
    ):
        sheet.append(row)
    book.save(tmp_path / "people.xlsx")
    import_id = await upload(home.user, "client", "people.xlsx", tmp_path / "people.xlsx")
    one = await state(home, import_id)
    assert (one.form, one.rows) == ({"format": "xlsx"}, 3)
    await started(home, import_id)
    assert {one.name: one.phone for one in await clients(home)} == {
        "Vera": "+79120000001",
        "Max": "5",
    }


@pytest.mark.parametrize(
    ("policy", "counts", "after"),
    [
        ("skip", (1, 0, 0, 2), {"Harbour": ("", "old"), "New": ("", "")}),
        ("fill", (1, 1, 1, 0), {"Harbour": ("Pskov", "old"), "New": ("", "")}),
        ("overwrite", (1, 1, 1, 0), {"Harbour": ("Pskov", "fair"), "New": ("", "")}),
        ("new", (3, 0, 0, 0), None),
    ],
)
async def test_what_is_there_already_is_met_as_the_policy_says(
    home: House, tmp_path: Path, policy: str, counts: tuple[int, ...], after: dict[str, Any] | None
) -> None:
    values = {"inn": "77", "source": "old"}
    await home.user.do(CreateClient(name="Harbour", organisation=True, values=values))
    text = "Name;INN;Region;Source\nHarbour;77;Pskov;fair\nHarbour;77;;\nNew;78;;\n"
    import_id = await given(home, tmp_path, text, policy=policy, keys=("inn",))
    checked = await started(home, import_id, "check")
    done = await started(home, import_id)
    names = ("created", "updated", "unchanged", "duplicates")
    assert tuple(done.counts[name] for name in names) == counts
    assert checked.found == done.counts
    if after is not None:
        assert {one.name: (one.region, one.source) for one in await clients(home)} == after
    else:
        assert len(await clients(home)) == 4


async def test_a_number_is_one_however_it_is_written(home: House, tmp_path: Path) -> None:
    await home.user.do(CreateClient(name="Vera", values={"phone": "8 (912) 000-00-01"}))
    await home.user.do(CreateClient(name="Max", values={"phone": "+79120000002"}))
    text = "Name;Phone\nA;+7 912 000-00-01\nB;8(912)0000002\nC;+7 912 000-00-03\nD;89120000003\n"
    import_id = await given(home, tmp_path, text)
    assert (await started(home, import_id, "check")).found["duplicates"] == 3
    assert (await started(home, import_id)).counts["duplicates"] == 3


async def test_an_import_is_taken_back_where_nobody_worked_on_it(
    home: House, tmp_path: Path
) -> None:
    old = (await home.user.do(CreateClient(name="Old", values={"inn": "1", "tags": "a"})))[0]
    worked = (await home.user.do(CreateClient(name="Worked", values={"inn": "2"})))[0]
    text = (
        "Name;INN;Region;Phone;Tags\nOld;1;Pskov;;b\nWorked;2;Pskov;;\nFresh;3;;+79120000001;\n"
        "Touched;4;;+79120000002;\nFresh;3;Onega;;\n"
    )
    import_id = await given(home, tmp_path, text, policy="overwrite", keys=("inn",))
    done = await started(home, import_id)
    assert (done.counts["created"], done.counts["updated"]) == (2, 3)
    found = {one.name: one for one in await clients(home)}
    assert set(found["Old"].tags) == {"a", "b"}
    lines = await home.user.read(changes_of, CLIENT, old)
    assert {one.field: (one.before, one.after) for one in lines} == {
        "region": ("", "Pskov"),
        "tags": (["a"], ["a", "b"]),
    }
    await home.user.do(ChangeClient(client_id=worked, values={"region": "Riga"}))
    await home.user.do(ChangeClient(client_id=found["Touched"].id, values={"notes": "called"}))
    undone = await started(home, import_id, "undo")
    assert undone.state == "undone"
    assert undone.undone == {"removed": 1, "restored": 2, "kept": 2, "contacts": 1}
    left = {one.name: one for one in await clients(home)}
    assert set(left) == {"Old", "Worked", "Touched"}
    assert (left["Old"].region, left["Old"].tags, left["Worked"].region) == ("", ("a",), "Riga")
    assert [one.name for one in await clients(home, removed=True)] == ["Fresh"]
    with pytest.raises(Conflict):
        await home.user.do(StartImport(import_id=import_id, what="undo"))


async def test_what_work_hangs_on_stays_when_an_import_is_taken_back(
    home: House, tmp_path: Path
) -> None:
    text = "Name;INN;Phone\nSold;3;+79120000001\nMet;4;+79120000002\nFresh;5;\n"
    import_id = await given(home, tmp_path, text, keys=("inn",))
    await started(home, import_id)
    found = {one.name: one for one in await clients(home)}
    deal = {"title": "Boats", "client_id": found["Sold"].id}
    await home.user.do(CreateObject(kind="interest", values=deal))
    met = {"title": "A call", "object_kind": "client", "object_id": found["Met"].id}
    await home.user.do(CreateObject(kind="task", values=met))
    undone = await started(home, import_id, "undo")
    assert (undone.undone["removed"], undone.undone["kept"]) == (1, 2)
    assert {one.name for one in await clients(home)} == {"Sold", "Met"}


async def test_a_number_of_ones_own_follows_a_merge_and_leaves_the_bin(
    home: House, tmp_path: Path
) -> None:
    async def brought(name: str) -> None:
        text = f"Name;Number\n{name};77\n"
        more = {"columns": ("name", "external_id"), "keys": ("external_id",), "policy": "overwrite"}
        await started(home, await given(home, tmp_path, text, **more))

    survivor = (await home.user.do(CreateClient(name="First")))[0]
    await brought("Second")
    [second] = [one.id for one in await clients(home) if one.name == "Second"]
    await home.user.do(MergeClients(survivor_id=survivor, merged_id=second))
    await brought("Third")
    assert [(one.id, one.name) for one in await clients(home)] == [(survivor, "Third")]
    await home.user.do(RemoveObject(kind="client", object_id=survivor))
    for name in ("Fourth", "Fifth"):
        await brought(name)
    assert [one.name for one in await clients(home)] == ["Fifth"]


async def test_a_batch_is_written_once(home: House, tmp_path: Path) -> None:
    """What a killed job repeats is refused: the cursor moved with the rows."""
    import_id = await given(home, tmp_path, "Name;Phone\nA;1\nB;2\n", policy="new", keys=())
    await home.user.do(StartImport(import_id=import_id))
    rows = (ImportRow(number=1, values={"name": "A"}),)
    batch = WriteImportRows(import_id=import_id, after=0, rows=rows, read_to=1)
    await home.user.do(batch)
    with pytest.raises(Conflict):
        await home.user.do(batch)
    await work(home.system, import_id)
    done = await state(home, import_id)
    assert (done.state, done.counts["created"], len(await clients(home))) == ("finished", 2, 2)


async def test_a_batch_asks_for_all_its_rows_at_once(home: House, tmp_path: Path) -> None:
    """As many questions for one row as for nine, there and back."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if any(name in statement for name in ("clients", "contacts", "addresses", "import_rows")):
            asked.append(statement)

    event.listen(home.system.runtime.database._writer, "before_cursor_execute", note)
    counts = []
    head = "Name;Phone;E-mail;INN\n"
    for some in (range(1, 2), range(11, 20)):
        rows = "".join(f"Firm {n};+791200000{n:02};{n}@example.com;{n}\n" for n in some)
        whole = [await given(home, tmp_path, head + rows, keys=("inn",)) for _ in range(2)]
        met = head + rows.replace("Firm", "House")
        again = await given(home, tmp_path, met, policy="overwrite", keys=("inn",))
        steps = [(whole[0], "run"), (whole[0], "undo"), (whole[1], "run")]
        for number, what in (*steps, (again, "run"), (again, "undo")):
            asked.clear()
            await started(home, number, what)
            counts.append((what, len(asked)))
    assert counts[:5] == counts[5:]


async def test_an_import_is_stopped_and_goes_on(home: House, tmp_path: Path) -> None:
    import_id = await given(home, tmp_path, "Name;Phone\nA;1\nB;2\n", policy="new", keys=())
    await home.user.do(StartImport(import_id=import_id))
    with pytest.raises(Conflict):
        await home.user.do(StartImport(import_id=import_id))
    await home.user.do(CancelImport(import_id=import_id))
    await work(home.system, import_id)
    assert (await state(home, import_id)).state == "cancelled"
    assert await clients(home) == []
    assert (await started(home, import_id)).counts["created"] == 2


async def test_columns_are_remembered_and_checked(home: House, tmp_path: Path) -> None:
    columns = ("name", "", "source")
    text = "Who;What;Where\nA;1;2\n"
    first = await given(home, tmp_path, text, columns=columns, policy="new", keys=())
    again = await state(home, await given(home, tmp_path, text))
    assert (again.fields.columns, again.fields.policy) == (columns, "new")
    for wrong in (
        {"columns": ("nonsense",)},
        {"columns": ("inn", "inn")},
        {"columns": ("name",), "keys": ("region",)},
        {"columns": ("name",), "policy": "burn"},
    ):
        with pytest.raises(Invalid):
            await home.user.do(SetUpImport(import_id=first, fields=ImportFields(**wrong)))  # type: ignore[arg-type]
    await home.user.do(SetUpImport(import_id=first, fields=ImportFields(columns=("name",))))
    with pytest.raises(Invalid):
        await home.user.do(StartImport(import_id=first))


async def test_leads_are_imported_as_leads(home: House, tmp_path: Path) -> None:
    """S1 holds for files too: nobody becomes a client by being imported as a lead."""
    text = "Имя;Телефон;Ответственный;Статус\nАнна;+79120000001;vera;\nБорис;+79120000002;Nobody;\n"
    import_id = await given(home, tmp_path, text, kind="lead")
    done = await started(home, import_id)
    assert (done.counts["created"], done.counts["bad"]) == (1, 1)
    lead = (await home.user.read(objects.page, LEAD, ObjectQuery())).items[0]
    assert (lead.title, lead.status, lead.owner_id) == ("Анна", "new", home.user.actor.id)
    assert lead.contact_id
    assert await clients(home) == []


async def test_people_are_imported_with_their_addresses(home: House, tmp_path: Path) -> None:
    """Whoever writes later is found by what the file brought, and nobody's address is taken."""
    boris = (await home.receive(letter("0", "boris@example.com"), letter=True))[0]
    # An address that a letter was tried out on is nobody's, and becomes hers.
    tried = TryMany(
        account_id=home.letter,
        to=Address(kind="email", value="anna@example.com"),
        content=ManyContent(subject="Test", text="Test"),
        advertising=False,
    )
    await home.system.do(tried)
    text = (
        "ФИО;Должность;Телефон;Почта\nАнна;Капитан;8 912 000-00-01;anna@example.com, A.K@example.com\n"
        "Борис;Боцман;;boris@example.com\nАнна П;;+79120000001;\n"
    )
    import_id = await given(home, tmp_path, text, kind="contact", policy="fill")
    one = await state(home, import_id)
    assert one.fields.columns == ("name", "position", "phone", "email")
    done = await started(home, import_id)
    assert (done.counts["created"], done.counts["bad"]) == (1, 0)
    came = (await home.receive(letter("1", "anna@example.com"), letter=True))[0]
    anna = await home.user.contact(came.contact_id)
    assert (anna.name, anna.position, {a.kind for a in anna.addresses}) == (
        "Анна",
        "Капитан",
        {"phone", "email"},
    )
    # Two addresses in one cell are both hers.
    other = (await home.receive(letter("3", "a.k@example.com"), letter=True))[0]
    assert other.contact_id == anna.id
    assert (await home.user.contact(boris.contact_id)).position == "Боцман"
    again = await given(home, tmp_path, "Name;Mail\nCarl;carl@example.com\n", kind="contact")
    await started(home, again)
    undone = await started(home, again, "undo")
    assert undone.undone["removed"] == 1
    carl = (await home.receive(letter("2", "carl@example.com", name="C"), letter=True))[0]
    assert (await home.user.contact(carl.contact_id)).name == "C"


async def test_the_journal_holds_batches_and_an_end_and_no_fact_for_each_row(
    home: House, tmp_path: Path
) -> None:
    rows = "".join(f"Name {n};+7912{n:07}\n" for n in range(450))
    import_id = await given(home, tmp_path, "Name;Phone\n" + rows)
    before = await home.runtime.database.read(_facts)
    done = await started(home, import_id)
    assert done.counts["created"] == 450
    after = await home.runtime.database.read(_facts)
    assert {name: after[name] - before.get(name, 0) for name in after} == {
        **dict.fromkeys(before, 0),
        "import.changed": 2,
        "import.batch": 3,
        "import.finished": 1,
    }
    counted = await home.runtime.database.read(
        lambda conn: conn.execute(select(func.count()).select_from(import_rows)).scalar_one()
    )
    assert counted == 450
    people = await home.runtime.database.read(
        lambda conn: conn.execute(select(func.count()).select_from(contacts)).scalar_one()
    )
    assert people == 450


def _facts(conn: Any) -> dict[str, int]:
    rows = conn.execute(select(journal.c.type, func.count()).group_by(journal.c.type))
    return {row[0]: row[1] for row in rows}


async def test_an_import_wakes_no_blocked_address(home: House, tmp_path: Path) -> None:
    """M24: importing again never raises what was refused."""
    text = "Name;Email\nAnna;anna@example.com\n"
    await started(home, await given(home, tmp_path, text))

    def address(conn: Any) -> Any:
        return conn.execute(select(addresses)).one()

    row = await home.runtime.database.read(address)
    await home.user.do(BlockAddress(address_id=row.id, reason="asked to stop"))
    await started(home, await given(home, tmp_path, text, policy="overwrite"))
    again = await home.runtime.database.read(address)
    assert (again.id, again.blocked) == (row.id, "asked to stop")


async def test_only_who_may_imports(home: House, tmp_path: Path) -> None:
    ids = await home.system.do(
        CreateUser(email="a@example.com", name="A", role="agent"),
        CreateUser(email="b@example.com", name="B", role="auditor"),
    )
    path = tmp_path / "x.csv"
    path.write_text("Name;Phone\nA;1\n")
    for one in ids:
        with pytest.raises(NotAllowed):
            await upload(home.system.as_user(UserId(one)), "client", "x.csv", path)
    assert [one for one in (tmp_path / "data" / "blobs").rglob("*") if one.is_file()] == []


async def test_a_file_of_ours_finds_its_cards_by_their_numbers(home: House, tmp_path: Path) -> None:
    one = (await home.user.do(CreateClient(name="Boats")))[0]
    import_id = await given(
        home, tmp_path, f"id,Название\n{one},Oars\n12,New\n", policy="overwrite"
    )
    assert (await state(home, import_id)).fields.keys == ("id",)
    done = await started(home, import_id)
    assert (done.counts["updated"], done.counts["created"]) == (1, 1)
    found = await home.user.read(objects.one, CLIENT, one)
    assert found.name == "Oars"
