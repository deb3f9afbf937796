"""Lists as CSV: every row that a list shows, page by page, so that a long one costs no memory.

Cells that a spreadsheet would take for a formula begin with an apostrophe (OWASP, "CSV
Injection"); numbers and phones stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm_store import objects as reads
from crm_store import people
from crm_store import users as user_reads
from crm_store.objects import NOUNS, Noun, ObjectQuery
from crm_store.viewer import Reader
from hub.properties import Property, PropertyType, empty_value
from hub.wire_json import rfc3339

if TYPE_CHECKING:
    from hub.handle import BoundHub

RIGHT = "lists.export"
BATCH = 200
_FORMULA = re.compile(r"[=@\t\r+-]")
_HARMLESS = re.compile(r"[+-]?[0-9][0-9 ().,-]*")
Names = Mapping[str, Mapping[int, str]]


async def rows(
    hub: BoundHub, noun: Noun, query: ObjectQuery, label: Callable[[Property], str]
) -> AsyncIterator[bytes]:
    """Give the lines of a list, the headings first; raises NotAllowed before the first."""
    properties = noun.kind.properties
    # The mark by which spreadsheets know UTF-8.
    yield b"\xef\xbb\xbf" + _line(["id", *(label(one) for one in properties)])
    query = replace(query, limit=BATCH)
    while True:
        page, names = await hub.read(_batch, noun, query)
        yield b"".join(
            _line([str(one.id), *(_cell(prop, one, names) for prop in properties)])
            for one in page.items
        )
        if not page.next:
            return
        query = replace(query, before=page.next)


def _batch(reader: Reader, noun: Noun, query: ObjectQuery) -> tuple[Any, Names]:
    reader.viewer.need(RIGHT)
    page = reads.page(reader, noun, query)
    names: dict[str, Mapping[int, str]] = {
        "user": {one.id: one.name for one in user_reads.all_users(reader)},
        "team": {one.id: one.name for one in user_reads.all_teams(reader)},
    }
    for kind in ("client", "lead", "contact"):
        ids = {
            getattr(one, prop.name)
            for prop in noun.kind.properties
            if prop.ref == kind
            for one in page.items
        } - {0}
        if ids and kind in NOUNS:
            names[kind] = reads.titles(reader, NOUNS[kind], sorted(ids))
        elif ids:
            found = people.contacts_of(reader, sorted(ids))
            names[kind] = {one.id: one.name for one in found}
    return page, names


def _cell(prop: Property, record: object, names: Names) -> str:
    value = getattr(record, prop.name)
    if value == empty_value(prop.type) and prop.type is not PropertyType.FLAG:
        return ""
    match prop.type:
        case PropertyType.FLAG:
            return "yes" if value else "no"
        case PropertyType.MONEY:
            return f"{value / 100:.2f}"
        case PropertyType.INSTANT:
            return str(rfc3339(value))
        case PropertyType.DATE:
            return datetime.fromtimestamp(value / 1_000_000, UTC).date().isoformat()
        case PropertyType.REF:
            return harmless(names.get(prop.ref, {}).get(value, str(value)))
        case PropertyType.TAGS:
            return harmless(", ".join(value))
    return harmless(str(value))


def harmless(text: str) -> str:
    """Keep a spreadsheet from carrying out what somebody wrote."""
    if _FORMULA.match(text) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()
