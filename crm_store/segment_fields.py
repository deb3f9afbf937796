"""What segments can ask of people beyond their cards: channels, their client, mailings they got."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, case, cast, select

from crm_store.custom import whole
from crm_store.filter_sql import QueryField
from crm_store.nouns import NOUNS, Noun
from crm_store.object_fields import last_purchase, query_fields
from crm_store.tables.many import many_sends, many_touches
from crm_store.tables.objects import object_tags
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, clients, contacts
from crm_store.tables.segments import segments
from hub.filters import Choice, Field, Fields, FieldType, Where

CONTACT = NOUNS["contact"]


def _extra(name: str, english: str, russian: str, type: FieldType = FieldType.SET) -> Field:
    return Field(
        name=f"contact.{name}",
        label=english,
        translations={"ru": russian},
        type=type,
        value=lambda _: None,
        where=Where.QUERY,
    )


def _of_contact(column: Any, owner: Any, *more: ColumnElement[bool]) -> QueryField:
    return QueryField(sql=lambda subject: select(column).where(owner == subject, *more))


def _sent(
    *more: ColumnElement[bool],
    touched: bool = False,
    answered: bool = False,
    value: Any = None,
) -> QueryField:
    def members(subject: Any) -> Any:
        statement = (
            select(cast(many_sends.c.mailing_id, String) if value is None else value)
            .join(deliveries, deliveries.c.send_id == many_sends.c.id)
            .where(deliveries.c.contact_id == subject, TO_MANY, *more)
        )
        if touched:
            statement = statement.join(
                many_touches, many_touches.c.delivery_id == deliveries.c.id
            ).where(
                many_touches.c.n == -1 if answered else many_touches.c.n > 0,
                ~many_touches.c.machine,
            )
        return statement

    return QueryField(sql=members)


_PERSON = contacts.alias("person")
"""The person asked about, on the way to his client: by its own name the table would be asked of itself."""
_REACHED = deliveries.c.status.in_(("sent", "delivered", "read"))
EXTRA: Mapping[str, tuple[Field, QueryField]] = {
    one.name: (one, query)
    for one, query in (
        (
            _extra("channel", "Can be reached by", "Есть адрес в канале"),
            _of_contact(addresses.c.kind, addresses.c.contact_id),
        ),
        (
            _extra("client_tag", "Tag of the client", "Метка клиента"),
            QueryField(
                sql=lambda subject: (
                    select(object_tags.c.tag_folded)
                    .join(_PERSON, _PERSON.c.client_id == object_tags.c.object_id)
                    .where(_PERSON.c.id == subject, object_tags.c.kind == "client")
                )
            ),
        ),
        (
            _extra("client_status", "Status of the client", "Состояние клиента"),
            QueryField(
                sql=lambda subject: (
                    select(clients.c.status)
                    .join(_PERSON, _PERSON.c.client_id == clients.c.id)
                    .where(_PERSON.c.id == subject, clients.c.deleted_at == 0)
                )
            ),
        ),
        (
            _extra("client_level", "Support level of the client", "Уровень поддержки клиента"),
            QueryField(
                sql=lambda subject: (
                    select(clients.c.level)
                    .join(_PERSON, _PERSON.c.client_id == clients.c.id)
                    .where(_PERSON.c.id == subject, clients.c.deleted_at == 0, clients.c.level > "")
                )
            ),
        ),
        (
            _extra(
                "last_purchase",
                "Last purchase of the client",
                "Последняя покупка клиента",
                FieldType.INSTANT,
            ),
            QueryField(
                sql=lambda subject: (
                    select(last_purchase(_PERSON.c.client_id))
                    .where(_PERSON.c.id == subject, _PERSON.c.client_id > 0)
                    .scalar_subquery()
                )
            ),
        ),
        (_extra("got_mailing", "Got the mailing", "Получил рассылку"), _sent(_REACHED)),
        (
            _extra("failed_mailing", "Mailing failed", "Рассылка не дошла"),
            _sent(deliveries.c.status == "failed"),
        ),
        (
            _extra(
                "clicked_mailing", "Followed a link of the mailing", "Перешёл по ссылке рассылки"
            ),
            _sent(touched=True),
        ),
        (
            _extra("answered_mailing", "Answered the mailing", "Ответил на рассылку"),
            _sent(touched=True, answered=True),
        ),
        (
            _extra(
                "missed_mailing",
                "Was not reached, by mailing and cause",
                "Не получил: рассылка и причина",
            ),
            _sent(
                deliveries.c.status.in_(("failed", "suppressed", "unknown")),
                value=cast(many_sends.c.mailing_id, String)
                + ":"
                + case((deliveries.c.status == "unknown", "unknown"), else_=deliveries.c.reason),
            ),
        ),
    )
}


_MAILINGS = ("got_mailing", "failed_mailing", "clicked_mailing", "answered_mailing")
NEWEST = 200
"""How many mailings can be chosen by their titles."""


def card(conn: Connection) -> Noun:
    """Give a person's card as this organisation has it."""
    return whole(conn, CONTACT)


def fields(conn: Connection) -> Fields:
    """Give every field that a segment can ask for, those of the organisation's own among them."""
    return Fields((*card(conn).kind.fields, *(one for one, _ in EXTRA.values())))


def columns(conn: Connection) -> dict[str, QueryField]:
    """Say where those fields stand in the database."""
    return {**query_fields(card(conn)), **{name: query for name, (_, query) in EXTRA.items()}}


def with_choices(conn: Connection) -> Fields:
    """Give the same fields with what can be chosen from: states, levels, the newest mailings."""
    client = whole(conn, NOUNS["client"]).kind
    known = {
        "contact.client_status": client.property("status").choices,
        "contact.client_level": client.property("level").choices,
        **{f"contact.{name}": _mailings(conn) for name in _MAILINGS},
    }
    return Fields(
        replace(one, choices=known[name]) if name in known else one
        for name, one in fields(conn).items()
    )


def asking(conn: Connection, field: str) -> list[str]:
    """Give the names of the segments whose conditions ask for a field."""
    rows = conn.execute(
        select(segments.c.name, segments.c.definition).where(segments.c.removed_at == 0)
    )
    mark = json.dumps(field)
    return sorted(row.name for row in rows if mark in json.dumps(row.definition or {}))


def _mailings(conn: Connection) -> tuple[Choice, ...]:
    rows = conn.execute(
        select(many_sends.c.mailing_id, many_sends.c.title)
        .order_by(many_sends.c.id.desc())
        .limit(NEWEST)
    )
    titles: dict[int, str] = {}
    for row in rows:
        titles.setdefault(row.mailing_id, row.title)
    return tuple(Choice(str(number), title) for number, title in titles.items())
