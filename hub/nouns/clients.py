"""Clients: who buys from us. One card, of a person or an organisation; legal data optional."""

from __future__ import annotations

from hub.filters import Field, FieldType, Where
from hub.kinds import described
from hub.nouns.parts import CREATED, FROM_LEVELS, LEVELS, OWNER, SOURCE, TAGS, TEAM, choices, prop
from hub.properties import PropertyType
from hub.records.people import Client

_T = PropertyType
ABC = choices(("", "no class", "без класса"), ("a", "A", "A"), ("b", "B", "B"), ("c", "C", "C"))
XYZ = choices(("", "no class", "без класса"), ("x", "X", "X"), ("y", "Y", "Y"), ("z", "Z", "Z"))
STATUSES = choices(
    ("prospect", "prospect", "потенциальный"),
    ("active", "active", "действующий"),
    ("partner", "partner", "партнёр"),
    ("lost", "lost", "потерян"),
)

CLIENTS = described(
    name="client",
    words=("client", "clients", "клиент", "клиенты"),
    record=Client,
    read="contacts.view",
    write="contacts.edit",
    path="clients",
    title="name",
    icon="building-2",
    keys=("inn", "email", "phone", "name"),
    more_fields=(
        Field(
            name="client.last_purchase",
            label="Last purchase (the last interest won)",
            type=FieldType.INSTANT,
            value=lambda facts: 0,
            where=Where.QUERY,
            translations={"ru": "Последняя покупка (последний выигранный интерес)"},
        ),
    ),
    properties=(
        prop("name", "Name", "Название", required=True, personal=True, listed=True, sortable=True),
        prop("organisation", "Organisation", "Организация", _T.FLAG),
        prop("status", "Status", "Состояние", _T.CHOICE, choices=STATUSES, listed=True),
        prop(
            "level",
            "Support level",
            "Уровень поддержки",
            _T.CHOICE,
            choices=(*choices(("", "not set", "не задан")), *LEVELS),
            choices_from=FROM_LEVELS,
        ),
        OWNER,
        prop("co_owner_id", "Co-responsible", "Соответственный", _T.REF, ref="user"),
        TEAM,
        SOURCE,
        prop("phone", "Phone", "Телефон", personal=True, listed=True),
        prop("email", "E-mail", "Почта", personal=True, listed=True),
        prop("site", "Website", "Сайт", personal=True),
        prop("addresses", "Addresses", "Адреса для связи", _T.ADDRESSES, personal=True),
        prop("region", "Region", "Регион"),
        prop("industry", "Industry", "Отрасль"),
        prop("birthday", "Birthday", "День рождения", _T.DATE, personal=True),
        TAGS,
        prop("notes", "About", "О клиенте", _T.TEXT, personal=True),
        prop("legal_name", "Legal name", "Юридическое лицо", group="legal", personal=True),
        prop("inn", "INN", "ИНН", group="legal", personal=True),
        prop("kpp", "KPP", "КПП", group="legal", personal=True),
        prop("ogrn", "OGRN", "ОГРН", group="legal", personal=True),
        prop("legal_address", "Legal address", "Адрес", group="legal", personal=True),
        prop("bank", "Bank account", "Банковские реквизиты", _T.TEXT, group="legal", personal=True),
        prop(
            "completeness",
            "Filled in, %",
            "Заполнено, %",
            _T.NUMBER,
            editable=False,
            sortable=True,
        ),
        prop(
            "abc",
            "ABC class",
            "Класс ABC",
            _T.CHOICE,
            choices=ABC,
            editable=False,
            listed=True,
        ),
        prop(
            "xyz",
            "XYZ class",
            "Класс XYZ",
            _T.CHOICE,
            choices=XYZ,
            editable=False,
        ),
        CREATED,
    ),
)
