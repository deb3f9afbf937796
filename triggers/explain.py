"""Explaining: each condition with the value that was seen and its verdict, in data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.filters import Condition, Filter, Group, Match, Moment, compile_predicate, describe
from hub.records.rules import Judged
from hub.rules import Facts
from triggers.compiled import Values
from triggers.fields import TODAY
from triggers.vocabulary import Vocabulary

MOST = 200


def judge(tree: Filter, facts: Facts, moment: Moment, words: Vocabulary) -> Judged:
    """Judge a filter clause by clause; a clause that raises is named, and the whole has failed."""
    values = Values(facts, words.fields)
    return _judge(tree, values, moment, words)


def _judge(tree: Filter, values: Values, moment: Moment, words: Vocabulary) -> Judged:
    if isinstance(tree, Condition):
        return _condition(tree, values, moment, words)
    parts = tuple(_judge(one, values, moment, words) for one in tree.parts)
    verdicts = [one.verdict for one in parts]
    if tree.match is Match.ALL:
        verdict = all(verdicts)
    else:
        verdict = any(verdicts) is (tree.match is Match.ANY)
    error = next((one.error for one in parts if one.error), "")
    return Judged(verdict=verdict, match=tree.match.value, parts=parts, error=error)


def _condition(tree: Condition, values: Values, moment: Moment, words: Vocabulary) -> Judged:
    verdict, seen, error = False, None, ""
    try:
        verdict = compile_predicate(tree, words.fields)(values.facts, moment)
        seen = _seen(tree, values)
    except Exception as failure:  # noqa: BLE001 - a plugin's field may raise anything
        error = f"{type(failure).__name__}: {failure}"[:MOST]
    return Judged(
        verdict=verdict,
        field=tree.field,
        operator=tree.operator.value,
        value=shown(tree.value),
        seen=seen,
        error=error,
        rebuilt=not (words.needs_of(tree.field) & TODAY),
    )


def _seen(tree: Condition, values: Values) -> object:
    change = values.change(tree.field) if tree.operator.value.startswith("changed") else None
    if change is not None:
        return [shown(one) for one in change]
    one = values.facts
    field = values._fields[tree.field]
    return shown(field.value(one))


def shown(value: object) -> object:
    """Give a value as JSON that people can read: long texts cut, ids as texts."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(value) if abs(value) > 1 << 53 else value
    if isinstance(value, str):
        return value if len(value) <= MOST else f"{value[: MOST - 1]}…"
    if isinstance(value, list | tuple | frozenset | set):
        return [shown(one) for one in list(value)[:20]]
    return str(value)[:MOST]


def to_data(judged: Judged) -> dict[str, Any]:
    """Give a verdict as stored JSON."""
    found: dict[str, Any] = {"verdict": judged.verdict}
    for name in ("match", "field", "operator", "error"):
        value = getattr(judged, name)
        if value:
            found[name] = value
    if judged.field:
        found |= {"value": judged.value, "seen": judged.seen}
        if not judged.rebuilt:
            found["rebuilt"] = False
    if judged.match:
        found["parts"] = [to_data(one) for one in judged.parts]
    return found


def from_data(data: Mapping[str, Any]) -> Judged:
    """Read a stored verdict."""
    return Judged(
        verdict=bool(data.get("verdict")),
        match=str(data.get("match", "")),
        field=str(data.get("field", "")),
        operator=str(data.get("operator", "")),
        value=data.get("value"),
        seen=data.get("seen"),
        error=str(data.get("error", "")),
        rebuilt=bool(data.get("rebuilt", True)),
        parts=tuple(from_data(one) for one in data.get("parts", ())),
    )


def in_words(tree: Filter, words: Vocabulary, language: str = "en") -> str:
    """Say a rule's conditions."""
    empty = isinstance(tree, Group) and not tree.parts
    return "" if empty else describe(tree, words.fields, language)
