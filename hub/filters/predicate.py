"""Filters over facts: a tree becomes one function that is asked as often as there are facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from hub.errors import Invalid
from hub.filters.patterns import searcher
from hub.filters.tree import (
    CHANGES,
    LINE_LENGTH,
    ME,
    Condition,
    Field,
    FieldType,
    Filter,
    Match,
    Moment,
    Operator,
    Use,
    Value,
)
from hub.terms import fold, query_terms, terms

Predicate = Callable[[Any, Moment], bool]
_Test = Callable[[Any, Moment], bool]


class Changes(Protocol):
    """What facts must offer for the operators `changed`, `changed_to` and `changed_from`."""

    def change(self, field: str) -> tuple[object, object] | None:
        """Give a field's value before and after, None when it did not change."""


def compile_predicate(tree: Filter, fields: Mapping[str, Field]) -> Predicate:
    """Make the function that judges facts; fields give their values from them."""
    if isinstance(tree, Condition):
        return _condition(tree, fields)
    tests = [compile_predicate(one, fields) for one in tree.parts]
    if tree.match is Match.ALL:
        return lambda facts, moment: all(test(facts, moment) for test in tests)
    if tree.match is Match.ANY:
        return lambda facts, moment: any(test(facts, moment) for test in tests)
    return lambda facts, moment: not any(test(facts, moment) for test in tests)


def _condition(condition: Condition, fields: Mapping[str, Field]) -> Predicate:
    field = fields.get(condition.field)
    if field is None or condition.operator not in field.operators(Use.FACT):
        raise Invalid(
            f"{condition.field} {condition.operator} cannot be judged on a fact",
            field=condition.field,
        )
    if condition.operator in CHANGES:
        return _changed(condition, field)
    value, kind = field.value, field.type
    if condition.operator is Operator.MATCHES:
        # As it was written: a pattern may ask for what folding takes away.
        fits = searcher(str(condition.value))
        return lambda facts, _: fits(str(value(facts) or ""))
    test = _TESTS[kind](condition.operator, condition.value)
    return lambda facts, moment: test(plain(kind, value(facts)), moment)


def plain(kind: FieldType, value: object) -> Any:
    """Bring a value to the form in which it is compared; None is empty."""
    match kind:
        case FieldType.LINE:
            return fold(str(value or ""))[:LINE_LENGTH] or None
        case FieldType.TEXT:
            return fold(str(value or "")) or None
        case FieldType.CHOICE:
            return str(value or "") or None
        case FieldType.FLAG:
            return bool(value)
        case FieldType.SET:
            members = value if isinstance(value, Iterable) else ()
            return frozenset(folded for one in members if (folded := fold(str(one))))
        case FieldType.NUMBER:
            return value
    return value or None


def _many(value: Value) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _exact(operator: Operator, value: Value, kind: FieldType) -> _Test:
    wanted = frozenset(plain(kind, one) for one in _many(value))
    positive = operator in (Operator.EQUALS, Operator.IN)
    if ME not in wanted or kind is not FieldType.REF:
        return lambda seen, _: (seen in wanted) is positive
    others = wanted - {ME}
    return lambda seen, moment: (
        (seen in others or (moment.me > 0 and seen == moment.me)) is positive
    )


def _empty(operator: Operator) -> _Test:
    wanted = operator is Operator.EMPTY
    return lambda seen, _: (seen is None) is wanted


def _choice(operator: Operator, value: Value) -> _Test:
    if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _empty(operator)
    return _exact(operator, value, FieldType.CHOICE)


def _ref(operator: Operator, value: Value) -> _Test:
    if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _empty(operator)
    return _exact(operator, value, FieldType.REF)


def _flag(operator: Operator, value: Value) -> _Test:
    return lambda seen, _: seen is value


def _text(operator: Operator, value: Value) -> _Test:
    if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _empty(operator)
    if operator is Operator.WORDS:
        asked = [frozenset(query_terms(one)) for one in _many(value)]
        return lambda seen, _: seen is not None and _has_words(seen, asked)
    if operator in (Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.STARTS):
        parts = tuple(fold(one) for one in _many(value))
        if operator is Operator.STARTS:
            return lambda seen, _: seen is not None and seen.startswith(parts)
        positive = operator is Operator.CONTAINS
        return lambda seen, _: (seen is not None and any(one in seen for one in parts)) is positive
    return _exact(operator, value, FieldType.LINE)


def _has_words(seen: str, asked: list[frozenset[str]]) -> bool:
    has = frozenset(terms(seen))
    return any(one <= has for one in asked)


def _number(operator: Operator, value: Value) -> _Test:
    if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _empty(operator)
    if operator in (Operator.GREATER, Operator.LESS, Operator.BETWEEN):
        return _order(operator, value)
    return _exact(operator, value, FieldType.NUMBER)


def _order(operator: Operator, value: Value) -> _Test:
    low, high = value if isinstance(value, tuple) else (value, value)
    assert isinstance(low, int)
    assert isinstance(high, int)
    if operator is Operator.GREATER:
        return lambda seen, _: seen is not None and seen > low
    if operator is Operator.LESS:
        return lambda seen, _: seen is not None and seen < high
    return lambda seen, _: seen is not None and low <= seen <= high


def _instant(operator: Operator, value: Value) -> _Test:
    if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _empty(operator)
    if operator in (Operator.GREATER, Operator.LESS, Operator.BETWEEN):
        return _order(operator, value)
    assert isinstance(value, int)
    length = value
    if operator is Operator.OLDER_THAN:
        return lambda seen, moment: seen is not None and seen < moment.now - length
    if operator is Operator.WITHIN_LAST:
        return lambda seen, moment: seen is not None and moment.now - length <= seen <= moment.now
    return lambda seen, moment: seen is not None and moment.now <= seen <= moment.now + length


def _set(operator: Operator, value: Value) -> _Test:
    if operator is Operator.EMPTY:
        return lambda seen, _: not seen
    if operator is Operator.NOT_EMPTY:
        return lambda seen, _: bool(seen)
    wanted = frozenset(fold(one) for one in _many(value))
    positive = operator in (Operator.CONTAINS, Operator.IN)
    return lambda seen, _: (not wanted.isdisjoint(seen)) is positive


def _changed(condition: Condition, field: Field) -> Predicate:
    name, kind = field.name, field.type
    if condition.operator is Operator.CHANGED:
        return lambda facts, _: facts.change(name) is not None
    wanted = plain(kind, condition.value)
    turned_to = condition.operator is Operator.CHANGED_TO

    def test(facts: Changes, moment: Moment) -> bool:
        change = facts.change(name)
        if change is None:
            return False
        before, after = (plain(kind, one) for one in change)
        sought = moment.me if kind is FieldType.REF and wanted == ME else wanted
        here, gone = (after, before) if turned_to else (before, after)
        return bool(here == sought and gone != sought)

    return test


_TESTS: Mapping[FieldType, Callable[[Operator, Value], _Test]] = {
    FieldType.LINE: _text,
    FieldType.TEXT: _text,
    FieldType.CHOICE: _choice,
    FieldType.NUMBER: _number,
    FieldType.FLAG: _flag,
    FieldType.INSTANT: _instant,
    FieldType.REF: _ref,
    FieldType.SET: _set,
    FieldType.FILE: lambda operator, _: _empty(operator),
}
