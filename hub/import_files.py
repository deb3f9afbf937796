"""Files of imports: how one is read is found out once, then its rows come one by one.

CSV in the encodings and with the delimiters that spreadsheets write in Russia and elsewhere, and
workbooks; either may lie in a ZIP together with the files that its cells name. Nothing of a
workbook is carried out; one that would unpack into too much is refused.
"""

from __future__ import annotations

import codecs
import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineWorkbook

from crm_store.blobs import BlobStore
from hub.errors import Invalid, NotFound
from hub.import_archive import table_in, unpacked

MAX_FILE = 60_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_UNPACKED = 1_000_000_000
MAX_CELL = 100_000
SAMPLE_ROWS = 5
DELIMITERS = ";,\t|"
ENCODINGS = ("utf-8", "utf-16", "cp1251")
_PROBE = 1 << 20
_ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file holds: how it is read, its headings, the first rows, how many there are."""

    form: Mapping[str, str]
    heads: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    rows: int


def look_at(path: Path, form: Mapping[str, str] | None = None) -> Sheet:
    """Find out how a file is read; raises Invalid with what to do. `form` overrides guesses."""
    found = {**_guess(path), **{name: value for name, value in (form or {}).items() if value}}
    heads: tuple[str, ...] = ()
    sample: list[tuple[str, ...]] = []
    count = 0
    for number, cells in rows_of(path, found, heads=True):
        if number == 0:
            heads = tuple(cells)
            continue
        count = number
        if len(sample) < SAMPLE_ROWS:
            sample.append(tuple(cells))
    if not any(heads):
        raise Invalid("the file is empty: the first row must hold headings", field="file")
    if not sample:
        raise Invalid("the file has headings and no rows", field="file")
    return Sheet(form=found, heads=heads, sample=tuple(sample), rows=count)


def rows_of(
    path: Path, form: Mapping[str, str], *, after: int = 0, heads: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows behind `after` with their numbers, blank ones left out; the headings are 0."""
    at = form.get("table", "")
    with unpacked(path, int(at)) if at else nullcontext(path) as table:
        yield from _rows(table, form, after, heads)


def _rows(
    path: Path, form: Mapping[str, str], after: int, heads: bool
) -> Iterator[tuple[int, list[str]]]:
    number, width = -1, 0
    for cells in _workbook(path) if form.get("format") == "xlsx" else _csv(path, form):
        if number < 0:
            if not any(cells):
                continue
            width = max(n + 1 for n, one in enumerate(cells) if one)
            if width > MAX_COLUMNS:
                raise Invalid(f"at most {MAX_COLUMNS} columns are read", field="file")
            number = 0
            if heads:
                yield 0, cells[:width]
            continue
        number += 1
        if number > MAX_ROWS:
            raise Invalid(f"at most {MAX_ROWS} rows are imported at once", field="file")
        if number > after and any(cells):
            yield number, (cells + [""] * (width - len(cells)))[:width]


def _guess(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        at = table_in(path) if file.read(len(_ZIP)) == _ZIP else None
    if at is None:
        return _guess_table(path)
    with unpacked(path, at) as table:
        return {**_guess_table(table), "table": str(at)}


def _guess_table(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        head = file.read(_PROBE)
    if head.startswith(_OLD_WORKBOOK):
        raise Invalid("this is an old Excel file: save it as .xlsx or .csv", field="file")
    if head.startswith(_ZIP):
        _check_workbook(path)
        return {"format": "xlsx"}
    encoding = _encoding(path, head)
    text = head.decode(encoding, "replace")
    return {"format": "csv", "encoding": encoding, "delimiter": _delimiter(text)}


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Invalid("the workbook is damaged: save it again", field="file") from error
    if unpacked > MAX_UNPACKED:
        raise Invalid("the workbook is too large: save it as .csv", field="file")


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise Invalid("this is neither a CSV file nor a workbook (.xlsx)", field="file")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while part := file.read(_PROBE):
                decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def _delimiter(text: str) -> str:
    """Give the sign that cuts the first lines into the same number of cells, and most of them."""
    lines = text.splitlines()[:200]
    best, score = ",", 0.0
    for sign in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row][:50]
        if not widths or widths[0] < 2:
            continue
        same = sum(one == widths[0] for one in widths) / len(widths)
        if same * 1000 + widths[0] > score:
            best, score = sign, same * 1000 + widths[0]
    return best


def _csv(path: Path, form: Mapping[str, str]) -> Iterator[list[str]]:
    encoding = form.get("encoding", "utf-8")
    delimiter = form.get("delimiter", ",")
    if encoding not in (*ENCODINGS, "utf-8-sig") or delimiter not in DELIMITERS:
        raise Invalid("this encoding or delimiter is not known", field="form")
    csv.field_size_limit(MAX_CELL)
    record: list[str] = []
    began = 1
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = _noted(file, record)
        try:
            for row in csv.reader(lines, delimiter=delimiter):
                if len(record) > 1:
                    _closed(record, delimiter)
                yield [cell.strip() for cell in row]
                began += len(record)
                record.clear()
        except csv.Error as error:
            raise Invalid(
                f"line {began}: a quotation mark is not closed, or a cell is too long ({error})",
                field="file",
            ) from error


def _noted(file: Iterable[str], record: list[str]) -> Iterator[str]:
    """Give a file's lines, and note those of the row that is being read."""
    for line in file:
        record.append(line.replace("\x00", ""))
        yield record[-1]


def _closed(record: Sequence[str], delimiter: str) -> None:
    """Raise csv.Error where a row of several lines only ends because the file does.

    Read kindly, one mark too many would swallow all rows behind it without a word.
    """
    try:
        list(csv.reader(record, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            raise


def _workbook(path: Path) -> Iterator[list[str]]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_index(0)
    # The reader raises errors of its own kinds for whatever a damaged file holds.
    except Exception as error:
        raise Invalid("the workbook is damaged: save it again", field="file") from error
    for row in sheet.iter_rows():
        yield [_cell(one) for one in row]


def _cell(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime():
            midnight = value.time() == time(0)
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value).strip()[:MAX_CELL]


def names_somebody(
    blobs: BlobStore, blob_id: str, form: Mapping[str, str], words: Sequence[str]
) -> bool:
    """Say whether a kept file holds one of some addresses, however a number is written."""
    marks = {one.casefold() for one in words if len(one) > 4}
    numbers = {re.sub(r"\D", "", one)[-10:] for one in words if one.startswith("+")}
    try:
        for _, cells in rows_of(blobs.path(blob_id), form, heads=True):
            for cell in cells:
                if cell.casefold() in marks or any(one in cell.casefold() for one in marks):
                    return True
                digits = re.sub(r"\D", "", cell) if numbers else ""
                if len(digits) > 9 and digits[-10:] in numbers:
                    return True
    except (NotFound, Invalid):
        # The bytes are gone, or nobody can read them.
        return False
    return False


def bad_file(
    path: Path, form: Mapping[str, str], heads: Sequence[str], bad: Mapping[int, str], error: str
) -> Iterator[bytes]:
    """Give the bad rows as they came, with one more column that says why."""
    import io

    delimiter = form.get("delimiter", ";") if form.get("format") == "csv" else ";"

    def line(cells: Sequence[str]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=delimiter).writerow(cells)
        return buffer.getvalue().encode()

    yield codecs.BOM_UTF8 + line([*heads, error])
    for number, cells in rows_of(path, form):
        if number in bad:
            yield line([*cells, bad[number]])
