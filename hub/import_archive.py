"""Archives of imports: a ZIP that holds one table, and the files that its cells name.

It comes from outside: nothing is unpacked under a name of its own, sizes are counted while bytes
come and not only where the archive declares them, and what packs better than ordinary ZIPs do is
not unpacked at all, because a few of its bytes may become any number at once.
"""

from __future__ import annotations

import mimetypes
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from crm_store.blobs import BlobStore
from hub.errors import Invalid
from hub.multipart import plain_name
from hub.records.imports import GivenFile, ImportRow
from hub.terms import fold

MAX_FILES = 10_000
MAX_TABLE = 60_000_000
MAX_KEPT = 1_000_000_000
"""So many bytes the files have together that the rows of an import name, each time they do."""
MAX_NAME = 400
TABLES = (".csv", ".tsv", ".xlsx")
WORKBOOKS = ("[Content_Types].xml", "mimetype")
"""Whatever holds one of these is a workbook, not an archive with a table."""
_PART = 1 << 20
_LOCKED = 0x1
_IS_UTF8 = 0x800
_JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """Open an archive; raises Invalid."""
    try:
        archive = ZipFile(path)
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise Invalid(
            "the ZIP, or the workbook, is damaged: make it again", field="file"
        ) from error
    with archive:
        yield archive


def table_in(path: Path) -> int | None:
    """Give where the table stands in an archive; None for a workbook. Raises Invalid."""
    with opened(path) as archive:
        entries = archive.infolist()
        if any(one.filename in WORKBOOKS for one in entries):
            return None
        if len(entries) > MAX_FILES:
            raise Invalid(f"at most {MAX_FILES} files are taken in one ZIP", field="file")
        depths = {
            n: len(parts)
            for n, one in enumerate(entries)
            if (parts := _parts(one.filename)) and parts[-1].lower().endswith(TABLES)
        }
        nearest = [n for n, depth in depths.items() if depth == min(depths.values())]
        if len(nearest) != 1:
            raise Invalid(
                "a ZIP holds one table, .csv or .xlsx, beside or above the files that it names",
                field="file",
            )
        return nearest[0]


@contextmanager
def unpacked(path: Path, at: int) -> Iterator[Path]:
    """Unpack the table that stands at a place of an archive, for as long as it is read."""
    with TemporaryDirectory() as folder:
        table = Path(folder) / "table"
        with opened(path) as archive, table.open("wb") as file:
            for part in read(archive, archive.infolist()[at], MAX_TABLE):
                file.write(part)
        yield table


def read(archive: ZipFile, entry: ZipInfo, most: int) -> Iterator[bytes]:
    """Give the bytes of a file in an archive, part by part, at most so many; raises Invalid."""
    _check(entry, most)
    size = 0
    try:
        with archive.open(entry) as file:
            while part := file.read(_PART):
                size += len(part)
                if size > most:
                    raise Invalid(
                        f"a file in the ZIP is larger than {most / 1_000_000:g} MB", field="file"
                    )
                yield part
    except (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise Invalid("this file is damaged in the ZIP", field="file") from error


def _check(entry: ZipInfo, most: int) -> None:
    if entry.flag_bits & _LOCKED:
        raise Invalid("this file is locked with a password in the ZIP", field="file")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Invalid("this file is packed in a way that is not read", field="file")
    if entry.file_size > most:
        raise Invalid(f"a file in the ZIP is larger than {most / 1_000_000:g} MB", field="file")


class Files:
    """The files of an archive as cells name them, each of at most `most` bytes."""

    def __init__(self, path: Path, table: int, most: int) -> None:
        self._most = most
        self._named: dict[str, dict[int, str]] = {}
        with opened(path) as archive:
            self._entries: Sequence[ZipInfo] = archive.infolist()
        self._folder = "/".join(_parts(self._entries[table].filename)[:-1])
        for n, entry in enumerate(self._entries):
            if n == table or entry.is_dir() or len(entry.filename) > MAX_NAME:
                continue
            for spelling in _spellings(entry):
                parts = ["", *_parts(spelling)]
                for start in range(len(parts)):
                    self._note("/".join(parts[start:]), n, parts[-1])

    def _note(self, said: str, at: int, name: str) -> None:
        self._named.setdefault(fold(said), {})[at] = name

    def find(self, said: str) -> GivenFile:
        """Give the file that a cell names, by its name or its path; raises Invalid."""
        path = "/".join(_parts(said))
        for one in (f"/{path}", f"/{self._folder}/{path}", path):
            found = self._named.get(fold(one), {}) if path else {}
            if len(found) == 1:
                at, name = next(iter(found.items()))
                break
        else:
            if found:
                raise Invalid("several files in the ZIP are called so: write the path of one")
            raise Invalid("there is no such file in the ZIP")
        entry = self._entries[at]
        _check(entry, self._most)
        return GivenFile(
            name=plain_name(name),
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=entry.file_size,
            at=at,
        )

    def check(self, said: Iterable[str]) -> None:
        """Refuse cells that name too much together; raises Invalid."""
        size = 0
        for one in said:
            try:
                size += self.find(one).size
            except Invalid:
                # Its row is bad, and brings nothing.
                continue
            if size > MAX_KEPT:
                raise Invalid(
                    f"the files that the rows name are larger than {MAX_KEPT // 1_000_000} MB"
                    " together: cut the table in two",
                    field="file",
                )


def _parts(path: str) -> list[str]:
    """Give the folders and the name of a path; nothing for what no person put there."""
    parts = [one.strip() for one in path.replace("\\", "/").split("/")]
    parts = [one for one in parts if one not in ("", ".")]
    is_junk = any(one in _JUNK or one.startswith("._") for one in parts)
    return [] if is_junk or path.endswith(("/", "\\")) else parts


def _spellings(entry: ZipInfo) -> set[str]:
    """Give what an entry may be called: Windows writes Russian names in a code of its own."""
    if entry.flag_bits & _IS_UTF8:
        return {entry.filename}
    raw = entry.filename.encode("cp437", "replace")
    found = {entry.filename, raw.decode("cp866", "replace")}
    with suppress(UnicodeDecodeError):
        found.add(raw.decode())
    return found


def keep(
    path: Path, rows: Sequence[ImportRow], blobs: BlobStore, most: int
) -> tuple[list[ImportRow], list[str]]:
    """Keep the bytes of the files that rows bring; gives the rows anew, and the blobs.

    A row whose file turns out to be damaged is bad.
    """
    kept: list[ImportRow] = []
    names: list[str] = []
    with opened(path) as archive:
        entries = archive.infolist()
        for row in rows:
            own: dict[str, GivenFile] = {}
            try:
                for name, one in given_in(row.values).items():
                    blob = blobs.put_parts(read(archive, entries[one.at], most))
                    own[name] = replace(one, blob=blob)
            except Invalid as error:
                row = ImportRow(number=row.number, error=f"{name}|{error}")
                for one in own.values():
                    blobs.remove(one.blob[0])
            else:
                row = replace(row, values={**row.values, **own}) if own else row
                names += [one.blob[0] for one in own.values()]
            kept.append(row)
    return kept, names


def given_in(values: Mapping[str, object]) -> dict[str, GivenFile]:
    """Give those of a row's values that are files."""
    return {name: one for name, one in values.items() if isinstance(one, GivenFile)}
