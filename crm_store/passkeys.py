"""Passkeys of colleagues: kept, named, used, forgotten. Their signatures are verified by the roof."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from crm_store.sql import locked
from crm_store.tables.passkeys import MAX_CREDENTIAL, passkeys
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from crm_store.users import lock_user, need_self
from crm_store.viewer import Reader
from hub.commands import AddPasskey, RemovePasskey, RenamePasskey, UsePasskey
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.events import PasskeyAdded, PasskeyRemoved, PasskeyRenamed, PasskeyUsed
from hub.ids import Micros, PasskeyId, UserId
from hub.records.passkeys import Passkey

MOST = 20
MAX_NAME = 100


def passkeys_of(reader: Reader, user_id: UserId) -> list[Passkey]:
    """Give a colleague's passkeys, the oldest first."""
    rows = reader.conn.execute(
        select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.id)
    )
    return [_passkey(row) for row in rows]


def by_credential(reader: Reader, credential: str) -> Passkey | None:
    """Give the passkey behind a credential id, where its owner may come in."""
    row = reader.conn.execute(
        select(passkeys)
        .join(users, users.c.id == passkeys.c.user_id)
        .where(passkeys.c.credential == credential, users.c.active)
    ).first()
    return _passkey(row) if row is not None else None


def _passkey(row: Any) -> Passkey:
    return Passkey(
        id=PasskeyId(row.id),
        user_id=UserId(row.user_id),
        name=row.name,
        domain=row.domain,
        credential=row.credential,
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(row.transports),
        synced=row.synced,
        created_at=Micros(row.created_at),
        last_used_at=Micros(row.last_used_at),
    )


def add_passkey(uow: UnitOfWork, command: AddPasskey) -> PasskeyId:
    """Keep a passkey of one's own."""
    me = uow.viewer.user_id
    lock_user(uow, me)
    name = _name(command.name)
    if not 0 < len(command.credential) <= MAX_CREDENTIAL or not command.public_key:
        raise Invalid("this is not a passkey", field="credential")
    known = select(passkeys.c.id).where(passkeys.c.credential == command.credential)
    if uow.conn.execute(known).first():
        raise Conflict("this passkey is kept already", what="known")
    owned = select(func.count()).select_from(passkeys).where(passkeys.c.user_id == me)
    if uow.conn.execute(owned).scalar_one() >= MOST:
        raise Conflict(f"at most {MOST} passkeys: remove one first", what="too_many")
    passkey_id = PasskeyId(uow.new_id())
    uow.conn.execute(
        insert(passkeys).values(
            id=passkey_id,
            user_id=me,
            name=name,
            domain=command.domain,
            credential=command.credential,
            public_key=command.public_key,
            sign_count=command.sign_count,
            transports=list(command.transports),
            synced=command.synced,
            created_at=uow.now,
        )
    )
    uow.record(PasskeyAdded(user_id=me, passkey_id=passkey_id))
    return passkey_id


def rename_passkey(uow: UnitOfWork, command: RenamePasskey) -> None:
    """Give a passkey of one's own another name."""
    row = _locked(uow, command.passkey_id)
    if row.user_id != uow.viewer.user_id:
        raise NotAllowed("this is another colleague's")
    uow.conn.execute(
        update(passkeys).where(passkeys.c.id == row.id).values(name=_name(command.name))
    )
    uow.record(PasskeyRenamed(user_id=UserId(row.user_id), passkey_id=PasskeyId(row.id)))


def remove_passkey(uow: UnitOfWork, command: RemovePasskey) -> None:
    """Forget a passkey; nobody takes the last way in from himself."""
    row = _locked(uow, command.passkey_id)
    user_id = UserId(row.user_id)
    need_self(uow, user_id)
    owner = lock_user(uow, user_id)
    if user_id == uow.viewer.user_id and not owner.password_hash:
        others = select(passkeys.c.id).where(passkeys.c.user_id == user_id, passkeys.c.id != row.id)
        if uow.conn.execute(others).first() is None:
            raise Conflict(
                "this is the last way in: choose a password or add another passkey first",
                what="last_way_in",
            )
    uow.conn.execute(delete(passkeys).where(passkeys.c.id == row.id))
    uow.record(PasskeyRemoved(user_id=user_id, passkey_id=PasskeyId(row.id)))


def use_passkey(uow: UnitOfWork, command: UsePasskey) -> UserId:
    """Note that a passkey was used; gives whose it is. Its count only grows."""
    row = _locked(uow, command.passkey_id)
    counts = command.sign_count or row.sign_count
    if counts and command.sign_count <= row.sign_count:
        raise Conflict("this passkey was used elsewhere meanwhile", what="copied")
    uow.conn.execute(
        update(passkeys)
        .where(passkeys.c.id == row.id)
        .values(sign_count=command.sign_count, last_used_at=uow.now)
    )
    uow.record(PasskeyUsed(user_id=UserId(row.user_id), passkey_id=PasskeyId(row.id)))
    return UserId(row.user_id)


def _locked(uow: UnitOfWork, passkey_id: int) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(passkeys).where(passkeys.c.id == passkey_id))
    ).first()
    if row is None:
        raise NotFound("there is no such passkey")
    return row


def _name(given: str) -> str:
    name = given.strip()[:MAX_NAME]
    if not name:
        raise Invalid("a name is needed", field="name")
    return name
