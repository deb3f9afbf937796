"""Mailboxes: the accounts by which letters leave that answer nobody."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from hub.capabilities import Capabilities
from hub.errors import Invalid

EMAIL = "email"


def is_mailbox(capabilities: Capabilities | None) -> bool:
    """Say whether a channel can send letters."""
    return capabilities is not None and capabilities.address_kind == EMAIL and capabilities.sends


def first_mailbox(conn: Connection, channels: Mapping[str, Capabilities]) -> int:
    """Give the account that letters leave by where nothing else is said, 0 for none."""
    kinds = [name for name, one in channels.items() if is_mailbox(one)]
    found = conn.execute(
        select(accounts.c.id)
        .where(accounts.c.channel.in_(kinds), ~accounts.c.removed, ~accounts.c.paused)
        .order_by(accounts.c.id)
    ).scalar()
    return int(found or 0)


def need_mailbox(uow: UnitOfWork, account_id: int) -> None:
    """Raise Invalid for an account that sends no letters."""
    channel = uow.conn.execute(
        select(accounts.c.channel).where(accounts.c.id == account_id, ~accounts.c.removed)
    ).scalar()
    if not is_mailbox(uow.channels.get(channel or "")):
        raise Invalid("choose a mailbox", field="account_id")
