"""Handing one person's data over: a ZIP with JSON and the files."""

from __future__ import annotations

import asyncio
import json
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store.personal import personal_data
from hub.errors import NotFound
from hub.ids import ContactId

if TYPE_CHECKING:
    from hub.handle import BoundHub

_UNSAFE = re.compile(r"[^\w.\- ]+")


async def export_person(hub: BoundHub, contact_id: ContactId, path: Path) -> dict[str, int]:
    """Write all that is kept of a contact into a new ZIP; gives counts by kind."""
    found, files = await hub.read(personal_data, contact_id)
    missing = await asyncio.to_thread(_write, hub, path, found, files)
    counts = {
        name: len(found[name]) for name in ("dialogs", "messages", "addresses") if found[name]
    }
    counts["files"] = len(files) - missing
    if missing:
        counts["missing files"] = missing
    return counts


def _write(hub: BoundHub, path: Path, found: dict[str, Any], files: list[Any]) -> int:
    blobs = hub.runtime.blobs
    missing = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(handle, "wb") as out,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        listed = []
        for row in files:
            name = f"files/{row.id}-{_UNSAFE.sub('_', row.name)[-100:] or 'file'}"
            try:
                archive.write(blobs.path(row.blob_id), name)
            except NotFound:
                missing += 1
                continue
            listed.append({"attachment_id": str(row.id), "name": row.name, "path": name})
        text = json.dumps({**found, "files": listed}, ensure_ascii=False, indent=1, default=str)
        archive.writestr("data.json", text)
    return missing
