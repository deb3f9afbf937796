"""Fields of what another system told (its words, the sum, and whether that covers the interest),
and of what another rule published."""

from __future__ import annotations

from collections.abc import Mapping

from hub.events import EventPublished, OutsideHappened
from hub.filters import Field, FieldType
from hub.rules import Facts
from triggers.fact_field import fact_field


def _word(name: str, label: str, russian: str) -> Field:
    def value(facts: Facts) -> object:
        return getattr(facts.event, name) if isinstance(facts.event, OutsideHappened) else None

    kind = FieldType.NUMBER if name == "amount" else FieldType.LINE
    return fact_field(f"outside.{name}", label, russian, kind, value)


def _published(name: str, label: str, russian: str) -> Field:
    def value(facts: Facts) -> object:
        return getattr(facts.event, name) if isinstance(facts.event, EventPublished) else None

    return fact_field(f"published.{name}", label, russian, FieldType.LINE, value)


def _covers(facts: Facts) -> object:
    interest = facts.object("interest")
    if interest is None or not isinstance(facts.event, OutsideHappened):
        return False
    return 0 < facts.event.amount >= interest.amount


FIELDS = (
    _published("name", "Published event", "Опубликованное событие"),
    _published("text", "Text of the published event", "Текст опубликованного события"),
    _word("name", "Event of the other system", "Событие внешней системы"),
    _word("amount", "Sum of the event", "Сумма события"),
    _word("status", "Status of the event", "Состояние события"),
    _word("reference", "Number over there", "Номер во внешней системе"),
    fact_field(
        "outside.covers",
        "The sum covers the interest",
        "Сумма покрывает интерес",
        FieldType.FLAG,
        _covers,
    ),
)
PARTS: Mapping[str, frozenset[str]] = {
    **{one.name: frozenset() for one in FIELDS},
    "outside.covers": frozenset({"dialog", "contact", "client", "interest"}),
}
