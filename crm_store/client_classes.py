"""Classes of clients: by what they brought (ABC) and by how regularly they buy (XYZ).

A count reads the whole once, beside the work, for the two sums at which a class begins; then it
goes through the clients by their ids, one statement for each batch. A batch writes only where
something changed, so that a night without sales writes nothing. Classes follow from what was sold:
they are no change of a card, have no version and no history.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    update,
)

from crm_store.nouns import NOUNS
from crm_store.object_fields import WON
from crm_store.sight import sees_all
from crm_store.sql import locked, upsert
from crm_store.sums import sum_of
from crm_store.tables.classes import ONE, class_rules
from crm_store.tables.interests import interests
from crm_store.tables.people import clients
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from crm_store.work import run_job
from hub.commands import ClassifyClients, CountClasses, RunJob, SaveClassRules, SettleClasses
from hub.errors import Conflict, Invalid
from hub.events import ClassRulesChanged
from hub.ids import ClientId, Micros
from hub.nouns.interests import CURRENCIES
from hub.properties import LARGEST
from hub.records.classes import ClassReason, ClassRules

JOB = "clients.classes"
INTEREST = NOUNS["interest"]
MONTH_US = 2_629_746_000_000
"""A month in the mean of the calendar of 400 years: every month of a period is of one length."""
LONGEST = 60
TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """Of which period what counts, and the sums at which the classes A and B begin."""

    rules: ClassRules
    since: Micros
    until: Micros
    currency: str
    whole: int
    a_from: int
    b_from: int


def rules(reader: Reader) -> ClassRules:
    """Give how classes are counted, and what the last count found."""
    reader.viewer.need("contacts.view")
    row = reader.conn.execute(select(class_rules)).first()
    return ClassRules() if row is None else _record(row)


def _record(row: Any) -> ClassRules:
    return ClassRules(**{name: value for name, value in row._mapping.items() if name != "id"})


def counted(reader: Reader) -> dict[str, int]:
    """Give how many clients have which class."""
    reader.viewer.need("contacts.view")
    asked = select(clients.c.abc, func.count()).where(clients.c.deleted_at == 0, clients.c.abc > "")
    rows = reader.conn.execute(asked.group_by(clients.c.abc))
    return {row[0]: row[1] for row in rows}


def reason(reader: Reader, client_id: ClientId) -> ClassReason | None:
    """Give why a client has its classes, None where it has none or the reader may not know the sums."""
    if not (reader.viewer.may("interests.view") and sees_all(reader.viewer, INTEREST)):
        return None
    row = reader.conn.execute(
        select(clients.c.abc, clients.c.xyz, clients.c.class_sum, clients.c.class_spread).where(
            clients.c.id == client_id
        )
    ).first()
    known = rules(reader)
    if row is None or not row.abc or not known.whole:
        return None
    return ClassReason(
        abc=row.abc,
        xyz=row.xyz,
        amount=row.class_sum,
        currency=known.counted_currency,
        per_mille=min(round(row.class_sum * 1000 / known.whole), 1000),
        variation=isqrt(row.class_spread),
        months=known.counted_months,
        counted_at=known.counted_at,
    )


# -- counting ------------------------------------------------------------------------------


def borders(reader: Reader) -> Borders:
    """Look at all that was won in the period for the sums at which the classes begin."""
    known = rules(reader)
    since = Micros(reader.now - known.months * MONTH_US)
    currency = known.currency or _usual(reader, since)
    each = (
        select(interests.c.client_id, sum_of(interests.c.amount).label("total"))
        .where(*_bought(since, reader.now, currency))
        .group_by(interests.c.client_id)
        .subquery("each_client")
    )
    # Whoever brought the same has the same class: what is walked through are sums, not clients.
    alike = (
        select(each.c.total, (cast(each.c.total, Float) * func.count()).label("brought"))
        .where(each.c.total > 0)
        .group_by(each.c.total)
        .subquery("alike")
    )
    walked = select(
        alike.c.total,
        (func.sum(alike.c.brought).over(order_by=alike.c.total.desc()) - alike.c.brought).label(
            "above"
        ),
        func.sum(alike.c.brought).over().label("whole"),
    ).subquery("walked")

    def begins(percent: int) -> ColumnElement[Any]:
        inside = walked.c.above * 100 < walked.c.whole * percent
        return func.coalesce(func.min(case((inside, walked.c.total))), 0)

    row = reader.conn.execute(
        select(
            func.coalesce(func.max(walked.c.whole), 0),
            begins(known.a_percent),
            begins(known.a_percent + known.b_percent),
        )
    ).one()
    return Borders(
        rules=known,
        since=since,
        until=reader.now,
        currency=currency,
        whole=min(int(row[0]), LARGEST),
        a_from=row[1],
        b_from=row[2],
    )


def _usual(reader: Reader, since: Micros) -> str:
    """Give the currency in which most interests were won; "" where none was."""
    n = func.count()
    asked = select(interests.c.currency).where(WON, interests.c.closed_at >= since)
    asked = asked.where(interests.c.client_id > 0).group_by(interests.c.currency)
    found = reader.conn.execute(asked.order_by(n.desc(), interests.c.currency).limit(1))
    return str(found.scalar() or "")


def _bought(since: int, until: int, currency: str) -> tuple[ColumnElement[bool], ...]:
    return (
        WON,  # type: ignore[return-value]
        interests.c.client_id > 0,
        interests.c.closed_at >= since,
        interests.c.closed_at < until,
        interests.c.currency == currency,
    )


def classify_clients(uow: UnitOfWork, command: ClassifyClients) -> ClientId:
    """Write the classes of some clients where they changed; gives the last of them, 0 at the end."""
    ids = select(clients.c.id).where(clients.c.id > command.after).order_by(clients.c.id)
    last = uow.conn.execute(select(func.max(ids.limit(command.limit).subquery().c.id))).scalar()
    if last is None:
        return ClientId(0)
    found = _found(command, last)
    named = ("abc", "xyz", "class_sum", "class_spread")
    uow.conn.execute(
        update(clients)
        .where(clients.c.id == found.c.id, or_(*(clients.c[one] != found.c[one] for one in named)))
        .values({one: found.c[one] for one in named})
    )
    return ClientId(last)


def _found(command: ClassifyClients, last: int) -> Any:
    """Give the question for the classes of the clients of a batch."""
    part = and_(interests.c.client_id > command.after, interests.c.client_id <= last)
    month = (interests.c.closed_at - command.since) // MONTH_US
    months = (
        select(interests.c.client_id, sum_of(interests.c.amount).label("amount"))
        .where(part, *_bought(command.since, command.until, command.currency))
        .group_by(interests.c.client_id, month)
        .subquery("months")
    )
    exact = cast(months.c.amount, Float)
    sums = (
        select(
            months.c.client_id,
            sum_of(months.c.amount).label("total"),
            func.sum(exact * exact).label("squares"),
        )
        .group_by(months.c.client_id)
        .subquery("sums")
    )
    total = func.coalesce(sums.c.total, 0)
    whole = cast(sums.c.total, Float)
    # The square of the coefficient of variation over all months, empty ones too, in percent of percent:
    # the mean of the squares by the square of the mean, less one.
    spread = (sums.c.squares * command.months / (whole * whole) - 1) * TEN_THOUSAND
    spread = case((total > 0, cast(func.round(spread), BigInteger)), else_=0)
    bought = total > 0
    abc = case(
        (~bought, ""), (total >= command.a_from, "a"), (total >= command.b_from, "b"), else_="c"
    )
    xyz = case(
        (~bought, ""),
        (spread <= command.x_percent**2, "x"),
        (spread <= command.y_percent**2, "y"),
        else_="z",
    )
    return (
        select(
            clients.c.id,
            abc.label("abc"),
            xyz.label("xyz"),
            total.label("class_sum"),
            spread.label("class_spread"),
        )
        .select_from(clients.outerjoin(sums, sums.c.client_id == clients.c.id))
        .where(clients.c.id > command.after, clients.c.id <= last)
        .subquery("found")
    )


def settle_classes(uow: UnitOfWork, command: SettleClasses) -> None:
    """Note what a count has found."""
    _write(
        uow,
        counted_at=command.until,
        counted_months=command.months,
        counted_currency=command.currency,
        whole=command.whole,
    )


# -- changing ------------------------------------------------------------------------------


def save_class_rules(uow: UnitOfWork, command: SaveClassRules) -> int:
    """Say how classes are counted, and queue a count; gives the new version."""
    _check(command)
    row = uow.conn.execute(locked(uow.dialect, select(class_rules))).first()
    before = ClassRules() if row is None else _record(row)
    if command.version not in (None, before.version):
        raise Conflict("somebody changed the classes meanwhile", what="version")
    given = {
        one: getattr(command, one)
        for one in ("months", "a_percent", "b_percent", "x_percent", "y_percent", "currency")
    }
    version = before.version
    if any(getattr(before, name) != value for name, value in given.items()):
        version += 1
        _write(uow, **given, version=version)
        uow.record(ClassRulesChanged(rules_id=ONE, **given))
    count_classes(uow, CountClasses())
    return version


def _check(command: SaveClassRules) -> None:
    if not 1 <= command.months <= LONGEST:
        raise Invalid(f"a period has 1 to {LONGEST} months", field="months")
    if command.a_percent < 1 or command.b_percent < 0:
        raise Invalid("a class has a share of 1 percent at least", field="a_percent")
    if command.a_percent + command.b_percent > 100:
        raise Invalid("the classes A and B have 100 percent together at most", field="b_percent")
    if not 0 <= command.x_percent <= command.y_percent <= 1000:
        raise Invalid("the limit of Y is not below that of X", field="y_percent")
    if command.currency and command.currency not in {one.value for one in CURRENCIES}:
        raise Invalid("there is no such currency", field="currency")


def count_classes(uow: UnitOfWork, command: CountClasses) -> None:
    """Queue a count; one that waits already is not doubled."""
    run_job(uow, RunJob(name=JOB, key="asked"))


def _write(uow: UnitOfWork, **values: object) -> None:
    statement = upsert(uow.dialect, class_rules).values(id=ONE, **values)
    uow.conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
