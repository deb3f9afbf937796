"""Files on their way out: handed to MAX in two steps, then named in the message."""

from __future__ import annotations

from typing import Any

from channels.max_messenger.client import MaxClient
from hub import Attachment, HttpClient, PermanentFailure, RejectReason, TemporaryFailure

UPLOAD_SECONDS = 100.0
IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/bmp", "image/tiff"})
VIDEOS = frozenset({"video/mp4", "video/quicktime", "video/webm", "video/x-matroska"})


def kind_of(file: Attachment) -> str:
    """Give MAX's kind of a file."""
    if file.media_type in IMAGES:
        return "image"
    if file.media_type in VIDEOS:
        return "video"
    return "audio" if file.media_type.startswith("audio/") else "file"


async def upload(client: MaxClient, http: HttpClient, file: Attachment) -> dict[str, Any]:
    """Upload one file; gives its attachment for a message.

    Raises PermanentFailure where MAX does not take this file, TemporaryFailure where it could
    not now; the person has seen nothing either way.
    """
    kind = kind_of(file)
    place = await client.call("POST", "/uploads", params={"type": kind})
    part = (file.name or "file", file.content or b"", file.media_type)
    answer = await http.request(
        "POST", str(place.get("url") or ""), files={"data": part}, timeout=UPLOAD_SECONDS
    )
    if answer.status_code >= 400:
        text = f"MAX does not take the file {file.name}: {answer.status_code}"
        if answer.status_code in (429, *range(500, 600)):
            raise TemporaryFailure(text)
        too_large = answer.status_code == 413
        reason = RejectReason.TOO_LARGE if too_large else RejectReason.PROVIDER_ERROR
        raise PermanentFailure(reason, text)
    return {"type": kind, "payload": _payload(kind, place, _body(answer))}


def _body(answer: Any) -> dict[str, Any]:
    # Videos and sounds are answered in XML, and their token was given before.
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _payload(kind: str, place: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    if kind == "image" and isinstance(given.get("photos"), dict) and given["photos"]:
        return {"photos": given["photos"]}
    token = given.get("token") or place.get("token")
    if not isinstance(token, str) or not token:
        raise TemporaryFailure("MAX named no token for the file")
    return {"token": token}
