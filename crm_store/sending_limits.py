"""How fast an account may send to many: its rate, its day, its warm-up; and what a message costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, func, select

from crm_store.buckets import MOST_MINUTES, NAME, Rate, give_back_of_day, take
from crm_store.sql import upsert
from crm_store.tables.consents import suppressions
from crm_store.tables.many import buckets, many_sends, sending_limits
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, brands
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import SetSendingLimits, TakeToken
from hub.errors import Invalid, NotFound
from hub.events import SendingLimitsChanged
from hub.ids import AccountId, Micros, bounded_key
from hub.records.many import SendingLimits

US = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
MOST = 10_000_000


def set_limits(uow: UnitOfWork, command: SetSendingLimits) -> None:
    """Keep an account's limits as they are given, all of them."""
    known = uow.conn.execute(select(accounts.c.id).where(accounts.c.id == command.account_id))
    if known.first() is None:
        raise NotFound("there is no such account")
    values: dict[str, Any] = {
        name: getattr(command, name)
        for name in (
            "per_minute",
            "minutes",
            "per_day",
            "warm_from",
            "warm_first",
            "warm_percent",
            "price",
        )
    }
    for name, value in values.items():
        if value < 0 or (name != "warm_from" and value > MOST):
            raise Invalid("this number is not possible", field=name)
    if not 0 < command.minutes <= MOST_MINUTES:
        raise Invalid("a limit is for 1 to 1440 minutes", field="minutes")
    if bool(command.warm_from) != bool(command.warm_first):
        raise Invalid("a warm-up has a first day and a number for it", field="warm_first")
    # A plan that is changed begins anew.
    changed = [
        sending_limits.c.account_id == command.account_id,
        sending_limits.c.warm_from == command.warm_from,
        sending_limits.c.warm_first == command.warm_first,
    ]
    if uow.conn.execute(select(sending_limits.c.account_id).where(*changed)).first() is None:
        name = f"warm:{command.account_id}:%"
        uow.conn.execute(delete(buckets).where(buckets.c.name.like(name)))
    values["currency"] = command.currency.strip().upper()
    if (command.price or values["currency"]) and not _CURRENCY.fullmatch(values["currency"]):
        raise Invalid("a price needs its currency, as RUB", field="currency")
    uow.conn.execute(
        upsert(uow.dialect, sending_limits).on_conflict_do_update(
            index_elements=["account_id"], set_=values
        ),
        [{"account_id": command.account_id, **values}],
    )
    uow.record(SendingLimitsChanged(account_id=command.account_id))


def all_limits(reader: Reader) -> list[SendingLimits]:
    """Give the limits of every account that has some."""
    rows = reader.conn.execute(select(sending_limits).order_by(sending_limits.c.account_id))
    return [record(row) for row in rows]


def record(row: Row[Any]) -> SendingLimits:
    """Read a row of limits."""
    return SendingLimits(
        account_id=AccountId(row.account_id),
        per_minute=row.per_minute,
        minutes=row.minutes,
        per_day=row.per_day,
        warm_from=Micros(row.warm_from),
        warm_first=row.warm_first,
        warm_percent=row.warm_percent,
        price=row.price,
        currency=row.currency,
    )


def allowance(uow: UnitOfWork, limits: SendingLimits, zone: str) -> int:
    """Give how many may leave on this day; 0 is no limit.

    A warm-up rises by its share after a day that used what it had, and only where few complained
    and few addresses were dead: else the day is had once more.
    """
    if not limits.warm_from or uow.now < limits.warm_from:
        return limits.per_day
    day, _ = midnight(uow.now, zone)
    prefix = f"warm:{limits.account_id}:"
    known = uow.conn.execute(
        select(buckets.c.name, buckets.c.level, buckets.c.at)
        .where(buckets.c.name.like(f"{prefix}%"))
        .order_by(buckets.c.name.desc())
        .limit(1)
    ).first()
    if known is not None and known.name == f"{prefix}{day}":
        found = int(known.level)
    else:
        found = limits.warm_first
        if known is not None:
            found = int(known.level)
            if _went_well(
                uow, limits.account_id, known.name.removeprefix(prefix), found, int(known.at)
            ):
                found = max(found + 1, found * (100 + limits.warm_percent) // 100)
        found = min(found, MOST)
        row = {"name": f"{prefix}{day}", "level": found, "at": uow.now}
        uow.conn.execute(upsert(uow.dialect, buckets).on_conflict_do_nothing(), [row])
    return min(found, limits.per_day) if limits.per_day else found


def _went_well(uow: UnitOfWork, account_id: int, day: str, level: int, since: int) -> bool:
    """Say whether a day of a warm-up used its number without harm."""
    used = uow.conn.execute(
        select(buckets.c.level).where(buckets.c.name == day_bucket(account_id, day))
    ).scalar()
    if not used or used < level:
        return False
    harm: dict[str, int] = dict(
        uow.conn.execute(
            select(suppressions.c.reason, func.count(suppressions.c.address_id.distinct()))
            .join(addresses, addresses.c.id == suppressions.c.address_id)
            .join(
                deliveries,
                (deliveries.c.contact_id == addresses.c.contact_id)
                & (deliveries.c.address_id == addresses.c.id)
                & (TO_MANY),
            )
            .where(
                suppressions.c.at >= since,
                suppressions.c.reason.in_(("complained", "bounced_hard")),
                deliveries.c.account_id == account_id,
            )
            .group_by(suppressions.c.reason)
        ).all()
    )
    complained, dead = harm.get("complained", 0), harm.get("bounced_hard", 0)
    return bool(complained * 1_000 <= used and dead * 20 <= used)


def give_back(uow: UnitOfWork, delivery_ids: Sequence[int]) -> None:
    """Give the day back what was claimed of mailings and did not leave after all."""
    claimed = uow.conn.execute(
        select(deliveries.c.account_id, func.count().label("n"))
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .join(sending_limits, sending_limits.c.account_id == deliveries.c.account_id)
        .where(deliveries.c.id.in_(delivery_ids), TO_MANY, many_sends.c.mailing_id != 0)
        .group_by(deliveries.c.account_id)
        .order_by(deliveries.c.account_id)
    ).all()
    if not claimed:
        return
    day, _ = midnight(uow.now, house_zone(uow))
    for row in claimed:
        give_back_of_day(uow, day_bucket(row.account_id, day), row.n)


def day_bucket(account_id: int, day: str) -> str:
    """Give the name of the bucket that counts what left an account on a day."""
    return f"day:{account_id}:{day}"


def house_zone(uow: UnitOfWork) -> str:
    """Give the time zone of the organisation."""
    return uow.conn.execute(select(brands.c.time_zone).order_by(brands.c.id)).scalar() or "UTC"


def midnight(now: int, zone: str) -> tuple[str, int]:
    """Give the day of a house and the instant at which the next one begins."""
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        place = ZoneInfo("UTC")
    local = datetime.fromtimestamp(now / US, place)
    following = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.date().isoformat(), int(following.timestamp() * US)


def take_token(uow: UnitOfWork, command: TakeToken) -> int:
    """Take a token of a bucket of a channel's own; gives microseconds to wait, 0 for taken."""
    if command.per_minute <= 0 or command.minutes <= 0:
        return 0
    name = bounded_key(f"own:{command.account_id}:{command.name}", NAME)
    return take(uow, [Rate(name, command.per_minute, command.minutes)])
