"""Imports: a file's way from an upload to objects, and back. What becomes of one row stands in
import_rows.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm_store import card_files
from crm_store.blob_counts import forget_bytes
from crm_store.import_fields import checked, fields_of, remember, stored, whole_noun
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import blobs
from crm_store.tables.imports import import_rows, imports
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    CancelImport,
    CreateImport,
    EndImport,
    RemoveImport,
    ReportImportCheck,
    RunJob,
    SetUpImport,
    StartImport,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import ImportChanged, ImportFinished
from hub.ids import ImportId, Micros, UserId
from hub.kinds import Kind
from hub.records.imports import Import

RIGHT = "lists.import"
JOB = "hub.import"
MOST_ROWS = 200_000
BUSY = ("checking", "running", "undoing")


# -- reading -------------------------------------------------------------------------------


def one_import(reader: Reader, import_id: ImportId) -> Import:
    """Give one import; raises NotFound."""
    reader.viewer.need(RIGHT)
    row = reader.conn.execute(select(imports).where(imports.c.id == import_id)).first()
    if row is None:
        raise NotFound("there is no such import")
    return _record(row)


def imports_page(reader: Reader, before: int = 0, limit: int = 50) -> list[Import]:
    """Give imports, the newest first."""
    reader.viewer.need(RIGHT)
    statement = select(imports).order_by(imports.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(imports.c.id < before)
    return [_record(row) for row in reader.conn.execute(statement)]


def blob_of(reader: Reader, import_id: ImportId) -> str:
    """Give the blob with the file's bytes; raises NotFound where it was dropped."""
    reader.viewer.need(RIGHT)
    found = reader.conn.execute(select(imports.c.blob_id).where(imports.c.id == import_id)).scalar()
    if not found:
        raise NotFound("the file of this import was removed")
    return str(found)


def bad_rows(reader: Reader, import_id: ImportId, limit: int = 0) -> dict[int, str]:
    """Give what is wrong with which row, with `limit` only of the first ones."""
    reader.viewer.need(RIGHT)
    statement = (
        select(import_rows.c.row_number, import_rows.c.reason)
        .where(import_rows.c.import_id == import_id, import_rows.c.outcome == "bad")
        .order_by(import_rows.c.row_number)
    )
    rows = reader.conn.execute(statement.limit(limit) if limit else statement)
    return {row.row_number: row.reason for row in rows}


def _record(row: Row[Any]) -> Import:
    return Import(
        id=ImportId(row.id),
        kind=row.kind,
        name=row.name,
        state=row.state,
        error=row.error,
        heads=tuple(row.heads),
        rows=row.rows_count,
        fields=fields_of(row),
        form=row.form,
        checked=row.checked,
        done=row.cursor,
        found=row.found,
        counts=row.counts,
        undone=row.undone,
        has_file=bool(row.blob_id),
        user_id=UserId(row.user_id),
        created_at=Micros(row.created_at),
        started_at=Micros(row.started_at),
        finished_at=Micros(row.finished_at),
        version=row.version,
    )


# -- commands ------------------------------------------------------------------------------


def create_import(uow: UnitOfWork, command: CreateImport) -> ImportId:
    """Keep an uploaded file."""
    noun = whole_noun(uow, command.kind)
    uow.viewer.need(noun.kind.write)
    if command.rows_count > MOST_ROWS:
        raise Invalid(f"at most {MOST_ROWS} rows are imported at once", field="file")
    fields = checked(noun.kind, command.fields, len(command.heads))
    import_id = ImportId(uow.new_id())
    blob_id, sha256, size = command.blob
    uow.conn.execute(
        insert(blobs).values(
            id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
        )
    )
    uow.conn.execute(
        insert(imports).values(
            id=import_id,
            kind=noun.kind.name,
            name=command.name[:200],
            blob_id=blob_id,
            form=dict(command.form),
            heads=list(command.heads),
            rows_count=command.rows_count,
            user_id=uow.viewer.user_id,
            created_at=uow.now,
            **stored(fields),
        )
    )
    _say(uow, import_id, noun.kind.name, "uploaded")
    return import_id


def _say(uow: UnitOfWork, import_id: ImportId, kind: str, state: str) -> None:
    uow.record(ImportChanged(import_id=import_id, object_kind=kind, state=state))


def lock_import(uow: UnitOfWork, import_id: ImportId) -> Row[Any]:
    """Lock an import; raises NotFound."""
    row = uow.conn.execute(
        locked(uow.dialect, select(imports).where(imports.c.id == import_id))
    ).first()
    if row is None:
        raise NotFound("there is no such import")
    return row


def write(uow: UnitOfWork, import_id: ImportId, **values: object) -> None:
    """Write columns of an import."""
    uow.conn.execute(update(imports).where(imports.c.id == import_id).values(**values))


def set_up_import(uow: UnitOfWork, command: SetUpImport) -> int:
    """Say what each column fills; gives the new version."""
    row = lock_import(uow, command.import_id)
    if command.version is not None and command.version != row.version:
        raise Conflict("the import was changed meanwhile", what="version")
    if row.state not in ("uploaded", "checked", "failed") or row.cursor:
        raise Conflict("this import has begun: its columns stay", what="begun")
    kind = whole_noun(uow, row.kind).kind
    fields = checked(kind, command.fields, len(row.heads))
    write(
        uow,
        command.import_id,
        version=row.version + 1,
        state="uploaded",
        error="",
        found={},
        checked=0,
        **stored(fields),
    )
    remember(uow, row.kind, row.heads, fields)
    return int(row.version) + 1


def start_import(uow: UnitOfWork, command: StartImport) -> None:
    """Begin one of its steps, and queue the job that does it."""
    row = lock_import(uow, command.import_id)
    kind = whole_noun(uow, row.kind).kind
    uow.viewer.need(kind.write)
    ways = {
        "check": (("uploaded", "checked", "failed"), "checking"),
        "run": (("uploaded", "checked", "cancelled", "failed"), "running"),
        "undo": (("finished", "cancelled", "failed"), "undoing"),
    }
    if command.what not in ways:
        raise Invalid("an import is started to check, run or undo", field="what")
    before, state = ways[command.what]
    if row.state not in before or (command.what == "check" and row.cursor):
        raise Conflict(f"an import that is {row.state} cannot do this", what="state")
    if command.what != "undo":
        _may_start(row, kind)
    values: dict[str, object] = {"state": state, "error": "", "version": row.version + 1}
    if command.what == "check":
        values |= {"checked": 0, "found": {}}
    if not row.cursor and command.what != "undo":
        # What a dry run said of the rows is said again.
        uow.conn.execute(delete(import_rows).where(import_rows.c.import_id == row.id))
    if command.what == "run":
        values["started_at"] = row.started_at or uow.now
    write(uow, command.import_id, **values)
    _say(uow, command.import_id, row.kind, state)
    queue(uow, command.import_id)


def _may_start(row: Row[Any], kind: Kind) -> None:
    if not row.blob_id:
        raise Conflict("the file of this import was removed", what="file")
    named = {*row.columns, *row.options.get("defaults", {})}
    if not set(row.columns) - {""}:
        raise Invalid("say what the columns fill", field="columns")
    policy, keys = row.options.get("policy"), row.options.get("keys", ())
    if policy != "new" and not set(keys) & named:
        raise Invalid("say by which columns rows are recognised", field="keys")
    needed = [
        one.name for one in kind.properties if one.required and one.editable and not one.is_custom
    ]
    if policy in ("new", "skip") and kind.name != "lead" and not set(needed) <= named:
        raise Invalid(f"a column must fill: {', '.join(needed)}", field="columns")


def queue(uow: UnitOfWork, import_id: ImportId) -> None:
    """Ask for the job that works on an import; one that waits is not doubled."""
    # Carried out by the hub itself: who imports need not be allowed to run jobs.
    from crm_store.work import run_job

    run_job(uow, RunJob(name=JOB, payload={"import_id": str(import_id)}, key=str(import_id)))


def cancel_import(uow: UnitOfWork, command: CancelImport) -> None:
    """Stop after the batch under way."""
    row = lock_import(uow, command.import_id)
    if row.state not in ("checking", "running"):
        raise Conflict("nothing is under way", what="state")
    state = "uploaded" if row.state == "checking" else "cancelled"
    write(
        uow,
        command.import_id,
        state=state,
        version=row.version + 1,
        finished_at=uow.now if state == "cancelled" else 0,
    )
    _say(uow, command.import_id, row.kind, "cancelled")


def remove_import(uow: UnitOfWork, command: RemoveImport) -> None:
    """Forget an import, its rows and its file."""
    row = lock_import(uow, command.import_id)
    if row.state in BUSY:
        raise Conflict("stop the import first", what="state")
    drop_files(uow, [command.import_id])
    if row.form.get("table"):
        # What its files replaced comes back no more.
        replaced = card_files.replaced_in(uow.conn, import_rows.c.import_id == row.id)
        card_files.release(uow, replaced)
    uow.conn.execute(delete(import_rows).where(import_rows.c.import_id == row.id))
    uow.conn.execute(delete(imports).where(imports.c.id == row.id))
    _say(uow, command.import_id, row.kind, "removed")


def drop_files(uow: UnitOfWork, ids: Sequence[int]) -> int:
    """Forget the bytes of imports' files; gives how many there were."""
    names = list(
        uow.conn.execute(
            select(imports.c.blob_id).where(imports.c.id.in_(ids), imports.c.blob_id != "")
        ).scalars()
    )
    uow.conn.execute(update(imports).where(imports.c.id.in_(ids)).values(blob_id=""))
    uow.conn.execute(delete(blobs).where(blobs.c.id.in_(names)))
    forget_bytes(uow, names)
    return len(names)


def report_import_check(uow: UnitOfWork, command: ReportImportCheck) -> None:
    """Note what a dry run found; Conflict where somebody ended it."""
    row = lock_import(uow, command.import_id)
    if row.state != "checking":
        raise Conflict("the check was ended", what="state")
    if command.bad:
        statement = upsert(uow.dialect, import_rows).on_conflict_do_nothing()
        uow.conn.execute(
            statement,
            [
                {
                    "import_id": row.id,
                    "row_number": number,
                    "outcome": "bad",
                    "reason": reason[:400],
                    "before": {},
                }
                for number, reason in command.bad
            ],
        )
    values: dict[str, object] = {"checked": command.checked, "found": dict(command.found)}
    if command.done:
        values |= {"state": "checked", "version": row.version + 1}
        _say(uow, command.import_id, row.kind, "checked")
    write(uow, command.import_id, **values)


def end_import(uow: UnitOfWork, command: EndImport) -> None:
    """Say that an import is through, or why it stopped."""
    row = lock_import(uow, command.import_id)
    if row.state not in BUSY:
        return
    if command.error:
        state = "failed"
    else:
        state = "undone" if row.state == "undoing" else "finished"
    write(
        uow,
        command.import_id,
        state=state,
        error=command.error[:400],
        finished_at=uow.now,
        version=row.version + 1,
    )
    _say(uow, command.import_id, row.kind, state)
    if state == "finished":
        counts: Mapping[str, int] = row.counts
        uow.record(
            ImportFinished(
                import_id=command.import_id,
                object_kind=row.kind,
                created=counts.get("created", 0),
                updated=counts.get("updated", 0),
                unchanged=counts.get("unchanged", 0),
                duplicates=counts.get("duplicates", 0),
                bad=counts.get("bad", 0),
            )
        )
