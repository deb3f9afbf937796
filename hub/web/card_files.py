"""Files that a card's form brings: kept first, so that its command can name them."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from crm_store import attachments as attachment_reads
from hub.errors import Invalid, NotFound
from hub.ids import AttachmentId, DialogId
from hub.kinds import Kind
from hub.messages import Attachment
from hub.multipart import plain_name
from hub.properties import CardFile, PropertyType
from hub.web.i18n import translate
from hub.web.numbers import number


def _(text: str) -> str:
    return text


async def uploaded(request: Request, kind: Kind, form: Any) -> dict[str, object]:
    """Give what a form says of fields that hold files; raises Invalid for one that is too large.

    A file that was chosen is uploaded; a tick takes away what is there; else it is what it was.
    """
    try:
        return await _values(request, kind, form)
    finally:
        for one in form.values():
            if isinstance(one, UploadFile):
                await one.close()


async def _values(request: Request, kind: Kind, form: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for prop in kind.properties:
        if prop.type is not PropertyType.FILE or prop.name not in form:
            continue
        chosen = form.get(f"{prop.name}-new")
        if isinstance(chosen, UploadFile) and chosen.filename:
            found[prop.name] = await _kept(request, kind, prop.name, chosen)
        elif form.get(f"{prop.name}-gone") == "yes":
            found[prop.name] = ""
        elif held := number(str(form[prop.name]) or "0"):
            found[prop.name] = await _described(request, AttachmentId(held)) or held
        else:
            found[prop.name] = ""
    return found


async def _kept(request: Request, kind: Kind, name: str, file: UploadFile) -> CardFile:
    most: int = request.app.state.settings.max_file
    content = await file.read(most + 1)
    if len(content) > most:
        words = translate(request.state.language, _("The file is too large: at most %(size)s MB."))
        raise Invalid(words % {"size": most // 1_000_000}, field=name)
    kept = await request.state.hub.upload(
        Attachment(
            name=plain_name(file.filename or ""),
            media_type=(file.content_type or "application/octet-stream")[:200],
            content=content,
        ),
        DialogId(0),
        kind.name,
    )
    described = await _described(request, kept)
    if described is None:
        raise Invalid("this is needed", field=name)
    return described


async def _described(request: Request, file_id: AttachmentId) -> CardFile | None:
    try:
        record, _ = await request.state.hub.read(attachment_reads.attachment, file_id)
    except NotFound:
        return None
    return CardFile(id=record.id, name=record.name, size=record.size, media_type=record.media_type)
