"""Files: uploading one for a message to come, downloading those that came."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, File, Form, Path, Request, Response, UploadFile
from fastapi.responses import FileResponse

from crm_store import attachments as attachment_reads
from crm_store.accounts import kind_of
from hub.commands import FetchAttachment, UploadAttachment
from hub.errors import NotAllowed, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.endpoints.messages import BYTES
from hub.http_api.errors import failures, too_large
from hub.http_api.shapes.messages import Attachment as Shown
from hub.ids import AttachmentId, DialogId
from hub.messages import Attachment
from hub.shapes import GivenId, check_storable

router = rights.router("Attachments")

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"\\/\ud800-\udfff]")


async def _may_upload(
    request: Request,
    caller: rights.AnyCaller,
    kind: Annotated[str, Form(max_length=100, description="That of the card it is for.")] = "",
) -> Caller:
    nouns = runtime_of(request).nouns
    if kind and kind not in nouns:
        raise NotFound(f"there is no kind {kind!r}")
    right = nouns[kind].kind.write if kind else UploadAttachment.permission
    if not caller.viewer.may(right):
        raise NotAllowed(f"this needs the right {right!r}")
    return caller


_may_upload.permission = UploadAttachment.permission  # type: ignore[attr-defined]


@router.post("/attachments", status_code=201, summary="Upload a file")
async def upload(
    request: Request,
    caller: Annotated[Caller, Depends(_may_upload)],
    file: Annotated[UploadFile, File(description="The file.")],
    dialog_id: Annotated[
        GivenId | None, Form(description="The dialog it is for: its channel's limit counts.")
    ] = None,
    kind: Annotated[str, Form(max_length=100, description="That of the card it is for.")] = "",
) -> Shown:
    """Keep a file until a message or a note of yours takes it; after a day it is forgotten.

    For a field of a card name the `kind` of the card: the right to change such cards is enough then.
    """
    runtime = runtime_of(request)
    limit = runtime.settings.max_file
    if dialog_id:
        dialog = await caller.hub.dialog(DialogId(dialog_id))
        channel = await runtime.database.read(lambda conn: kind_of(conn, dialog.account_id))
        known = runtime.database.channels.of(*channel)
        if known is not None and known.max_attachment_bytes:
            limit = min(limit, known.limit_of(file.content_type or "application/octet-stream"))
    content = await file.read(limit + 1)
    if len(content) > limit:
        raise too_large(limit)
    given = (file.content_type or "").split(";")[0].strip().lower()
    name = safe_name(file.filename or "")
    check_storable(name)
    attachment_id = await caller.hub.upload(
        Attachment(
            name=name,
            media_type=given if _MEDIA_TYPE.fullmatch(given) else "application/octet-stream",
            content=content,
        ),
        DialogId(dialog_id or 0),
        kind,
    )
    record, _ = await caller.hub.read(attachment_reads.attachment, attachment_id)
    return Shown.model_validate(record)


def safe_name(given: str) -> str:
    """Give a file's name without paths and signs that mean something elsewhere."""
    return _UNSAFE.sub("_", given.strip())[:200] or "file"


AttachmentKey = Annotated[GivenId, Path(alias="attachment_id", description="The file.")]


@router.get("/attachments/{attachment_id}", summary="About a file")
async def about(caller: rights.AnyCaller, attachment_id: AttachmentKey) -> Shown:
    """Give a file's name, type, size and state, to who may see the message or card that has it."""
    record, _ = await caller.hub.read(attachment_reads.attachment, AttachmentId(attachment_id))
    return Shown.model_validate(record)


@router.post(
    "/attachments/{attachment_id}/fetch",
    status_code=202,
    summary="Fetch a file again",
    responses=failures(409),
)
async def fetch(caller: rights.MayAnswer, attachment_id: AttachmentKey) -> Shown:
    """Ask the vendor once more for a file of state `failed`; its state is `pending` until then."""
    key = AttachmentId(attachment_id)
    await caller.hub.do(FetchAttachment(attachment_id=key))
    record, _ = await caller.hub.read(attachment_reads.attachment, key)
    return Shown.model_validate(record)


@router.get(
    "/attachments/{attachment_id}/content",
    summary="Download a file",
    response_class=Response,
    responses=BYTES,
)
async def content(
    request: Request, caller: rights.AnyCaller, attachment_id: AttachmentKey
) -> Response:
    """Give a file's bytes to who may see the message or card that has it.

    It is always a download, never to be opened in our name.
    """
    record, blob_id = await caller.hub.read(
        attachment_reads.attachment, AttachmentId(attachment_id)
    )
    if not blob_id:
        raise NotFound("the file has not arrived yet")
    path = runtime_of(request).blobs.path(blob_id)
    name = safe_name(record.name)
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name)}"
    return FileResponse(
        path,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition,
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
