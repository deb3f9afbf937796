"""Reading what is sent to many: what became of a send, of one delivery, and of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Label, Row, case, func, select

from crm_store.rows import among, listed
from crm_store.tables.consents import consents
from crm_store.tables.many import many_contents, many_sends, many_steps, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.viewer import Reader
from hub.ids import AccountId, AddressId, ContactId, DeliveryId, Micros
from hub.records.many import Way

Numbers = tuple[dict[tuple[str, str], int], dict[str, int]]
"""Rows by (status, reason), and how many were touched in which way."""


def delivery(conn: Connection, delivery_id: int) -> Row[Any] | None:
    """Give one row of many with its send."""
    return conn.execute(
        select(
            deliveries,
            many_sends.c.mailing_id,
            many_sends.c.topic,
            many_sends.c.title,
            many_sends.c.advertising,
            many_sends.c.routes,
        )
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .where(deliveries.c.id == delivery_id)
    ).first()


def link_of(conn: Connection, content_id: int, n: int) -> str:
    """Give where link `n` of some words leads, "" for none: a target is never in the link itself."""
    links = conn.execute(
        select(many_contents.c.links).where(many_contents.c.id == content_id)
    ).scalar()
    return str(links[n - 1]) if links and 0 < n <= len(links) else ""


def topics_of(conn: Connection, contact_id: int) -> list[tuple[str, str]]:
    """Give the topics a person was ever asked or told about, each with the newest word."""
    words: dict[str, tuple[int, str]] = {}
    for row in conn.execute(
        select(consents.c.topic, consents.c.state, consents.c.at).where(
            consents.c.contact_id == contact_id, consents.c.topic != ""
        )
    ):
        words[row.topic] = max(words.get(row.topic, (0, "")), (row.at, row.state))
    sent = conn.execute(
        select(many_sends.c.topic)
        .join(deliveries, deliveries.c.send_id == many_sends.c.id)
        .where(
            deliveries.c.contact_id == contact_id,
            TO_MANY,
            many_sends.c.topic != "",
        )
        .distinct()
    ).scalars()
    for topic in sent:
        words.setdefault(topic, (0, ""))
    return [(topic, state) for topic, (_, state) in sorted(words.items())]


def sends_of(reader: Reader, mailing_id: int) -> list[Row[Any]]:
    """Give the sends of a mailing, oldest first."""
    return list(
        reader.conn.execute(
            select(many_sends)
            .where(many_sends.c.mailing_id == mailing_id)
            .order_by(many_sends.c.id)
        )
    )


def counts(reader: Reader, send_ids: Sequence[int]) -> Mapping[tuple[str, str], int]:
    """Give how many rows stand in each (status, reason): they add up to everybody planned."""
    rows = reader.conn.execute(
        select(deliveries.c.status, deliveries.c.reason, func.count().label("n"))
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY)
        .group_by(deliveries.c.status, deliveries.c.reason)
    )
    return {(row.status, row.reason): row.n for row in rows}


def touches(reader: Reader, send_ids: Sequence[int]) -> Mapping[str, int]:
    """Give opens and clicks, people's and machines' apart, each delivery once."""
    row = reader.conn.execute(
        select(*_touched())
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(deliveries.c.send_id.in_(send_ids), TO_MANY)
    ).one()
    return dict(row._mapping)


def _touched() -> list[Label[int]]:
    person = ~many_touches.c.machine
    click, opened = many_touches.c.n > 0, many_touches.c.n == 0
    which = {
        "clicked": person & click,
        "seen": person,
        "answered": many_touches.c.n == -1,
        "clicked_by_machine": ~person & click,
        "opened_by_machine": ~person & opened,
    }
    return [
        func.count(case((one, many_touches.c.delivery_id)).distinct()).label(name)
        for name, one in which.items()
    ]


def numbers(reader: Reader, send_ids: Sequence[int]) -> Mapping[int, Numbers]:
    """Give what became of each of these sends, in two questions however many they are."""
    given = {"b_ids": listed(reader.conn.dialect.name, send_ids)}
    mine = among(reader.conn.dialect.name, deliveries.c.send_id, "b_ids")
    found: dict[int, Numbers] = {one: ({}, {}) for one in send_ids}
    states = (deliveries.c.send_id, deliveries.c.status, deliveries.c.reason)
    asked = select(*states, func.count().label("n")).where(mine, TO_MANY).group_by(*states)
    for row in reader.conn.execute(asked, given):
        found[row.send_id][0][row.status, row.reason] = row.n
    touched = (
        select(deliveries.c.send_id, *_touched())
        .join(deliveries, deliveries.c.id == many_touches.c.delivery_id)
        .where(mine, TO_MANY)
        .group_by(deliveries.c.send_id)
    )
    for row in reader.conn.execute(touched, given):
        found[row.send_id][1].update(
            {name: n for name, n in row._mapping.items() if name != "send_id"}
        )
    return found


def span(reader: Reader, send_ids: Sequence[int]) -> tuple[int, int]:
    """Give when the first and the last of what left left, (0, 0) for nothing."""
    row = reader.conn.execute(
        select(func.min(deliveries.c.sent_at), func.max(deliveries.c.sent_at)).where(
            deliveries.c.send_id.in_(send_ids), TO_MANY, deliveries.c.sent_at > 0
        )
    ).one()
    return row[0] or 0, row[1] or 0


def is_finished(numbers: Mapping[tuple[str, str], int]) -> bool:
    """Say whether every row has a final state: derived from the rows, never noted anywhere."""
    open_states = ("queued", "claimed", "sending", "paused")
    return not any(n for (status, _), n in numbers.items() if status in open_states)


def ways_of(reader: Reader, send_ids: Sequence[int], contact_ids: Sequence[int]) -> list[Way]:
    """Give every way of people in sends, in order: those that were passed with the reason, and last
    the one that stands."""
    rows = reader.conn.execute(
        select(deliveries)
        .where(
            deliveries.c.send_id.in_(send_ids), TO_MANY, deliveries.c.contact_id.in_(contact_ids)
        )
        .order_by(deliveries.c.send_id, deliveries.c.contact_id)
    ).all()
    passed: dict[int, list[Row[Any]]] = {}
    for step in reader.conn.execute(
        select(many_steps)
        .where(many_steps.c.delivery_id.in_([row.id for row in rows]))
        .order_by(many_steps.c.delivery_id, many_steps.c.n)
    ):
        passed.setdefault(step.delivery_id, []).append(step)
    found = []
    for row in rows:
        found += [
            Way(
                send_id=row.send_id,
                contact_id=ContactId(row.contact_id),
                delivery_id=DeliveryId(row.id),
                address_id=AddressId(max(0, step.address_id)),
                account_id=AccountId(step.account_id),
                state="passed",
                reason=step.reason,
                text=step.told_reason,
                at=Micros(step.at),
                sent_at=Micros(step.sent_at),
                told=step.told,
                told_at=Micros(step.told_at),
            )
            for step in passed.get(row.id, ())
        ]
        found.append(_stands(row))
    return found


def people_of(
    reader: Reader,
    send_ids: Sequence[int],
    *,
    status: Sequence[str] = (),
    reason: str = "",
    after: int = 0,
    limit: int = 100,
) -> list[Way]:
    """Give the people of sends with the way that stands, continued by the delivery's id."""
    statement = select(deliveries).where(
        deliveries.c.send_id.in_(send_ids), TO_MANY, deliveries.c.id > after
    )
    if status:
        statement = statement.where(deliveries.c.status.in_(status))
    if reason:
        statement = statement.where(deliveries.c.reason == reason)
    rows = reader.conn.execute(statement.order_by(deliveries.c.id).limit(min(limit, 1_000)))
    return [_stands(row) for row in rows]


def _stands(row: Row[Any]) -> Way:
    return Way(
        send_id=row.send_id,
        contact_id=ContactId(row.contact_id),
        delivery_id=DeliveryId(row.id),
        address_id=AddressId(max(0, row.address_id)),
        account_id=AccountId(row.account_id),
        state=row.status,
        reason=row.reason,
        text=row.reason_text,
        at=Micros(row.read_at or row.delivered_at or row.sent_at),
        sent_at=Micros(row.sent_at),
    )
