"""Leads: a hint of interest before there is any client; nothing becomes a client by accident."""

from __future__ import annotations

from hub.kinds import described
from hub.nouns.parts import CREATED, OWNER, SOURCE, TAGS, TEAM, choices, client, contact, prop
from hub.properties import PropertyType
from hub.records.objects import Lead

_T = PropertyType
STATUSES = choices(
    ("new", "new", "новый"),
    ("in_work", "in work", "в работе"),
    ("qualified", "converted", "сконвертирован"),
    ("rejected", "rejected", "отклонён"),
)

LEADS = described(
    name="lead",
    words=("lead", "leads", "лид", "лиды"),
    record=Lead,
    read="leads.view",
    write="leads.edit",
    path="leads",
    icon="sparkles",
    over=("qualified", "rejected"),
    keys=("email", "phone"),
    properties=(
        prop("title", "Title", "Название", required=True, personal=True, listed=True),
        prop(
            "status",
            "Status",
            "Состояние",
            _T.CHOICE,
            choices=STATUSES,
            editable=False,
            listed=True,
        ),
        OWNER,
        TEAM,
        prop("name", "Name", "Имя", personal=True, listed=True),
        prop("company", "Company", "Организация", personal=True),
        prop("phone", "Phone", "Телефон", personal=True, listed=True),
        prop("email", "E-mail", "Почта", personal=True, listed=True),
        prop("message", "First message", "Первое сообщение", _T.TEXT, personal=True),
        SOURCE,
        TAGS,
        prop("channel", "Channel", "Канал связи", editable=False),
        prop("utm_source", "UTM source", "UTM-источник", group="utm"),
        prop("utm_medium", "UTM medium", "UTM-канал", group="utm"),
        prop("utm_campaign", "UTM campaign", "UTM-кампания", group="utm"),
        prop("utm_content", "UTM content", "UTM-содержание", group="utm"),
        prop("utm_term", "UTM term", "UTM-запрос", group="utm"),
        contact(editable=False),
        client(editable=False),
        prop("received_at", "Received", "Поступил", _T.INSTANT, editable=False),
        prop(
            "first_responded_at",
            "First response",
            "Первый ответ",
            _T.INSTANT,
            editable=False,
        ),
        prop(
            "first_response_us",
            "Time to first response",
            "Время до первого ответа",
            _T.NUMBER,
            lasts=1,
            running=lambda lead: 0 if lead.closed_at or lead.deleted_at else lead.received_at,
            editable=False,
            listed=True,
            sortable=True,
        ),
        prop("repeat_of", "Repeat of", "Повтор лида", _T.REF, ref="lead", editable=False),
        prop("reason", "Reason", "Причина отказа", editable=False, personal=True),
        prop("closed_at", "Closed", "Закрыт", _T.INSTANT, editable=False),
        CREATED,
    ),
)
