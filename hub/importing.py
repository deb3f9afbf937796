"""Importing: from an upload to a dry run, to objects, and back. The leased job that works on an
import, and the same work for the command line, which waits for it.

Rows are written in batches; each batch moves the import's cursor in its own transaction, so the
job may be killed at any moment and goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store import import_rows
from crm_store import imports as store
from crm_store import topics as topic_reads
from crm_store import users as user_reads
from crm_store.import_consents import ASK
from crm_store.import_fields import importable, key_names, remembered, targets, whole_noun
from crm_store.import_matching import called, key_of
from crm_store.imports import JOB
from crm_store.objects import Noun
from crm_store.viewer import Reader
from hub.commands import (
    CreateImport,
    EndImport,
    ReportImportCheck,
    RunJob,
    Subscribe,
    UndoImportRows,
    WriteImportRows,
)
from hub.errors import Conflict, HubError, NotFound
from hub.extensions import Job
from hub.ids import ImportId
from hub.import_archive import Files, given_in, keep
from hub.import_columns import PEOPLE, Names, Reading, suggest, unguarded
from hub.import_files import Sheet, look_at, rows_of
from hub.kept_bytes import naming
from hub.messages import Address
from hub.properties import PropertyType
from hub.records.imports import Import, ImportFields, ImportRow
from hub.terms import fold

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.runtime import Runtime

log = logging.getLogger("hub.importing")

BATCH = 200
SLICE_SECONDS = 20.0
"""How long a job works before it makes room for others and queues itself again."""
PAUSE = 0.002
"""Between two batches others reach the writer."""
COUNTRIES = {"ru": "RU"}
DEFAULT_KEYS = ("id", "external_id", "inn", "email", "phone")


async def upload(
    hub: BoundHub, kind: str, name: str, path: Path, form: Mapping[str, str] | None = None
) -> ImportId:
    """Keep a file that lies at `path` for an import; what its columns mean is suggested."""
    importable(hub.runtime.nouns, kind)
    sheet = await asyncio.to_thread(look_at, path, form)
    fields = await hub.read(_fields_for, kind, sheet)
    blobs = hub.runtime.blobs
    blob = await asyncio.to_thread(blobs.put_file, path)
    command = CreateImport(
        kind=kind,
        name=name,
        blob=blob,
        form=dict(sheet.form),
        heads=sheet.heads,
        rows_count=sheet.rows,
        fields=fields,
    )
    async with naming(blobs, blob[0]):
        return ImportId((await hub.do(command))[0])


def _fields_for(reader: Reader, kind: str, sheet: Sheet) -> ImportFields:
    noun = whole_noun(reader, kind)
    known = remembered(reader, kind, sheet.heads) or _suggested(noun, sheet.heads)
    if sheet.form.get("table"):
        return known
    # A table that came alone brings no files: what names some is left out, and no row is bad.
    files = _file_names(noun)
    return replace(known, columns=tuple("" if one in files else one for one in known.columns))


def _file_names(noun: Noun) -> set[str]:
    return {one.name for one in noun.kind.properties if one.type is PropertyType.FILE}


def _suggested(noun: Noun, heads: tuple[str, ...]) -> ImportFields:
    columns = suggest(noun.kind, targets(noun.kind), heads)
    keys = tuple(one for one in DEFAULT_KEYS if one in columns and one in key_names(noun.kind))
    return ImportFields(columns=columns, keys=keys, policy="skip" if keys else "new")


async def sample(hub: BoundHub, one: Import) -> tuple[tuple[str, ...], ...]:
    """Give the first rows of an import's file; none where it was removed."""
    try:
        blob_id = await hub.read(store.blob_of, one.id)
        path = hub.runtime.blobs.path(blob_id)
    except NotFound:
        return ()
    return await asyncio.to_thread(
        lambda: tuple(tuple(cells) for _, cells in islice(rows_of(path, one.form), 5))
    )


# -- working -------------------------------------------------------------------------------


def import_job(runtime: Runtime) -> Job:
    """Give the job that works on an import."""

    async def run(hub: Any, payload: Mapping[str, Any]) -> None:
        await work(runtime.handle(hub.actor), ImportId(int(payload["import_id"])), SLICE_SECONDS)

    return Job(name=JOB, run=run, timeout=timedelta(minutes=5))


async def work(system: BoundHub, import_id: ImportId, seconds: float = 0) -> None:
    """Do what an import is at, for some seconds or (0) to its end, with its user's own rights."""
    try:
        one = await system.read(store.one_import, import_id)
    except NotFound:
        return
    hub = system.as_user(one.user_id) if one.user_id else system
    until = time.monotonic() + seconds if seconds else float("inf")
    try:
        match one.state:
            case "checking":
                done = await _check(hub, one)
            case "running":
                done = await _run(hub, one, until)
            case "undoing":
                done = await _undo(hub, one, until)
            case _:
                return
    except Conflict as error:
        # Cancelled, or another process works on it.
        log.info("import_left id=%d reason=%s", import_id, error.what)
        return
    except HubError as error:
        await system.do(EndImport(import_id=import_id, error=str(error)))
        return
    if not done:
        again = RunJob(name=JOB, payload={"import_id": str(import_id)}, key=str(import_id))
        await system.do(again)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    path: Path
    noun: Noun
    reading: Reading
    form: Mapping[str, str]
    has_files: bool

    def batches(self, after: int) -> Iterator[tuple[list[ImportRow], int]]:
        """Give rows in batches, each with the number up to which the file is read."""
        rows = rows_of(self.path, self.form, after=after)
        while found := list(islice(rows, BATCH)):
            yield [self.reading.row(number, cells) for number, cells in found], found[-1][0]


async def _source(hub: BoundHub, one: Import) -> _Source:
    noun = await hub.read(lambda reader: whole_noun(reader, one.kind))

    channels = hub.runtime.channels.values()
    path = hub.runtime.blobs.path(await hub.read(store.blob_of, one.id))
    said_of = await asyncio.to_thread(_said_of, path, one, noun)
    files = await asyncio.to_thread(_files_of, path, one, noun, hub.runtime.settings.max_file)

    def names(reader: Reader) -> Names:
        users = user_reads.all_users(reader)
        teams = user_reads.all_teams(reader)
        known = {fold(user.name): int(user.id) for user in users if user.active}
        known |= {fold(user.email): int(user.id) for user in users if user.active}
        refs = {"user": known, "team": {fold(team.name): int(team.id) for team in teams}}
        refs |= {
            kind: called(reader, reader.nouns[kind], said)
            for kind, said in said_of.items()
            if kind in reader.nouns
        }
        brand = user_reads.brand(reader)
        asking = {each.name for each in topic_reads.listed(reader.conn) if each.confirm}
        return Names(
            refs=refs,
            country=COUNTRIES.get(brand.language, ""),
            zone=brand.time_zone or "UTC",
            topics=frozenset(asking),
            kinds=frozenset(each.capabilities.address_kind for each in channels),
            now=reader.now,
            files=files.find if files is not None else None,
        )

    fields = one.fields
    reading = Reading(noun.kind, fields.columns, fields.defaults, await hub.read(names), one.heads)
    return _Source(
        path=path, noun=noun, reading=reading, form=one.form, has_files=files is not None
    )


def _files_of(path: Path, one: Import, noun: Noun, most: int) -> Files | None:
    """Give the files that came together with the table; raises Invalid where it names too much."""
    names = _file_names(noun)
    wanted = [(n, name) for n, name in enumerate(one.fields.columns) if name in names]
    same = {name: text for name, text in one.fields.defaults.items() if name in names}
    if not one.form.get("table") or not (wanted or same):
        return None
    files = Files(path, int(one.form["table"]), most)

    def said() -> Iterator[str]:
        for _number, cells in rows_of(path, one.form):
            own = {name: unguarded(cells[n]) for n, name in wanted if cells[n]}
            yield from (same | own).values()

    files.check(said())
    return files


def _said_of(path: Path, one: Import, noun: Noun) -> dict[str, set[str]]:
    """Give the names of other cards that the file's rows refer to, by the kind of those cards."""
    kinds = {
        prop.name: prop.ref
        for prop in noun.kind.properties
        if prop.type is PropertyType.REF and prop.ref not in PEOPLE
    }
    wanted = [(n, kinds[name]) for n, name in enumerate(one.fields.columns) if name in kinds]
    found: dict[str, set[str]] = {kind: set() for _, kind in wanted}
    for name, kind in kinds.items():
        if one.fields.defaults.get(name):
            found.setdefault(kind, set()).add(one.fields.defaults[name])
    if wanted:
        for _number, cells in rows_of(path, one.form):
            for n, kind in wanted:
                if n < len(cells) and not cells[n].isdecimal():
                    found[kind].add(cells[n])
    return found


async def _check(hub: BoundHub, one: Import) -> bool:
    """Go through the whole file without writing: from its beginning, after a crash too."""
    source = await _source(hub, one)
    found = dict.fromkeys(import_rows.OUTCOMES.values(), 0)
    seen: set[tuple[str, str]] = set()
    batches = source.batches(0)
    told = time.monotonic()
    bad: list[tuple[int, str]] = []
    read_to = 0
    while batch := await asyncio.to_thread(next, batches, None):
        rows, read_to = batch
        planned = await hub.read(_plan, source.noun, one.fields, rows, seen)
        for number, (outcome, reason) in planned.items():
            found[import_rows.OUTCOMES[outcome]] += 1
            if outcome == "bad":
                bad.append((number, reason))
        if time.monotonic() - told > 0.4:
            await hub.do(
                ReportImportCheck(import_id=one.id, checked=read_to, found=found, bad=tuple(bad))
            )
            bad, told = [], time.monotonic()
    await hub.do(
        ReportImportCheck(
            import_id=one.id, checked=one.rows, found=found, bad=tuple(bad), done=True
        )
    )
    return True


def _plan(
    reader: Reader,
    noun: Noun,
    fields: ImportFields,
    rows: list[ImportRow],
    seen: set[tuple[str, str]],
) -> dict[int, tuple[str, str]]:
    """Say what would become of rows, with those in mind that came before in the same file."""
    planned = import_rows.plan(reader, noun, fields, rows)
    met = import_rows.would_change(reader, noun, fields, rows, planned)
    found: dict[int, tuple[str, str]] = {}
    for row in rows:
        outcome, reason, _ = planned[row.number]
        marks = [] if fields.policy == "new" else key_of(fields.keys, row.values)
        if outcome == "created" and any(one in seen for one in marks):
            outcome = "duplicate" if fields.policy == "skip" else "updated"
        elif outcome == "updated" and row.number not in met and not row.values.get("consent"):
            outcome = "unchanged"
        if outcome != "bad":
            seen.update(marks)
        found[row.number] = (outcome, reason)
    return found


async def _run(hub: BoundHub, one: Import, until: float) -> bool:
    source = await _source(hub, one)
    batches = source.batches(one.done)
    after = one.done
    while time.monotonic() < until:
        batch = await asyncio.to_thread(next, batches, None)
        if batch is None:
            await hub.do(EndImport(import_id=one.id))
            return True
        rows, read_to = batch
        await _written(hub, one, source, after, rows, read_to)
        after = read_to
        await asyncio.sleep(PAUSE)
    return False


async def _written(
    hub: BoundHub, one: Import, source: _Source, after: int, rows: list[ImportRow], read_to: int
) -> None:
    """Write a batch; the bytes that its rows bring are kept before, as those of uploads are."""
    blobs = hub.runtime.blobs
    kept: list[str] = []
    if source.has_files and any(given_in(row.values) for row in rows):
        most = hub.runtime.settings.max_file
        rows, kept = await asyncio.to_thread(keep, source.path, rows, blobs, most)
    async with naming(blobs, *kept):
        await hub.do(
            WriteImportRows(import_id=one.id, after=after, rows=tuple(rows), read_to=read_to),
            *_questions(source.noun, rows),
        )


def _questions(noun: Noun, rows: Sequence[ImportRow]) -> list[Subscribe]:
    """Give the letters that ask the people of a batch, in the batch's own transaction."""
    return [
        Subscribe(
            address=Address(
                kind="email",
                value=str(row.values["email"]),
                name=str(row.values.get("name") or ""),
            ),
            topic=str(row.values["consent_topic"]),
            how="import",
            evidence="\n".join(
                str(row.values[name])
                for name in ("consent_source", "consent_text")
                if row.values.get(name)
            ),
        )
        for row in rows
        if noun.kind.name == "contact" and not row.error and row.values.get("consent") == ASK
    ]


async def _undo(hub: BoundHub, one: Import, until: float) -> bool:
    while time.monotonic() < until:
        if not (await hub.do(UndoImportRows(import_id=one.id, limit=BATCH)))[0]:
            await hub.do(EndImport(import_id=one.id))
            return True
        await asyncio.sleep(PAUSE)
    return False


def said(error: str) -> tuple[str, str]:
    """Cut a row's reason into the property it is about ("" for the row) and the words."""
    name, bar, words = error.partition("|")
    return (name, words) if bar else ("", error)
