"""Dialogs as a list that is written into a file: its columns.

A dialog is no object of the CRM: it is not made by a form, linked or put into a bin. This
description is for exports alone, so that its columns have names in both languages like any other's.
"""

from __future__ import annotations

from hub.kinds import described
from hub.nouns.parts import TAGS, choices, prop
from hub.properties import PropertyType
from hub.records.dialogs import Dialog

_T = PropertyType
STATUSES = choices(
    ("new", "new", "новый"),
    ("open", "open", "открыт"),
    ("waiting", "waiting for the client", "ждёт клиента"),
    ("snoozed", "snoozed", "отложен"),
    ("closed", "closed", "закрыт"),
)

DIALOGS = described(
    name="dialog",
    words=("dialog", "dialogs", "диалог", "диалоги"),
    record=Dialog,
    read="dialogs.view",
    write="dialogs.answer",
    path="dialogs",
    title="contact_name",
    owner="assignee_id",
    icon="messages-square",
    properties=(
        prop("contact_name", "Person", "Собеседник", personal=True, listed=True),
        prop("channel", "Channel", "Канал связи", listed=True),
        prop("address", "Address", "Адрес", personal=True, listed=True),
        prop("subject", "Subject", "Тема", personal=True),
        prop("status", "Status", "Состояние", _T.CHOICE, choices=STATUSES, listed=True),
        prop("assignee_id", "Responsible", "Ответственный", _T.REF, ref="user", listed=True),
        prop("team_id", "Team", "Команда", _T.REF, ref="team"),
        prop("priority", "Priority", "Приоритет", _T.NUMBER),
        TAGS,
        prop("created_at", "Begun", "Начат", _T.INSTANT, listed=True),
        prop("last_at", "Last message", "Последнее сообщение", _T.INSTANT, listed=True),
        prop("waiting_since", "Waits since", "Ждёт с", _T.INSTANT),
        prop("closed_at", "Closed", "Закрыт", _T.INSTANT),
        prop("inbound_count", "Messages of the client", "Сообщений клиента", _T.NUMBER),
        prop("message_count", "Messages", "Сообщений", _T.NUMBER),
        prop("preview", "Last words", "Последние слова", personal=True),
    ),
)
