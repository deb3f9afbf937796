"""Lists as workbooks: written row by row into a file, so that a long one costs no memory.

Numbers, sums, days and durations are that in the workbook too; texts never become formulas.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crm_store.custom import whole
from crm_store.objects import Noun, ObjectQuery
from hub.csv_lists import BATCH, batch, chosen
from hub.list_words import FOR_PROGRAMS, ListWords
from hub.records.dialogs import DialogQuery
from hub.scratch import PassingFile, passing_file

if TYPE_CHECKING:
    from hub.handle import BoundHub

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_000
# What no XML document may hold (XML 1.0, section 2.2): a workbook with it cannot be opened.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def workbook(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    words: ListWords = FOR_PROGRAMS,
    columns: Sequence[str] = (),
) -> PassingFile:
    """Give a whole list as a workbook; raises NotAllowed before anything is written."""
    return await passing_file(
        lambda path: into(hub, noun, query, words, columns, path),
        name=f"{noun.kind.path}.xlsx",
        media_type=MEDIA_TYPE,
    )


async def into(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    words: ListWords,
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
    sheet.append(["id", *(_plain(words.heading(one, has_zone=True)) for one in properties)])
    query = replace(query, limit=BATCH)
    done = 0
    while True:
        page, names = await hub.read(batch, noun, query)
        for one in page.items:
            cells = (_cell(words.cell_value(prop, one, names)) for prop in properties)
            sheet.append([str(one.id), *cells])
        done += len(page.items)
        if tell is not None and not await tell(done):
            return -1
        if not page.next:
            break
        query = replace(query, before=page.next)
    await asyncio.to_thread(book.save, path)
    return done


def _cell(value: object) -> object:
    return _plain(value)[:LONGEST_CELL] if isinstance(value, str) else value


def _plain(text: str) -> str:
    return _NO_CHARACTER.sub("", text)
