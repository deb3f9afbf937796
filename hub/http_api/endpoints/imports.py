"""Imports: files become objects of a kind, after a dry run, and can be taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from crm_store import import_fields
from crm_store import imports as store
from hub import commands as c
from hub import import_files
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.endpoints.attachments import safe_name
from hub.http_api.errors import failures, too_large
from hub.http_api.shapes import imports as s
from hub.ids import ImportId
from hub.importing import said, sample, upload
from hub.records.imports import ImportFields
from hub.shapes import GivenId, Listing, check_storable

router = rights.router("Imports")

ImportKey = Annotated[GivenId, Path(alias="import_id", description="The import.")]
CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "description": "The rows as they came, and why each was left out.",
    }
}


async def _shown(caller: Caller, import_id: int) -> s.Import:
    return s.Import.model_validate(await caller.hub.read(store.one_import, ImportId(import_id)))


@router.get("/imports", summary="List imports")
async def page(
    caller: rights.MayImport,
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Listing[s.Import]:
    """Give imports, the newest first."""
    found = await caller.hub.read(store.imports_page, before or 0, limit)
    return Listing[s.Import](
        items=[s.Import.model_validate(one) for one in found],
        next=str(found[-1].id) if len(found) == limit else "",
    )


@router.post("/imports", status_code=201, summary="Upload a file to import")
async def create(
    caller: rights.MayImport,
    file: Annotated[
        UploadFile,
        File(
            description="CSV or XLSX, headings in its first row; or a ZIP with it and the files it names."
        ),
    ],
    kind: Annotated[str, Form(max_length=100, description="client, lead ...")] = "client",
    encoding: Annotated[str, Form(max_length=20, description="Empty: found out.")] = "",
    delimiter: Annotated[str, Form(max_length=1, description="Empty: found out.")] = "",
) -> s.Import:
    """Keep a file; what its columns fill is suggested, or remembered from the last such file."""
    name = safe_name(file.filename or "")
    check_storable([name, kind])
    with TemporaryDirectory() as folder:
        path = FilePath(folder) / "file"
        await _keep(file, path)
        form = {"encoding": encoding, "delimiter": delimiter}
        import_id = await upload(caller.hub, kind, name, path, form)
    return await _shown(caller, import_id)


async def _keep(file: UploadFile, path: FilePath) -> None:
    size = 0
    with path.open("wb") as out:
        while part := await file.read(1 << 20):
            size += len(part)
            if size > import_files.MAX_FILE:
                raise too_large(import_files.MAX_FILE)
            await asyncio.to_thread(out.write, part)


@router.get("/imports/targets", summary="What a column may fill")
async def targets(
    caller: rights.MayImport,
    kind: Annotated[str, Query(max_length=100, description="client, lead ...")] = "client",
) -> list[s.ImportTarget]:
    """Give the properties of a kind that a file may bring."""
    noun = await caller.hub.read(lambda reader: import_fields.whole_noun(reader, kind))
    found = noun.kind
    labels = {one.name: one.label for one in found.properties}
    keys = import_fields.key_names(found)
    return [
        s.ImportTarget(name=one, label=labels.get(one, one), is_key=one in keys)
        for one in import_fields.targets(found)
    ]


@router.get("/imports/{import_id}", summary="One import")
async def one(caller: rights.MayImport, import_id: ImportKey) -> s.Import:
    """Give an import with its progress."""
    return await _shown(caller, import_id)


@router.get("/imports/{import_id}/sample", summary="Its first rows")
async def first_rows(caller: rights.MayImport, import_id: ImportKey) -> list[list[str]]:
    """Give the first rows of the file; none where it was removed."""
    found = await caller.hub.read(store.one_import, ImportId(import_id))
    return [list(cells) for cells in await sample(caller.hub, found)]


@router.put("/imports/{import_id}", summary="Say what its columns fill")
async def set_up(caller: rights.MayImport, import_id: ImportKey, body: s.SetUpImport) -> s.Import:
    """Say what each column fills and how rows meet what is there; what a dry run said is over."""
    fields = ImportFields(
        columns=tuple(body.columns),
        keys=tuple(body.keys),
        policy=body.policy,
        defaults=dict(body.defaults),
    )
    await caller.hub.do(c.SetUpImport(import_id=ImportId(import_id), fields=fields))
    return await _shown(caller, import_id)


async def _start(caller: Caller, import_id: int, what: str) -> s.Import:
    await caller.hub.do(c.StartImport(import_id=ImportId(import_id), what=what))
    return await _shown(caller, import_id)


@router.post(
    "/imports/{import_id}/check", status_code=202, summary="Dry run", responses=failures(409)
)
async def check(caller: rights.MayImport, import_id: ImportKey) -> s.Import:
    """Go through the whole file and count what would become of its rows; nothing is written."""
    return await _start(caller, import_id, "check")


@router.post(
    "/imports/{import_id}/run", status_code=202, summary="Import it", responses=failures(409)
)
async def run(caller: rights.MayImport, import_id: ImportKey) -> s.Import:
    """Carry the file out, or go on where it was cancelled or failed."""
    return await _start(caller, import_id, "run")


@router.post(
    "/imports/{import_id}/undo", status_code=202, summary="Take it back", responses=failures(409)
)
async def undo(caller: rights.MayImport, import_id: ImportKey) -> s.Import:
    """Put what it made into the bin and change back what it changed, where nobody did since."""
    return await _start(caller, import_id, "undo")


@router.post("/imports/{import_id}/cancel", summary="Stop it", responses=failures(409))
async def cancel(caller: rights.MayImport, import_id: ImportKey) -> s.Import:
    """Stop after the batch under way; what was written stays, and can be taken back."""
    await caller.hub.do(c.CancelImport(import_id=ImportId(import_id)))
    return await _shown(caller, import_id)


@router.get(
    "/imports/{import_id}/bad",
    summary="Its bad rows",
    response_class=Response,
    responses=CSV,
)
async def bad(request: Request, caller: rights.MayImport, import_id: ImportKey) -> Response:
    """Give the rows that were left out, with one more column that says why."""
    found = await caller.hub.read(store.one_import, ImportId(import_id))
    rows = await caller.hub.read(store.bad_rows, found.id)
    path = runtime_of(request).blobs.path(await caller.hub.read(store.blob_of, found.id))
    reasons = {number: ": ".join(filter(None, said(text))) for number, text in rows.items()}
    return StreamingResponse(
        import_files.bad_file(path, found.form, found.heads, reasons, "error"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )


@router.delete(
    "/imports/{import_id}", status_code=204, summary="Forget it", responses=failures(409)
)
async def remove(caller: rights.MayImport, import_id: ImportKey) -> Response:
    """Forget an import with its file; what it brought stays, and can be taken back no more."""
    await caller.hub.do(c.RemoveImport(import_id=ImportId(import_id)))
    return Response(status_code=204)
