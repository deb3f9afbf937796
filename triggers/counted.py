"""Fields of conditions that are counted or worked out: absence, consent, segments, norms, letters."""

from __future__ import annotations

from collections.abc import Mapping

from hub.filters import FieldType
from hub.rules import Facts
from hub.terms import script_of
from triggers.fact_field import choice, fact_field, loaded

_T = FieldType


def _language(facts: Facts) -> object:
    return script_of(facts.message.text) if facts.message is not None else ""


def _working_minutes(facts: Facts) -> object:
    dialog, calendar = facts.dialog, facts.more.get("calendar")
    if dialog is None or calendar is None or not dialog.waiting_since:
        return None
    length = calendar.working_between(dialog.waiting_since, facts.now)  # type: ignore[attr-defined]
    return int(length) // 60_000_000


FIELDS = (
    fact_field(
        "message.language",
        "Language of the text, by its letters",
        "Язык текста, по буквам",
        _T.CHOICE,
        _language,
        (
            choice("ru", "Russian", "русский"),
            choice("en", "Latin letters", "латиница"),
            choice("other", "another", "другой"),
        ),
    ),
    fact_field(
        "dialog.waiting_working_minutes",
        "Working minutes that the client waits",
        "Рабочих минут ждёт клиент",
        _T.NUMBER,
        _working_minutes,
    ),
    fact_field(
        "dialog.assignee_absent",
        "The assignee is absent",
        "Ответственный отсутствует",
        _T.FLAG,
        loaded("dialog.assignee_absent"),
    ),
    fact_field(
        "dialog.substitute",
        "Who stands in for the assignee",
        "Кто замещает ответственного",
        _T.REF,
        loaded("dialog.substitute"),
    ),
    fact_field(
        "dialog.head",
        "The supervisor",
        "Руководитель",
        _T.REF,
        loaded("dialog.head"),
    ),
    fact_field(
        "dialog.advertising",
        "May be sent advertising here",
        "Можно слать сюда рекламу",
        _T.FLAG,
        loaded("dialog.advertising"),
    ),
    fact_field(
        "contact.segments",
        "In the segment (by its number)",
        "В сегменте (по номеру)",
        _T.SET,
        loaded("contact.segments"),
    ),
    fact_field(
        "event.segment",
        "The segment that was entered or left",
        "Сегмент, в который вошли или из которого вышли",
        _T.REF,
        lambda facts: getattr(facts.event, "segment_id", 0),
    ),
    fact_field(
        "event.channel",
        "The channel of the consent",
        "Канал согласия",
        _T.LINE,
        lambda facts: getattr(facts.event, "channel", ""),
    ),
    fact_field(
        "event.topic",
        "The topic of the consent",
        "Тема согласия",
        _T.LINE,
        lambda facts: getattr(facts.event, "topic", ""),
    ),
    fact_field(
        "client.last_purchase",
        "Last purchase (the last interest won)",
        "Последняя покупка (последний выигранный интерес)",
        _T.INSTANT,
        loaded("client.last_purchase"),
    ),
    fact_field(
        "interest.norm_spent",
        "Spent of the stage's norm, %",
        "Израсходовано нормы этапа, %",
        _T.NUMBER,
        loaded("interest.norm_spent"),
    ),
    fact_field(
        "time.workday",
        "On a working day (no weekend, no holiday)",
        "В рабочий день (не выходной и не праздник)",
        _T.FLAG,
        loaded("time.workday"),
    ),
)

PARTS: Mapping[str, frozenset[str]] = {
    "message.language": frozenset({"message"}),
    "dialog.waiting_working_minutes": frozenset({"dialog", "hours"}),
    "dialog.assignee_absent": frozenset({"dialog", "away"}),
    "dialog.substitute": frozenset({"dialog", "away"}),
    "dialog.head": frozenset({"dialog", "head"}),
    "dialog.advertising": frozenset({"dialog", "advertising"}),
    "contact.segments": frozenset({"contact", "segments"}),
    "event.segment": frozenset(),
    "event.channel": frozenset(),
    "event.topic": frozenset(),
    "client.last_purchase": frozenset({"client", "purchase"}),
    "interest.norm_spent": frozenset({"interest", "norm"}),
    "time.workday": frozenset({"dialog", "hours"}),
}
TODAY = frozenset({"away", "head", "advertising", "segments", "norm", "purchase"})
