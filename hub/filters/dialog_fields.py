"""What can be asked about a dialog: the fields of its filters, read from its record."""

from __future__ import annotations

from collections.abc import Callable

from hub.filters import Choice, Field, Fields, FieldType, Operator, Where
from hub.records.dialogs import Dialog


def _field(
    name: str,
    label: str,
    russian: str,
    kind: FieldType,
    value: Callable[[Dialog], object],
    *,
    choices: tuple[Choice, ...] = (),
    where: Where = Where.BOTH,
    query_operators: frozenset[Operator] | None = None,
) -> Field:
    return Field(
        name=name,
        label=label,
        type=kind,
        value=value,
        where=where,
        choices=choices,
        query_operators=query_operators,
        translations={"ru": russian},
    )


def _choice(value: str, label: str, russian: str) -> Choice:
    return Choice(value, label, {"ru": russian})


_STATUSES = (
    _choice("new", "new", "новый"),
    _choice("open", "open", "открыт"),
    _choice("waiting", "waiting for the client", "ждём клиента"),
    _choice("snoozed", "snoozed", "отложен"),
    _choice("closed", "closed", "закрыт"),
)
_DIRECTIONS = (
    _choice("in", "from the client", "от клиента"),
    _choice("out", "from us", "от нас"),
    _choice("note", "note", "заметка"),
    _choice("call", "call", "звонок"),
)
_PRIORITIES = (
    _choice("-1", "low", "низкий"),
    _choice("0", "normal", "обычный"),
    _choice("1", "high", "высокий"),
    _choice("2", "urgent", "срочный"),
)
_WITHOUT_WORDS = frozenset(
    {
        Operator.EQUALS,
        Operator.NOT_EQUALS,
        Operator.IN,
        Operator.NOT_IN,
        Operator.EMPTY,
        Operator.NOT_EMPTY,
        Operator.CONTAINS,
        Operator.NOT_CONTAINS,
        Operator.STARTS,
    }
)

_T = FieldType
DIALOG_FIELDS = Fields(
    [
        _field(
            "dialog.status", "Status", "Состояние", _T.CHOICE, lambda d: d.status, choices=_STATUSES
        ),
        _field("dialog.channel", "Channel", "Канал связи", _T.CHOICE, lambda d: d.channel),
        _field("dialog.account", "Account", "Учётная запись", _T.REF, lambda d: d.account_id),
        _field("dialog.assignee", "Assignee", "Ответственный", _T.REF, lambda d: d.assignee_id),
        _field("dialog.team", "Team", "Команда", _T.REF, lambda d: d.team_id),
        _field("dialog.contact", "Contact", "Контактное лицо", _T.REF, lambda d: d.contact_id),
        _field(
            "dialog.priority",
            "Priority",
            "Приоритет",
            _T.NUMBER,
            lambda d: d.priority,
            choices=_PRIORITIES,
        ),
        _field("dialog.subject", "Subject", "Тема", _T.LINE, lambda d: d.subject),
        _field("dialog.tags", "Tags", "Метки", _T.SET, lambda d: d.tags),
        _field("dialog.address", "Address", "Адрес", _T.CHOICE, lambda d: d.address),
        _field(
            "dialog.address_kind",
            "Kind of address",
            "Вид адреса",
            _T.CHOICE,
            lambda d: d.address_kind,
        ),
        _field(
            "dialog.last_direction",
            "Last message",
            "Последнее сообщение",
            _T.CHOICE,
            lambda d: d.last_direction,
            choices=_DIRECTIONS,
        ),
        _field("dialog.created_at", "Opened", "Открыт", _T.INSTANT, lambda d: d.created_at),
        _field(
            "dialog.last_at",
            "Last activity",
            "Последняя активность",
            _T.INSTANT,
            lambda d: d.last_at,
        ),
        _field(
            "dialog.waiting_since",
            "Client waits since",
            "Клиент ждёт с",
            _T.INSTANT,
            lambda d: d.waiting_since,
        ),
        _field(
            "dialog.last_inbound_at",
            "Last message of the client",
            "Последнее сообщение клиента",
            _T.INSTANT,
            lambda d: d.last_inbound_at,
        ),
        _field("dialog.closed_at", "Closed", "Закрыт", _T.INSTANT, lambda d: d.closed_at),
        _field(
            "dialog.snoozed_until",
            "Snoozed until",
            "Отложен до",
            _T.INSTANT,
            lambda d: d.snoozed_until,
        ),
        _field(
            "dialog.message_count",
            "Number of messages",
            "Число сообщений",
            _T.NUMBER,
            lambda d: d.message_count,
        ),
        _field(
            "dialog.inbound_count",
            "Number of the client's messages",
            "Число сообщений клиента",
            _T.NUMBER,
            lambda d: d.inbound_count,
        ),
        _field("dialog.failed", "Not delivered", "Не доставлено", _T.FLAG, lambda d: d.failed),
        _field("dialog.group", "Group dialog", "Групповой диалог", _T.FLAG, lambda d: d.group),
        _field(
            "dialog.text",
            "Any message",
            "Любое сообщение",
            _T.TEXT,
            lambda d: "",
            where=Where.QUERY,
            query_operators=frozenset({Operator.WORDS}),
        ),
        _field(
            "contact.name",
            "Contact's name",
            "Имя контактного лица",
            _T.LINE,
            lambda d: d.contact_name,
            query_operators=_WITHOUT_WORDS,
        ),
    ]
)
