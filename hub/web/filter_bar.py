"""The filter bar of lists: conditions as chips, each in words; one more by field, operator, value.

The filter stands in the address as the tree of the one filter language. The bar edits trees that
are a list of conditions; any other tree (of a saved view, of a program) is one chip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import Invalid
from hub.figures import minor_units
from hub.filters import Field, Fields, FieldType, Operator, Use, describe, parse
from hub.filters.reading import UNITS
from hub.filters.tree import DURATIONS, WITHOUT_VALUE
from hub.kinds import Kind
from hub.properties import PropertyType

Tree = Mapping[str, object]
MOST = 8000


def _(text: str) -> str:
    return text


WORDS: Mapping[Operator, str] = {
    Operator.EQUALS: _("is"),
    Operator.NOT_EQUALS: _("is not"),
    Operator.IN: _("is one of"),
    Operator.NOT_IN: _("is none of"),
    Operator.EMPTY: _("is empty"),
    Operator.NOT_EMPTY: _("is not empty"),
    Operator.CONTAINS: _("contains"),
    Operator.NOT_CONTAINS: _("does not contain"),
    Operator.GREATER: _("is more than"),
    Operator.LESS: _("is less than"),
    Operator.WITHIN_LAST: _("is within the last"),
    Operator.OLDER_THAN: _("is more than … ago"),
    Operator.WITHIN_NEXT: _("is within the next"),
}
_O = Operator
OFFERED: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.LINE: (_O.CONTAINS, _O.NOT_CONTAINS, _O.EQUALS, _O.EMPTY, _O.NOT_EMPTY),
    FieldType.CHOICE: (_O.IN, _O.NOT_IN),
    FieldType.NUMBER: (_O.GREATER, _O.LESS, _O.EQUALS, _O.EMPTY, _O.NOT_EMPTY),
    FieldType.FLAG: (_O.EQUALS,),
    FieldType.INSTANT: (
        _O.WITHIN_LAST,
        _O.OLDER_THAN,
        _O.WITHIN_NEXT,
        _O.GREATER,
        _O.LESS,
        _O.EMPTY,
        _O.NOT_EMPTY,
    ),
    FieldType.REF: (_O.EQUALS, _O.NOT_EQUALS, _O.EMPTY, _O.NOT_EMPTY),
    FieldType.SET: (_O.CONTAINS, _O.NOT_CONTAINS, _O.EMPTY, _O.NOT_EMPTY),
    FieldType.FILE: (_O.EMPTY, _O.NOT_EMPTY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One condition in words, and the filter that is left without it."""

    text: str
    without: str


def read_tree(given: str) -> Tree | None:
    """Read the filter of an address; raises Invalid."""
    if not given:
        return None
    try:
        tree = json.loads(given[:MOST])
    except (ValueError, RecursionError) as error:
        raise Invalid("the filter is not JSON", field="filter") from error
    if not isinstance(tree, dict):
        raise Invalid("a filter is an object", field="filter")
    return tree or None


def written(tree: Tree | None) -> str:
    """Write a filter as an address holds it."""
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")) if tree else ""


def parts_of(tree: Tree | None) -> list[Tree]:
    """Give the conditions that all must be true."""
    if not tree:
        return []
    parts = tree.get("all")
    return list(parts) if isinstance(parts, list) else [tree]


def joined(parts: list[Tree]) -> Tree | None:
    """Give the tree of which all parts must be true."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"all": parts}


def chips(
    kind: Kind,
    tree: Tree | None,
    language: str,
    name_of: Callable[[str, int], str],
    known: Fields | None = None,
) -> list[Chip]:
    """Give each condition in words."""
    known = kind.registered() if known is None else known
    parts = parts_of(tree)
    return [
        Chip(
            text=describe(parse(one, known, Use.QUERY), known, language, name_of),
            without=written(joined(parts[:n] + parts[n + 1 :])),
        )
        for n, one in enumerate(parts)
    ]


def offered(field: Field) -> list[Operator]:
    """Give the operators that the bar offers for a field."""
    known = field.operators(Use.QUERY)
    return [one for one in OFFERED.get(field.type, ()) if one in known]


def word_of(field: Field, operator: Operator) -> str:
    """Give what the bar calls an operator of a field."""
    if field.type is FieldType.SET and field.choices:
        # One of them is chosen, so that it reads as what it is and not as a part of it.
        operator = {_O.CONTAINS: _O.EQUALS, _O.NOT_CONTAINS: _O.NOT_EQUALS}.get(operator, operator)
    return WORDS[operator]


def field_property(kind: Kind, field: Field) -> Any:
    """Give the property behind a field, None where it has none."""
    word = field.name.removeprefix(f"{kind.name}.")
    return next((one for one in kind.properties if one.name in (word, f"{word}_id")), None)


def read_condition(
    kind: Kind,
    form: Mapping[str, Any],
    many: Callable[[str], list[str]],
    known: Fields | None = None,
) -> Tree:
    """Read the condition that the bar's form gives; raises Invalid.

    `known` are the fields where they are more than the kind's own.
    """
    known = kind.registered() if known is None else known
    field = known.get(str(form.get("field", "")))
    if field is None:
        raise Invalid("choose a property", field="field")
    try:
        operator = Operator(str(form.get("operator", "")))
    except ValueError:
        raise Invalid("choose how to compare", field="operator") from None
    found: dict[str, object] = {"field": field.name, "operator": operator.value}
    if operator not in WITHOUT_VALUE:
        found["value"] = _value(kind, field, operator, form, many)
    parse(found, known, Use.QUERY)
    return found


def _value(
    kind: Kind,
    field: Field,
    operator: Operator,
    form: Mapping[str, Any],
    many: Callable[[str], list[str]],
) -> object:
    given = str(form.get("value", "")).strip()
    if operator in DURATIONS:
        return f"{str(form.get('length', '')).strip()}{form.get('unit', 'd')}"
    match field.type:
        case FieldType.FLAG:
            return given == "yes"
        case FieldType.CHOICE:
            return [one for one in many("value") if one]
        case FieldType.INSTANT:
            return f"{str(form.get('day', ''))[:10]}T00:00:00Z"
        case FieldType.NUMBER:
            prop = field_property(kind, field)
            try:
                if prop is not None and prop.type is PropertyType.MONEY:
                    return minor_units(given)
                if prop is not None and prop.lasts:
                    return int(given) * UNITS.get(str(form.get("unit")), UNITS["m"]) // prop.lasts
                return int(given)
            except ValueError:
                raise Invalid("a number is needed", field="value") from None
    return given
