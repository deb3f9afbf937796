"""The ways by which sends to many went, as rows: what people did belongs to the way it came by.

Most sends have one way, and then these are their deliveries. Where a send has several, those that were
passed after something had left are rows too: they hold no state (a person has one, that of the way
that stands), but the clicks, answers, refusals and complaints that came by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Subquery,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)

from crm_store.many_places import had_left
from crm_store.tables.consents import consent_log, suppressions
from crm_store.tables.many import many_sends, many_steps, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.viewer import Reader

DAY_US = 86_400_000_000
COMPLAINT_DAYS = 30
"""So long after a letter a complaint of its reader's is taken to be about it."""


@dataclass(frozen=True, slots=True)
class Went:
    """Rows of sends, one for each person, or one for each way where `orders` says there are several."""

    send_ids: Sequence[int]
    orders: dict[int, Sequence[str]] = field(default_factory=dict)
    rows: FromClause = deliveries

    @property
    def mine(self) -> list[ColumnElement[bool]]:
        """Choose the rows of the sends."""
        if self.orders:
            return []
        return [deliveries.c.send_id.in_(self.send_ids), TO_MANY]

    @property
    def stands(self) -> ColumnElement[bool]:
        """Choose the ways that stand: their state is the person's."""
        return self.rows.c.stands if self.orders else true()

    def by_way(self, found: FromClause) -> ColumnElement[bool]:
        """Join what was done by delivery and way."""
        mine: ColumnElement[bool] = found.c.delivery_id == self.rows.c.id
        return mine & (found.c.over == self.rows.c.account_id) if self.orders else mine

    def did(self) -> Subquery:
        """What people did with each, machines left out."""
        return self._grouped(
            select(
                many_touches.c.delivery_id,
                func.max(case((many_touches.c.n > 0, 1), else_=0)).label("clicked"),
                func.max(case((many_touches.c.n == -1, 1), else_=0)).label("answered"),
            )
            .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
            .where(deliveries.c.send_id.in_(self.send_ids), TO_MANY, ~many_touches.c.machine),
            many_touches.c.delivery_id,
            over_of_touch(),
        ).subquery("did")

    def left(self) -> Subquery:
        """Who unsubscribed by the link of just this letter: the evidence names it, and its way."""
        named = "delivery " + cast(deliveries.c.id, String)
        said = consent_log.c.evidence
        ways = [
            (
                (deliveries.c.send_id == send_id) & _says(said, named + f".{place}"),
                int(account_id),
            )
            for send_id, order in self.orders.items()
            for place, account_id in enumerate(order, 1)
        ]
        return self._grouped(
            select(deliveries.c.id.label("delivery_id"))
            .join(consent_log, consent_log.c.contact_id == deliveries.c.contact_id)
            .where(
                deliveries.c.send_id.in_(self.send_ids),
                TO_MANY,
                consent_log.c.state == "withdrawn",
                or_(_says(said, named), said.startswith(named + ".")),
            ),
            deliveries.c.id,
            case(*ways, else_=deliveries.c.account_id) if ways else deliveries.c.account_id,
        ).subquery("left_by")

    def complained(self) -> Subquery:
        """Who called it spam afterwards."""
        rows = self.rows
        return self._grouped(
            select(rows.c.id.label("delivery_id"))
            .join(suppressions, suppressions.c.address_id == rows.c.address_id)
            .where(
                *self.mine,
                rows.c.sent_at > 0,
                suppressions.c.reason == "complained",
                suppressions.c.at >= rows.c.sent_at,
                suppressions.c.at <= rows.c.sent_at + COMPLAINT_DAYS * DAY_US,
            ),
            rows.c.id,
            rows.c.account_id,
        ).subquery("angry")

    def _grouped(
        self, found: Select[Any], number: ColumnElement[int], over: ColumnElement[int]
    ) -> Select[Any]:
        if not self.orders:
            return found.group_by(number)
        return found.add_columns(over.label("over")).group_by(number, over)


def over_of_touch() -> ColumnElement[int]:
    """Give by which account something was done; what does not say so, by the one that stands."""
    named = many_touches.c.account_id
    return case((named == 0, deliveries.c.account_id), else_=named)


def _says(said: ColumnElement[str], name: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(said == name, said.startswith(name + ":"))


def went_of(reader: Reader, send_ids: Sequence[int], *, by_way: bool) -> Went:
    """Give the rows of sends; `by_way` apart by the ways they went, where they have several."""
    if not by_way:
        return Went(send_ids)
    asked = select(many_sends.c.id, many_sends.c.routes).where(many_sends.c.id.in_(send_ids))
    orders = {row.id: row.routes for row in reader.conn.execute(asked) if len(row.routes) > 1}
    if not orders:
        return Went(send_ids)
    stand = select(
        *(deliveries.c[name] for name in ("id", "contact_id", "account_id", "address_id")),
        *(deliveries.c[name] for name in ("content_id", "sent_at", "status")),
        true().label("stands"),
    ).where(deliveries.c.send_id.in_(send_ids), TO_MANY)
    step = many_steps.c
    passed = (
        select(
            deliveries.c.id,
            deliveries.c.contact_id,
            step.account_id,
            step.address_id,
            case((step.content_id == 0, deliveries.c.content_id), else_=step.content_id),
            case((step.sent_at == 0, step.at), else_=step.sent_at),
            step.told,
            false(),
        )
        .join(deliveries, deliveries.c.id == step.delivery_id)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY, had_left())
    )
    return Went(send_ids, orders, union_all(stand, passed).subquery("went"))
