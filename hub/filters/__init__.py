"""The one filter language: conditions of rules, segments, saved views, lists of the API, reports.

A filter is a small tree (all, any or none of; field, operator, value) over typed, registered
fields. It is read from JSON (`parse`), written to it (`to_json`), said in words (`describe`), and
carried out twice: here over facts (`compile_predicate`), and in crm_store over rows. Both give
the same answer on every field that declares both; a test compares them on random filters.

Empty is a value: whoever has no team is "not in team Sales". The clock is a parameter.
"""

from __future__ import annotations

from hub.filters.predicate import Changes, Predicate, compile_predicate
from hub.filters.reading import SCHEMA, parse, to_json
from hub.filters.tree import (
    DURATIONS,
    EMPTIES,
    ME,
    OPERATORS,
    Choice,
    Condition,
    Field,
    Fields,
    FieldType,
    Filter,
    Group,
    Match,
    Moment,
    Operator,
    Use,
    Value,
    Where,
    conditions_of,
)
from hub.filters.wording import describe

__all__ = [
    "DURATIONS",
    "EMPTIES",
    "ME",
    "OPERATORS",
    "SCHEMA",
    "Changes",
    "Choice",
    "Condition",
    "Field",
    "FieldType",
    "Fields",
    "Filter",
    "Group",
    "Match",
    "Moment",
    "Operator",
    "Predicate",
    "Use",
    "Value",
    "Where",
    "compile_predicate",
    "conditions_of",
    "describe",
    "parse",
    "to_json",
]
