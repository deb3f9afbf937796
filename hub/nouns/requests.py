"""Requests: a job for a client within a deadline, with a number that the client knows."""

from __future__ import annotations

from hub.kinds import described
from hub.nouns.parts import (
    CREATED,
    FROM_LEVELS,
    LEVELS,
    OWNER,
    TAGS,
    TEAM,
    choices,
    client,
    contact,
    prop,
)
from hub.properties import PropertyType
from hub.records.requests import Request

_T = PropertyType
STATUSES = choices(
    ("new", "new", "новая"),
    ("in_work", "in work", "в работе"),
    ("waiting", "waiting for the client", "ждёт клиента"),
    ("on_hold", "on hold", "отложена"),
    ("solved", "solved", "решена"),
    ("closed", "closed", "закрыта"),
)
TYPES = choices(
    ("question", "question", "вопрос"),
    ("incident", "incident", "сбой"),
    ("service", "service", "услуга"),
    ("complaint", "complaint", "жалоба"),
)
PRIORITIES = choices(
    ("normal", "normal", "обычный"),
    ("low", "low", "низкий"),
    ("high", "high", "высокий"),
    ("urgent", "urgent", "срочный"),
)

REQUESTS = described(
    name="request",
    words=("request", "requests", "заявка", "заявки"),
    record=Request,
    read="requests.view",
    write="requests.edit",
    path="requests",
    icon="alarm-clock",
    over=("solved", "closed"),
    properties=(
        prop("number", "Number", "Номер", _T.NUMBER, editable=False, listed=True, sortable=True),
        prop("title", "Subject", "Тема", required=True, personal=True, listed=True),
        prop(
            "status",
            "Status",
            "Состояние",
            _T.CHOICE,
            choices=STATUSES,
            editable=False,
            listed=True,
        ),
        prop("type", "Type", "Вид", _T.CHOICE, choices=TYPES, listed=True),
        prop("category", "Category", "Категория"),
        prop("priority", "Priority", "Приоритет", _T.CHOICE, choices=PRIORITIES, listed=True),
        OWNER,
        TEAM,
        prop(
            "level",
            "Support level",
            "Уровень поддержки",
            _T.CHOICE,
            choices=LEVELS,
            choices_from=FROM_LEVELS,
        ),
        contact(),
        client(),
        prop("channel", "Channel", "Канал связи", editable=False),
        prop("description", "Description", "Описание", _T.TEXT, personal=True),
        prop("solution", "Solution", "Решение", _T.TEXT, personal=True),
        TAGS,
        prop("due_at", "Deadline", "Срок", _T.INSTANT, editable=False, listed=True, sortable=True),
        prop(
            "first_response_due",
            "First response due",
            "Первый ответ до",
            _T.INSTANT,
            editable=False,
            group="deadlines",
        ),
        prop(
            "next_response_due",
            "Next response due",
            "Следующий ответ до",
            _T.INSTANT,
            editable=False,
            group="deadlines",
        ),
        prop("solution_due", "Solution due", "Решить до", _T.INSTANT, group="deadlines"),
        prop("overdue", "Overdue", "Просрочена", _T.FLAG, editable=False, group="deadlines"),
        prop(
            "policy_id",
            "Deadline policy",
            "Правило сроков",
            _T.REF,
            ref="sla_policy",
            editable=False,
            group="deadlines",
        ),
        prop(
            "first_responded_at",
            "First response",
            "Первый ответ",
            _T.INSTANT,
            editable=False,
            group="deadlines",
        ),
        prop(
            "paused_at", "Paused since", "На паузе с", _T.INSTANT, editable=False, group="deadlines"
        ),
        prop(
            "paused_us",
            "Paused for",
            "На паузе была",
            _T.NUMBER,
            lasts=1,
            editable=False,
            group="deadlines",
        ),
        prop(
            "pause_reason",
            "Reason of the pause",
            "Причина паузы",
            editable=False,
            personal=True,
            group="deadlines",
        ),
        prop("parent_id", "Part of", "Часть заявки", _T.REF, ref="request"),
        prop("merged_into", "Merged into", "Объединена с", _T.REF, ref="request", editable=False),
        prop(
            "spent_minutes",
            "Time spent",
            "Затрачено времени",
            _T.NUMBER,
            lasts=60_000_000,
            editable=False,
            sortable=True,
        ),
        prop("satisfaction", "Satisfaction, 1 to 5", "Оценка, от 1 до 5", _T.NUMBER),
        prop("solved_at", "Solved", "Решена", _T.INSTANT, editable=False),
        prop("closed_at", "Closed", "Закрыта", _T.INSTANT, editable=False),
        CREATED,
    ),
)
