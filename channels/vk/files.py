"""Files on their way out: handed to VK in two steps, then named in the message."""

from __future__ import annotations

import json
from typing import Any

from channels.vk.client import VkClient
from hub import (
    Attachment,
    HttpClient,
    PermanentFailure,
    RejectReason,
    Response,
    TemporaryFailure,
)

PHOTOS = frozenset({"image/jpeg", "image/png"})
VOICES = frozenset({"audio/ogg", "audio/opus"})
MAX_PHOTO = 50_000_000
UPLOAD_SECONDS = 60.0


async def upload(client: VkClient, http: HttpClient, peer: int, file: Attachment) -> str:
    """Upload one file; gives its name for `messages.send`.

    Raises PermanentFailure where VK does not take this file, TemporaryFailure where it could
    not now; the person has seen nothing either way.
    """
    if file.media_type in PHOTOS and len(file.content or b"") <= MAX_PHOTO:
        return await _photo(client, http, peer, file)
    return await _document(client, http, peer, file)


async def _photo(client: VkClient, http: HttpClient, peer: int, file: Attachment) -> str:
    server = await client.call("photos.getMessagesUploadServer", peer_id=peer)
    given = await _post(http, server, "photo", file)
    if not isinstance(given.get("photo"), str) or given["photo"] in ("", "[]"):
        raise _refused(file, given)
    saved = await client.call(
        "photos.saveMessagesPhoto",
        photo=given["photo"],
        server=given.get("server"),
        hash=given.get("hash"),
    )
    return _named("photo", saved[0] if isinstance(saved, list) and saved else None, file)


async def _document(client: VkClient, http: HttpClient, peer: int, file: Attachment) -> str:
    kind = "audio_message" if file.media_type in VOICES else "doc"
    server = await client.call("docs.getMessagesUploadServer", type=kind, peer_id=peer)
    given = await _post(http, server, "file", file)
    if not isinstance(given.get("file"), str) or not given["file"]:
        raise _refused(file, given)
    saved = await client.call("docs.save", file=given["file"], title=file.name)
    body = saved.get(str(saved.get("type", "doc"))) if isinstance(saved, dict) else None
    return _named("doc", body, file)


async def _post(http: HttpClient, server: Any, field: str, file: Attachment) -> dict[str, Any]:
    if not isinstance(server, dict) or not isinstance(server.get("upload_url"), str):
        raise TemporaryFailure("VK named no place for the file")
    part = (file.name or "file", file.content or b"", file.media_type)
    answer = await http.request(
        "POST", server["upload_url"], files={field: part}, timeout=UPLOAD_SECONDS
    )
    return _json(answer)


def _json(answer: Response) -> dict[str, Any]:
    if answer.status_code == 413:
        raise PermanentFailure(RejectReason.TOO_LARGE, "VK does not take files of this size")
    try:
        found = answer.json() if answer.status_code < 400 else None
    except ValueError:
        found = None
    if isinstance(found, str):
        # Older upload servers send JSON inside a string.
        found = json.loads(found)
    if not isinstance(found, dict):
        raise TemporaryFailure(f"VK's upload server answered {answer.status_code}")
    return found


def _refused(file: Attachment, given: dict[str, Any]) -> PermanentFailure:
    words = str(given.get("error_descr") or given.get("error") or "").strip()
    return PermanentFailure(
        RejectReason.PROVIDER_ERROR, f"VK does not take the file {file.name}: {words}"[:400]
    )


def _named(kind: str, saved: object, file: Attachment) -> str:
    if not isinstance(saved, dict) or "owner_id" not in saved or "id" not in saved:
        raise PermanentFailure(RejectReason.PROVIDER_ERROR, f"VK did not keep {file.name}")
    key = f"_{saved['access_key']}" if saved.get("access_key") else ""
    return f"{kind}{saved['owner_id']}_{saved['id']}{key}"


async def attached(client: VkClient, peer: int, number: int) -> str | None:
    """Name the files that a message of ours holds, so that an edit keeps them."""
    found = await client.call(
        "messages.getByConversationMessageId", peer_id=peer, conversation_message_ids=number
    )
    items = found.get("items") if isinstance(found, dict) else None
    names = []
    for one in (items[0].get("attachments") or ()) if items else ():
        kind = str(one.get("type", ""))
        body = one.get(kind)
        if isinstance(body, dict) and "owner_id" in body and "id" in body:
            key = f"_{body['access_key']}" if body.get("access_key") else ""
            name = "doc" if kind == "audio_message" else kind
            names.append(f"{name}{body['owner_id']}_{body['id']}{key}")
    return ",".join(names) or None
