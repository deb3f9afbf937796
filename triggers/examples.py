"""A rule's own examples: "on this case it must, on this it must not fire"; saving runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.filters import Field, FieldType, Moment, Where
from hub.filters.reading import instant
from hub.ids import Micros
from hub.records.rules import Judged
from triggers import explain
from triggers.definition import Definition, Example
from triggers.json_values import wrong
from triggers.reading import MOST_STEPS, read
from triggers.vocabulary import Vocabulary

NOON = Micros(1_772_366_400_000_000)
"""Sunday, 1 March 2026, 12:00 UTC: examples have no clock of their own."""


LONGEST_NAME = 200
NOW = "now"
"""Beside fields an example may say what time it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An example's values, as fields find them."""

    values: Mapping[str, object]

    def change(self, name: str) -> tuple[object, object] | None:
        """Give a change that the example names: `{"before": ..., "after": ...}`."""
        given = self.values.get(name)
        if isinstance(given, Mapping) and "after" in given:
            return given.get("before"), given["after"]
        return None


def _value(name: str, kind: FieldType) -> Any:
    def value(case: Case) -> object:
        given = case.values.get(name)
        if isinstance(given, Mapping) and "after" in given:
            given = given["after"]
        if kind is FieldType.INSTANT:
            given = int(given) if isinstance(given, str) and given.isdecimal() else given
            return instant(given, name) if given else None
        if isinstance(given, str) and given.isdecimal():
            return int(given) if len(given) > 12 else given
        return given

    return value


def fires(example: Example, definition: Definition, words: Vocabulary) -> bool:
    """Say whether a rule fires on an example."""
    if example.moment not in {one.moment for one in definition.when}:
        return False
    judged = judge_values(definition, example.values, words)
    return judged.verdict and not judged.error


def judge_values(definition: Definition, values: Mapping[str, object], words: Vocabulary) -> Judged:
    """Judge a rule's conditions on typed values of fields, clause by clause."""
    fields: dict[str, Field] = {
        name: replace(one, value=_value(name, one.type), where=Where.FACT)
        for name, one in words.fields.items()
    }
    moment = Moment(now=Micros(instant(values[NOW], NOW)) if values.get(NOW) else NOON)
    case: Any = Case(values=values)
    return explain.judge(definition.condition, case, moment, replace(words, fields=fields))


def sketched(given: object) -> dict[str, Any]:
    """Give the JSON of a rule that cannot be judged yet, as a draft; raises Invalid."""
    tree = dict(given) if isinstance(given, Mapping) else {}
    name = tree.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
        raise wrong("name", "a rule needs a name")
    for word in ("when", "then"):
        parts = tree.get(word, [])
        if not isinstance(parts, list) or not all(isinstance(one, Mapping) for one in parts):
            raise wrong(word, "a list of objects is needed")
        if len(parts) > MOST_STEPS:
            raise wrong(word, f"at most {MOST_STEPS}")
    if not tree.get("when"):
        raise wrong("when", "say what the rule begins with")
    return {"schema": 1, **tree, "name": " ".join(name.split()), "then": tree.get("then", [])}


def checked(given: object, words: Vocabulary) -> dict[str, Any]:
    """Read a rule and run its examples; gives its JSON as it is kept, raises Invalid."""
    definition = read(given, words)
    for n, one in enumerate(definition.examples):
        if fires(one, definition, words) is not one.fires:
            name = f" ({one.name})" if one.name else ""
            if one.fires:
                raise wrong(f"examples[{n}]", f"on this case{name} the rule should fire")
            raise wrong(f"examples[{n}]", f"on this case{name} the rule should stay silent")
    assert isinstance(given, Mapping)
    kept = {name: value for name, value in given.items() if value not in ({}, [], "", None)}
    return {"schema": 1, **kept, "name": definition.name, "stop": definition.stop}
