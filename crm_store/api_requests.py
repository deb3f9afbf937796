"""Rows behind the API: the answers kept under a caller's keys, and when tokens were last used."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from crm_store.sql import upsert
from crm_store.tables.users import api_requests, tokens
from crm_store.unit_of_work import Transaction
from hub.ids import Micros

RUNNING = 0
"""The status of a request that has no answer yet."""

ABANDONED_US = 120_000_000
"""After so long a running request has died with its process, and its key is free again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that wants to run under a key."""

    user_id: int
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a key: whether this request has it now, else what another one made."""

    claimed: bool
    fingerprint: str = ""
    status: int = RUNNING
    answer: str = ""


def claim_keys(tx: Transaction, items: list[Claim]) -> list[Kept]:
    """Take keys that are free; of a key that is taken, say what became of its request."""
    return [_claim(tx, one) for one in items]


def _claim(tx: Transaction, claim: Claim) -> Kept:
    values = {"fingerprint": claim.fingerprint, "status": RUNNING, "answer": ""}
    statement = (
        upsert(tx.dialect, api_requests)
        .values(user_id=claim.user_id, key=claim.key, created_at=tx.now, **values)
        .on_conflict_do_update(
            index_elements=["user_id", "key"],
            set_={**values, "created_at": tx.now},
            # A request that died with its process must not block its key for ever.
            where=(api_requests.c.status == RUNNING)
            & (api_requests.c.created_at < tx.now - ABANDONED_US),
        )
        .returning(api_requests.c.key)
    )
    if tx.conn.execute(statement).first() is not None:
        return Kept(claimed=True)
    row = tx.conn.execute(
        select(api_requests).where(
            api_requests.c.user_id == claim.user_id, api_requests.c.key == claim.key
        )
    ).first()
    if row is None:
        # It was given back between the two statements: the caller asks again.
        return Kept(claimed=False, fingerprint=claim.fingerprint)
    return Kept(claimed=False, fingerprint=row.fingerprint, status=row.status, answer=row.answer)


def keep_answers(tx: Transaction, items: list[tuple[Claim, int, str]]) -> list[None]:
    """Keep the answers of requests that have run."""
    for claim, status, answer in items:
        tx.conn.execute(
            update(api_requests)
            .where(api_requests.c.user_id == claim.user_id, api_requests.c.key == claim.key)
            .values(status=status, answer=answer)
        )
    return [None] * len(items)


def free_keys(tx: Transaction, items: list[Claim]) -> list[None]:
    """Give keys back: the request was refused and has changed nothing."""
    for claim in items:
        tx.conn.execute(
            delete(api_requests).where(
                api_requests.c.user_id == claim.user_id,
                api_requests.c.key == claim.key,
                api_requests.c.status == RUNNING,
            )
        )
    return [None] * len(items)


def touch_tokens(tx: Transaction, items: list[int]) -> list[Micros]:
    """Note that tokens are in use."""
    tx.conn.execute(update(tokens).where(tokens.c.id.in_(items)).values(last_used_at=tx.now))
    return [tx.now] * len(items)
