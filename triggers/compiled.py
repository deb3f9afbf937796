"""Rules compiled once: their conditions as generated functions, found by fact, channel and word.

A condition becomes a Python expression over `Values`, in which each field is read and folded at
most once for all rules of an event. What has no short expression is judged by hub.filters' own
predicate; a test shows that both give the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub.filters import (
    ME,
    Condition,
    Field,
    FieldType,
    Filter,
    Match,
    Moment,
    Operator,
    compile_predicate,
)
from hub.filters.predicate import plain
from hub.rules import Facts
from hub.terms import fold, query_terms, terms

_O = Operator
_NOTHING: frozenset[str] = frozenset()
Judge = Callable[["Values", Moment], bool]
JudgeAll = Callable[["Values", Moment], list[int]]
CHANNEL = "dialog.channel"
TEXT = "message.text"


class Values(dict[str, Any]):
    """The plain values of an event's fields, each made when it is first asked for.

    `<field>#` gives the terms of a text.
    """

    __slots__ = ("_fields", "facts")

    def __init__(self, facts: Facts, fields: Mapping[str, Field]) -> None:
        super().__init__()
        self.facts = facts
        self._fields = fields

    def __missing__(self, name: str) -> Any:
        if name.endswith("#"):
            seen = self[name[:-1]]
            value: Any = _NOTHING if seen is None else frozenset(terms(seen))
        else:
            one = self._fields[name]
            value = plain(one.type, one.value(self.facts))
        self[name] = value
        return value

    def change(self, name: str) -> tuple[object, object] | None:
        """Give a field's value before and after, as predicates ask for it."""
        return self.facts.change(name)


class Compiler:
    """Makes functions of filters; fields that read `Values` are shared by all of them."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self._own = {name: replace(one, value=_from_values(one)) for name, one in fields.items()}

    def function(self, tree: Filter) -> Judge:
        """Give the function that judges a filter."""
        source = _Source(self._fields, self._own)
        expression = source.part(tree)
        names = ", ".join(f"{name}={name}" for name in source.constants)
        code = f"def judge(v, m{', ' + names if names else ''}):\n return {expression}\n"
        room: dict[str, Any] = dict(source.constants)
        exec(compile(code, "<rule>", "exec"), room)
        judge: Judge = room["judge"]
        return judge

    def all_of(self, trees: Sequence[Filter], channel: str = "") -> JudgeAll:
        """Give one function that judges many filters and gives the numbers of those that hold.

        What many of them ask for is read once; what is known of the `channel` is not asked again.
        """
        shared = _shared(trees)
        source = _Source(self._fields, self._own, shared, channel)
        tests = [f" if {source.part(one)}: add({n})" for n, one in enumerate(trees)]
        reads = [f" {local} = v[{source.constant(name)}]" for name, local in shared.items()]
        given = ", ".join(f"{name}={name}" for name in source.constants)
        lines = [f"def judge(v, m{', ' + given if given else ''}):", " found = []"]
        lines += [" add = found.append", *reads, *tests, " return found"]
        room: dict[str, Any] = dict(source.constants)
        exec(compile("\n".join(lines), "<rules>", "exec"), room)
        judge: JudgeAll = room["judge"]
        return judge


MANY = 8
"""A field that so many rules of a bucket ask for is read before all of them."""


def _shared(trees: Sequence[Filter]) -> dict[str, str]:
    counts: dict[str, int] = {}

    def count(tree: Filter) -> None:
        if isinstance(tree, Condition):
            name = f"{tree.field}#" if tree.operator is _O.WORDS else tree.field
            counts[name] = counts.get(name, 0) + 1
        else:
            for one in tree.parts:
                count(one)

    for one in trees:
        count(one)
    often = [name for name, number in counts.items() if number >= MANY and name != CHANNEL]
    return {name: f"f{n}" for n, name in enumerate(often)}


def _from_values(one: Field) -> Callable[[Any], object]:
    read = one.value
    return lambda values: read(values.facts)


class _Source:
    """Writes one function; every value of the rule is a constant, never a piece of code."""

    def __init__(
        self,
        fields: Mapping[str, Field],
        own: Mapping[str, Field],
        shared: Mapping[str, str] | None = None,
        channel: str = "",
    ) -> None:
        self._fields = fields
        self._own = own
        self._shared = shared or {}
        self._channel = channel
        self.constants: dict[str, Any] = {}

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def part(self, tree: Filter) -> str:
        if isinstance(tree, Condition):
            return self._condition(tree)
        if not tree.parts:
            return "True"
        joint = " and " if tree.match is Match.ALL else " or "
        joined = joint.join(f"({self.part(one)})" for one in tree.parts)
        return f"not ({joined})" if tree.match is Match.NONE else joined

    def _condition(self, one: Condition) -> str:
        kind = self._fields[one.field].type
        if self._channel and one.field == CHANNEL and one.operator in (_O.EQUALS, _O.IN):
            values = one.value if isinstance(one.value, tuple) else (one.value,)
            return str(self._channel in {plain(kind, each) for each in values})
        seen = self._read(one.field)
        short = self._short(one, kind, seen)
        if short:
            return short
        judge = compile_predicate(one, self._own)
        return f"{self.constant(judge)}(v, m)"

    def _read(self, name: str) -> str:
        return self._shared.get(name) or f"v[{self.constant(name)}]"

    def _short(self, one: Condition, kind: FieldType, seen: str) -> str:
        values = one.value if isinstance(one.value, tuple) else (one.value,)
        match one.operator:
            case _O.EQUALS | _O.NOT_EQUALS | _O.IN | _O.NOT_IN if kind is not FieldType.SET:
                return self._exact(one, kind, seen, values)
            case _O.EMPTY | _O.NOT_EMPTY:
                is_empty = f"not {seen}" if kind is FieldType.SET else f"{seen} is None"
                return is_empty if one.operator is _O.EMPTY else f"not ({is_empty})"
            case _O.WORDS:
                return self._words(one.field, values)
            case _O.GREATER | _O.LESS | _O.BETWEEN:
                return self._order(one.operator, seen, values)
            case _O.CONTAINS | _O.IN if kind is FieldType.SET:
                wanted = self.constant(frozenset(fold(str(part)) for part in values))
                return f"not {wanted}.isdisjoint({seen})"
        return ""

    def _exact(self, one: Condition, kind: FieldType, seen: str, values: Sequence[Any]) -> str:
        if kind is FieldType.REF and ME in values:
            return ""
        if kind is FieldType.FLAG:
            return f"{seen} is {bool(one.value)}"
        wanted = frozenset(plain(kind, each) for each in values)
        positive = one.operator in (_O.EQUALS, _O.IN)
        if len(wanted) == 1:
            sign = "==" if positive else "!="
            return f"{seen} {sign} {self.constant(next(iter(wanted)))}"
        return f"{seen} {'in' if positive else 'not in'} {self.constant(wanted)}"

    def _words(self, name: str, values: Sequence[Any]) -> str:
        has = self._read(f"{name}#")
        asked = [frozenset(query_terms(str(each))) for each in values]
        single = frozenset(term for each in asked if len(each) == 1 for term in each)
        parts = [f"not {self.constant(single)}.isdisjoint({has})"] if single else []
        parts += [f"{self.constant(each)} <= {has}" for each in asked if len(each) > 1]
        return " or ".join(parts)

    def _order(self, operator: Operator, seen: str, values: Sequence[Any]) -> str:
        low = self.constant(values[0])
        if operator is _O.GREATER:
            return f"{seen} is not None and {seen} > {low}"
        if operator is _O.LESS:
            return f"{seen} is not None and {seen} < {low}"
        return f"{seen} is not None and {low} <= {seen} <= {self.constant(values[-1])}"
