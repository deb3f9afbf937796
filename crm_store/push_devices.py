"""The browsers that Web Push calls, and the hub's key pair.

A browser is called for the one who is logged in there, and only as long as he is: what ends the
session, or the token of a program, ends that too, so that a lost phone shows nothing any more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from crm_store.sql import upsert
from crm_store.tables.pushes import push_devices, push_keys, pushes
from crm_store.tables.users import sessions, tokens
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import AddPushDevice, RemovePushDevice, SavePushKey, SwitchPushDevice
from hub.errors import NotFound
from hub.events import UserChanged
from hub.ids import Micros, PushDeviceId, UserId
from hub.records.system import PushDevice

DEVICES = 20
"""So many browsers of one person at most: a new one takes the place of the one added first."""
THE_KEY = 1


def push_key(conn: Connection) -> tuple[str, str]:
    """Give the public key and the encrypted secret one; empty where none was made yet."""
    row = conn.execute(select(push_keys).where(push_keys.c.id == THE_KEY)).first()
    return (row.public, row.secret) if row is not None else ("", "")


def save_key(uow: UnitOfWork, command: SavePushKey) -> str:
    """Keep the key pair; whoever comes second gets the first one's."""
    if command.instead_of:
        gone = uow.conn.execute(
            delete(push_keys).where(push_keys.c.public == command.instead_of)
        ).rowcount
        if gone:
            forget_devices(uow.conn, push_devices.c.id > 0)
    uow.conn.execute(
        upsert(uow.dialect, push_keys)
        .values(id=THE_KEY, public=command.public, secret=command.secret, created_at=uow.now)
        .on_conflict_do_nothing()
    )
    return push_key(uow.conn)[0]


def devices_of(reader: Reader) -> list[PushDevice]:
    """Give the reader's own browsers, the newest first, without what would let one call them."""
    rows = reader.conn.execute(
        select(push_devices)
        .where(push_devices.c.user_id == reader.viewer.private_id)
        .order_by(push_devices.c.id.desc())
    )
    return [
        PushDevice(
            id=PushDeviceId(row.id),
            name=row.name,
            login=row.login,
            endpoint_hash=row.endpoint_hash,
            active=row.active,
            created_at=Micros(row.created_at),
            pushed_at=Micros(row.pushed_at),
            last_error=row.last_error,
        )
        for row in rows
    ]


def add_device(uow: UnitOfWork, command: AddPushDevice) -> PushDeviceId:
    """Note a browser; one that is known already changes hands with whoever is logged in there."""
    me = uow.viewer.user_id
    forget_devices(uow.conn, push_devices.c.endpoint_hash == command.endpoint_hash)
    older = uow.conn.execute(
        select(push_devices.c.id)
        .where(push_devices.c.user_id == me)
        .order_by(push_devices.c.id.desc())
        .offset(DEVICES - 1)
    ).scalars()
    forget_devices(uow.conn, push_devices.c.id.in_(list(older)))
    device_id = PushDeviceId(uow.new_id())
    uow.conn.execute(
        insert(push_devices).values(
            id=device_id,
            user_id=me,
            login=command.login,
            endpoint_hash=command.endpoint_hash,
            sealed=command.sealed,
            name=command.name[:100],
            created_at=uow.now,
        )
    )
    uow.record(UserChanged(user_id=me, fields=("push",)))
    return device_id


def switch_device(uow: UnitOfWork, command: SwitchPushDevice) -> None:
    """Call a browser, or leave it in peace; what waits for it is dropped."""
    row = _own(uow, command.device_id)
    uow.conn.execute(
        update(push_devices).where(push_devices.c.id == row.id).values(active=command.active)
    )
    if not command.active:
        uow.conn.execute(delete(pushes).where(pushes.c.device_id == row.id))
    uow.record(UserChanged(user_id=UserId(row.user_id), fields=("push",)))


def remove_device(uow: UnitOfWork, command: RemovePushDevice) -> None:
    """Forget a browser."""
    row = _own(uow, command.device_id)
    forget_devices(uow.conn, push_devices.c.id == row.id)
    uow.record(UserChanged(user_id=UserId(row.user_id), fields=("push",)))


def _own(uow: UnitOfWork, device_id: int) -> Row[Any]:
    row = uow.conn.execute(
        select(push_devices).where(
            push_devices.c.id == device_id, push_devices.c.user_id == uow.viewer.user_id
        )
    ).first()
    if row is None:
        raise NotFound("there is no such device")
    return row


def forget_devices(conn: Connection, which: ColumnElement[bool]) -> int:
    """Forget browsers with all that waits for them; gives how many."""
    conn.execute(
        delete(pushes).where(pushes.c.device_id.in_(select(push_devices.c.id).where(which)))
    )
    return int(conn.execute(delete(push_devices).where(which)).rowcount)


def is_logged_in(now: int) -> ColumnElement[bool]:
    """Give the condition of browsers whose session or token is not over."""
    return or_(
        push_devices.c.login.in_(select(sessions.c.token_hash).where(sessions.c.expires_at > now)),
        push_devices.c.login.in_(
            select(tokens.c.token_hash).where(
                tokens.c.revoked_at == 0, or_(tokens.c.expires_at == 0, tokens.c.expires_at > now)
            )
        ),
    )


def forget_without_login(conn: Connection, now: int, user_id: int = 0) -> int:
    """Forget the browsers, of one user or of all, whose session or token is over."""
    which = ~is_logged_in(now)
    if user_id:
        which &= push_devices.c.user_id == user_id
    return forget_devices(conn, which)
