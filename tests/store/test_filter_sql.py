"""A filter gives the same answer as a Python predicate and as SQL, on both databases."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, MetaData, Table, insert, select, text

from crm_store.dialog_columns import DIALOG_COLUMNS
from crm_store.dialogs import page, several
from crm_store.engine import make_engine
from crm_store.filter_sql import QueryField, compile_sql, dialog_clause
from crm_store.search import index_dialogs, index_messages
from crm_store.tables.dialogs import dialog_tags, dialogs, messages, tags
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid
from hub.filters import (
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
    parse,
    to_json,
)
from hub.filters.dialog_fields import DIALOG_FIELDS
from hub.filters.tree import DURATIONS, ME, ONE_OR_MORE, WITH_LIST, WITHOUT_VALUE
from hub.ids import DialogId, Micros, UserId
from hub.records.dialogs import Dialog, DialogQuery
from hub.terms import fold, query_terms

NOW = Micros(1_800_000_000_000_000)
DAY = 86_400_000_000
ME_ID = UserId(7)
MOMENT = Moment(now=NOW, me=ME_ID)
T = FieldType

# A plugin's own table and fields: a number that may be missing, and a set.
plugin = MetaData()
scores = Table("csat_scores", plugin, Column("dialog_id", BigInteger), Column("score", BigInteger))
SCORES: dict[int, int] = {}
FIELDS = DIALOG_FIELDS.with_fields(
    [
        Field(
            name="csat.score",
            label="Score",
            type=T.NUMBER,
            value=lambda dialog: SCORES.get(dialog.id),
        )
    ]
)
COLUMNS = {
    **DIALOG_COLUMNS,
    "csat.score": QueryField(
        sql=lambda subject: (
            select(scores.c.score).where(scores.c.dialog_id == subject).scalar_subquery()
        )
    ),
}
BOTH = [one for one in FIELDS.values() if one.where is Where.BOTH]

# Small pools, so that values meet; each holds what a comparison could trip over.
LINES = [
    "",
    "Цена",
    "цены на ДОСТАВКУ",
    "Счёт № 5",
    "счет",
    "100% a_b",
    "100x axb",
    "Price list",
    "prices'; --",
    "Straße",
    "STRASSE",
    "İstanbul \\ /",
    "и\u0306од",
    "ЙОД за\u0301мок",
    "ﬁle",
    "😀 ok",
    "[a-z]*?",
    "Re: цена",
]
CHOICES = {
    "dialog.status": ["new", "open", "waiting", "snoozed", "closed"],
    "dialog.channel": ["email", "web_chat", "Email"],
    "dialog.last_direction": ["", "in", "out", "note"],
    "dialog.address": ["a@example.com", "A@example.com", "+79120000000"],
    "dialog.address_kind": ["email", "phone"],
}
TAGS = ["ВИП", "вип клиент", "Спам", "ёж"]
IDS = [1, 2, 7]
NUMBERS = [-5, 0, 1, 2, 3, 10]
INSTANTS = [0, 1, NOW - 3 * DAY - 1, NOW - 3 * DAY, NOW - 1, NOW, NOW + 1, NOW + 2 * DAY, NOW * 2]
LENGTHS = [60_000_000, DAY, 2 * DAY, 3 * DAY, 3000 * DAY * 7]

safe_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
lines = st.sampled_from(LINES) | safe_text


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(BOTH))
    operator = draw(st.sampled_from(sorted(field.operators(Use.QUERY))))
    if operator in WITHOUT_VALUE:
        return Condition(field.name, operator)
    if operator in DURATIONS:
        return Condition(field.name, operator, draw(st.sampled_from(LENGTHS)))
    one = values(field, operator)
    if operator is Operator.BETWEEN:
        return Condition(field.name, operator, draw(st.tuples(one, one)))
    if operator in WITH_LIST or (operator in ONE_OR_MORE and draw(st.booleans())):
        return Condition(field.name, operator, tuple(draw(st.lists(one, min_size=1, max_size=3))))
    return Condition(field.name, operator, draw(one))


def values(field: Field, operator: Operator) -> st.SearchStrategy[Any]:
    match field.type:
        case T.CHOICE:
            return st.sampled_from([one for one in CHOICES[field.name] if one])
        case T.NUMBER:
            return st.sampled_from(NUMBERS)
        case T.FLAG:
            return st.booleans()
        case T.INSTANT:
            return st.sampled_from([one for one in INSTANTS if one])
        case T.REF:
            return st.sampled_from([*IDS, ME])
        case T.SET:
            return st.sampled_from(TAGS) | safe_text.filter(lambda one: bool(fold(one)))
    if operator is Operator.WORDS:
        asked = st.sampled_from(["цена", "цены доставка", "прайс", "prices", "СЧЕТА", "file"])
        return asked | lines.filter(lambda one: bool(query_terms(one)))
    parts = st.sampled_from(["%", "_", "\\", "'", "ен", "стра", "100", "re:", "й", "ss"])
    return (parts | lines).filter(lambda one: bool(fold(one)))


filters: st.SearchStrategy[Filter] = st.recursive(
    conditions(),
    lambda inner: st.builds(
        Group,
        st.sampled_from(list(Match)),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=6,
)


class Store:
    """Dialogs made of the pools' values, once for all examples."""

    def __init__(self, reader: Reader, records: Sequence[Dialog]) -> None:
        self.reader = reader
        self.records = records

    def by_sql(self, tree: Filter, moment: Moment = MOMENT) -> set[int]:
        dialect = self.reader.conn.dialect.name
        clause = compile_sql(tree, FIELDS, COLUMNS, dialogs.c.id, moment, dialect)
        return set(self.reader.conn.execute(select(dialogs.c.id).where(clause)).scalars())

    def by_predicate(self, tree: Filter, moment: Moment = MOMENT) -> set[int]:
        test = compile_predicate(tree, FIELDS)
        return {one.id for one in self.records if test(one, moment)}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    engine = make_engine(database_url, writer=True)
    with engine.connect() as conn, conn.begin() as transaction:
        plugin.create_all(conn)
        reader = Reader(conn=conn, viewer=Viewer(user_id=ME_ID, is_system=True), now=NOW)
        ids = fill(reader, random.Random(20_261_123))
        yield Store(reader, several(reader, ids))
        transaction.rollback()
    SCORES.clear()
    engine.dispose()


def fill(reader: Reader, dice: random.Random) -> list[DialogId]:
    conn = reader.conn
    conn.execute(
        insert(tags),
        [{"id": n + 1, "name": one, "name_folded": fold(one)} for n, one in enumerate(TAGS)],
    )
    conn.execute(
        insert(contacts),
        [{"id": n + 1, "name": one, "name_folded": fold(one)} for n, one in enumerate(LINES)],
    )
    owned = list(zip(CHOICES["dialog.address"], ("email", "email", "phone"), strict=True))
    conn.execute(
        insert(addresses),
        [
            {"id": n + 1, "kind": kind, "value": value, "profile": {}}
            for n, (value, kind) in enumerate(owned)
        ],
    )
    rows = [random_dialog(dice, number) for number in range(1, 121)]
    conn.execute(insert(dialogs), rows)
    index_dialogs(conn, [(row["id"], row["subject"]) for row in rows])
    for row in rows:
        if dice.random() < 0.6:
            for tag in dice.sample(range(1, len(TAGS) + 1), dice.randint(1, 3)):
                conn.execute(insert(dialog_tags).values(dialog_id=row["id"], tag_id=tag))
        if dice.random() < 0.6:
            SCORES[row["id"]] = dice.choice(NUMBERS)
            conn.execute(insert(scores).values(dialog_id=row["id"], score=SCORES[row["id"]]))
    return [DialogId(row["id"]) for row in rows]


def random_dialog(dice: random.Random, number: int) -> dict[str, Any]:
    subject = dice.choice(LINES)
    instants = (
        "created_at",
        "last_at",
        "waiting_since",
        "last_inbound_at",
        "closed_at",
        "snoozed_until",
    )
    return {
        "id": number,
        "slot": f"d{number}",
        "subject": subject,
        "subject_folded": fold(subject)[:400],
        "status": dice.choice(CHOICES["dialog.status"]),
        "channel": dice.choice(CHOICES["dialog.channel"]),
        "last_direction": dice.choice(CHOICES["dialog.last_direction"]),
        "account_id": dice.choice(IDS),
        "assignee_id": dice.choice([0, *IDS]),
        "team_id": dice.choice([0, *IDS]),
        # Some contacts and addresses are gone: an outer join gives NULL for them.
        "contact_id": dice.choice([0, 999, *range(1, len(LINES) + 1)]),
        "address_id": dice.choice([0, 999, 1, 2, 3]),
        "priority": dice.choice(NUMBERS),
        "message_count": dice.choice(NUMBERS),
        "inbound_count": dice.choice(NUMBERS),
        "failed_count": dice.choice([0, 0, 1, 2]),
        "is_group": dice.random() < 0.3,
        **{name: dice.choice(INSTANTS) for name in instants},
    }


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tree=filters, moment=st.sampled_from([MOMENT, Moment(now=NOW), Moment(now=Micros(NOW + 1))]))
def test_predicate_and_sql_agree_on_any_filter(store: Store, tree: Filter, moment: Moment) -> None:
    assert store.by_sql(tree, moment) == store.by_predicate(tree, moment)
    assert parse(to_json(tree, FIELDS), FIELDS, Use.QUERY) == tree


@pytest.mark.parametrize("field", BOTH, ids=lambda one: one.name)
def test_every_operator_of_every_field_agrees_and_can_match(store: Store, field: Field) -> None:
    dice = random.Random(field.name)
    for operator in sorted(field.operators(Use.QUERY)):
        matched = 0
        for value in samples(field, operator, dice):
            tree = Condition(field.name, operator, value)
            found = store.by_sql(tree)
            assert found == store.by_predicate(tree), tree
            matched += len(found)
        # Accounts and counts are never empty here; everything else finds something.
        never_empty = operator is Operator.EMPTY and found_nowhere(store, field)
        assert matched or never_empty, f"{field.name} {operator} never matches: the test is blind"


def samples(field: Field, operator: Operator, dice: random.Random) -> list[Any]:
    if operator in WITHOUT_VALUE:
        return [None]
    if operator in DURATIONS:
        return list(LENGTHS)
    pools: dict[FieldType, list[Any]] = {
        T.CHOICE: [one for one in CHOICES.get(field.name, ()) if one],
        T.NUMBER: NUMBERS,
        T.FLAG: [True, False],
        T.INSTANT: [one for one in INSTANTS if one],
        T.REF: [*IDS, ME],
        T.SET: TAGS,
        T.LINE: [one for one in LINES if fold(one) and query_terms(one)],
    }
    pool = pools[field.type]
    if operator is Operator.BETWEEN:
        return [tuple(sorted(dice.choices(pool, k=2))) for _ in range(6)]
    if operator in WITH_LIST:
        return [tuple(dice.choices(pool, k=2)) for _ in range(6)]
    return pool


def found_nowhere(store: Store, field: Field) -> bool:
    return not store.by_predicate(Condition(field.name, Operator.EMPTY))


def test_negations_match_what_is_empty(store: Store) -> None:
    for name, value in (
        ("dialog.team", "1"),
        ("dialog.tags", "ВИП"),
        ("contact.name", "Цена"),
        ("csat.score", 3),
    ):
        operator = "not_contains" if name == "dialog.tags" else "not_equals"
        empty = store.by_sql(parse({"field": name, "operator": "empty"}, FIELDS))
        others = store.by_sql(parse({"field": name, "operator": operator, "value": value}, FIELDS))
        assert empty
        assert empty < others
        inverted = store.by_sql(
            parse({"none": [{"field": name, "operator": operator, "value": value}]}, FIELDS)
        )
        assert inverted | others == {one.id for one in store.records}
        assert not inverted & others


def test_the_list_of_dialogs_takes_a_filter(store: Store) -> None:
    tree: Mapping[str, object] = {
        "all": [
            {"field": "dialog.assignee", "operator": "equals", "value": "me"},
            {"field": "dialog.subject", "operator": "words", "value": "цена"},
        ]
    }
    found = page(store.reader, DialogQuery(view="everything", filter=tree, limit=200)).dialogs
    assert {one.id for one in found} == store.by_predicate(parse(tree, FIELDS))
    assert found


def test_a_dialog_is_found_by_the_words_of_any_of_its_messages(store: Store) -> None:
    row = {"account_id": 1, "people": {}, "cause": {}, "extra": {}, "dialog_id": 5}
    store.reader.conn.execute(insert(messages).values(id=1, text="Где мои заказы?", **row))
    index_messages(store.reader.conn, [(1, "Где мои заказы?")])
    clause = dialog_clause(
        store.reader, {"field": "dialog.text", "operator": "words", "value": ["кит", "заказ"]}
    )
    assert store.reader.conn.execute(select(dialogs.c.id).where(clause)).scalars().all() == [5]


def test_a_filter_that_cannot_be_asked_is_refused_before_the_database(store: Store) -> None:
    for condition in (
        {"field": "contact.name", "operator": "words", "value": "цена"},
        {"field": "dialog.status", "operator": "changed"},
        {"field": "dialog.text", "operator": "contains", "value": "a"},
    ):
        with pytest.raises(Invalid):
            dialog_clause(store.reader, condition)
    tree = Condition("contact.name", Operator.WORDS, "цена")
    with pytest.raises(Invalid):
        store.by_sql(tree)


def test_every_field_of_a_dialog_has_its_sql() -> None:
    asked = {one.name for one in DIALOG_FIELDS.values() if one.operators(Use.QUERY)}
    assert asked == set(DIALOG_COLUMNS)


def test_what_is_compared_is_never_part_of_the_statement(store: Store) -> None:
    for value in ("'; DROP TABLE dialogs; --", "%' OR 1=1 OR '", ":x %(y)s ?"):
        for operator in (Operator.CONTAINS, Operator.STARTS, Operator.EQUALS, Operator.WORDS):
            assert store.by_sql(Condition("dialog.subject", operator, value)) == set()
    assert store.reader.conn.execute(text("SELECT count(*) FROM dialogs")).scalar_one() == 120
