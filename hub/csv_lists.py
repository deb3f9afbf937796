"""Lists as CSV: every row that a list shows, page by page, so that a long one costs no memory.

Cells that a spreadsheet would take for a formula begin with an apostrophe (OWASP, "CSV
Injection"); numbers and phones stay as they are.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store import dialog_lists
from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.custom import whole
from crm_store.objects import Noun, ObjectQuery
from crm_store.pipelines import all_pipelines
from crm_store.viewer import Reader
from hub.list_words import FOR_PROGRAMS, ListWords, Names
from hub.properties import Property, value_of
from hub.records.dialogs import DialogQuery

if TYPE_CHECKING:
    from hub.handle import BoundHub

RIGHT = "lists.export"
BATCH = 200


async def rows(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    words: ListWords = FOR_PROGRAMS,
    columns: Sequence[str] = (),
) -> AsyncIterator[bytes]:
    """Give the lines of a list, the headings first; raises NotAllowed before the first."""
    noun = await hub.read(lambda reader: whole(reader.conn, noun))
    properties = chosen(noun, columns)
    # The mark by which spreadsheets know UTF-8.
    yield b"\xef\xbb\xbf" + _line(["id", *(words.heading(one) for one in properties)])
    query = replace(query, limit=BATCH)
    while True:
        page, names = await hub.read(batch, noun, query)
        yield b"".join(
            _line([str(one.id), *(words.cell(prop, one, names) for prop in properties)])
            for one in page.items
        )
        if not page.next:
            return
        query = replace(query, before=page.next)


async def into(
    hub: BoundHub,
    noun: Noun,
    query: ObjectQuery | DialogQuery,
    words: ListWords,
    columns: Sequence[str],
    path: Path,
    tell: Callable[[int], Awaitable[bool]],
) -> int:
    """Write a whole list into a file; gives the rows, or -1 when `tell` says that nobody waits."""
    done = -BATCH
    with path.open("wb") as out:
        async for lines in rows(hub, noun, query, words, columns):
            await asyncio.to_thread(out.write, lines)
            done += BATCH
            if not await tell(max(0, done)):
                return -1
    return await _lines_of(path)


async def _lines_of(path: Path) -> int:
    """Count the rows of a written file; cells may hold line breaks."""

    def count() -> int:
        with path.open(newline="", encoding="utf-8-sig") as text:
            return sum(1 for _ in csv.reader(text)) - 1

    return await asyncio.to_thread(count)


def chosen(noun: Noun, columns: Sequence[str]) -> list[Property]:
    """Give the properties of some columns with the one that names an object; all without any."""
    known = {one.name: one for one in noun.kind.properties}
    wanted = [known[one] for one in columns if one in known and one != noun.kind.title]
    return [known[noun.kind.title], *wanted] if wanted else list(known.values())


def batch(reader: Reader, noun: Noun, query: ObjectQuery | DialogQuery) -> tuple[Any, Names]:
    """Give some objects, and the names of what they refer to; raises NotAllowed."""
    reader.viewer.need(RIGHT)
    if isinstance(query, DialogQuery):
        page = dialog_lists.page(reader, query)
    else:
        page = reads.page(reader, noun, query)
    names: dict[str, Mapping[int, str]] = {
        "user": {one.id: one.name for one in user_reads.all_users(reader)},
        "team": {one.id: one.name for one in user_reads.all_teams(reader)},
    }
    for kind in sorted({one.ref for one in noun.kind.properties} - {"", "user", "team"}):
        ids: set[Any] = {
            value_of(one, prop.name)
            for prop in noun.kind.properties
            if prop.ref == kind
            for one in page.items
            if value_of(one, prop.name)
        }
        if ids and kind in reader.nouns:
            names[kind] = reads.titles(reader, reader.nouns[kind], sorted(ids))
    if any(one.ref == "stage" for one in noun.kind.properties):
        lines = all_pipelines(reader)
        names["pipeline"] = {one.id: one.name for one in lines}
        names["stage"] = {each.id: each.name for one in lines for each in one.stages}
        names["loss_reason"] = {each.id: each.name for one in lines for each in one.reasons}
    return page, names


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()
