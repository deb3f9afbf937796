"""Archives of imports come from outside: what they declare, what they hold, what they are called."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from crm_store.blobs import BlobStore
from hub import import_archive
from hub.errors import Invalid
from hub.import_archive import Files, keep, opened, read
from hub.import_files import look_at, rows_of
from hub.records.imports import ImportRow

TABLE = "Name;File\nAnna;a.txt\n"


def packed(folder: Path, files: dict[str, bytes | str], how: int = ZIP_DEFLATED) -> Path:
    path = folder / "a.zip"
    with ZipFile(path, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_table_is_read_out_of_an_archive(tmp_path: Path) -> None:
    path = packed(tmp_path, {"deep/er/list.csv": "x", "a.txt": b"1", "t.csv": TABLE})
    sheet = look_at(path)
    assert (sheet.heads, sheet.rows) == (("Name", "File"), 1)
    assert list(rows_of(path, sheet.form)) == [(1, ["Anna", "a.txt"])]


@pytest.mark.parametrize(
    "files", [{"a.txt": "x"}, {"a.csv": TABLE, "b.csv": TABLE}, {"__MACOSX/a.csv": TABLE}]
)
def test_an_archive_holds_exactly_one_table(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    with pytest.raises(Invalid, match="one table"):
        look_at(packed(tmp_path, files))


def test_what_unpacks_into_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path, {"t.csv": TABLE, "a.txt": bytes(5_000_000)})
    with pytest.raises(Invalid, match="larger than 2 MB"):
        Files(path, 0, 2_000_000).find("a.txt")
    files = Files(path, 0, 9_000_000)
    files.check(["a.txt", "none.txt"])
    monkeypatch.setattr(import_archive, "MAX_KEPT", 9_000_000)
    with pytest.raises(Invalid, match="together"):
        files.check(["a.txt", "a.txt"])
    # What the archive declares is not believed.
    with opened(path) as archive:
        entry = archive.infolist()[1]
        entry.file_size = 100
        with pytest.raises(Invalid, match="damaged"):
            list(read(archive, entry, 1_000))
    monkeypatch.setattr(import_archive, "MAX_TABLE", 10)
    with pytest.raises(Invalid, match="larger"):
        look_at(path)
    monkeypatch.setattr(import_archive, "MAX_FILES", 1)
    with pytest.raises(Invalid, match="at most 1 files"):
        look_at(path)


def test_a_file_that_cannot_be_read_makes_its_row_bad(tmp_path: Path) -> None:
    path = packed(tmp_path, {"t.csv": TABLE, "a.txt": b"words", "b.txt": b"more"}, ZIP_STORED)
    files = Files(path, 0, 1_000)
    values = [{"x": files.find("b.txt"), "y": files.find(name)} for name in ("a.txt", "b.txt")]
    path.write_bytes(path.read_bytes().replace(b"words", b"sword"))
    blobs = BlobStore(tmp_path / "blobs")
    rows = [ImportRow(number=n, values=one) for n, one in enumerate(values, 1)]
    kept, names = keep(path, rows, blobs, 1_000)
    assert [one.error for one in kept] == ["y|this file is damaged in the ZIP", ""]
    assert [blobs.get(one) for one in names] == [b"more", b"more"]
    assert len([one for one in blobs._folder.rglob("*") if one.is_file()]) == 2


def test_other_ways_of_packing_and_passwords_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, {"t.csv": TABLE, "a.txt": bytes(1_000_000)}, ZIP_BZIP2)
    with pytest.raises(Invalid, match="a way that is not read"):
        look_at(path)
    with opened(path) as archive:
        entry = archive.infolist()[1]
        entry.compress_type, entry.flag_bits = ZIP_STORED, entry.flag_bits | 1
        with pytest.raises(Invalid, match="password"):
            list(read(archive, entry, 2_000_000))


def test_files_are_found_by_names_and_paths_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("pack/t.csv", TABLE)
        archive.writestr("pack/Договор №1.pdf", b"1")
        archive.writestr("pack/more/a.txt", b"2")
        archive.writestr("pack/a.txt", b"3")
        archive.writestr("../../etc/evil.txt", b"4")
        # As Windows writes it: in its own code, without saying so.
        archive.writestr(ZipInfo("pack/QQQQQ.txt"), b"5")
    path.write_bytes(path.read_bytes().replace(b"QQQQQ", "Отчёт".encode("cp866")))
    files = Files(path, 0, 1_000)
    for said, name, at in (
        ("договор №1.PDF", "Договор №1.pdf", 1),
        ("./more\\a.txt", "a.txt", 2),
        ("a.txt", "a.txt", 3),
        ("evil.txt", "evil.txt", 4),
        ("Отчёт.txt", "Отчёт.txt", 5),
    ):
        found = files.find(said)
        assert (found.name, found.at) == (name, at)
    assert files.find("договор №1.pdf").media_type == "application/pdf"
    for said in ("t.csv", "", "/", ".", "pack"):
        with pytest.raises(Invalid, match="no such file"):
            files.find(said)
