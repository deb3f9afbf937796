"""Encrypting stored secrets again, after the key ring has got new keys."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection, select, update

from crm_store.tables.outbox import webhooks
from crm_store.tables.pushes import push_devices, push_keys
from crm_store.tables.users import accounts, users

log = logging.getLogger("hub.rekey")
SECRETS = (
    accounts.c.secrets,
    webhooks.c.secret,
    users.c.totp_secret,
    push_keys.c.secret,
    push_devices.c.sealed,
)
"""Every column that holds something encrypted."""


def renew_secrets(conn: Connection, renew: Callable[[str], str]) -> tuple[int, int]:
    """Encrypt every secret with the newest key; gives how many, and how many cannot be read."""
    renewed = lost = 0
    for column in SECRETS:
        table = column.table
        rows = conn.execute(select(table.c.id, column).where(column != "").order_by(table.c.id))
        for row_id, sealed in rows.all():
            try:
                fresh = renew(sealed)
            except Exception as error:  # noqa: BLE001 - one lost secret must not keep the others old
                lost += 1
                log.warning("secret_lost table=%s error=%s", table.name, type(error).__name__)
                continue
            # Only what nobody has changed meanwhile: a new value has the newest key already.
            done = conn.execute(
                update(table)
                .where(table.c.id == row_id, column == sealed)
                .values({column.name: fresh})
            )
            renewed += done.rowcount
    return renewed, lost
