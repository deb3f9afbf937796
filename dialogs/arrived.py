"""The rows of what a message brings beside its words: files, and the bytes as they came."""

from __future__ import annotations

from typing import Any

from crm_store.unit_of_work import UnitOfWork
from hub.commands import Receive

Rows = list[dict[str, Any]]


def file_rows(
    uow: UnitOfWork, message_id: int, dialog_id: int, command: Receive
) -> tuple[Rows, Rows]:
    """Give the rows of a message's files, and those of their bytes."""
    files: Rows = []
    bytes_of: Rows = []
    for n, file in enumerate(command.message.attachments):
        blob_id, sha256, size = command.blobs[n] if n < len(command.blobs) else ("", "", 0)
        files.append(
            {
                "id": uow.new_id(),
                "message_id": message_id,
                "dialog_id": dialog_id,
                "account_id": command.account_id,
                "name": file.name[:400],
                "media_type": file.media_type[:400],
                "size": size or file.size,
                "state": "ready" if blob_id else "pending",
                "reference": file.reference,
                "content_id": file.content_id[:400],
                "inline": bool(file.content_id),
                "blob_id": blob_id,
                "created_at": uow.now,
            }
        )
        if blob_id:
            bytes_of.append(blob_row(uow, blob_id, sha256, size))
    return files, bytes_of


def blob_row(uow: UnitOfWork, blob_id: str, sha256: str, size: int) -> dict[str, Any]:
    """Give the row that names bytes of the blob store."""
    return {
        "id": blob_id,
        "sha256": sha256,
        "size": size,
        "references_count": 1,
        "created_at": uow.now,
    }
