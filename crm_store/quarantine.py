"""What came and could not be taken in: the list of it, and one such input with its bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from crm_store.tables.dialogs import quarantine
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.ids import AccountId, Micros, QuarantineId
from hub.records.dialogs import QuarantineItem


def quarantined(
    reader: Reader, state: str = "waiting", before: int = 0, limit: int = 50
) -> list[QuarantineItem]:
    """Give quarantined inputs, newest first, without their bytes."""
    reader.viewer.need("accounts.manage")
    where = [quarantine.c.state == state] if state else []
    if before:
        where.append(quarantine.c.id < before)
    rows = reader.conn.execute(
        select(quarantine).where(*where).order_by(quarantine.c.id.desc()).limit(limit)
    )
    return [_quarantine_record(row, with_raw=False) for row in rows]


def quarantine_item(reader: Reader, quarantine_id: QuarantineId) -> QuarantineItem:
    """Give one quarantined input with its bytes."""
    reader.viewer.need("accounts.manage")
    row = reader.conn.execute(select(quarantine).where(quarantine.c.id == quarantine_id)).first()
    if row is None:
        raise NotFound("there is no such input")
    return _quarantine_record(row, with_raw=True)


def _quarantine_record(row: Row[Any], *, with_raw: bool) -> QuarantineItem:
    return QuarantineItem(
        id=QuarantineId(row.id),
        account_id=AccountId(row.account_id),
        received_at=Micros(row.received_at),
        source=row.source,
        state=row.state,
        error=row.error,
        trace=row.trace,
        size=len(row.raw),
        attempts=row.attempts,
        raw=row.raw if with_raw else b"",
        headers=tuple((one_header[0], one_header[1]) for one_header in row.headers),
        url=row.url,
        method=row.method,
    )
