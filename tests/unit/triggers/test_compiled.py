"""Generated functions judge like the language's own predicate, and the index leaves nothing out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub import AccountId, ContactId, DialogId, Facts, MessageReceived, Micros
from hub.filters import (
    OPERATORS,
    Condition,
    Field,
    FieldType,
    Filter,
    Group,
    Match,
    Moment,
    Operator,
    Where,
    compile_predicate,
)
from hub.filters.tree import DURATIONS
from hub.ids import EventId, MessageId
from hub.nouns import CORE_KINDS
from hub.objects import DIRECT, SYSTEM
from triggers.book import Book
from triggers.compiled import Compiler, Values
from triggers.definition import Definition, Guards, When
from triggers.evaluate import match
from triggers.tryout import draft
from triggers.vocabulary import Vocabulary, make_vocabulary

WORDS = ["цена", "цены", "price", "boat", "заказ", "спасибо"]
CHANNELS = ["telegram", "vk", "email"]
NOW = Micros(1_700_000_000_000_000)
_KINDS = {
    "message.text": FieldType.TEXT,
    "message.subject": FieldType.LINE,
    "dialog.channel": FieldType.CHOICE,
    "dialog.priority": FieldType.NUMBER,
    "dialog.assignee": FieldType.REF,
    "dialog.created_at": FieldType.INSTANT,
    "dialog.tags": FieldType.SET,
    "message.automated": FieldType.FLAG,
}


def _field(name: str, kind: FieldType) -> Field:
    return Field(
        name=name, label=name, type=kind, value=lambda f, n=name: f.more.get(n), where=Where.FACT
    )


FIELDS = {name: _field(name, kind) for name, kind in _KINDS.items()}

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    FieldType.LINE: st.sampled_from(["", *WORDS]),
    FieldType.CHOICE: st.sampled_from(["", *CHANNELS]),
    FieldType.NUMBER: st.none() | st.integers(-2, 3),
    FieldType.REF: st.integers(0, 3),
    FieldType.INSTANT: st.sampled_from([0, NOW - 5_000_000, NOW + 5_000_000]),
    FieldType.SET: st.lists(st.sampled_from(WORDS), max_size=3),
    FieldType.FLAG: st.booleans(),
}
ASKED: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.TEXT: st.sampled_from(WORDS),
    FieldType.LINE: st.sampled_from(WORDS),
    FieldType.CHOICE: st.sampled_from(CHANNELS),
    FieldType.NUMBER: st.integers(-2, 3),
    FieldType.REF: st.integers(1, 3),
    FieldType.INSTANT: st.sampled_from([NOW - 5_000_000, NOW]),
    FieldType.SET: st.sampled_from(WORDS),
    FieldType.FLAG: st.booleans(),
}
_MANY = (Operator.IN, Operator.NOT_IN)
_EMPTY = (Operator.EMPTY, Operator.NOT_EMPTY, Operator.CHANGED)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[name].type
    operator = draw(st.sampled_from(sorted(OPERATORS[kind])))
    if operator in _EMPTY:
        return Condition(name, operator)
    if operator in DURATIONS:
        return Condition(name, operator, draw(st.sampled_from([1_000_000, 60_000_000])))
    if operator is Operator.BETWEEN:
        pair = sorted([draw(ASKED[kind]), draw(ASKED[kind])])
        return Condition(name, operator, tuple(pair))
    if operator in _MANY:
        return Condition(name, operator, tuple(draw(st.lists(ASKED[kind], min_size=1, max_size=3))))
    return Condition(name, operator, draw(ASKED[kind]))


def trees() -> st.SearchStrategy[Filter]:
    return st.recursive(
        conditions(),
        lambda inner: st.builds(
            Group, st.sampled_from(Match), st.lists(inner, min_size=1, max_size=3).map(tuple)
        ),
        max_leaves=8,
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    event = MessageReceived(
        message_id=MessageId(1),
        dialog_id=DialogId(2),
        account_id=AccountId(3),
        contact_id=ContactId(4),
    ).stamped(id=EventId(9), at=NOW, actor=SYSTEM, cause=DIRECT)
    more = {name: draw(VALUES[kind]) for name, kind in _KINDS.items()}
    changed = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2))
    changes = {name: (draw(VALUES[FIELDS[name].type]), more[name]) for name in changed}
    return Facts(now=NOW, event=event, more=more, changes=changes)


@given(trees(), facts())
def test_generated_functions_judge_like_the_predicate(tree: Filter, one: Facts) -> None:
    moment = Moment(now=NOW)
    expected = compile_predicate(tree, FIELDS)(one, moment)
    assert Compiler(FIELDS).function(tree)(Values(one, FIELDS), moment) == expected


@settings(max_examples=40)
@given(st.lists(trees(), min_size=1, max_size=30), facts())
def test_many_rules_judged_at_once_are_judged_like_each(given: list[Filter], one: Facts) -> None:
    moment, channel = Moment(now=NOW), str(one.more["dialog.channel"])
    expected = [n for n, tree in enumerate(given) if compile_predicate(tree, FIELDS)(one, moment)]
    for known in ("", channel):
        judge = Compiler(FIELDS).all_of(given, known)
        assert judge(Values(one, FIELDS), moment) == expected


def vocabulary() -> Vocabulary:
    known = make_vocabulary(kinds=CORE_KINDS.values(), facts=[MessageReceived])
    return Vocabulary(moments=known.moments, fields=FIELDS, actions={}, kinds={})


@settings(max_examples=40)
@given(st.lists(trees(), max_size=20), facts())
def test_the_index_finds_what_judging_all_rules_finds(given: list[Filter], one: Facts) -> None:
    rules = []
    for n, tree in enumerate(given):
        definition = Definition(
            name=str(n),
            note="",
            when=(When(moment="message.received"),),
            condition=tree,
            steps=(),
            guards=Guards(),
            stop=False,
            examples=(),
        )
        rule = draft(definition)

        rules.append((replace(rule, id=n + 1, position=n), definition))  # type: ignore[arg-type]
    book = Book(vocabulary(), rules)
    found = [each.entry.compiled.rule.id - 1 for each in match(book, one)]
    moment = Moment(now=NOW)
    expected = [n for n, tree in enumerate(given) if compile_predicate(tree, FIELDS)(one, moment)]
    assert found == expected
