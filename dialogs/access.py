"""Getting a dialog to work on: locked, visible to the actor, or not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Update, bindparam, select, update

from crm_store.held import is_held
from crm_store.rows import among, listed
from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, messages
from crm_store.unit_of_work import UnitOfWork
from hub.errors import NotFound
from hub.ids import DialogId


def lock_dialog(uow: UnitOfWork, dialog_id: int) -> Row[Any]:
    """Lock one dialog; what the actor may not see is not found. Follows a merge."""
    return _held(uow, dialog_id, _one_dialog(uow.dialect))


def lock_dialogs(asked: Sequence[tuple[UnitOfWork, int]]) -> list[Row[Any]]:
    """Lock dialogs in the order of their ids, each visible to who asks; gives them as asked."""
    uow = asked[0][0]
    rows: dict[int, Row[Any]] = {}
    if len(asked) > 1 and all(_sees_all(one) for one, _ in asked):
        given = {"b_ids": listed(uow.dialect, sorted({number for _, number in asked}))}
        rows = {row.id: row for row in uow.conn.execute(_these(uow.dialect), given)}
    alone = {number for number, row in rows.items() if not row.merged_into}
    return [rows[number] if number in alone else lock_dialog(one, number) for one, number in asked]


def hold_dialog(uow: UnitOfWork, dialog_id: int) -> DialogId:
    """Lock one dialog like `lock_dialog` for who needs no more of it than its id."""
    if is_held(uow, dialog_id) and _sees_all(uow):
        return DialogId(dialog_id)
    return DialogId(_held(uow, dialog_id, _one_place(uow.dialect)).id)


def _sees_all(uow: UnitOfWork) -> bool:
    return uow.viewer.sees_all_dialogs and not uow.viewer.hidden_accounts


def _held(uow: UnitOfWork, dialog_id: int, statement: Select[Any]) -> Row[Any]:
    if not _sees_all(uow):
        statement = statement.where(uow.viewer.dialogs_clause())
    for _ in range(5):
        row = uow.conn.execute(statement, {"b_dialog": dialog_id}).first()
        if row is None:
            break
        if not row.merged_into:
            return row
        dialog_id = row.merged_into
    raise NotFound("there is no such dialog")


def lock_message(uow: UnitOfWork, message_id: int) -> Row[Any]:
    """Lock one message whose dialog the actor may see."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(messages).where(messages.c.id == message_id, uow.viewer.messages_clause()),
        )
    ).first()
    if row is None or row.deleted_at:
        raise NotFound("there is no such message")
    return row


def change_dialog(uow: UnitOfWork, dialog_id: int, **values: Any) -> None:
    """Write fields of a locked dialog and move its version."""
    given = {f"b_{name}": value for name, value in values.items()}
    uow.conn.execute(_changing(tuple(values)), {"b_dialog": dialog_id, **given})


def change_dialogs(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same fields of several locked dialogs, each named by its `id`, like `change_dialog`."""
    names = tuple(name for name in rows[0] if name != "id")
    given = [{"b_dialog": row["id"], **{f"b_{name}": row[name] for name in names}} for row in rows]
    uow.conn.execute(_changing(names), given)


# -- statements, made once: every act of a person or a rule runs them ----------------------------


@cache
def _one_dialog(dialect: str) -> Select[Any]:
    return locked(dialect, select(dialogs).where(dialogs.c.id == bindparam("b_dialog")))


@cache
def _these(dialect: str) -> Select[Any]:
    these = among(dialect, dialogs.c.id, "b_ids")
    return locked(dialect, select(dialogs).where(these).order_by(dialogs.c.id))


@cache
def _one_place(dialect: str) -> Select[Any]:
    return _one_dialog(dialect).with_only_columns(dialogs.c.id, dialogs.c.merged_into)


@cache
def _changing(names: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {name: bindparam(f"b_{name}") for name in names}
    return (
        update(dialogs)
        .where(dialogs.c.id == bindparam("b_dialog"))
        .values(version=dialogs.c.version + 1, **new)
    )
