"""A rule's own examples: "on this case it must, on this it must not fire"; saving runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.filters import Field, Moment, Where
from hub.ids import Micros
from hub.records.rules import Judged
from triggers import explain
from triggers.definition import Definition, Example, read, wrong
from triggers.vocabulary import Vocabulary

NOON = Micros(1_772_366_400_000_000)
"""Sunday, 1 March 2026, 12:00 UTC: examples have no clock of their own."""


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


def _value(name: str) -> Any:
    def value(case: Case) -> object:
        given = case.values.get(name)
        if isinstance(given, Mapping) and "after" in given:
            return given["after"]
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
        name: replace(one, value=_value(name), where=Where.FACT)
        for name, one in words.fields.items()
    }
    now = values.get("now")
    moment = Moment(now=Micros(now) if isinstance(now, int) else NOON)
    case: Any = Case(values=values)
    return explain.judge(definition.condition, case, moment, replace(words, fields=fields))


def checked(given: object, words: Vocabulary) -> dict[str, Any]:
    """Read a rule and run its examples; gives its JSON as it is kept, raises Invalid."""
    definition = read(given, words)
    for n, one in enumerate(definition.examples):
        if fires(one, definition, words) is not one.fires:
            verb = "fire" if one.fires else "stay silent"
            name = f" ({one.name})" if one.name else ""
            raise wrong(f"examples[{n}]", f"on this case{name} the rule should {verb}")
    assert isinstance(given, Mapping)
    kept = {name: value for name, value in given.items() if value not in ({}, [], "", None)}
    return {"schema": 1, **kept, "name": definition.name, "stop": definition.stop}
