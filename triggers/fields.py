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

from hub.filters import Field, FieldType, Where
from hub.filters.dialog_fields import DIALOG_FIELDS
from hub.kinds import Kind
from hub.rules import Facts
from triggers import counted, message_fields, outside
from triggers.fact_field import ACTORS, Read, choice, fact_field, loaded

_T = FieldType


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
FIELDS = (
    fact_field(
        "dialog.waiting_minutes",
        "Minutes that the client waits",
        "Минут ждёт клиент",
        _T.NUMBER,
        _minutes(lambda d: d.waiting_since),
    ),
    fact_field(
        "dialog.silent_minutes",
        "Minutes since the client's last message",
        "Минут с последнего сообщения клиента",
        _T.NUMBER,
        _minutes(lambda d: d.last_inbound_at),
    ),
    fact_field(
        "dialog.assignee_load",
        "Open dialogs of the assignee",
        "Открытых диалогов у ответственного",
        _T.NUMBER,
        loaded("dialog.assignee_load"),
    ),
    fact_field(
        "dialog.previous_closed_at",
        "The dialog before was closed",
        "Прошлый диалог закрыт",
        _T.INSTANT,
        loaded("dialog.previous_closed_at"),
    ),
    fact_field(
        "dialog.answered",
        "Answered by a colleague",
        "Отвечал сотрудник",
        _T.FLAG,
        loaded("dialog.answered"),
    ),
    fact_field(
        "dialog.automatic_today",
        "Automatic messages today",
        "Автосообщений сегодня",
        _T.NUMBER,
        loaded("dialog.automatic_today"),
    ),
    fact_field(
        "contact.known",
        "Belongs to a client",
        "Относится к клиенту",
        _T.FLAG,
        lambda f: f.contact is not None and f.contact.client_id > 0,
    ),
    fact_field(
        "contact.first_ever",
        "First contact ever",
        "Первое обращение вообще",
        _T.FLAG,
        loaded("contact.first_ever"),
    ),
    fact_field(
        "contact.language",
        "Language of the contact",
        "Язык контакта",
        _T.CHOICE,
        lambda f: f.contact.language if f.contact else "",
    ),
    fact_field(
        "contact.time_zone",
        "Time zone of the contact",
        "Часовой пояс контакта",
        _T.CHOICE,
        lambda f: f.contact.time_zone if f.contact else "",
    ),
    fact_field(
        "contact.position",
        "Position",
        "Должность",
        _T.LINE,
        lambda f: f.contact.position if f.contact else "",
    ),
    fact_field(
        "contact.created_at",
        "Contact known since",
        "Контакт известен с",
        _T.INSTANT,
        lambda f: f.contact.created_at if f.contact else 0,
    ),
    fact_field(
        "contact.open_leads",
        "Open leads",
        "Открытых лидов",
        _T.NUMBER,
        loaded("contact.open_leads"),
    ),
    fact_field(
        "contact.rejected_leads",
        "Rejected leads",
        "Отклонённых лидов",
        _T.NUMBER,
        loaded("contact.rejected_leads"),
    ),
    fact_field(
        "contact.duplicates",
        "Others with the same phone or e-mail",
        "Других с тем же телефоном или почтой",
        _T.NUMBER,
        loaded("contact.duplicates"),
    ),
    fact_field(
        "event.by", "Done by", "Кем сделано", _T.CHOICE, lambda f: f.event.actor.kind.value, ACTORS
    ),
    fact_field(
        "event.colleague",
        "Done by the colleague",
        "Сделал сотрудник",
        _T.REF,
        lambda f: f.event.actor.id if f.event.actor.kind.value in ("user", "token") else 0,
    ),
    fact_field(
        "event.rule",
        "Done by the rule",
        "Сделало правило",
        _T.REF,
        lambda f: f.event.actor.id if f.event.actor.kind.value == "rule" else 0,
    ),
    fact_field("time.hour", "Hour of the day", "Час дня", _T.NUMBER, lambda f: _local(f).hour),
    fact_field(
        "time.weekday",
        "Day of the week",
        "День недели",
        _T.CHOICE,
        lambda f: _DAYS[_local(f).weekday()][0],
        tuple(choice(*one) for one in _DAYS),
    ),
    fact_field(
        "time.working", "Inside working hours", "В рабочее время", _T.FLAG, loaded("time.working")
    ),
)

PARTS: Mapping[str, frozenset[str]] = {
    **message_fields.PARTS,
    **counted.PARTS,
    **outside.PARTS,
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

TODAY = frozenset().union(
    message_fields.TODAY,
    counted.TODAY,
    ("load", "previous", "answered", "automatic", "first_ever"),
    ("leads", "duplicates", "hours", "zone"),
)
"""Parts that a look back gives as they are today: nobody wrote down what they were then."""


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
    for one in (*message_fields.FIELDS, *FIELDS, *counted.FIELDS, *outside.FIELDS):
        found[one.name] = one
    for kind in kinds:
        for one in kind.fields:
            found.setdefault(one.name, _of_object(kind.name, one))
        name = f"{kind.name}.exists"
        russian = kind.translations.get("ru", kind.label)
        article = "an" if kind.label[:1].lower() in "aeiou" else "a"
        words = f"There is {article} {kind.label}"
        exists = fact_field(name, words, f"Есть {russian}", _T.FLAG, _exists(kind.name))
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
