"""Handing one person's data over: a ZIP with a page to read, JSON, and the files."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_store.personal import personal_data
from hub.errors import NotFound
from hub.ids import ContactId
from hub.web.i18n import translate

if TYPE_CHECKING:
    from hub.handle import BoundHub

_UNSAFE = re.compile(r"[^\w.\- ]+")


async def export_person(
    hub: BoundHub, contact_id: ContactId, path: Path, language: str = "en"
) -> dict[str, int]:
    """Write all that is kept of a contact into a new ZIP; gives counts by kind."""
    found, files = await hub.read(personal_data, contact_id)
    missing = await asyncio.to_thread(_write, hub, path, found, files, language)
    counts = {
        name: len(found[name]) for name in ("dialogs", "messages", "addresses") if found[name]
    }
    counts["files"] = len(files) - missing
    if missing:
        counts["missing files"] = missing
    return counts


def _write(
    hub: BoundHub, path: Path, found: dict[str, Any], files: list[Any], language: str
) -> int:
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
        archive.writestr("index.html", readable(found, listed, language))
    return missing


def readable(found: dict[str, Any], files: list[dict[str, str]], language: str) -> str:
    """Give a page that the person can read: who, what was said, and everything else as tables."""

    def say(text: str) -> str:
        return html.escape(translate(language, text))

    title = html.escape(translate(language, "All that is kept of one person"))
    parts = [
        f"<h1>{title}</h1>",
        _table([found["contact"]], language),
        f"<h2>{say('Messages')}</h2>",
    ]
    texts = {one["message_id"]: one.get("full_text", "") for one in found["bodies"]}
    for one in found["messages"]:
        at = datetime.fromtimestamp(int(one["at"]) / 1_000_000, UTC)
        who = one.get("author_name") or one["direction"]
        words = texts.get(one["id"]) or one["text"]
        head = f"{at:%Y-%m-%d %H:%M} UTC · {who}"
        parts.append(
            f"<article><b>{html.escape(head)}</b><pre>{html.escape(str(words))}</pre></article>"
        )
    if files:
        links = (
            f'<li><a href="{html.escape(one["path"], quote=True)}">{html.escape(one["name"])}</a></li>'
            for one in files
        )
        parts.append(f"<h2>{say('Files')}</h2><ul>{''.join(links)}</ul>")
    for name, rows in found.items():
        if name not in ("contact", "messages", "bodies") and isinstance(rows, list) and rows:
            parts.append(f"<h2>{say(_words(name))}</h2>{_table(rows, language)}")
    style = "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto}pre{white-space:pre-wrap}"
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title><style>{style}'
        f"td,th{{text-align:left;vertical-align:top;padding:2px 8px}}</style>{''.join(parts)}"
    )


def _table(rows: list[dict[str, Any]], language: str) -> str:
    lines = []
    for row in rows:
        cells = (
            f"<tr><th>{html.escape(translate(language, _words(name)))}</th>"
            f"<td>{html.escape(_value(name, value))}</td></tr>"
            for name, value in row.items()
            if value not in ("", None, 0, False, "0", [], {})
        )
        lines.append(f"<table>{''.join(cells)}</table><hr>")
    return "".join(lines)


def _words(name: str) -> str:
    """Give a column's name as words; data.json keeps it as it is."""
    return name.replace("_", " ").capitalize()


def _value(name: str, value: object) -> str:
    if name.endswith(("_at", "_due")) and isinstance(value, int):
        return f"{datetime.fromtimestamp(value / 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"
    return str(value)
