"""A plugin's field of segments is asked in a real hub: what `register_segment_fields` promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hub.filters import FieldType, Operator, Use, describe, parse
from hub.filters.tree import DURATIONS, EMPTIES
from hub.records.segments import Segment
from hub.segment_fields import SegmentField
from hub.testing.checks import expect

if TYPE_CHECKING:
    from hub.testing.real_hub import RunningHub

_CONTRARY = {
    Operator.EQUALS: Operator.NOT_EQUALS,
    Operator.IN: Operator.NOT_IN,
    Operator.EMPTY: Operator.NOT_EMPTY,
    Operator.CONTAINS: Operator.NOT_CONTAINS,
}


async def try_segment_field(house: RunningHub, field: SegmentField) -> None:
    """Ask for it by every operator, in words of both languages, and by each with its contrary."""
    name = field.name
    expect(field.label and field.translations.get("ru"), f"{name} has no words in both languages")
    everybody = set(await _people(house, {}))
    known = {name: field.field}
    for operator, condition in _conditions(field):
        words = describe(parse(condition, known, Use.QUERY), known, "ru")
        expect(words, f"{name} {operator} cannot be said")
        found = await _people(house, condition)
        expect(len(found) == len(set(found)), f"{name} {operator} finds a person twice")
        contrary = _CONTRARY.get(operator)
        if contrary in field.field.operators(Use.QUERY):
            others = await _people(house, {**condition, "operator": contrary})
            fine = everybody == set(found) | set(others) and set(found).isdisjoint(others)
            expect(fine, f"{name}: {operator} and {contrary} together do not find everybody once")


def _conditions(field: SegmentField) -> Iterator[tuple[Operator, dict[str, object]]]:
    for operator in sorted(field.field.operators(Use.QUERY)):
        condition: dict[str, object] = {"field": field.name, "operator": operator.value}
        if operator in DURATIONS:
            condition["value"] = "30d"
        elif operator not in EMPTIES:
            one = _sample(field)
            several = operator in (Operator.IN, Operator.NOT_IN, Operator.BETWEEN)
            condition["value"] = [one, one] if several else one
        yield operator, condition


def _sample(field: SegmentField) -> object:
    if field.choices:
        return field.choices[0].value
    match field.type:
        case FieldType.NUMBER:
            return 1
        case FieldType.FLAG:
            return True
        case FieldType.INSTANT:
            return "2027-01-31T00:00:00Z"
    return "blue"


async def _people(house: RunningHub, tree: dict[str, object]) -> list[int]:
    segment = Segment(id=0, name="", static=False, filter=tree)
    found = await house.hub.audience(segment, channel="letterbox", limit=500)
    return [one.contact_id for one in found]
