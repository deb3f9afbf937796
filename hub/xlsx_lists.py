"""Lists as workbooks: written row by row into a file, so that a long one costs no memory.

Numbers, sums and days are numbers and days in the workbook; texts never become formulas.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store.custom import whole
from crm_store.objects import Noun, ObjectQuery
from hub.csv_lists import BATCH, Names, batch, cell, chosen
from hub.properties import Property, PropertyType, value_of
from hub.records.dialogs import DialogQuery
from hub.scratch import PassingFile, passing_file

if TYPE_CHECKING:
    from hub.handle import BoundHub

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_000
# What no XML document may hold (XML 1.0, section 2.2): a workbook with it cannot be opened.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def workbook(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    label: Callable[[Property], str],
    columns: Sequence[str] = (),
) -> PassingFile:
    """Give a whole list as a workbook; raises NotAllowed before anything is written."""
    return await passing_file(
        lambda path: into(hub, noun, query, label, columns, path),
        name=f"{noun.kind.path}.xlsx",
        media_type=MEDIA_TYPE,
    )


async def into(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    label: Callable[[Property], str],
    columns: Sequence[str],
    path: Path,
    tell: Callable[[int], Awaitable[bool]] | None = None,
) -> int:
    """Write a whole list into a workbook; gives the rows, or -1 when `tell` says nobody waits."""
    # Half a second of a small machine's start, for what few ask.
    from openpyxl import Workbook

    noun = await hub.read(lambda reader: whole(reader.conn, noun))
    properties = chosen(noun, columns)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(noun.kind.path[:31])
    sheet.append(["id", *(_plain(label(one)) for one in properties)])
    query = replace(query, limit=BATCH)
    done = 0
    while True:
        page, names = await hub.read(batch, noun, query)
        for one in page.items:
            sheet.append([str(one.id), *(_value(prop, one, names) for prop in properties)])
        done += len(page.items)
        if tell is not None and not await tell(done):
            return -1
        if not page.next:
            break
        query = replace(query, before=page.next)
    await asyncio.to_thread(book.save, path)
    return done


def _value(prop: Property, record: object, names: Names) -> object:
    value: Any = value_of(record, prop.name)
    if prop.type is PropertyType.NUMBER:
        return value
    if value and prop.type is PropertyType.MONEY:
        return value / 100
    if value and prop.type in (PropertyType.DATE, PropertyType.INSTANT):
        # Workbooks know no time zones: instants are UTC.
        at = (_EPOCH + timedelta(microseconds=value)).replace(tzinfo=None)
        return at.date() if prop.type is PropertyType.DATE else at.replace(microsecond=0)
    return _plain(cell(prop, record, names))[:LONGEST_CELL]


def _plain(text: str) -> str:
    return _NO_CHARACTER.sub("", text)
