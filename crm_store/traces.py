"""What a person leaves beside the cards: rows and files of imports, codes of other systems, kept
answers of the API, and raw input that nobody could read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import String, cast, delete, or_, select, update

from crm_store import card_files
from crm_store.imports import drop_files
from crm_store.tables.dialogs import quarantine
from crm_store.tables.imports import external_ids, import_rows, imports
from crm_store.tables.users import api_requests
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader

CHUNK = 200
SHORTEST = 5
"""Shorter addresses are in every file."""


def kept_files(reader: Reader) -> list[tuple[int, str, Mapping[str, str]]]:
    """Give the files of imports that are kept: import, blob, and how each is read."""
    rows = reader.conn.execute(
        select(imports.c.id, imports.c.blob_id, imports.c.form).where(imports.c.blob_id != "")
    )
    return [(row.id, row.blob_id, row.form) for row in rows]


def forget_traces(
    uow: UnitOfWork,
    objects: Mapping[str, Sequence[int]],
    dialog_ids: Sequence[int],
    words: Iterable[str],
    files: Sequence[int],
) -> dict[str, int]:
    """Forget what objects, by their kinds, and dialogs left elsewhere; `files` are imports that name
    people among them. Gives counts."""
    numbers = [one for ids in objects.values() for one in ids]
    report = {"import_rows": 0, "import_files": 0, "raw_inputs": 0}
    named = set(files)
    for chunk in _chunks(numbers):
        mine = import_rows.c.contact_id.in_(chunk) | import_rows.c.object_id.in_(chunk)
        named |= set(
            uow.conn.execute(select(import_rows.c.import_id).where(mine).distinct()).scalars()
        )
        replaced = card_files.replaced_in(uow.conn, mine)
        report["import_rows"] += uow.conn.execute(
            update(import_rows).where(mine).values(before={}, reason="", undone=True)
        ).rowcount
        card_files.release(uow, replaced)
    report["import_files"] = drop_files(uow, sorted(named))
    for kind, ids in objects.items():
        uow.conn.execute(
            delete(external_ids).where(
                external_ids.c.kind == kind, external_ids.c.object_id.in_(ids)
            )
        )
    for chunk in _chunks([*numbers, *dialog_ids]):
        uow.conn.execute(
            delete(api_requests).where(
                or_(*(api_requests.c.answer.contains(str(one)) for one in chunk))
            )
        )
    report["raw_inputs"] = _forget_raw(uow, [one for one in words if len(one) >= SHORTEST])
    return report


def _forget_raw(uow: UnitOfWork, words: Sequence[str]) -> int:
    """Forget unread input that names the person."""
    if not words:
        return 0
    marks = [one.casefold() for one in words]
    gone = []
    rows = uow.conn.execute(
        select(
            quarantine.c.id,
            quarantine.c.raw,
            quarantine.c.error,
            quarantine.c.trace,
            quarantine.c.url,
            cast(quarantine.c.headers, String).label("headers"),
        )
    )
    for row in rows:
        raw = bytes(row.raw).decode("utf-8", "replace")
        text = "\n".join((raw, row.error, row.trace, row.url, str(row.headers))).casefold()
        if any(one in text for one in marks):
            gone.append(row.id)
    uow.conn.execute(delete(quarantine).where(quarantine.c.id.in_(gone)))
    return len(gone)


def _chunks(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[n : n + CHUNK]) for n in range(0, len(ids), CHUNK)]
