"""Exports: lists written into files in the background, kept a day, handed out to their user alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm_store import dialog_lists, objects
from crm_store.dialog_lists import DIALOG_LIST
from crm_store.notices import tell
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from crm_store.tables.dialogs import blobs
from crm_store.tables.exports import exports
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer
from crm_store.work import run_job
from hub.commands import (
    RemoveExport,
    ReportExport,
    RetryExport,
    RunJob,
    StartExport,
    SweepExports,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import ExportChanged
from hub.ids import ExportId, Micros, UserId
from hub.objects import Ref
from hub.records.dialogs import DialogQuery
from hub.records.exports import Export

RIGHT = "lists.export"
JOB = "hub.export"
FORMATS = ("csv", "xlsx")
DAY_US = 86_400_000_000
MOST_WAITING = 5
"""So many of one user's exports wait or run at once."""


def reach_of(viewer: Viewer) -> str:
    """Give a mark of what a viewer can see: another one, and an old file is not handed out."""
    parts = (
        sorted(viewer.permissions),
        sorted(viewer.hidden_accounts),
        sorted(viewer.scopes),
        sorted(viewer.account_scopes),
        sorted(viewer.selves),
        sorted(viewer.teams),
        sorted(viewer.mates),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


# -- reading -------------------------------------------------------------------------------


def one_export(reader: Reader, export_id: ExportId) -> Export:
    """Give an export of the reader's own; raises NotFound."""
    return _record(_row(reader, export_id))


def _row(reader: Reader, export_id: ExportId) -> Row[Any]:
    reader.viewer.need(RIGHT)
    statement = select(exports).where(exports.c.id == export_id)
    if not reader.viewer.is_system:
        statement = statement.where(exports.c.user_id == reader.viewer.user_id)
    row = reader.conn.execute(statement).first()
    if row is None:
        raise NotFound("there is no such export")
    return row


def exports_page(reader: Reader, before: int = 0, limit: int = 50) -> list[Export]:
    """Give the reader's own exports, the newest first."""
    reader.viewer.need(RIGHT)
    statement = select(exports).where(exports.c.user_id == reader.viewer.user_id)
    if before:
        statement = statement.where(exports.c.id < before)
    rows = reader.conn.execute(statement.order_by(exports.c.id.desc()).limit(limit))
    return [_record(row) for row in rows]


def asked(reader: Reader, export_id: ExportId) -> ObjectQuery | DialogQuery:
    """Give the list that an export is of."""
    row = _row(reader, export_id)
    if row.kind == DIALOG_LIST.kind.name:
        return dialog_lists.query_of(row.query)
    return ObjectQuery(**{name: one for name, one in row.query.items() if name != "view"})


def listed(nouns: Mapping[str, Noun]) -> Mapping[str, Noun]:
    """Give every kind whose list can be written into a file."""
    return {**nouns, DIALOG_LIST.kind.name: DIALOG_LIST}


def file_of(reader: Reader, export_id: ExportId) -> tuple[Export, str]:
    """Give a finished export with its blob; raises where its user may not have it any more."""
    row = _row(reader, export_id)
    noun = listed(reader.nouns).get(row.kind)
    if noun is None or row.state != "done" or row.expires_at <= reader.now:
        raise NotFound("there is no such file any more: export the list again")
    reader.viewer.need(noun.kind.read)
    if row.reach != reach_of(reader.viewer):
        raise Conflict("what you may see has changed since: export the list again", what="reach")
    return _record(row), str(row.blob_id)


def _record(row: Row[Any]) -> Export:
    return Export(
        id=ExportId(row.id),
        user_id=UserId(row.user_id),
        kind=row.kind,
        format=row.format,
        language=row.language,
        columns=tuple(row.columns),
        state=row.state,
        error=row.error,
        rows_count=row.rows_count,
        rows_done=row.rows_done,
        size=row.size,
        created_at=Micros(row.created_at),
        finished_at=Micros(row.finished_at),
        expires_at=Micros(row.expires_at),
    )


# -- commands ------------------------------------------------------------------------------


def start_export(uow: UnitOfWork, command: StartExport) -> ExportId:
    """Queue an export; what is wrong with the question is said now."""
    known = listed(uow.tx.nouns)
    noun = known.get(command.kind)
    if noun is None:
        raise Invalid(f"lists are of: {', '.join(known)}", field="kind")
    if command.format not in FORMATS:
        raise Invalid(f"a file is one of: {', '.join(FORMATS)}", field="format")
    query: dict[str, Any] = {
        "filter": dict(command.filter),
        "text": command.text[:200],
        "sort": command.sort[:50],
        "removed": command.removed,
    }
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    if noun is DIALOG_LIST:
        query["view"] = command.view
        dialog_lists.page(reader, replace(dialog_lists.query_of(query), limit=1))
    elif command.view:
        raise Invalid("only dialogs have views of the inbox", field="view")
    else:
        objects.page(reader, noun, ObjectQuery(**query, limit=1))
    waiting = select(exports.c.id).where(
        exports.c.user_id == uow.viewer.user_id, exports.c.state.in_(("waiting", "running"))
    )
    if len(uow.conn.execute(waiting.limit(MOST_WAITING)).all()) == MOST_WAITING:
        raise Conflict("your exports before this one are still being written", what="busy")
    export_id = ExportId(uow.new_id())
    uow.conn.execute(
        insert(exports).values(
            id=export_id,
            user_id=uow.viewer.user_id,
            kind=command.kind,
            format=command.format,
            language=command.language[:8],
            query=query,
            columns=list(command.columns[:300]),
            created_at=uow.now,
            expires_at=uow.now + 7 * DAY_US,
        )
    )
    _say(uow, export_id, command.kind, "waiting")
    _queue(uow, export_id)
    return export_id


def _queue(uow: UnitOfWork, export_id: ExportId) -> None:
    # The queue is the hub's own: whoever may export need not be allowed to run jobs.
    run_job(uow, RunJob(name=JOB, payload={"export_id": str(export_id)}, key=str(export_id)))


def retry_export(uow: UnitOfWork, command: RetryExport) -> None:
    """Queue a failed export once more."""
    own = (exports.c.id == command.export_id, exports.c.user_id == uow.viewer.user_id)
    row = uow.conn.execute(
        update(exports)
        .where(*own, exports.c.state == "failed")
        .values(
            state="waiting", error="", rows_done=0, finished_at=0, expires_at=uow.now + 7 * DAY_US
        )
        .returning(exports.c.kind)
    ).first()
    if row is None:
        if uow.conn.execute(select(exports.c.id).where(*own)).first() is None:
            raise NotFound("there is no such export")
        raise Conflict("only what could not be written is tried again", what="state")
    _say(uow, command.export_id, row.kind, "waiting")
    _queue(uow, command.export_id)


def _say(uow: UnitOfWork, export_id: ExportId, kind: str, state: str) -> None:
    uow.record(ExportChanged(export_id=export_id, object_kind=kind, state=state))


def report_export(uow: UnitOfWork, command: ReportExport) -> bool:
    """Write how far an export is; False where nobody waits for it any more."""
    row = uow.conn.execute(select(exports).where(exports.c.id == command.export_id)).first()
    if row is None or row.state in ("done", "failed"):
        return False
    values: dict[str, Any] = {"state": "running", "rows_done": command.rows_done}
    if command.rows_count:
        values["rows_count"] = command.rows_count
    blob_id, sha256, size = command.blob
    if command.error:
        values |= {"state": "failed", "error": command.error[:400], "finished_at": uow.now}
    elif blob_id:
        uow.conn.execute(
            insert(blobs).values(
                id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
            )
        )
        values |= {
            "state": "done",
            "blob_id": blob_id,
            "size": size,
            "reach": command.reach,
            "rows_count": command.rows_done,
            "finished_at": uow.now,
            "expires_at": uow.now + DAY_US,
        }
    uow.conn.execute(update(exports).where(exports.c.id == row.id).values(**values))
    if values["state"] != "running":
        _say(uow, command.export_id, row.kind, values["state"])
        ref = Ref(kind="export", id=row.id)
        # One that was tried again is told again.
        key = f"export:{row.id}:{uow.now}"
        tell(uow, [row.user_id], f"export.{values['state']}", ref, key=key)
    return True


def remove_export(uow: UnitOfWork, command: RemoveExport) -> None:
    """End an export of one's own."""
    row = uow.conn.execute(
        select(exports).where(
            exports.c.id == command.export_id, exports.c.user_id == uow.viewer.user_id
        )
    ).first()
    if row is None:
        raise NotFound("there is no such export")
    drop_exports(uow, [row.id])
    _say(uow, command.export_id, row.kind, "removed")


def sweep_exports(uow: UnitOfWork, command: SweepExports) -> int:
    """Remove what has expired."""
    over = select(exports.c.id).where(exports.c.expires_at <= uow.now).limit(500)
    return drop_exports(uow, list(uow.conn.execute(over).scalars()))


def forget_exports(uow: UnitOfWork) -> int:
    """Remove every export: a file written before somebody was erased still names him."""
    return drop_exports(uow, list(uow.conn.execute(select(exports.c.id)).scalars()))


def drop_exports(uow: UnitOfWork, ids: Sequence[int]) -> int:
    """Forget exports with their files; gives how many."""
    named = select(exports.c.blob_id).where(exports.c.id.in_(ids), exports.c.blob_id != "")
    names = list(uow.conn.execute(named).scalars())
    uow.conn.execute(delete(exports).where(exports.c.id.in_(ids)))
    uow.conn.execute(delete(blobs).where(blobs.c.id.in_(names)))
    drop = uow.tx.drop_blob
    if names and drop is not None:

        def forget() -> None:
            for one in names:
                drop(one)

        uow.tx.after_commit.append(forget)
    return len(ids)
