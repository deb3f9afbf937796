"""What is known of people beyond their cards, as segments ask for it: each field, and where it stands
in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)

from crm_store.consents import GIVEN, WITHDRAWN
from crm_store.filter_sql import QueryField
from crm_store.object_fields import WON, last_purchase
from crm_store.tables.consents import consents, suppressions
from crm_store.tables.interests import interests
from crm_store.tables.many import many_sends, many_steps, many_touches
from crm_store.tables.objects import object_tags
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, clients, contacts
from crm_store.tables.requests import requests
from hub.filters import Choice, Field, FieldType, Where


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
    touch: ColumnElement[bool] | None = None,
    value: Any = None,
) -> QueryField:
    def members(subject: Any) -> Any:
        statement = (
            select(cast(many_sends.c.mailing_id, String) if value is None else value)
            .join(deliveries, deliveries.c.send_id == many_sends.c.id)
            .where(deliveries.c.contact_id == subject, TO_MANY, *more)
        )
        if touch is not None:
            statement = statement.join(
                many_touches, many_touches.c.delivery_id == deliveries.c.id
            ).where(touch, ~many_touches.c.machine)
        return statement

    return QueryField(sql=members)


def _word(state: str, other: str) -> QueryField:
    """Ask for what a person said of advertising, as long as no later word of his takes it back."""
    said, later = consents.alias("said"), consents.alias("later")
    taken_back = exists().where(
        later.c.contact_id == said.c.contact_id,
        later.c.state == other,
        later.c.channel.in_((said.c.channel, "")),
        later.c.topic.in_((said.c.topic, "")),
        later.c.at >= said.c.at if other == WITHDRAWN else later.c.at > said.c.at,
    )
    topic = case((said.c.topic == "", EVERYTHING), else_=said.c.topic)
    return _of_contact(topic, said.c.contact_id, said.c.state == state, ~taken_back)


def _won(subject: Any, value: Any) -> Select[Any]:
    """Ask for something of all interests that the client of a person has won."""
    return (
        select(value)
        .select_from(interests)
        .join(_PERSON, _PERSON.c.client_id == interests.c.client_id)
        .where(_PERSON.c.id == subject, _PERSON.c.client_id > 0, WON)
    )


def _class(column: Any) -> QueryField:
    """Ask for a class of a person's client."""
    return QueryField(
        sql=lambda subject: (
            select(column)
            .join(_PERSON, _PERSON.c.client_id == clients.c.id)
            .where(_PERSON.c.id == subject, clients.c.deleted_at == 0, column > "")
        )
    )


HUNDRED = 100
"""Sums are kept in hundredths, and asked for in whole ones."""
EVERYTHING = "*"
"""How a condition says that a word was about every topic."""
REASONS = (
    Choice("bounced_hard", "no such address", {"ru": "нет такого адреса"}),
    Choice("bounced_soft", "does not take letters now", {"ru": "сейчас не принимает писем"}),
    Choice("complained", "complained", {"ru": "пожаловался"}),
    Choice("blocked", "blocked us", {"ru": "заблокировал нас"}),
    Choice("operator_refused", "refused at the operator", {"ru": "отказался у оператора"}),
    Choice("by_hand", "suppressed by a colleague", {"ru": "исключил сотрудник"}),
    Choice("imported", "suppressed by an import", {"ru": "исключён при импорте"}),
)
_PERSON = contacts.alias("person")
"""The person asked about, on the way to his client: by its own name the table would be asked of itself."""
_REACHED = deliveries.c.status.in_(("sent", "delivered", "read"))
_GOT_OTHERWISE = or_(
    exists().where(
        many_steps.c.delivery_id == deliveries.c.id, many_steps.c.told.in_(("delivered", "read"))
    ),
    exists().where(many_touches.c.delivery_id == deliveries.c.id, ~many_touches.c.machine),
)
"""His last way failed, and yet he has it: by an earlier one, or he clicked, opened or answered."""
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
        *(
            (_extra(f"client_{name}", english, russian), _class(column))
            for name, english, russian, column in (
                ("abc", "ABC class of the client", "Класс ABC клиента", clients.c.abc),
                ("xyz", "XYZ class of the client", "Класс XYZ клиента", clients.c.xyz),
            )
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
        (
            _extra(
                "won_interests",
                "Won interests of the client",
                "Выигранных интересов у клиента",
                FieldType.NUMBER,
            ),
            QueryField(sql=lambda subject: _won(subject, func.count()).scalar_subquery()),
        ),
        (
            # Sums of several currencies do not add up: the greatest is that of the main one.
            _extra(
                "won_sum",
                "Sum of the client's won interests, in its main currency",
                "Сумма выигранных интересов клиента, в его основной валюте",
                FieldType.NUMBER,
            ),
            QueryField(
                sql=lambda subject: (
                    _won(subject, func.sum(interests.c.amount) / HUNDRED)
                    .group_by(interests.c.currency)
                    .order_by(func.sum(interests.c.amount).desc())
                    .limit(1)
                    .scalar_subquery()
                )
            ),
        ),
        (_extra("got_mailing", "Got the mailing", "Получил рассылку"), _sent(_REACHED)),
        (
            _extra("failed_mailing", "Mailing failed", "Рассылка не дошла"),
            _sent(deliveries.c.status == "failed", ~_GOT_OTHERWISE),
        ),
        (
            _extra(
                "clicked_mailing", "Followed a link of the mailing", "Перешёл по ссылке рассылки"
            ),
            _sent(touch=many_touches.c.n > 0),
        ),
        (
            # Who followed a link saw it, whatever his mail program kept back.
            _extra("saw_mailing", "Saw the mailing (an estimate)", "Видел рассылку (оценка)"),
            _sent(touch=many_touches.c.n >= 0),
        ),
        (
            _extra("answered_mailing", "Answered the mailing", "Ответил на рассылку"),
            _sent(touch=many_touches.c.n == -1),
        ),
        (
            _extra(
                "missed_mailing",
                "Was not reached, by mailing and cause",
                "Не получил: рассылка и причина",
            ),
            _sent(
                deliveries.c.status.in_(("failed", "suppressed", "unknown")),
                ~_GOT_OTHERWISE,
                value=cast(many_sends.c.mailing_id, String)
                + ":"
                + case((deliveries.c.status == "unknown", "unknown"), else_=deliveries.c.reason),
            ),
        ),
        (
            _extra("agreed", "Agreed to advertising about", "Согласен на рекламу на тему"),
            _word(GIVEN, WITHDRAWN),
        ),
        (
            _extra("refused", "Refused advertising about", "Отказался от рекламы на тему"),
            _word(WITHDRAWN, GIVEN),
        ),
        (
            _extra("suppressed", "An address is suppressed because", "Адрес исключён, потому что"),
            QueryField(
                sql=lambda subject: (
                    select(suppressions.c.reason)
                    .join(addresses, addresses.c.id == suppressions.c.address_id)
                    .where(addresses.c.contact_id == subject)
                )
            ),
        ),
        (
            _extra("request_status", "Has a request that is", "Есть заявка в состоянии"),
            _of_contact(requests.c.status, requests.c.contact_id, requests.c.deleted_at == 0),
        ),
        (
            _extra("interest_status", "Has an interest that is", "Есть интерес в состоянии"),
            _of_contact(interests.c.status, interests.c.contact_id, interests.c.deleted_at == 0),
        ),
    )
}


ABOUT: Mapping[str, tuple[str, ColumnElement[int] | None]] = {
    "contact.request_status": ("request", None),
    "contact.interest_status": ("interest", None),
    "contact.won_interests": ("interest", None),
    "contact.won_sum": ("interest", None),
    "contact.client_status": ("client", None),
    "contact.client_level": ("client", None),
    "contact.client_abc": ("client", None),
    "contact.client_xyz": ("client", None),
    "contact.client_tag": ("client", _PERSON.c.client_id),
    "contact.last_purchase": ("client", _PERSON.c.client_id),
}
"""Which of those fields ask about objects of another kind, and by which column where they do not
walk through its own table."""
