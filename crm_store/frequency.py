"""Who wants advertising less often: at most one message in so many days, over all channels.

It is a word of the person like a consent, with its line in the same log. The house's own cap holds
beside it: whichever allows less counts. Service messages and answers are not counted.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from crm_store.consents import LIMITED, WAYS, known, write_log
from crm_store.rows import among, listed
from crm_store.sql import upsert
from crm_store.tables.consents import consent_log, frequency_limits
from crm_store.unit_of_work import UnitOfWork
from hub.commands import LimitAdvertising
from hub.errors import Invalid
from hub.events import AdvertisingLimited

MOST_DAYS = 365


def limit_advertising(uow: UnitOfWork, command: LimitAdvertising) -> bool:
    """Note how often a person wants advertising; gives whether that is new."""
    known(uow, command.contact_id)
    if command.how not in WAYS:
        raise Invalid("this is no way to give or take back a consent", field="how")
    if not 0 <= command.days <= MOST_DAYS:
        raise Invalid(f"between 0 and {MOST_DAYS}", field="days")
    before = limits_of(uow.conn, [command.contact_id]).get(command.contact_id, 0)
    log_id = write_log(uow, command, "", "", LIMITED, days=command.days)
    put(uow, command.contact_id, command.days, log_id)
    if before == command.days:
        return False
    uow.record(
        AdvertisingLimited(
            contact_id=command.contact_id, days=command.days, before=before, how=command.how
        )
    )
    return True


def put(uow: UnitOfWork, contact_id: int, days: int, log_id: int) -> None:
    """Write how often a person wants advertising, or that he takes it as it comes (0)."""
    if not days:
        uow.conn.execute(
            delete(frequency_limits).where(frequency_limits.c.contact_id == contact_id)
        )
        return
    uow.conn.execute(
        upsert(uow.dialect, frequency_limits).on_conflict_do_update(
            index_elements=["contact_id"], set_={"days": days, "log_id": log_id}
        ),
        [{"contact_id": contact_id, "days": days, "log_id": log_id}],
    )


def limits_of(conn: Connection, contact_ids: Collection[int]) -> dict[int, int]:
    """Give in how many days those who want less get at most one message; the others are left out."""
    dialect = conn.dialect.name
    given = {"people": listed(dialect, set(contact_ids))}
    return {row.contact_id: row.days for row in conn.execute(_wishes(dialect), given)}


@cache
def _wishes(dialect: str) -> Select[Any]:
    return select(frequency_limits.c.contact_id, frequency_limits.c.days).where(
        among(dialect, frequency_limits.c.contact_id, "people")
    )


def rebuild(uow: UnitOfWork, contact_id: int) -> None:
    """Read the newest wish out of the log again: after two cards became one, or two again."""
    newest = uow.conn.execute(
        select(consent_log.c.id, consent_log.c.days)
        .where(consent_log.c.contact_id == contact_id, consent_log.c.state == LIMITED)
        .order_by(consent_log.c.id.desc())
        .limit(1)
    ).first()
    put(uow, contact_id, newest.days if newest else 0, newest.id if newest else 0)
