"""Every field of every kind: random filters find the same by SQL as by the pure predicate."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from crm_store import custom, object_fields, object_writes, objects
from crm_store.filter_sql import compile_sql
from crm_store.nouns import Noun
from crm_store.tables.custom import custom_values
from crm_store.tables.objects import object_tags
from crm_store.viewer import Reader, Viewer
from hub import CardAddress, FieldChoice, Micros, SaveField, UserId
from hub.filters import (
    ME,
    Condition,
    Field,
    FieldType,
    Filter,
    Group,
    Match,
    Moment,
    Operator,
    Use,
    Where,
    compile_predicate,
)
from hub.properties import DAY, Property, PropertyType
from hub.terms import fold
from plugins import contracts
from tests.houses import House, house

NOW = Micros(1_795_000_000_000_000)
ROWS = 25
T, P, O = FieldType, PropertyType, Operator  # noqa: E741
POOLS: dict[PropertyType, list[Any]] = {
    P.LINE: ["", "Anna", "АННА", "ёлка 100%", "a_b", "O'Neil", "\\", "anna b"],
    P.TEXT: [""],
    P.NUMBER: [-5, 0, 1, 2, 10],
    P.MONEY: [0, 1, 100_050],
    P.FLAG: [False, True],
    P.INSTANT: [0, 1, NOW - 3 * DAY, NOW - 1, NOW, NOW + 2 * DAY],
    P.DATE: [0, -DAY * 400, NOW - NOW % DAY, NOW - NOW % DAY + DAY],
    P.REF: [0, 1, 2, 7],
    P.FILE: [0, 7, 8],
    P.TAGS: [(), ("vip",), ("ВИП", "spam"), ("ёж", "vip")],
    P.ADDRESSES: [
        (),
        (CardAddress(kind="vk", value="a_b 100%"), CardAddress(kind="site", value="Ёлка.рф")),
        (CardAddress(kind="phone", value="", label="anna"),),
    ],
}
PARTS = ["%", "_", "\\", "'", "anna", "ВИП", "ё", "100", "b"]
LENGTHS = [60_000_000, DAY, 3 * DAY, 3000 * DAY * 7]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, plugins=[("contracts", contracts)]) as one:
        yield one


def pool(prop: Property) -> list[Any]:
    if prop.choices:
        found = [one.value for one in prop.choices]
        if prop.type is P.TAGS:
            return [(), (found[0],), tuple(sorted(found))]
        return ["", *found] if prop.is_custom else found
    return POOLS[prop.type]


def fill(conn: Connection, noun: Noun, dice: random.Random) -> list[int]:
    """Write objects whose properties are drawn from the pools."""
    ids = list(range(1000, 1000 + ROWS))
    for number in ids:
        row: dict[str, Any] = {"id": number}
        for prop in noun.kind.properties:
            # Numbers of requests are unique.
            by_number = noun.kind.name == "request" and prop.name == "number"
            value: Any = number - 1000 if by_number else dice.choice(pool(prop))
            if prop.is_custom:
                stored = custom._stored(noun.kind.name, number, prop, value)
                if stored:
                    conn.execute(insert(custom_values), stored)
            elif prop.type is P.TAGS:
                for tag in value:
                    conn.execute(
                        insert(object_tags).values(
                            kind=noun.kind.name, object_id=number, tag=tag, tag_folded=fold(tag)
                        )
                    )
            else:
                row |= object_writes.columns_of(noun, prop.name, value)
        conn.execute(insert(noun.table).values(**row))
    return ids


def conditions(noun: Noun, asked: list[Field]) -> st.SearchStrategy[Condition]:
    def values(field: Field) -> st.SearchStrategy[Any]:
        name = field.name.removeprefix(f"{noun.kind.name}.")
        prop = next(p for p in noun.kind.properties if p.name in (name, f"{name}_id"))
        match field.type:
            case T.CHOICE:
                return st.sampled_from([one.value for one in prop.choices])
            case T.FLAG:
                return st.booleans()
            case T.INSTANT:
                return st.sampled_from([one for one in pool(prop) if one])
            case T.REF:
                return st.sampled_from([1, 2, 7, ME])
            case T.NUMBER:
                return st.sampled_from(pool(prop))
        return st.sampled_from(PARTS + [one for one in POOLS[P.LINE] if fold(one)])

    @st.composite
    def one(draw: st.DrawFn) -> Condition:
        field = draw(st.sampled_from(asked))
        operator = draw(st.sampled_from(sorted(field.operators(Use.QUERY))))
        if operator in (O.EMPTY, O.NOT_EMPTY):
            return Condition(field.name, operator)
        if operator in (O.OLDER_THAN, O.WITHIN_LAST, O.WITHIN_NEXT):
            return Condition(field.name, operator, draw(st.sampled_from(LENGTHS)))
        value = values(field)
        if operator is O.BETWEEN:
            return Condition(field.name, operator, draw(st.tuples(value, value)))
        if operator in (O.IN, O.NOT_IN):
            found = draw(st.lists(value, min_size=1, max_size=3))
            return Condition(field.name, operator, tuple(found))
        return Condition(field.name, operator, draw(value))

    return one()


async def test_filters_of_every_kind_find_the_same_by_sql_and_by_predicate(home: House) -> None:
    choices = (FieldChoice(label="Sail"), FieldChoice(label="Motor"))
    for kind in home.runtime.nouns:
        for type in custom.TYPES:
            more = {"choices": choices} if type in ("choice", "choices") else {}
            command = SaveField(kind=kind, label=f"Own {type}", type=type, **more)  # type: ignore[arg-type]
            await home.system.do(command)
    with home.runtime.database.administer() as conn:
        viewer = Viewer(user_id=UserId(2), is_system=True)
        reader = Reader(conn=conn, viewer=viewer, now=NOW, nouns=home.runtime.nouns)
        for n, bare in enumerate(home.runtime.nouns.values()):
            noun = custom.whole(conn, bare)
            ids = fill(conn, noun, random.Random(n))
            agree(reader, noun, list(objects.objects_by_id(reader, bare, ids).values()))


def agree(reader: Reader, noun: Noun, records: list[Any]) -> None:
    assert len(records) == ROWS
    known = noun.kind.registered()
    asked = [one for one in noun.kind.filterable() if one.where is Where.BOTH]
    assert {f"{noun.kind.name}.custom.own_money", f"{noun.kind.name}.custom.own_choices"} <= {
        one.name for one in asked
    }
    trees: st.SearchStrategy[Filter] = st.recursive(
        conditions(noun, asked),
        lambda inner: st.builds(
            Group,
            st.sampled_from(list(Match)),
            st.lists(inner, min_size=1, max_size=3).map(tuple),
        ),
        max_leaves=5,
    )
    columns, number = object_fields.query_fields(noun), noun.table.c.id
    dialect = reader.conn.dialect.name

    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(tree=trees, moment=st.sampled_from([Moment(now=NOW, me=UserId(2)), Moment(now=NOW)]))
    def same(tree: Filter, moment: Moment) -> None:
        clause = compile_sql(tree, known, columns, number, moment, dialect)
        statement = noun.table.select().where(clause, number.in_([one.id for one in records]))
        by_sql = {row.id for row in reader.conn.execute(statement)}
        test = compile_predicate(tree, known)
        assert by_sql == {one.id for one in records if test(one, moment)}, tree

    same()
