"""Writing lists into files in the background, with the eyes of whoever asked.

A job that is killed begins again: the file is named only when it is whole.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store import dialog_lists
from crm_store import exports as store
from crm_store import objects as reads
from crm_store.exports import JOB, reach_of
from crm_store.room import NO_ROOM, lacks_room
from hub import csv_lists, xlsx_lists
from hub.commands import Command, ReportExport, SweepExports
from hub.errors import HubError, NotFound
from hub.extensions import Job
from hub.ids import ExportId
from hub.keyring import KeyRing
from hub.list_words import words_for
from hub.records.dialogs import DialogQuery
from hub.records.exports import Export

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.runtime import Runtime

log = logging.getLogger("hub.exporting")

PURPOSE = "export"
PREFIX = "/exports/"
DAYS = 1
TELL_EVERY = 25
"""Batches between two words about how far it is."""
BROKEN = HubError("something went wrong on the server: try again, or tell an administrator")
ATTEMPTS = 3


def export_job(runtime: Runtime) -> Job:
    """Give the job that writes an export."""

    async def run(hub: Any, payload: Mapping[str, Any]) -> None:
        await work(runtime.handle(hub.actor), ExportId(int(payload["export_id"])))

    def given_up(payload: Mapping[str, Any]) -> Sequence[Command]:
        return (ReportExport(export_id=ExportId(int(payload["export_id"])), error=str(BROKEN)),)

    return Job(
        name=JOB,
        run=run,
        timeout=timedelta(hours=2),
        max_attempts=ATTEMPTS,
        given_up=given_up,
    )


def sweep_job(runtime: Runtime) -> Job:
    """Give the job that removes files whose time is over."""

    async def run(hub: Any, payload: Mapping[str, Any]) -> None:
        await runtime.handle(hub.actor).do(SweepExports())

    return Job(name="hub.export_sweep", run=run, every=timedelta(minutes=30))


def link(keys: KeyRing, one: Export) -> str:
    """Give the path of a finished export's file; it opens for a day, without a session."""
    return f"{PREFIX}{keys.sign(PURPOSE, f'{one.id}:{one.user_id}')}"


def opened(keys: KeyRing, token: str) -> tuple[int, int]:
    """Give the export and the user of a link; raises UntrustedRequest."""
    number, _, user_id = keys.unsign(PURPOSE, token, DAYS).partition(":")
    return int(number), int(user_id)


async def work(system: BoundHub, export_id: ExportId) -> None:
    """Write an export from its beginning to its end."""
    try:
        one = await system.read(store.one_export, export_id)
    except NotFound:
        return
    if one.state in ("done", "failed"):
        return
    try:
        report = await _written(system, one)
    except HubError as error:
        report = ReportExport(export_id=export_id, error=str(error))
    except OSError as error:
        if not lacks_room(error):
            raise
        # Trying again by itself would only fill the disk again.
        log.warning("export_no_room id=%d", export_id)
        report = ReportExport(export_id=export_id, error=str(NO_ROOM))
    if report is None or (await system.do(report))[0] or not report.blob[0]:
        return
    await asyncio.to_thread(system.runtime.blobs.remove, report.blob[0])


async def _written(system: BoundHub, one: Export) -> ReportExport | None:
    """Write the file; gives what to report, None where nobody waits for it any more."""
    hub = system.as_user(one.user_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{one.format}"
        # What can be seen is marked before the first row is read.
        reach = await hub.read(lambda reader: reach_of(reader.viewer))
        done = await _write(system, hub, one, path)
        if done < 0:
            return None
        blob = await asyncio.to_thread(hub.runtime.blobs.put_file, path)
    return ReportExport(export_id=one.id, rows_done=done, blob=blob, reach=reach)


async def _write(system: BoundHub, hub: BoundHub, one: Export, path: Path) -> int:
    """Write the rows; gives how many, or -1 where nobody waits for them any more."""
    noun = store.listed(hub.runtime.nouns)[one.kind]
    query = await hub.read(store.asked, one.id)
    if isinstance(query, DialogQuery):
        count = await hub.read(dialog_lists.count, query)
    else:
        count = await hub.read(reads.count, noun, query)
    words = await hub.read(words_for, one.user_id, one.language)
    batches = 0

    async def tell(done: int) -> bool:
        nonlocal batches
        batches += 1
        if batches % TELL_EVERY != 1:
            return True
        report = ReportExport(export_id=one.id, rows_done=done, rows_count=count)
        return bool((await system.do(report))[0])

    write = xlsx_lists.into if one.format == "xlsx" else csv_lists.into
    return await write(hub, noun, query, words, one.columns, path, tell)
