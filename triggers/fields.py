"""Fields of conditions: everything a rule may ask about the facts of an event.

A field of a record is read off the record; one that must be counted or looked up is read from
`facts.more`, where triggers/loading.py puts it. What a field needs to be loaded is said by its
name's first word, or by `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hub.filters import Choice, Field, FieldType, Where
from hub.filters.dialog_fields import DIALOG_FIELDS
from hub.kinds import Kind
from hub.messages import DeliveryStatus
from hub.records.dialogs import Message
from hub.rules import Facts
from triggers import counted, outside

_T = FieldType
Read = Callable[[Facts], object]


def _field(
    name: str,
    label: str,
    russian: str,
    kind: FieldType,
    value: Read,
    choices: tuple[Choice, ...] = (),
) -> Field:
    return Field(
        name=name,
        label=label,
        type=kind,
        value=value,
        where=Where.FACT,
        choices=choices,
        translations={"ru": russian},
    )


def _choice(value: str, label: str, russian: str) -> Choice:
    return Choice(value, label, {"ru": russian})


def _more(name: str) -> Read:
    return lambda facts: facts.more.get(name)


def _of_message(read: Callable[[Message], object]) -> Read:
    return lambda facts: read(facts.message) if facts.message is not None else None


def _of_label(part: str) -> Read:
    """A part of what a classifier, or whoever overruled it, said about the message."""

    def read(facts: Facts) -> object:
        found = facts.message.extra.get("label") if facts.message is not None else None
        return found.get(part) if isinstance(found, Mapping) else None

    return read


def _media(message: Message) -> list[str]:
    """Kinds of files: image, audio, video, or document."""
    kinds = []
    for one in message.attachments:
        kind = one.media_type.partition("/")[0]
        kinds.append(kind if kind in ("image", "audio", "video") else "document")
    return kinds


def _sender(facts: Facts) -> str:
    """The address a message came from; of ours, the person's."""
    if facts.message is not None:
        found = facts.message.extra.get("from")
        if isinstance(found, str) and found:
            return found
    return facts.dialog.address if facts.dialog is not None else ""


def _domain(facts: Facts) -> str:
    _, at, domain = _sender(facts).rpartition("@")
    return domain if at else ""


def _minutes(read: Callable[[Any], int]) -> Read:
    def minutes(facts: Facts) -> object:
        since = read(facts.dialog) if facts.dialog is not None else 0
        return max(0, (facts.now - since) // 60_000_000) if since else None

    return minutes


def _local(facts: Facts) -> datetime:
    from zoneinfo import ZoneInfo

    zone = str(facts.more.get("house.zone") or "UTC")
    return datetime.fromtimestamp(facts.now / 1_000_000, UTC).astimezone(ZoneInfo(zone))


_DAYS = (
    ("mon", "Monday", "понедельник"),
    ("tue", "Tuesday", "вторник"),
    ("wed", "Wednesday", "среда"),
    ("thu", "Thursday", "четверг"),
    ("fri", "Friday", "пятница"),
    ("sat", "Saturday", "суббота"),
    ("sun", "Sunday", "воскресенье"),
)
_ACTORS = (
    _choice("user", "a colleague", "сотрудник"),
    _choice("contact", "the client", "клиент"),
    _choice("rule", "a rule", "правило"),
    _choice("mailing", "a mailing", "рассылка"),
    _choice("plugin", "a plugin", "плагин"),
    _choice("token", "a program", "программа"),
    _choice("system", "the hub", "система"),
)
_FILES = (
    _choice("image", "image", "изображение"),
    _choice("audio", "audio", "аудио"),
    _choice("video", "video", "видео"),
    _choice("document", "document", "документ"),
)
_STATUS = tuple(_choice(one.value, one.value, one.value) for one in DeliveryStatus)

MESSAGE = (
    _field("message.text", "Text", "Текст", _T.TEXT, _of_message(lambda m: m.text)),
    _field(
        "message.subject",
        "Subject of the message",
        "Тема письма",
        _T.LINE,
        _of_message(lambda m: m.subject),
    ),
    _field(
        "message.length",
        "Length of the text",
        "Длина текста",
        _T.NUMBER,
        _of_message(lambda m: len(m.text)),
    ),
    _field("message.files", "Kinds of files", "Виды файлов", _T.SET, _of_message(_media), _FILES),
    _field(
        "message.author",
        "Author of the message",
        "Автор сообщения",
        _T.CHOICE,
        _of_message(lambda m: m.author.kind.value),
        _ACTORS,
    ),
    _field(
        "message.automated",
        "Written by a machine",
        "Написано автоматом",
        _T.FLAG,
        _of_message(lambda m: m.automated),
    ),
    _field("message.from", "From the address", "С адреса", _T.LINE, _sender),
    _field("message.from_domain", "From the domain", "С домена", _T.LINE, _domain),
    _field(
        "message.to",
        "To the address",
        "На адрес",
        _T.SET,
        _of_message(lambda m: [one.address for one in (*m.to, *m.cc)]),
    ),
    _field(
        "message.headers",
        "Headers (name: value)",
        "Заголовки (имя: значение)",
        _T.SET,
        _more("message.headers"),
    ),
    _field(
        "message.button",
        "Button pressed",
        "Нажатая кнопка",
        _T.LINE,
        lambda f: getattr(f.event, "payload", "") if f.event.type == "button.pressed" else "",
    ),
    _field(
        "message.status",
        "Delivery",
        "Доставка",
        _T.CHOICE,
        _of_message(lambda m: m.status),
        _STATUS,
    ),
    _field(
        "message.reason",
        "Reason of the failure",
        "Причина отказа",
        _T.CHOICE,
        _of_message(lambda m: m.reason),
    ),
    _field("message.label", "Meaning (label)", "Смысл (ярлык)", _T.CHOICE, _of_label("name")),
    _field(
        "message.label_confidence",
        "Certainty of the label, %",
        "Уверенность ярлыка, %",
        _T.NUMBER,
        _of_label("confidence"),
    ),
)

COUNTED = (
    _field(
        "dialog.waiting_minutes",
        "Minutes that the client waits",
        "Минут ждёт клиент",
        _T.NUMBER,
        _minutes(lambda d: d.waiting_since),
    ),
    _field(
        "dialog.silent_minutes",
        "Minutes since the client's last message",
        "Минут с последнего сообщения клиента",
        _T.NUMBER,
        _minutes(lambda d: d.last_inbound_at),
    ),
    _field(
        "dialog.assignee_load",
        "Open dialogs of the assignee",
        "Открытых диалогов у ответственного",
        _T.NUMBER,
        _more("dialog.assignee_load"),
    ),
    _field(
        "dialog.previous_closed_at",
        "The dialog before was closed",
        "Прошлый диалог закрыт",
        _T.INSTANT,
        _more("dialog.previous_closed_at"),
    ),
    _field(
        "dialog.answered",
        "Answered by a colleague",
        "Отвечал сотрудник",
        _T.FLAG,
        _more("dialog.answered"),
    ),
    _field(
        "dialog.automatic_today",
        "Automatic messages today",
        "Автосообщений сегодня",
        _T.NUMBER,
        _more("dialog.automatic_today"),
    ),
    _field(
        "contact.known",
        "Belongs to a client",
        "Относится к клиенту",
        _T.FLAG,
        lambda f: f.contact is not None and f.contact.client_id > 0,
    ),
    _field(
        "contact.first_ever",
        "First contact ever",
        "Первое обращение вообще",
        _T.FLAG,
        _more("contact.first_ever"),
    ),
    _field(
        "contact.language",
        "Language of the contact",
        "Язык контакта",
        _T.CHOICE,
        lambda f: f.contact.language if f.contact else "",
    ),
    _field(
        "contact.time_zone",
        "Time zone of the contact",
        "Часовой пояс контакта",
        _T.CHOICE,
        lambda f: f.contact.time_zone if f.contact else "",
    ),
    _field(
        "contact.position",
        "Position",
        "Должность",
        _T.LINE,
        lambda f: f.contact.position if f.contact else "",
    ),
    _field(
        "contact.created_at",
        "Contact known since",
        "Контакт известен с",
        _T.INSTANT,
        lambda f: f.contact.created_at if f.contact else 0,
    ),
    _field(
        "contact.open_leads", "Open leads", "Открытых лидов", _T.NUMBER, _more("contact.open_leads")
    ),
    _field(
        "contact.rejected_leads",
        "Rejected leads",
        "Отклонённых лидов",
        _T.NUMBER,
        _more("contact.rejected_leads"),
    ),
    _field(
        "contact.duplicates",
        "Others with the same phone or e-mail",
        "Других с тем же телефоном или почтой",
        _T.NUMBER,
        _more("contact.duplicates"),
    ),
    _field(
        "event.by", "Done by", "Кем сделано", _T.CHOICE, lambda f: f.event.actor.kind.value, _ACTORS
    ),
    _field(
        "event.colleague",
        "Done by the colleague",
        "Сделал сотрудник",
        _T.REF,
        lambda f: f.event.actor.id if f.event.actor.kind.value in ("user", "token") else 0,
    ),
    _field(
        "event.rule",
        "Done by the rule",
        "Сделало правило",
        _T.REF,
        lambda f: f.event.actor.id if f.event.actor.kind.value == "rule" else 0,
    ),
    _field("time.hour", "Hour of the day", "Час дня", _T.NUMBER, lambda f: _local(f).hour),
    _field(
        "time.weekday",
        "Day of the week",
        "День недели",
        _T.CHOICE,
        lambda f: _DAYS[_local(f).weekday()][0],
        tuple(_choice(*one) for one in _DAYS),
    ),
    _field(
        "time.working", "Inside working hours", "В рабочее время", _T.FLAG, _more("time.working")
    ),
)

PARTS: Mapping[str, frozenset[str]] = {
    **counted.PARTS,
    **outside.PARTS,
    "message.from": frozenset({"message", "dialog"}),
    "message.from_domain": frozenset({"message", "dialog"}),
    "message.headers": frozenset({"message", "headers"}),
    "message.button": frozenset(),
    "dialog.assignee_load": frozenset({"dialog", "load"}),
    "dialog.previous_closed_at": frozenset({"dialog", "previous"}),
    "dialog.answered": frozenset({"dialog", "answered"}),
    "dialog.automatic_today": frozenset({"dialog", "automatic"}),
    "contact.name": frozenset({"dialog"}),
    "contact.first_ever": frozenset({"contact", "first_ever"}),
    "contact.open_leads": frozenset({"contact", "leads"}),
    "contact.rejected_leads": frozenset({"contact", "leads"}),
    "contact.duplicates": frozenset({"contact", "duplicates"}),
    "time.working": frozenset({"dialog", "hours"}),
    "time.hour": frozenset({"zone"}),
    "time.weekday": frozenset({"zone"}),
    "event.by": frozenset(),
    "event.colleague": frozenset(),
    "event.rule": frozenset(),
}
"""What must be loaded for a field whose name does not say it; a part may be a name of a counter."""

TODAY = counted.TODAY | frozenset(
    {
        "headers",
        "load",
        "previous",
        "answered",
        "automatic",
        "first_ever",
        "leads",
        "duplicates",
        "hours",
        "zone",
    }
)


def of_card(name: str) -> tuple[str, str]:
    """Part the name of a card's field into the kind and the property, a custom one too."""
    kind, _, prop = name.rpartition(".")
    if kind.endswith(".custom"):
        return kind.removesuffix(".custom"), f"custom.{prop}"
    return kind, prop


def needs_of(name: str, kinds: Iterable[str] = ()) -> frozenset[str]:
    """Say what must be loaded for a field."""
    found = PARTS.get(name)
    if found is not None:
        return found
    first = name.partition(".")[0]
    if first in ("dialog", "message", "contact"):
        return frozenset({first})
    kind, _ = of_card(name)
    if kind in kinds:
        return frozenset({kind})
    # A plugin's field may look at everything.
    return frozenset({"dialog", "message", "contact", "client"})


def _of_dialog(field: Field) -> Field:
    read = field.value
    return replace(
        field,
        value=lambda facts: read(facts.dialog) if facts.dialog is not None else None,
        where=Where.FACT,
        query_operators=None,
    )


def _of_object(kind: str, field: Field) -> Field:
    read = field.value

    def value(facts: Facts) -> object:
        found = facts.objects.get(kind)
        return read(found) if found is not None else None

    return replace(field, value=value, where=Where.FACT, query_operators=None)


def all_fields(kinds: Iterable[Kind], more: Iterable[Field] = ()) -> dict[str, Field]:
    """Give every field of conditions by its name."""
    found: dict[str, Field] = {}
    for one in DIALOG_FIELDS.values():
        # The words of all messages are looked for in the database only.
        if one.name != "dialog.text":
            found[one.name] = _of_dialog(one)
    for one in (*MESSAGE, *COUNTED, *counted.FIELDS, *outside.FIELDS):
        found[one.name] = one
    for kind in kinds:
        for one in kind.fields:
            found.setdefault(one.name, _of_object(kind.name, one))
        name = f"{kind.name}.exists"
        russian = kind.translations.get("ru", kind.label)
        article = "an" if kind.label[:1].lower() in "aeiou" else "a"
        words = f"There is {article} {kind.label}"
        exists = _field(name, words, f"Есть {russian}", _T.FLAG, _exists(kind.name))
        found.setdefault(name, exists)
    for one in more:
        found.setdefault(one.name, one)
    return found


def custom_fields(kinds: Iterable[Kind]) -> dict[str, Field]:
    """Give the fields of kinds that the organisation added itself."""
    return {
        one.name: _of_object(kind.name, one)
        for kind in kinds
        for one in kind.fields
        if one.name.startswith(f"{kind.name}.custom.")
    }


def _exists(kind: str) -> Read:
    return lambda facts: facts.objects.get(kind) is not None
