"""How many rows refer to bytes: the last that lets go of them has them removed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from crm_store.tables.dialogs import blobs
from crm_store.unit_of_work import UnitOfWork


def drop_blobs(uow: UnitOfWork, names: set[str]) -> int:
    """Let go of bytes; what nobody else refers to is removed after the commit. Gives how many."""
    if not names:
        return 0
    uow.conn.execute(
        update(blobs)
        .where(blobs.c.id.in_(names))
        .values(references_count=blobs.c.references_count - 1)
    )
    gone = list(
        uow.conn.execute(
            select(blobs.c.id).where(blobs.c.id.in_(names), blobs.c.references_count <= 0)
        ).scalars()
    )
    uow.conn.execute(delete(blobs).where(blobs.c.id.in_(gone)))
    forget_bytes(uow, gone)
    return len(gone)


def forget_bytes(uow: UnitOfWork, names: Sequence[str]) -> None:
    """Remove bytes that no row names any more, after the commit."""
    drop = uow.tx.drop_blob
    if not names or drop is None:
        return

    def forget() -> None:
        for one in names:
            drop(one)

    uow.tx.after_commit.append(forget)
