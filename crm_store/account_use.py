"""How much hangs on an account: what an administrator reads before it is disconnected."""

from __future__ import annotations

from sqlalchemy import func, select

from crm_store.accounts import account
from crm_store.tables.dialogs import dialogs, quarantine
from crm_store.tables.outbox import deliveries
from crm_store.viewer import Reader
from hub.ids import AccountId
from hub.records.dialogs import DialogStatus
from hub.records.system import AccountUse


def account_use(reader: Reader, account_id: AccountId) -> AccountUse:
    """Count an account's dialogs, what still waits to leave, and what could not be read."""
    account(reader, account_id)

    def count(table: object, *where: object) -> int:
        statement = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]
        return int(reader.conn.execute(statement).scalar_one())

    return AccountUse(
        dialogs=count(dialogs, dialogs.c.account_id == account_id),
        open=count(
            dialogs,
            dialogs.c.account_id == account_id,
            dialogs.c.status != DialogStatus.CLOSED.value,
        ),
        waiting=count(
            deliveries,
            deliveries.c.account_id == account_id,
            deliveries.c.status.in_(("queued", "claimed")),
        ),
        unread=count(
            quarantine, quarantine.c.account_id == account_id, quarantine.c.state == "waiting"
        ),
    )
