"""Reading filters from JSON and writing them; every objection names the place it is about.

Stored filters carry `schema`. A change of the form gets a new number and a function in
`UPCASTERS` that brings the form before it up; tests/unit/hub/golden keeps one file per form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hub.errors import Invalid
from hub.filters.patterns import searcher
from hub.filters.tree import (
    DURATIONS,
    ME,
    ONE_OR_MORE,
    WITH_LIST,
    WITHOUT_VALUE,
    Condition,
    Field,
    FieldType,
    Filter,
    Group,
    Match,
    Operator,
    Use,
    Value,
)
from hub.terms import fold, query_terms

SCHEMA = 1
Upcaster = Callable[[dict[str, object]], dict[str, object]]
UPCASTERS: Mapping[int, Upcaster] = {}

MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_VALUES = 500
MAX_STRING = 1_000
LARGEST = (1 << 63) - 1
CENTURY = 100 * 366 * 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([mhdw])")
_WHOLE = re.compile(r"-?[0-9]{1,19}")


def parse(data: object, fields: Mapping[str, Field], use: Use | None = None) -> Filter:
    """Read a filter; raises Invalid with the path of what is wrong.

    `use` also refuses what could not be carried out there.
    """
    tree = _object(data, "filter")
    schema = tree.pop("schema", SCHEMA)
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        raise _wrong("filter.schema", f"this release reads schemas 1 to {SCHEMA}")
    for number in range(schema, SCHEMA):
        tree = UPCASTERS[number](tree)
    if not tree:
        return Group(Match.ALL, ())
    return _Reader(fields, use).part(tree, "filter", 0)


def _object(data: object, path: str) -> dict[str, object]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise _wrong(path, "an object is needed")
    return dict(data)


def _wrong(path: str, text: str) -> Invalid:
    return Invalid(f"{path}: {text}", field=path)


class _Reader:
    def __init__(self, fields: Mapping[str, Field], use: Use | None) -> None:
        self._fields = fields
        self._use = use
        self._count = 0

    def part(self, data: object, path: str, depth: int) -> Filter:
        tree = _object(data, path)
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise _wrong(path, f"a filter has at most {MAX_CONDITIONS} parts")
        if "field" in tree:
            return self._condition(tree, path)
        if len(tree) != 1 or next(iter(tree)) not in tuple(Match):
            raise _wrong(path, "exactly one of all, any, none or a field is needed")
        [(word, parts)] = tree.items()
        path = f"{path}.{word}"
        if depth >= MAX_DEPTH:
            raise _wrong(path, f"groups are nested at most {MAX_DEPTH} deep")
        if not isinstance(parts, Sequence) or isinstance(parts, str | bytes):
            raise _wrong(path, "a list of conditions is needed")
        if not parts and word != Match.ALL:
            raise _wrong(path, "at least one condition is needed")
        return Group(
            Match(word),
            tuple(self.part(one, f"{path}[{n}]", depth + 1) for n, one in enumerate(parts)),
        )

    def _condition(self, tree: dict[str, object], path: str) -> Condition:
        for key in tree:
            if key not in ("field", "operator", "value"):
                raise _wrong(f"{path}.{key}", "a condition has a field, an operator and a value")
        name = tree["field"]
        field = self._fields.get(name) if isinstance(name, str) else None
        if field is None:
            raise _wrong(f"{path}.field", f"there is no field {_shown(name)}")
        known = {one for use in self._uses() for one in field.operators(use)}
        if not known:
            raise _wrong(f"{path}.field", f"{field.name} cannot be used here")
        word = tree.get("operator")
        if word not in known:
            names = ", ".join(sorted(known))
            raise _wrong(f"{path}.operator", f"{field.name} is compared by one of: {names}")
        operator = Operator(str(word))
        path = f"{path}.value"
        if operator in WITHOUT_VALUE:
            if tree.get("value") is not None:
                raise _wrong(path, f"{operator} takes no value")
            return Condition(field.name, operator)
        if "value" not in tree:
            raise _wrong(path, "a value is needed")
        return Condition(field.name, operator, _value(field, operator, tree["value"], path))

    def _uses(self) -> tuple[Use, ...]:
        return tuple(Use) if self._use is None else (self._use,)


def _shown(given: object) -> str:
    return repr(given[:80]) if isinstance(given, str) else "like that"


def _value(field: Field, operator: Operator, given: object, path: str) -> Value:
    if operator in DURATIONS:
        return _duration(given, path)
    is_list = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if operator not in WITH_LIST and not (is_list and operator in ONE_OR_MORE):
        return _single(field, operator, given, path)
    if not is_list:
        raise _wrong(path, "a list is needed")
    assert isinstance(given, Sequence)
    if operator is Operator.BETWEEN and len(given) != 2:
        raise _wrong(path, "two values are needed, from and to")
    if not 1 <= len(given) <= MAX_VALUES:
        raise _wrong(path, f"1 to {MAX_VALUES} values are needed")
    values = [_single(field, operator, one, f"{path}[{n}]") for n, one in enumerate(given)]
    # All of one type, because the field has one.
    return tuple(values)  # type: ignore[return-value]


def _single(field: Field, operator: Operator, given: object, path: str) -> bool | int | str:
    match field.type:
        case FieldType.FLAG:
            if not isinstance(given, bool):
                raise _wrong(path, "true or false is needed")
            return given
        case FieldType.NUMBER:
            return _whole(given, path)
        case FieldType.REF:
            return _reference(given, path)
        case FieldType.INSTANT:
            return instant(given, path)
    if not isinstance(given, str):
        raise _wrong(path, "a text is needed")
    if len(given) > MAX_STRING:
        raise _wrong(path, f"a text of at most {MAX_STRING} characters is needed")
    if "\x00" in given or any("\ud800" <= sign <= "\udfff" for sign in given):
        raise _wrong(path, "the text has a character that is none")
    if field.type is FieldType.CHOICE:
        known = [one.value for one in field.choices]
        if not given or (known and given not in known):
            names = ", ".join(known) or "a text that is not empty"
            raise _wrong(path, f"one of these is needed: {names}")
    elif operator is Operator.MATCHES:
        try:
            searcher(given)
        except ValueError as error:
            raise _wrong(path, f"this is no pattern: {error}") from error
    elif operator is Operator.WORDS:
        if not query_terms(given):
            raise _wrong(path, "a word that means something is needed")
    elif not fold(given):
        raise _wrong(path, "a text that is not empty is needed (or the operator empty)")
    return given


def _whole(given: object, path: str) -> int:
    if type(given) is not int or not -LARGEST <= given <= LARGEST:
        raise _wrong(path, "a whole number is needed")
    return given


def _reference(given: object, path: str) -> int:
    """Ids are strings in JSON, because JavaScript loses large numbers."""
    if given == "me":
        return ME
    if isinstance(given, str) and _WHOLE.fullmatch(given):
        given = int(given)
    if type(given) is not int or not 0 < given <= LARGEST:
        raise _wrong(path, 'an id is needed, or "me"')
    return given


def instant(given: object, path: str) -> int:
    """Read an instant: a text with its zone, or microseconds; raises Invalid with the path."""
    if isinstance(given, str) and len(given) <= 40:
        try:
            at = datetime.fromisoformat(given)
        except ValueError:
            at = None
        if at is not None and at.tzinfo is not None:
            given = (at - EPOCH) // timedelta(microseconds=1)
    if type(given) is not int or not 0 < given < 253_402_300_800_000_000:
        raise _wrong(path, "an instant with its zone is needed, as 2026-01-31T12:00:00Z")
    return given


def _duration(given: object, path: str) -> int:
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    length = int(found[1]) * UNITS[found[2]] if found else 0
    if not 0 < length <= CENTURY:
        raise _wrong(path, "a duration is needed: 30m, 12h, 3d, 2w")
    return length


# -- writing -------------------------------------------------------------------------------


def to_json(tree: Filter, fields: Mapping[str, Field]) -> dict[str, object]:
    """Write a filter; `parse` reads the same one back."""
    return {"schema": SCHEMA, **_part(tree, fields)}


def _part(tree: Filter, fields: Mapping[str, Field]) -> dict[str, object]:
    if isinstance(tree, Group):
        return {tree.match.value: [_part(one, fields) for one in tree.parts]}
    written: dict[str, object] = {"field": tree.field, "operator": tree.operator.value}
    if tree.operator in DURATIONS:
        assert isinstance(tree.value, int)
        written["value"] = duration_text(tree.value)
    elif tree.operator not in WITHOUT_VALUE:
        kind = fields[tree.field].type
        if isinstance(tree.value, tuple):
            written["value"] = [_written(kind, one) for one in tree.value]
        else:
            written["value"] = _written(kind, tree.value)
    return written


def _written(kind: FieldType, value: object) -> object:
    if kind is FieldType.REF:
        return "me" if value == ME else str(value)
    if kind is FieldType.INSTANT and isinstance(value, int):
        return instant_text(value)
    return value


def instant_text(at: int) -> str:
    """Write an instant as people and other programs read it."""
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def duration_text(length: int) -> str:
    """Write a duration in its largest whole unit."""
    for letter in "wdh":
        if length % UNITS[letter] == 0:
            return f"{length // UNITS[letter]}{letter}"
    return f"{length // UNITS['m']}m"
