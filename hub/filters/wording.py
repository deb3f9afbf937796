"""Filters in words, in English and Russian: what a rule, a segment or a view shows of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.filters.reading import UNITS, duration_text, instant_text
from hub.filters.tree import (
    DURATIONS,
    ME,
    Condition,
    Field,
    FieldType,
    Filter,
    Match,
    Operator,
)

NameOf = Callable[[str, int], str]
"""Gives what an object that a field refers to is called; "" when it is gone."""

_O = Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """The words of one language; `durations` has the unit's forms by the number before it."""

    operators: Mapping[Operator, str]
    after: str
    before: str
    yes: str
    no: str
    has: str
    has_not: str
    chosen: str
    not_chosen: str
    everything: str
    none_of: str
    joints: Mapping[Match, str]
    listed: str
    or_: str
    me: str
    quotes: tuple[str, str]


_LANGUAGES: Mapping[str, _Language] = {
    "en": _Language(
        operators={
            _O.EQUALS: "{field} is {value}",
            _O.NOT_EQUALS: "{field} is not {value}",
            _O.IN: "{field} is one of {value}",
            _O.NOT_IN: "{field} is none of {value}",
            _O.EMPTY: "{field} is empty",
            _O.NOT_EMPTY: "{field} is not empty",
            _O.CONTAINS: "{field} contains {value}",
            _O.NOT_CONTAINS: "{field} does not contain {value}",
            _O.STARTS: "{field} starts with {value}",
            _O.MATCHES: "{field} matches the pattern {value}",
            _O.WORDS: "{field} has the words {value} in any form",
            _O.GREATER: "{field} is more than {value}",
            _O.LESS: "{field} is less than {value}",
            _O.BETWEEN: "{field} is from {low} to {high}",
            _O.OLDER_THAN: "{field} is more than {value} ago",
            _O.WITHIN_LAST: "{field} is within the last {value}",
            _O.WITHIN_NEXT: "{field} is within the next {value}",
            _O.CHANGED: "{field} changed",
            _O.CHANGED_TO: "{field} changed to {value}",
            _O.CHANGED_FROM: "{field} changed from {value}",
        },
        after="{field} is after {value}",
        before="{field} is before {value}",
        yes="{field}: yes",
        no="{field}: no",
        has="{field} include {value}",
        has_not="{field} do not include {value}",
        chosen="{field}: {value}",
        not_chosen="{field}: not {value}",
        everything="everything",
        none_of="none of: {parts}",
        joints={Match.ALL: " and ", Match.ANY: " or ", Match.NONE: "; "},
        listed=", ",
        or_=" or ",
        me="me",
        quotes=("“", "”"),
    ),
    "ru": _Language(
        operators={
            _O.EQUALS: "{field} — {value}",
            _O.NOT_EQUALS: "{field} — не {value}",
            _O.IN: "{field} — одно из: {value}",
            _O.NOT_IN: "{field} — ни одно из: {value}",
            _O.EMPTY: "{field} — пусто",
            _O.NOT_EMPTY: "{field} — не пусто",
            _O.CONTAINS: "{field} содержит {value}",
            _O.NOT_CONTAINS: "{field} не содержит {value}",
            _O.STARTS: "{field} начинается с {value}",
            _O.MATCHES: "{field} подходит под шаблон {value}",
            _O.WORDS: "{field} содержит слова {value} в любой форме",
            _O.GREATER: "{field} больше {value}",
            _O.LESS: "{field} меньше {value}",
            _O.BETWEEN: "{field} от {low} до {high}",
            _O.OLDER_THAN: "{field} — более {value} назад",
            _O.WITHIN_LAST: "{field} — не более {value} назад",
            _O.WITHIN_NEXT: "{field} — не позже чем через {value}",
            _O.CHANGED: "{field} — изменилось",
            _O.CHANGED_TO: "{field} — изменилось на {value}",
            _O.CHANGED_FROM: "{field} — изменилось с {value}",
        },
        after="{field} — после {value}",
        before="{field} — до {value}",
        yes="{field}: да",
        no="{field}: нет",
        has="{field} включают {value}",
        has_not="{field} не включают {value}",
        chosen="{field} — {value}",
        not_chosen="{field} — не {value}",
        everything="всё",
        none_of="ни одно из: {parts}",
        joints={Match.ALL: " и ", Match.ANY: " или ", Match.NONE: "; "},
        listed=", ",
        or_=" или ",
        me="я",
        quotes=("«", "»"),
    ),
}

# Russian: one, two to four, many; after "более" (genitive) and after "через" (accusative).
_RUSSIAN_GENITIVE = {
    "m": ("минуты", "минут", "минут"),
    "h": ("часа", "часов", "часов"),
    "d": ("дня", "дней", "дней"),
    "w": ("недели", "недель", "недель"),
}
_RUSSIAN_ACCUSATIVE = {
    "m": ("минуту", "минуты", "минут"),
    "h": ("час", "часа", "часов"),
    "d": ("день", "дня", "дней"),
    "w": ("неделю", "недели", "недель"),
}
_ENGLISH = {"m": "minute", "h": "hour", "d": "day", "w": "week"}


def describe(
    tree: Filter,
    fields: Mapping[str, Field],
    language: str = "en",
    name_of: NameOf | None = None,
) -> str:
    """Say a filter in words; a field that is gone is named by its key."""
    speaker = _Speaker(fields, language if language in _LANGUAGES else "en", name_of)
    return speaker.say(tree, outermost=True)


class _Speaker:
    def __init__(self, fields: Mapping[str, Field], language: str, name_of: NameOf | None) -> None:
        self._fields = fields
        self._language = language
        self._words = _LANGUAGES[language]
        self._name_of = name_of

    def say(self, tree: Filter, *, outermost: bool = False) -> str:
        if isinstance(tree, Condition):
            return self._condition(tree)
        if not tree.parts:
            return self._words.everything
        alone = len(tree.parts) == 1 and tree.match is not Match.NONE
        parts = self._words.joints[tree.match].join(
            self.say(one, outermost=outermost and alone) for one in tree.parts
        )
        if tree.match is Match.NONE:
            parts = self._words.none_of.format(parts=parts)
        return parts if outermost or alone else f"({parts})"

    def _condition(self, condition: Condition) -> str:
        field = self._fields.get(condition.field)
        label = condition.field
        if field is not None:
            label = field.translations.get(self._language, field.label)
        kind = field.type if field else FieldType.CHOICE
        phrase = self._phrase(condition, field, kind)
        value = condition.value
        if condition.operator is Operator.BETWEEN and isinstance(value, tuple):
            low, high = (self._value(field, one) for one in value)
            return phrase.format(field=label, low=low, high=high)
        if condition.operator in DURATIONS and isinstance(value, int):
            return phrase.format(field=label, value=self._duration(condition.operator, value))
        if isinstance(value, tuple):
            joint = self._words.listed
            if condition.operator not in (Operator.IN, Operator.NOT_IN) or kind is FieldType.SET:
                joint = self._words.or_
            shown = joint.join(self._value(field, one) for one in value)
        else:
            shown = self._value(field, value)
        return phrase.format(field=label, value=shown)

    def _phrase(self, condition: Condition, field: Field | None, kind: FieldType) -> str:
        words, operator = self._words, condition.operator
        if kind is FieldType.FLAG and operator is Operator.EQUALS:
            return words.yes if condition.value else words.no
        if kind is FieldType.INSTANT and operator is Operator.GREATER:
            return words.after
        if kind is FieldType.INSTANT and operator is Operator.LESS:
            return words.before
        is_chosen = field is not None and bool(field.choices)
        if kind is FieldType.SET and operator in (Operator.CONTAINS, Operator.IN):
            return words.chosen if is_chosen else words.has
        if kind is FieldType.SET and operator in (Operator.NOT_CONTAINS, Operator.NOT_IN):
            return words.not_chosen if is_chosen else words.has_not
        return words.operators[operator]

    def _value(self, field: Field | None, value: object) -> str:
        kind = field.type if field else None
        if isinstance(value, int) and kind is FieldType.REF:
            if value == ME:
                return self._words.me
            name = self._name_of(field.name, value) if field and self._name_of else ""
            return name or f"№{value}"
        if isinstance(value, int) and kind is FieldType.INSTANT:
            return instant_text(value)
        if field is not None and kind in (FieldType.CHOICE, FieldType.SET, FieldType.NUMBER):
            for choice in field.choices:
                if choice.value == str(value):
                    return choice.translations.get(self._language, choice.label)
            if kind is FieldType.CHOICE:
                return str(value)
        if isinstance(value, str):
            return value.join(self._words.quotes)
        if isinstance(value, int) and field is not None and field.says is not None:
            return field.says(value, self._language)
        return str(value)

    def _duration(self, operator: Operator, length: int) -> str:
        written = duration_text(length)
        number, unit = int(written[:-1]), written[-1]
        assert unit in UNITS
        if self._language == "ru":
            forms = _RUSSIAN_ACCUSATIVE if operator is Operator.WITHIN_NEXT else _RUSSIAN_GENITIVE
            return f"{number} {forms[unit][_russian_form(number)]}"
        return f"{number} {_ENGLISH[unit]}{'' if number == 1 else 's'}"


def _russian_form(number: int) -> int:
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2
