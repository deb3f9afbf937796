"""Sessions of browsers, tokens of programs, and how often somebody tried to get in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from crm_store.push_devices import forget_without_login
from crm_store.sql import upsert
from crm_store.tables.users import brands, login_attempts, sessions, tokens, users
from crm_store.unit_of_work import Transaction, UnitOfWork
from crm_store.users import away_until, end_sessions, lock_user, need_self, user_of_row
from crm_store.viewer import Reader
from hub.commands import CreateToken, OpenSession, RevokeSessions, RevokeToken
from hub.errors import NotFound
from hub.events import TokenChanged
from hub.ids import Micros, UserId
from hub.records.system import Session, Token, User


def session(reader: Reader, token_hash: str) -> Session | None:
    """Give a living session by the hash of its token."""
    row = reader.conn.execute(
        select(sessions).where(
            sessions.c.token_hash == token_hash, sessions.c.expires_at > reader.now
        )
    ).first()
    return _session(row) if row is not None else None


def _admitted() -> Select[Any]:
    """Make the question once: it is asked before every page."""
    at: BindParameter[int] = bindparam("at", type_=BigInteger)
    zone = select(brands.c.time_zone).order_by(brands.c.id).limit(1).scalar_subquery()
    return (
        select(
            users,
            away_until(at),
            sessions.c.last_seen_at.label("session_seen_at"),
            func.coalesce(zone, "").label("zone"),
        )
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.token_hash == bindparam("token"), sessions.c.expires_at > at)
    )


_ADMITTED = _admitted()


def admitted(reader: Reader, token_hash: str) -> tuple[User, Micros, str] | None:
    """Give whose a living session is, when it was last used, and the organisation's time zone.

    It is one question; the user comes without his teams.
    """
    row = reader.conn.execute(_ADMITTED, {"token": token_hash, "at": reader.now}).first()
    if row is None:
        return None
    return user_of_row(row, ()), Micros(row.session_seen_at), row.zone


def sessions_of(reader: Reader, user_id: UserId) -> list[Session]:
    """Give the living sessions of a user, the last used first."""
    rows = reader.conn.execute(
        select(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.expires_at > reader.now)
        .order_by(sessions.c.last_seen_at.desc())
    )
    return [_session(row) for row in rows]


def _session(row: Any) -> Session:
    return Session(
        token_hash=row.token_hash,
        user_id=UserId(row.user_id),
        created_at=Micros(row.created_at),
        expires_at=Micros(row.expires_at),
        last_seen_at=Micros(row.last_seen_at),
        ip=row.ip,
        agent=row.agent,
    )


def token(reader: Reader, token_hash: str) -> Token | None:
    """Give a living bearer token by its hash."""
    row = reader.conn.execute(
        select(tokens).where(tokens.c.token_hash == token_hash, tokens.c.revoked_at == 0)
    ).first()
    if row is None or (row.expires_at and row.expires_at <= reader.now):
        return None
    return _token(row)


def tokens_of(reader: Reader, user_id: UserId | None = None) -> list[Token]:
    """Give bearer tokens, of one user or of all, the newest first."""
    statement = select(tokens).order_by(tokens.c.id.desc())
    if user_id is not None:
        statement = statement.where(tokens.c.user_id == user_id)
    return [_token(row) for row in reader.conn.execute(statement)]


def _token(row: Any) -> Token:
    return Token(
        id=row.id,
        user_id=UserId(row.user_id),
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=Micros(row.created_at),
        expires_at=Micros(row.expires_at),
        last_used_at=Micros(row.last_used_at),
        revoked=bool(row.revoked_at),
    )


def open_session(uow: UnitOfWork, command: OpenSession) -> None:
    """Write the row behind a session cookie."""
    uow.conn.execute(
        insert(sessions).values(
            token_hash=command.token_hash,
            user_id=command.user_id,
            created_at=uow.now,
            expires_at=command.expires_at,
            last_seen_at=uow.now,
            ip=command.ip[:100],
            agent=command.agent[:400],
        )
    )
    uow.conn.execute(
        update(users).where(users.c.id == command.user_id).values(last_seen_at=uow.now)
    )


def revoke_sessions(uow: UnitOfWork, command: RevokeSessions) -> None:
    """End sessions."""
    need_self(uow, command.user_id)
    end_sessions(uow, command.user_id, but=command.all_but, only=command.token_hash)


def create_token(uow: UnitOfWork, command: CreateToken) -> int:
    """Make a bearer token."""
    need_self(uow, command.user_id)
    lock_user(uow, command.user_id)
    token_id = command.token_id or uow.new_id()
    uow.conn.execute(
        insert(tokens).values(
            id=token_id,
            user_id=command.user_id,
            name=command.name.strip()[:400] or "token",
            token_hash=command.token_hash,
            scopes=list(command.scopes),
            created_at=uow.now,
            expires_at=command.expires_at,
        )
    )
    uow.record(TokenChanged(user_id=command.user_id, token_id=token_id))
    return token_id


def revoke_token(uow: UnitOfWork, command: RevokeToken) -> None:
    """End a bearer token."""
    row = uow.conn.execute(select(tokens).where(tokens.c.id == command.token_id)).first()
    if row is None:
        raise NotFound("there is no such token")
    need_self(uow, UserId(row.user_id))
    uow.conn.execute(update(tokens).where(tokens.c.id == row.id).values(revoked_at=uow.now))
    forget_without_login(uow.conn, uow.now, row.user_id)
    uow.record(TokenChanged(user_id=UserId(row.user_id), token_id=row.id))


def touch_sessions(tx: Transaction, items: list[tuple[str, int, int]]) -> list[None]:
    """Note that sessions are in use, and prolong them."""
    for hashed, user_id, lifetime_us in items:
        tx.conn.execute(
            update(sessions)
            .where(sessions.c.token_hash == hashed, sessions.c.expires_at > tx.now)
            .values(last_seen_at=tx.now, expires_at=tx.now + lifetime_us)
        )
        tx.conn.execute(update(users).where(users.c.id == user_id).values(last_seen_at=tx.now))
    return [None] * len(items)


def count_attempts(tx: Transaction, items: list[tuple[str, int]]) -> list[int]:
    """Count an attempt in each bucket's window (microseconds); gives the counts so far."""
    counts = []
    for bucket, window_us in items:
        over = login_attempts.c.window_start < tx.now - window_us
        statement = (
            upsert(tx.dialect, login_attempts)
            .values(bucket=bucket, window_start=tx.now, count=1)
            .on_conflict_do_update(
                index_elements=["bucket"],
                # One statement, so that attempts over several processes are all counted.
                set_={
                    "count": case((over, 1), else_=login_attempts.c.count + 1),
                    "window_start": case((over, tx.now), else_=login_attempts.c.window_start),
                },
            )
            .returning(login_attempts.c.count)
        )
        counts.append(int(tx.conn.execute(statement).scalar_one()))
    return counts


def forget_attempts(tx: Transaction, items: list[str]) -> list[None]:
    """Empty buckets after a success."""
    tx.conn.execute(delete(login_attempts).where(login_attempts.c.bucket.in_(items)))
    return [None] * len(items)
