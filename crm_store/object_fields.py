"""Where the fields of objects' filters stand in the database: properties, and what is derived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, func, literal, select, text

from crm_store import custom
from crm_store.filter_sql import QueryField, Subject
from crm_store.nouns import Noun
from crm_store.tables.interests import interest_stays, interests, stages
from crm_store.tables.objects import object_tags
from crm_store.viewer import Reader
from hub.card_addresses import LINES
from hub.properties import Property, PropertyType


def as_asked(reader: Reader, noun: Noun, *filters: Mapping[str, object] | None) -> Noun:
    """Give a noun with what the organisation describes itself, where one of these filters names that.

    Most name what every organisation has, and nothing is read for them.
    """
    kind = noun.kind
    own = f"{kind.name}.{custom.PREFIX}"
    lists = {f"{kind.name}.{one.name}" for one in kind.properties if one.choices_from}
    for name in _named(filters):
        if name in lists or name.startswith(own):
            return custom.whole_of(reader, noun)
    return noun


def _named(filters: Sequence[object]) -> Iterator[str]:
    """Give the fields that filters name, however they are written: nothing is checked yet."""
    parts = list(filters)
    while parts:
        part = parts.pop()
        if isinstance(part, Mapping):
            parts += part.values()
            name = part.get("field")
            if isinstance(name, str):
                yield name
        elif isinstance(part, list | tuple):
            parts += part


def query_fields(noun: Noun) -> Mapping[str, QueryField]:
    """Say where the fields of a kind's filters stand in the database."""
    return _QueryFields(noun)


def _is_asked(prop: Property) -> bool:
    """False for long texts of the card's own, which stand in no filter."""
    return prop.is_custom or prop.type is not PropertyType.TEXT


class _QueryFields(Mapping[str, QueryField]):
    """Each is looked up where it is asked for: of many fields a filter names a few."""

    def __init__(self, noun: Noun) -> None:
        self._noun = noun

    def __getitem__(self, name: str) -> QueryField:
        for prop in self._noun.kind.properties:
            if _is_asked(prop) and self._name(prop) == name:
                return _query_field(self._noun, prop)
        if name in MORE_FIELDS and name in self._noun.kind.registered():
            return MORE_FIELDS[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        known = self._noun.kind.registered()
        yield from (name for name in MORE_FIELDS if name in known)
        for prop in self._noun.kind.properties:
            if _is_asked(prop):
                yield self._name(prop)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _name(self, prop: Property) -> str:
        return f"{self._noun.kind.name}.{prop.name.removesuffix('_id')}"


def _reached(subject: Subject) -> Any:
    """The names of the stages that an interest has come to."""
    return (
        select(stages.c.name_folded)
        .join(interest_stays, interest_stays.c.stage_id == stages.c.id)
        .where(interest_stays.c.interest_id == subject)
    )


WON = text("interests.status = 'won' AND interests.deleted_at = 0")
"""What the index of purchases holds, in its own words: a parameter would keep it from being used."""


def last_purchase(client: Any) -> Any:
    """The moment at which a client's last interest was won, as one value; NULL for never."""
    return (
        select(func.max(interests.c.closed_at))
        .where(
            interests.c.client_id == client,
            WON,
        )
        .scalar_subquery()
    )


MORE_FIELDS: Mapping[str, QueryField] = {
    "interest.reached": QueryField(sql=_reached),
    "client.last_purchase": QueryField(sql=last_purchase),
}
"""Fields of filters that are no properties of their kind."""


@cache
def _all_addresses(table: Table) -> ColumnElement[str]:
    """The values of all addresses of a card, each in a line; "" where there is none."""
    whole: ColumnElement[str] = literal("")
    for name in (*(one for one in LINES if one in table.c), "addresses"):
        whole = whole.concat(table.c[f"{name}_folded"]).concat("\n")
    trimmed: ColumnElement[str] = func.trim(whole, "\n")
    return trimmed


def _query_field(noun: Noun, prop: Property) -> QueryField:
    if prop.is_custom:
        return custom.query_field(noun, prop)
    if prop.type is PropertyType.TAGS:
        kind = noun.kind.name

        def members(subject: Subject) -> Any:
            return select(object_tags.c.tag_folded).where(
                object_tags.c.kind == kind, object_tags.c.object_id == subject
            )

        return QueryField(sql=members)
    if prop.type is PropertyType.ADDRESSES:
        whole = _all_addresses(noun.table)
        return QueryField(sql=lambda _: whole, nullable=False)
    name = f"{prop.name}_folded" if prop.type is PropertyType.LINE else prop.name
    column = noun.table.c[name]
    # Moments are after 1970; days, such as birthdays, may be before.
    positive = prop.type is PropertyType.INSTANT
    return QueryField(sql=lambda _: column, nullable=False, positive=positive)
