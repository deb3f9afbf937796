"""Dialogs that are held for a while: locked together in one order, so that each act need not ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Select, select

from crm_store.rows import among, listed
from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs
from crm_store.unit_of_work import UnitOfWork

_HELD = "held"


@contextmanager
def holding(uow: UnitOfWork, ids: Iterable[int]) -> Iterator[None]:
    """Lock dialogs in the order of their ids; within, `is_held` knows those that stand for
    themselves. The locks last as long as the transaction."""
    if wanted := sorted({one for one in ids if one}):
        rows = uow.conn.execute(_locking(uow.dialect), {"b_ids": listed(uow.dialect, wanted)})
        uow.tx.known[_HELD] = {row.id for row in rows if not row.merged_into}
    try:
        yield
    finally:
        uow.tx.known.pop(_HELD, None)


def is_held(uow: UnitOfWork, dialog_id: int) -> bool:
    """Say whether a dialog is held and stands for itself."""
    return dialog_id in uow.tx.known.get(_HELD, ())


def let_go(uow: UnitOfWork, dialog_id: int) -> None:
    """Say that a dialog goes into another: whoever asks for it is led there."""
    uow.tx.known.get(_HELD, set()).discard(dialog_id)


@cache
def _locking(dialect: str) -> Select[Any]:
    these = among(dialect, dialogs.c.id, "b_ids")
    statement = select(dialogs.c.id, dialogs.c.merged_into).where(these).order_by(dialogs.c.id)
    return locked(dialect, statement)
