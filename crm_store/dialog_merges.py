"""Which merges into a dialog can be undone, and forgetting what they keep of an erased person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from crm_store.tables.dialogs import dialogs
from crm_store.tables.people import merges
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.ids import DialogId, MergeId, Micros
from hub.records.dialogs import DialogMerge


def merges_of(reader: Reader, dialog_id: DialogId) -> list[DialogMerge]:
    """Give the merges into a dialog that were not undone, the newest first: that one is undone first.

    A merge with a dialog that the reader may not see is left out: he cannot undo it.
    """
    rows = reader.conn.execute(
        select(
            merges.c.id, merges.c.survivor_id, merges.c.merged_id, merges.c.at, dialogs.c.subject
        )
        .join(dialogs, dialogs.c.id == merges.c.merged_id)
        .where(
            merges.c.kind == "dialog",
            merges.c.survivor_id == dialog_id,
            merges.c.undone_at == 0,
            reader.viewer.dialogs_clause(),
        )
        .order_by(merges.c.id.desc())
        .limit(100)
    ).all()
    return [
        DialogMerge(
            id=MergeId(row.id),
            survivor_id=DialogId(row.survivor_id),
            merged_id=DialogId(row.merged_id),
            subject=row.subject,
            at=Micros(row.at),
        )
        for row in rows
    ]


def forget_merges(uow: UnitOfWork, dialog_ids: Sequence[int]) -> None:
    """Forget what merges of an erased person's dialogs remember; those cannot be undone then."""
    of_him = (merges.c.kind == "dialog") & (
        merges.c.merged_id.in_(dialog_ids) | merges.c.survivor_id.in_(dialog_ids)
    )
    uow.conn.execute(update(merges).where(of_him).values(kept={}))
