"""The filter language: reading, writing, saying, judging facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Invalid
from hub.filters import (
    OPERATORS,
    SCHEMA,
    Choice,
    Condition,
    Field,
    Fields,
    FieldType,
    Group,
    Match,
    Moment,
    Operator,
    Use,
    Where,
    compile_predicate,
    describe,
    parse,
    to_json,
)
from hub.filters.dialog_fields import DIALOG_FIELDS
from hub.filters.reading import MAX_CONDITIONS, UPCASTERS
from hub.ids import Micros, UserId
from hub.kinds import Column, Kind, Kinds

GOLDEN = Path(__file__).parent / "golden"
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = Micros(1_800_000_000_000_000)
MOMENT = Moment(now=NOW, me=UserId(7))
T = FieldType


@dataclass
class Facts:
    values: Mapping[str, object]
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)

    def change(self, name: str) -> tuple[object, object] | None:
        return self.changes.get(name)


def of(name: str, kind: FieldType, where: Where = Where.BOTH, **more: object) -> Field:
    short = name.partition(".")[2]
    return Field(
        name=name,
        label=short.capitalize(),
        type=kind,
        where=where,
        value=lambda facts: facts.values.get(short),
        **more,  # type: ignore[arg-type]
    )


FIELDS = Fields(
    [
        of("x.title", T.LINE, translations={"ru": "Название"}),
        of("x.body", T.TEXT, Where.FACT, translations={"ru": "Текст"}),
        of(
            "x.state",
            T.CHOICE,
            choices=(
                Choice("new", "new", {"ru": "новый"}),
                Choice("done", "done", {"ru": "готов"}),
            ),
            translations={"ru": "Состояние"},
        ),
        of("x.sum", T.NUMBER, translations={"ru": "Сумма"}),
        of("x.vip", T.FLAG, translations={"ru": "Важный"}),
        of("x.at", T.INSTANT, translations={"ru": "Срок"}),
        of("x.owner", T.REF, translations={"ru": "Ответственный"}),
        of("x.tags", T.SET, translations={"ru": "Метки"}),
        of("x.hidden", T.NUMBER, Where.QUERY),
    ]
)


def cond(name: str, operator: str, *value: object) -> dict[str, object]:
    given: dict[str, object] = {"field": f"x.{name}", "operator": operator}
    return given | {"value": value[0]} if value else given


def holds(
    tree: object, changes: Mapping[str, tuple[object, object]] | None = None, **values: object
) -> bool:
    test = compile_predicate(parse(tree, FIELDS, Use.FACT), FIELDS)
    return test(Facts(values, changes or {}), MOMENT)


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (cond("title", "equals", "ЁЛКА"), "елка", True),
        (cond("title", "equals", "елка"), "  Ёлка ", True),
        (cond("title", "in", ["a", "b"]), "B", True),
        (cond("title", "in", ["a", "b"]), "", False),
        (cond("title", "not_in", ["a", "b"]), "", True),
        (cond("title", "contains", "100%"), "скидка 100% сегодня", True),
        (cond("title", "contains", ["x", "скид"]), "Скидка", True),
        (cond("title", "not_contains", "_"), "a b", True),
        (cond("title", "not_contains", "a"), None, True),
        (cond("title", "starts", "Re:"), "RE: счёт", True),
        (cond("title", "starts", "счёт"), "Re: счёт", False),
        (cond("title", "matches", r"заказ\s*№?\s*\d{4,}"), "Где мой ЗАКАЗ № 4402?", True),
        (cond("title", "matches", r"^заказ"), "Мой заказ", False),
        (cond("title", "matches", r"^$"), None, True),
        (cond("body", "matches", r"ё"), "Ёлка", True),
        (cond("body", "matches", r"ё"), "елка", False),
        (cond("body", "matches", r"(a+)+$"), "a" * 100_000 + "b", False),
        (cond("body", "matches", r"\bx"), "\ud800 x", True),
        (cond("title", "words", "цена доставка"), "Цены на доставку", True),
        (cond("title", "words", "цена доставка"), "Цены", False),
        (cond("title", "words", ["price", "цена"]), "prices", True),
        (cond("title", "empty"), " ", True),
        (cond("title", "not_empty"), "x", True),
        (cond("body", "words", "работать"), "ничего не работает", True),
        (cond("body", "contains", "не работает"), "НЕ РАБОТАЕТ!", True),
        (cond("state", "equals", "new"), "new", True),
        (cond("state", "not_equals", "new"), None, True),
        (cond("state", "equals", "new"), "NEW", False),
        (cond("state", "empty"), "", True),
        (cond("sum", "greater", 10), 11, True),
        (cond("sum", "greater", 10), None, False),
        (cond("sum", "less", 10), None, False),
        (cond("sum", "between", [1, 3]), 3, True),
        (cond("sum", "equals", 0), 0, True),
        (cond("sum", "empty"), 0, False),
        (cond("sum", "empty"), None, True),
        (cond("sum", "not_in", [1, 2]), None, True),
        (cond("vip", "equals", False), None, True),
        (cond("vip", "equals", True), True, True),
        (cond("at", "empty"), 0, True),
        (cond("at", "less", "2100-01-01T00:00:00Z"), 0, False),
        (cond("at", "older_than", "3d"), NOW - 3 * DAY - 1, True),
        (cond("at", "older_than", "3d"), NOW - 3 * DAY, False),
        (cond("at", "older_than", "3d"), 0, False),
        (cond("at", "within_last", "3d"), NOW - 3 * DAY, True),
        (cond("at", "within_last", "3d"), NOW + 1, False),
        (cond("at", "within_next", "2h"), NOW + 2 * HOUR, True),
        (cond("at", "within_next", "2h"), NOW - 1, False),
        (cond("owner", "equals", "me"), 7, True),
        (cond("owner", "not_equals", "me"), 0, True),
        (cond("owner", "in", ["me", "9"]), 9, True),
        (cond("owner", "empty"), 0, True),
        (cond("tags", "contains", "вип"), ("ВИП", "x"), True),
        (cond("tags", "not_contains", "вип"), (), True),
        (cond("tags", "in", ["a", "b"]), ("B",), True),
        (cond("tags", "empty"), (), True),
    ],
)
def test_a_condition_judges_a_value(
    condition: dict[str, object], value: object, expected: bool
) -> None:
    name = str(condition["field"]).partition(".")[2]
    test = compile_predicate(parse(condition, FIELDS, Use.FACT), FIELDS)
    assert test(Facts({name: value}), MOMENT) is expected


def test_me_is_nobody_when_nobody_asks() -> None:
    test = compile_predicate(parse(cond("owner", "equals", "me"), FIELDS), FIELDS)
    assert not test(Facts({"owner": 0}), Moment(now=NOW))


def test_groups_nest_and_none_negates_what_is_empty_too() -> None:
    tree = {
        "all": [
            {"any": [cond("state", "equals", "new"), cond("sum", "greater", 5)]},
            {"none": [cond("title", "equals", "spam"), cond("vip", "equals", True)]},
        ]
    }
    assert holds(tree, state="new")
    assert holds(tree, sum=6, title="ham")
    assert not holds(tree, sum=6, title="spam")
    assert not holds(tree, sum=5)
    assert holds({})
    assert holds({"all": []})


@pytest.mark.parametrize(
    ("condition", "change", "expected"),
    [
        (cond("state", "changed"), ("new", "done"), True),
        (cond("state", "changed"), None, False),
        (cond("state", "changed_to", "done"), ("new", "done"), True),
        (cond("state", "changed_to", "new"), ("new", "done"), False),
        (cond("state", "changed_from", "new"), ("new", "done"), True),
        (cond("state", "changed_from", "new"), (None, "done"), False),
        (cond("owner", "changed_to", "me"), (0, 7), True),
        (cond("title", "changed_to", "ЁЛКА"), ("a", "елка"), True),
        (cond("title", "changed_to", "елка"), ("Елка", "елка"), False),
    ],
)
def test_a_change_is_judged_by_before_and_after(
    condition: dict[str, object], change: tuple[object, object] | None, expected: bool
) -> None:
    changes = {str(condition["field"]): change} if change else {}
    assert holds(condition, changes) is expected


@pytest.mark.parametrize(
    ("data", "path", "text"),
    [
        ([], "filter", "an object"),
        ({"all": {}}, "filter.all", "a list"),
        ({"some": []}, "filter", "exactly one of all, any, none or a field"),
        ({"all": [], "any": []}, "filter", "exactly one"),
        ({"any": []}, "filter.any", "at least one"),
        ({"all": [cond("title", "empty"), 5]}, "filter.all[1]", "an object"),
        (
            {"all": [{"any": [cond("nope", "empty")]}]},
            "filter.all[0].any[0].field",
            "no field 'x.nope'",
        ),
        ({"field": ["x"], "operator": "empty"}, "filter.field", "no field"),
        (cond("title", "greater", 1), "filter.operator", "x.title is compared by one of: changed"),
        (cond("title", "nonsense", 1), "filter.operator", "compared by"),
        ({"field": "x.title"}, "filter.operator", "compared by"),
        (cond("title", "equals"), "filter.value", "a value is needed"),
        (cond("title", "equals", 5), "filter.value", "a text"),
        (cond("title", "equals", ["a"]), "filter.value", "a text"),
        (cond("title", "equals", " "), "filter.value", "not empty"),
        (cond("title", "equals", "a\x00"), "filter.value", "a character"),
        (cond("title", "equals", "\ud800"), "filter.value", "a character"),
        (cond("title", "equals", "я" * 1001), "filter.value", "at most 1000"),
        (cond("title", "in", "a"), "filter.value", "a list"),
        (cond("title", "in", []), "filter.value", "1 to 500"),
        (cond("title", "in", ["a", 5]), "filter.value[1]", "a text"),
        (cond("title", "empty", True), "filter.value", "takes no value"),
        (cond("title", "words", "и на"), "filter.value", "a word that means something"),
        (cond("state", "equals", "old"), "filter.value", "new, done"),
        (cond("sum", "equals", True), "filter.value", "a whole number"),
        (cond("sum", "equals", 1.5), "filter.value", "a whole number"),
        (cond("sum", "equals", 1 << 63), "filter.value", "a whole number"),
        (cond("sum", "between", [1]), "filter.value", "two values"),
        (cond("vip", "equals", 1), "filter.value", "true or false"),
        (cond("at", "greater", "2026-01-01T00:00:00"), "filter.value", "with its zone"),
        (cond("at", "greater", "soon"), "filter.value", "an instant"),
        (cond("at", "older_than", "3 days"), "filter.value", "30m, 12h, 3d, 2w"),
        (cond("at", "older_than", "0d"), "filter.value", "a duration"),
        (cond("at", "older_than", "999999999w"), "filter.value", "a duration"),
        (cond("owner", "equals", "0"), "filter.value", "an id"),
        (cond("owner", "equals", "you"), "filter.value", "an id"),
        (cond("title", "empty") | {"valeu": 1}, "filter.valeu", "a condition has"),
        ({"schema": 99, "all": []}, "filter.schema", "schemas 1 to"),
        ({"schema": "1", "all": []}, "filter.schema", "schemas 1 to"),
        (cond("hidden", "empty"), "filter.field", "cannot be used here"),
    ],
)
def test_an_objection_names_its_place(data: object, path: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(data, FIELDS, Use.FACT)
    assert caught.value.field == path
    assert str(caught.value).startswith(f"{path}: ")
    assert text in str(caught.value)


def test_a_query_cannot_ask_what_only_facts_know() -> None:
    for tree in (cond("state", "changed"), cond("body", "empty")):
        parse(tree, FIELDS, Use.FACT)
        with pytest.raises(Invalid):
            parse(tree, FIELDS, Use.QUERY)


def test_deep_and_large_filters_are_refused() -> None:
    deep: dict[str, object] = cond("title", "empty")
    for _ in range(1000):
        deep = {"all": [deep]}
    with pytest.raises(Invalid, match="nested at most"):
        parse(deep, FIELDS)
    with pytest.raises(Invalid, match="at most 200 parts"):
        parse({"all": [cond("title", "empty")] * (MAX_CONDITIONS + 1)}, FIELDS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "none", "field", "operator", "value", "schema", "x"])
            | st.text(max_size=3),
            inner | st.sampled_from(["x.title", "x.at", "x.tags", "equals", "words", "older_than"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_comes_in_is_read_or_refused_readably(data: object) -> None:
    try:
        tree = parse(data, FIELDS)
    except Invalid as error:
        assert error.field.startswith("filter")  # noqa: PT017 - the path is the point
    else:
        assert parse(json.loads(json.dumps(to_json(tree, FIELDS))), FIELDS) == tree


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("filter-*.json")), ids=lambda path: path.stem)
def test_every_form_ever_stored_is_read(path: Path) -> None:
    stored = json.loads(path.read_text())
    tree = parse(stored, DIALOG_FIELDS)
    written = to_json(tree, DIALOG_FIELDS)
    assert written["schema"] == SCHEMA
    assert parse(written, DIALOG_FIELDS) == tree
    if stored["schema"] == SCHEMA:
        assert written == stored


def test_there_is_an_upcaster_for_every_older_form_and_a_golden_file_for_each() -> None:
    assert set(UPCASTERS) == set(range(1, SCHEMA))
    kept = {path.stem for path in GOLDEN.glob("filter-*.json")}
    assert kept == {f"filter-{n}" for n in range(1, SCHEMA + 1)}


def test_an_older_form_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def and_to_all(tree: dict[str, object]) -> dict[str, object]:
        return {"all": tree["and"]}

    monkeypatch.setattr("hub.filters.reading.SCHEMA", 2)
    monkeypatch.setattr("hub.filters.reading.UPCASTERS", {1: and_to_all})
    tree = parse({"schema": 1, "and": [cond("title", "empty")]}, FIELDS)
    assert tree == Group(Match.ALL, (Condition("x.title", Operator.EMPTY),))


@pytest.mark.parametrize(
    ("tree", "english", "russian"),
    [
        ({}, "everything", "всё"),
        (
            {"all": [cond("state", "in", ["new", "done"]), cond("title", "contains", "price")]},
            "State is one of new, done and Title contains “price”",
            "Состояние — одно из: новый, готов и Название содержит «price»",
        ),
        (
            {
                "all": [
                    cond("vip", "equals", True),
                    {"any": [cond("sum", "greater", 5), cond("sum", "empty")]},
                ]
            },
            "Vip: yes and (Sum is more than 5 or Sum is empty)",
            "Важный: да и (Сумма больше 5 или Сумма — пусто)",
        ),
        (
            {"none": [cond("tags", "in", ["a", "b"]), cond("owner", "equals", "me")]},
            "none of: Tags include “a” or “b”; Owner is me",
            "ни одно из: Метки включают «a» или «b»; Ответственный — я",
        ),
        (
            cond("at", "older_than", "3d"),
            "At is more than 3 days ago",
            "Срок — более 3 дней назад",
        ),
        (
            cond("at", "within_next", "1h"),
            "At is within the next 1 hour",
            "Срок — не позже чем через 1 час",
        ),
        (
            cond("at", "within_last", "21d"),
            "At is within the last 3 weeks",
            "Срок — не более 3 недель назад",
        ),
        (
            cond("at", "between", ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00+03:00"]),
            "At is from 2026-01-01T00:00:00Z to 2026-01-31T21:00:00Z",
            "Срок от 2026-01-01T00:00:00Z до 2026-01-31T21:00:00Z",
        ),
        (
            cond("state", "changed_to", "done"),
            "State changed to done",
            "Состояние — изменилось на готов",
        ),
        (
            cond("title", "matches", r"\d+"),
            r"Title matches the pattern “\d+”",
            r"Название подходит под шаблон «\d+»",
        ),
        (
            cond("title", "words", ["цена", "price"]),
            "Title has the words “цена” or “price” in any form",
            "Название содержит слова «цена» или «price» в любой форме",
        ),
    ],
)
def test_a_filter_is_said_in_words(tree: object, english: str, russian: str) -> None:
    read = parse(tree, FIELDS)
    assert describe(read, FIELDS) == english
    assert describe(read, FIELDS, "ru") == russian


@pytest.mark.parametrize(
    ("operator", "value", "said"),
    [
        ("equals", 2, "Приоритет — срочный"),
        ("in", [0, -1], "Приоритет — одно из: обычный, низкий"),
        ("greater", 7, "Приоритет больше 7"),
    ],
)
def test_the_steps_of_a_number_are_said_by_their_names(
    operator: str, value: object, said: str
) -> None:
    tree = {"field": "dialog.priority", "operator": operator, "value": value}
    assert describe(parse(tree, DIALOG_FIELDS), DIALOG_FIELDS, "ru") == said


@pytest.mark.parametrize(
    ("length", "said"),
    [("1d", "1 дня"), ("2d", "2 дней"), ("11d", "11 дней"), ("31d", "31 дня"), ("5m", "5 минут")],
)
def test_russian_numbers_take_the_right_form(length: str, said: str) -> None:
    tree = parse(cond("at", "older_than", length), FIELDS)
    assert describe(tree, FIELDS, "ru") == f"Срок — более {said} назад"


def test_a_reference_is_said_by_name_where_it_is_known() -> None:
    tree = parse(cond("owner", "in", ["5", "6"]), FIELDS)
    said = describe(tree, FIELDS, "en", lambda _, number: {5: "Анна"}.get(number, ""))
    assert said == "Owner is one of Анна, №6"


def test_a_filter_over_a_field_that_is_gone_can_still_be_said() -> None:
    tree = parse(cond("title", "equals", "a"), FIELDS)
    assert describe(tree, Fields()) == "x.title is “a”"
    with pytest.raises(Invalid):
        compile_predicate(tree, Fields())


def test_every_operator_of_every_type_has_words_in_both_languages() -> None:
    for kind, operators in OPERATORS.items():
        name = {T.SET: "tags", T.REF: "owner", T.INSTANT: "at", T.FLAG: "vip"}.get(kind, "title")
        for operator in operators:
            value = (1, 2) if operator is Operator.BETWEEN else 60_000_000
            condition = Condition(f"x.{name}", operator, value)
            for language in ("en", "ru"):
                assert "{" not in describe(condition, FIELDS, language)


def test_every_field_of_a_dialog_has_a_russian_name() -> None:
    for one in DIALOG_FIELDS.values():
        assert one.translations["ru"]
        for choice in one.choices:
            assert choice.translations["ru"]


def test_two_fields_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two fields"):
        FIELDS.with_fields([of("x.title", T.LINE)])


def test_a_kind_describes_its_lists() -> None:
    kind = Kind(
        name="x",
        label="X",
        plural="Xs",
        record=Facts,
        read="x.view",
        write="x.edit",
        fields=tuple(FIELDS.values()),
        columns=(Column(name="title", label="Title", sortable=True),),
        sort="-title",
    )
    assert Kinds([kind])["x"] is kind
    assert "x.body" not in {one.name for one in kind.filterable()}
    assert "x.hidden" in {one.name for one in kind.filterable()}
    with pytest.raises(ValueError, match="two kinds"):
        Kinds([kind, kind])
    with pytest.raises(ValueError, match="sorted by"):
        Kind(name="y", label="", plural="", record=Facts, read="", write="", sort="title")
