"""Fields of conditions about the message that an event brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.filters import FieldType
from hub.messages import DeliveryStatus
from hub.records.dialogs import Message
from hub.rules import Facts
from triggers.fact_field import ACTORS, Read, choice, fact_field, loaded

_T = FieldType


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


_FILES = (
    choice("image", "image", "изображение"),
    choice("audio", "audio", "аудио"),
    choice("video", "video", "видео"),
    choice("document", "document", "документ"),
)
_STATUS = tuple(choice(one.value, one.value, one.value) for one in DeliveryStatus)

FIELDS = (
    fact_field("message.text", "Text", "Текст", _T.TEXT, _of_message(lambda m: m.text)),
    fact_field(
        "message.subject",
        "Subject of the message",
        "Тема письма",
        _T.LINE,
        _of_message(lambda m: m.subject),
    ),
    fact_field(
        "message.length",
        "Length of the text",
        "Длина текста",
        _T.NUMBER,
        _of_message(lambda m: len(m.text)),
    ),
    fact_field(
        "message.files", "Kinds of files", "Виды файлов", _T.SET, _of_message(_media), _FILES
    ),
    fact_field(
        "message.author",
        "Author of the message",
        "Автор сообщения",
        _T.CHOICE,
        _of_message(lambda m: m.author.kind.value),
        ACTORS,
    ),
    fact_field(
        "message.automated",
        "Written by a machine",
        "Написано автоматом",
        _T.FLAG,
        _of_message(lambda m: m.automated),
    ),
    fact_field("message.from", "From the address", "С адреса", _T.LINE, _sender),
    fact_field("message.from_domain", "From the domain", "С домена", _T.LINE, _domain),
    fact_field(
        "message.to",
        "To the address",
        "На адрес",
        _T.SET,
        _of_message(lambda m: [one.address for one in (*m.to, *m.cc)]),
    ),
    fact_field(
        "message.headers",
        "Headers (name: value)",
        "Заголовки (имя: значение)",
        _T.SET,
        loaded("message.headers"),
    ),
    fact_field(
        "message.button",
        "Button pressed",
        "Нажатая кнопка",
        _T.LINE,
        lambda f: getattr(f.event, "payload", "") if f.event.type == "button.pressed" else "",
    ),
    fact_field(
        "message.status",
        "Delivery",
        "Доставка",
        _T.CHOICE,
        _of_message(lambda m: m.status),
        _STATUS,
    ),
    fact_field(
        "message.reason",
        "Reason of the failure",
        "Причина отказа",
        _T.CHOICE,
        _of_message(lambda m: m.reason),
    ),
    fact_field("message.label", "Meaning (label)", "Смысл (ярлык)", _T.CHOICE, _of_label("name")),
    fact_field(
        "message.label_confidence",
        "Certainty of the label, %",
        "Уверенность ярлыка, %",
        _T.NUMBER,
        _of_label("confidence"),
    ),
)

PARTS: Mapping[str, frozenset[str]] = {
    "message.from": frozenset({"message", "dialog"}),
    "message.from_domain": frozenset({"message", "dialog"}),
    "message.headers": frozenset({"message", "headers"}),
    "message.button": frozenset(),
}
TODAY = frozenset({"headers"})
