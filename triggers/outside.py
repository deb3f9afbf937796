"""Fields of what another system told (its words, the sum, and whether that covers the interest),
and of what another rule published."""

from __future__ import annotations

from collections.abc import Mapping

from hub.events import EventPublished, OutsideHappened
from hub.filters import Field, FieldType, Where
from hub.rules import Facts


def _word(name: str, label: str, russian: str) -> Field:
    def value(facts: Facts) -> object:
        return getattr(facts.event, name) if isinstance(facts.event, OutsideHappened) else None

    kind = FieldType.NUMBER if name == "amount" else FieldType.LINE
    return Field(
        name=f"outside.{name}",
        label=label,
        type=kind,
        value=value,
        where=Where.FACT,
        translations={"ru": russian},
    )


def _published(name: str, label: str, russian: str) -> Field:
    def value(facts: Facts) -> object:
        return getattr(facts.event, name) if isinstance(facts.event, EventPublished) else None

    return Field(
        name=f"published.{name}",
        label=label,
        type=FieldType.LINE,
        value=value,
        where=Where.FACT,
        translations={"ru": russian},
    )


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
    Field(
        name="outside.covers",
        label="The sum covers the interest",
        type=FieldType.FLAG,
        value=_covers,
        where=Where.FACT,
        translations={"ru": "Сумма покрывает интерес"},
    ),
)
PARTS: Mapping[str, frozenset[str]] = {
    **{one.name: frozenset() for one in FIELDS},
    "outside.covers": frozenset({"dialog", "contact", "client", "interest"}),
}
