"""What waits to be pushed: one row per browser and notice, told at once, forgotten when told.

A claim puts a row off by its lease, so that what was cut off is tried again. Twice is better than
never here: the push service and the browser put a newer word on an object in the older one's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from crm_store.push_devices import forget_devices, forget_without_login, is_logged_in
from crm_store.sql import locked
from crm_store.tables.pushes import push_devices, pushes
from crm_store.tables.requests import notices
from crm_store.unit_of_work import Transaction

US = 1_000_000
LEASE_US = 60 * US
KEPT_US = 6 * 3600 * US
"""What could not be pushed for so long is told on the screen only."""
DONE, LATER, GONE = "done", "later", "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What became of one: told or given up, to be tried again, or its browser is no more."""

    device_id: int
    notice_id: int
    attempts: int
    end: str = DONE
    told: bool = False
    error: str = ""
    due_at: int = 0


def is_pushed(preferences: Mapping[str, object], kind: str) -> bool:
    """Say whether a user wants notices of a kind on his devices; he does where he never said no."""
    chosen = preferences.get("pushes", {})
    return not isinstance(chosen, Mapping) or chosen.get(kind) is not False


def queue(conn: Connection, notice_id: int, device_ids: Sequence[int], now: int) -> None:
    """Let browsers be told of a new notice."""
    conn.execute(
        insert(pushes),
        [
            {"device_id": one, "notice_id": notice_id, "due_at": now, "created_at": now}
            for one in device_ids
        ],
    )


def next_due(conn: Connection) -> int:
    """Give when the next one is due; 0 where nothing waits."""
    return int(conn.execute(select(func.min(pushes.c.due_at))).scalar() or 0)


def waiting(conn: Connection) -> int:
    """Count what waits."""
    return int(conn.execute(select(func.count()).select_from(pushes)).scalar_one())


def claim(tx: Transaction, items: Sequence[int]) -> list[list[Row[Any]]]:
    """Take what is due, at most so many each, with its browser and its notice."""
    answers: list[list[Row[Any]]] = []
    for limit in items:
        due = (
            select(pushes)
            .where(pushes.c.due_at <= tx.now)
            .order_by(pushes.c.due_at, pushes.c.notice_id)
            .limit(limit)
        )
        rows = list(tx.conn.execute(locked(tx.dialect, due, skip=True)))
        if rows:
            tx.conn.execute(
                update(pushes)
                .where(
                    pushes.c.device_id == bindparam("b_device"),
                    pushes.c.notice_id == bindparam("b_notice"),
                )
                .values(due_at=tx.now + LEASE_US, attempts=pushes.c.attempts + 1),
                [{"b_device": row.device_id, "b_notice": row.notice_id} for row in rows],
            )
        answers.append(rows)
    return answers


def told_to(conn: Connection, rows: Sequence[Row[Any]], now: int) -> list[Row[Any]]:
    """Give what claimed rows tell, and to which browsers; what is gone, or logged out, is left out."""
    wanted = {(row.device_id, row.notice_id) for row in rows}
    found = conn.execute(
        select(
            pushes,
            push_devices.c.user_id,
            push_devices.c.sealed,
            notices.c.kind,
            notices.c.object_kind,
            notices.c.object_id,
            notices.c.created_at.label("noticed_at"),
            notices.c.read_at,
        )
        .join(push_devices, push_devices.c.id == pushes.c.device_id)
        .join(notices, notices.c.id == pushes.c.notice_id)
        .where(
            pushes.c.device_id.in_(sorted({one for one, _ in wanted})),
            pushes.c.notice_id.in_(sorted({one for _, one in wanted})),
            is_logged_in(now),
        )
    )
    return [row for row in found if (row.device_id, row.notice_id) in wanted]


def settle(tx: Transaction, items: Sequence[Pushed]) -> list[None]:
    """Write down what became of some; whoever has lost the lease has nothing to say any more."""
    for one in items:
        mine = (
            pushes.c.device_id == one.device_id,
            pushes.c.notice_id == one.notice_id,
            pushes.c.attempts == one.attempts,
        )
        if one.end == GONE:
            forget_devices(tx.conn, push_devices.c.id == one.device_id)
            continue
        if one.end == LATER:
            tx.conn.execute(update(pushes).where(*mine).values(due_at=one.due_at))
        else:
            tx.conn.execute(delete(pushes).where(*mine))
        if one.told or one.error:
            values: dict[str, Any] = {"last_error": one.error[:400]}
            if one.told:
                values["pushed_at"] = tx.now
            tx.conn.execute(
                update(push_devices).where(push_devices.c.id == one.device_id).values(**values)
            )
    return [None] * len(items)


def forget_pushes(conn: Connection, now: int) -> None:
    """Forget what waited too long, and the browsers of those who are logged in no more."""
    conn.execute(delete(pushes).where(pushes.c.created_at < now - KEPT_US))
    forget_without_login(conn, now)
