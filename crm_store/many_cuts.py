"""By what the numbers of a send to many are cut: account, channel, hour, wording, mail domain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, String, case, cast, func, select

from crm_store.tables.many import many_contents
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, brands
from crm_store.viewer import Reader

HOUR_US = 3_600_000_000


def cut(
    reader: Reader, source: Any, by: str, offset_us: int, rows: FromClause
) -> tuple[Any, ColumnElement[Any]]:
    """Give the rows of a source joined with what a cut of them needs, and its key as text."""
    match by:
        case "account":
            return source, cast(rows.c.account_id, String)
        case "channel":
            joined = source.outerjoin(accounts, accounts.c.id == rows.c.account_id)
            return joined, func.coalesce(accounts.c.channel, "")
        case "hour":
            hour = (rows.c.sent_at + offset_us) // HOUR_US % 24
            return source, case((rows.c.sent_at == 0, ""), else_=cast(hour, String))
        case "variant":
            joined = source.outerjoin(many_contents, many_contents.c.id == rows.c.content_id)
            named = func.coalesce(many_contents.c.variant, "")
            number = cast(rows.c.content_id, String)
            return joined, case((named == "", number), else_=named)
        case "domain":
            joined = source.outerjoin(addresses, addresses.c.id == rows.c.address_id)
            value = func.coalesce(addresses.c.value, "")
            domain: ColumnElement[Any]
            if reader.conn.dialect.name == "sqlite":
                at = func.instr(value, "@")
                domain = case((at > 0, func.lower(func.substr(value, at + 1))), else_="")
            else:
                domain = func.lower(func.split_part(value, "@", 2))
            return joined, domain
    return source, cast("", String)


def house_offset(reader: Reader) -> int:
    """Give how far the house's clock is from UTC now."""
    name = reader.conn.execute(select(brands.c.time_zone).order_by(brands.c.id)).scalar()
    try:
        zone = ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return 0
    offset = datetime.fromtimestamp(reader.now / 1_000_000, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) * 1_000_000 if offset is not None else 0
