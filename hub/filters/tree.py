"""What a filter is made of: fields with their types, operators, conditions, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hub.ids import Micros, UserId

LINE_LENGTH = 400
"""How much of a line is compared: as much as its folded twin in the database holds."""

ME = -1
"""The value of a reference that stands for whoever asks."""

Value = None | bool | int | str | tuple[int, ...] | tuple[str, ...]
"""What a condition compares with; instants and durations are whole microseconds."""


class FieldType(StrEnum):
    """What a field holds.

    A line is one short text that is compared folded; a text is long, and a query finds its words
    only. A choice is compared exactly. A reference is another object's id, 0 when there is none.
    A set holds lines (tags, say). Of a file one asks only whether it is there.
    """

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    FLAG = "flag"
    INSTANT = "instant"
    REF = "ref"
    SET = "set"
    FILE = "file"


class Use(StrEnum):
    """What a filter is for: judging one fact, or finding rows."""

    FACT = "fact"
    QUERY = "query"


class Where(StrEnum):
    """Where a field may be used."""

    FACT = "fact"
    QUERY = "query"
    BOTH = "both"

    def allows(self, use: Use) -> bool:
        """Say whether a filter for this use may name the field."""
        return self is Where.BOTH or self.value == use.value


class Operator(StrEnum):
    """How a field is compared."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS = "starts"
    MATCHES = "matches"
    WORDS = "words"
    GREATER = "greater"
    LESS = "less"
    BETWEEN = "between"
    OLDER_THAN = "older_than"
    WITHIN_LAST = "within_last"
    WITHIN_NEXT = "within_next"
    CHANGED = "changed"
    CHANGED_TO = "changed_to"
    CHANGED_FROM = "changed_from"


_O = Operator
EMPTIES = frozenset({_O.EMPTY, _O.NOT_EMPTY})
CHANGES = frozenset({_O.CHANGED, _O.CHANGED_TO, _O.CHANGED_FROM})
DURATIONS = frozenset({_O.OLDER_THAN, _O.WITHIN_LAST, _O.WITHIN_NEXT})
JUDGED = CHANGES | {_O.MATCHES}
"""These are judged on a fact only: no database is asked them."""
WITHOUT_VALUE = EMPTIES | {_O.CHANGED}
WITH_LIST = frozenset({_O.IN, _O.NOT_IN, _O.BETWEEN})
ONE_OR_MORE = frozenset({_O.CONTAINS, _O.NOT_CONTAINS, _O.STARTS, _O.WORDS})
"""These take one value or several, of which any will do."""

_EXACT = frozenset({_O.EQUALS, _O.NOT_EQUALS, _O.IN, _O.NOT_IN})
_PARTS = frozenset({_O.CONTAINS, _O.NOT_CONTAINS})
_ORDER = frozenset({_O.GREATER, _O.LESS, _O.BETWEEN})

OPERATORS: Mapping[FieldType, frozenset[Operator]] = {
    FieldType.LINE: _EXACT | EMPTIES | _PARTS | {_O.STARTS, _O.MATCHES, _O.WORDS} | CHANGES,
    FieldType.TEXT: EMPTIES | _PARTS | {_O.STARTS, _O.MATCHES, _O.WORDS} | CHANGES,
    FieldType.CHOICE: _EXACT | EMPTIES | CHANGES,
    FieldType.NUMBER: _EXACT | EMPTIES | _ORDER | CHANGES,
    FieldType.FLAG: frozenset({_O.EQUALS}) | CHANGES,
    FieldType.INSTANT: EMPTIES | _ORDER | DURATIONS | CHANGES,
    FieldType.REF: _EXACT | EMPTIES | CHANGES,
    FieldType.SET: EMPTIES | _PARTS | {_O.IN, _O.NOT_IN, _O.CHANGED},
    FieldType.FILE: EMPTIES | {_O.CHANGED},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a choice may have, and how it is shown."""

    value: str
    label: str
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that can be asked about an object.

    `name` is the object's kind, a dot and a word. `value` gives it from the facts; None, "" and,
    of references and instants, 0 are empty. `choices` of a number are its steps, of which each has a
    name. A query can use `query_operators` only, where they are given. `label` is English; `translations` has the other languages. `says` writes a number
    as people of a language do, where that is not its digits.
    """

    name: str
    label: str
    type: FieldType
    value: Callable[[Any], object]
    where: Where = Where.BOTH
    choices: tuple[Choice, ...] = ()
    query_operators: frozenset[Operator] | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    says: Callable[[int, str], str] | None = field(default=None, compare=False)

    def operators(self, use: Use) -> frozenset[Operator]:
        """Give what a filter of this use may ask of this field."""
        if not self.where.allows(use):
            return frozenset()
        known = OPERATORS[self.type]
        if use is Use.FACT:
            return known
        known -= JUDGED
        return known if self.query_operators is None else known & self.query_operators


class Fields(Mapping[str, Field]):
    """Registered fields by name."""

    def __init__(self, fields: Iterable[Field] = ()) -> None:
        self._fields: dict[str, Field] = {}
        for one in fields:
            if one.name in self._fields:
                raise ValueError(f"there are two fields {one.name!r}")
            self._fields[one.name] = one

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def with_fields(self, more: Iterable[Field]) -> Fields:
        """Give these and more fields (a plugin's); a name that is taken is refused."""
        return Fields([*self._fields.values(), *more])


@dataclass(frozen=True, slots=True)
class Condition:
    """Field, operator, value."""

    field: str
    operator: Operator
    value: Value = None

    @property
    def values(self) -> tuple[object, ...]:
        """The value as a list of one or several."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


class Match(StrEnum):
    """How many parts of a group must be true."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """Parts, and how many of them must be true; all of nothing is true."""

    match: Match
    parts: tuple[Condition | Group, ...]


Filter = Condition | Group


def conditions_of(tree: Filter) -> Iterator[Condition]:
    """Give all conditions of a filter."""
    if isinstance(tree, Condition):
        yield tree
    else:
        for part in tree.parts:
            yield from conditions_of(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a filter is asked, and by whom: what "3 days ago" and "me" mean."""

    now: Micros
    me: UserId = UserId(0)
