"""Imports that bring files: a ZIP with a table whose cells name them, what they replace, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import func, select

from crm_store import imports as store
from crm_store import objects
from crm_store.history import changes_of
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from crm_store.tables.dialogs import attachments
from hub import (
    Attachment,
    CreateClient,
    DialogId,
    Import,
    ImportFields,
    ImportId,
    RemoveImport,
    SaveField,
    SetUpImport,
    StartImport,
)
from hub.importing import upload, work
from tests.houses import House, house

CLIENT = NOUNS["client"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        await one.user.do(SaveField(kind="client", label="Contract", type="file"))
        yield one


async def given(
    home: House, folder: Path, files: dict[str, str], policy: str = "skip", name: str = "a.zip"
) -> ImportId:
    path = folder / name
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
    import_id = await upload(home.user, "client", name, path)
    one = await state(home, import_id)
    fields = ImportFields(columns=one.fields.columns, keys=("inn",), policy=policy)
    await home.user.do(SetUpImport(import_id=import_id, fields=fields))
    return import_id


async def state(home: House, import_id: ImportId) -> Import:
    return await home.user.read(store.one_import, import_id)


async def started(home: House, import_id: ImportId, what: str = "run") -> Import:
    await home.user.do(StartImport(import_id=import_id, what=what))
    await work(home.system, import_id)
    return await state(home, import_id)


async def cards(home: House) -> dict[str, Any]:
    page = await home.user.read(objects.page, CLIENT, ObjectQuery(limit=50))
    return {one.name: one.custom.plain().get("contract") for one in page.items}


async def kept(home: House) -> tuple[int, int]:
    """Count the rows of files, and the bytes on the disk, those of the import too."""
    rows = await home.runtime.database.read(
        lambda conn: conn.execute(select(func.count()).select_from(attachments)).scalar()
    )
    folder = home.runtime.settings.data / "blobs"
    return int(rows or 0), len([one for one in folder.rglob("*") if one.is_file()])


async def test_a_zip_brings_the_files_that_its_cells_name(home: House, tmp_path: Path) -> None:
    table = (
        "Name;INN;Contract\nAnna;1;a.txt\nBoris;2;files\\B.TXT\nVera;3;none.txt\nGleb;4;\n"
        "Anna again;1;b.txt\nTwice;5;same.txt\n"
    )
    files = {
        "pack/clients.csv": table,
        "pack/a.txt": "first",
        "pack/files/b.txt": "second",
        "pack/x/same.txt": "x",
        "pack/y/same.txt": "y",
        "__MACOSX/pack/._a.txt": "junk",
    }
    import_id = await given(home, tmp_path, files)
    one = await state(home, import_id)
    assert one.fields.columns == ("name", "inn", "custom.contract")
    checked = await started(home, import_id, "check")
    assert checked.found == {
        "created": 3, "updated": 0, "unchanged": 0, "duplicates": 1, "bad": 2
    }  # fmt: skip
    assert await kept(home) == (0, 1)
    done = await started(home, import_id)
    assert (done.state, done.counts) == ("finished", checked.found)
    reasons = await home.user.read(store.bad_rows, import_id)
    assert reasons == {
        3: "custom.contract|there is no such file in the ZIP",
        6: "custom.contract|several files in the ZIP are called so: write the path of one",
    }
    held = await cards(home)
    assert {name: file and file["name"] for name, file in held.items()} == {
        "Anna": "a.txt",
        "Boris": "b.txt",
        "Gleb": None,
    }
    assert (await home.user.file(int(held["Boris"]["id"]))).content == b"second"  # type: ignore[arg-type]
    # What the row that was left out had named is not kept.
    assert await kept(home) == (2, 3)
    undone = await started(home, import_id, "undo")
    assert undone.undone["removed"] == 3
    assert await kept(home) == (0, 1)


async def test_what_a_file_replaced_comes_back_with_the_undo(home: House, tmp_path: Path) -> None:
    file = Attachment(name="old.txt", media_type="text/plain", content=b"old", size=3)
    old = await home.user.upload(file, DialogId(0), "client")
    values = {"inn": "1", "custom": {"contract": str(old)}}
    client_id = (await home.user.do(CreateClient(name="Anna", values=values)))[0]
    files = {"t.csv": "Name,INN,Contract\nAnna,1,new.txt\n", "new.txt": "new"}
    filled = await started(home, await given(home, tmp_path, files, "fill"))
    assert filled.counts["unchanged"] == 1
    assert await kept(home) == (1, 2)
    import_id = await given(home, tmp_path, files, "overwrite")
    assert (await started(home, import_id, "check")).found["updated"] == 1
    assert (await started(home, import_id)).counts["updated"] == 1
    assert (await cards(home))["Anna"]["name"] == "new.txt"
    line = (await home.user.read(changes_of, CLIENT, client_id))[0]
    assert (line.before, line.after) == ("old.txt", "new.txt")
    assert (await started(home, import_id, "undo")).undone["restored"] == 1
    assert (await cards(home))["Anna"]["id"] == str(old)
    assert (await home.user.file(old)).content == b"old"
    # Nothing brings it back once the import is forgotten.
    last = await given(home, tmp_path, files, "overwrite")
    await started(home, last)
    assert (await kept(home))[0] == 2
    await home.user.do(RemoveImport(import_id=last))
    assert (await cards(home))["Anna"]["name"] == "new.txt"
    assert (await kept(home))[0] == 1


async def test_a_table_that_came_alone_brings_no_files(home: House, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Name,Contract\nAnna,a.txt\n")
    import_id = await upload(home.user, "client", "a.csv", path)
    one = await state(home, import_id)
    assert one.fields.columns == ("name", "")
    fields = ImportFields(columns=("name", "custom.contract"), policy="new")
    await home.user.do(SetUpImport(import_id=import_id, fields=fields))
    assert (await started(home, import_id)).counts["bad"] == 1
