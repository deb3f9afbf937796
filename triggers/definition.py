"""Reading a rule's JSON: what it says as frozen objects, or what is wrong with it and where.

Stored rules carry `schema`; a change of the form gets a new number and a function in UPCASTERS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ValidationError

from hub.errors import Invalid
from hub.filters import Condition, FieldType, Filter, Group, Match, Use, parse
from hub.filters.reading import UNITS, instant
from triggers.fields import of_card
from triggers.vocabulary import Vocabulary
from triggers.wording import slips

SCHEMA = 1
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: Mapping[int, Upcaster] = {}

MOST_WHEN = 10
MOST_STEPS = 30
MOST_EXAMPLES = 50
LONGEST = 5 * 366 * UNITS["d"]
SECOND = 1_000_000
CANCELS = ("client_answers", "agent_answers", "status_changes", "closed", "assigned", "changed")
ONCE = ("", "dialog", "object", "contact", "contact_day", "dialog_day", "client")
EACH = ("dialog", "user")
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdw])")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a rule begins with; durations in microseconds. `settle` waits for the last of a burst."""

    moment: str
    after: int = 0
    working: bool = False
    settle: int = 0
    field: str = ""
    offset: int = 0
    at: str = ""
    yearly: bool = False
    cron: str = ""
    zone: str = ""
    each: str = ""
    each_filter: Mapping[str, object] | None = None
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action with its timing; `wait` counts from the step before."""

    action: str
    params: BaseModel
    given: Mapping[str, object]
    wait: int = 0
    working: bool = False
    only_if: Filter | None = None
    cancel_on: tuple[str, ...] = ()
    recheck: bool = True
    every: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What keeps a rule from doing too much; 0 is no ceiling of its own."""

    once_per: str = ""
    again_after: int = 0
    most_an_hour: int = 0
    most_a_day: int = 0
    quiet: tuple[str, str] | None = None
    """From when to when, by the person's clock, nothing is said to him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case on which the rule must, or must not, fire; `values` are fields by name."""

    name: str
    moment: str
    values: Mapping[str, object]
    fires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a rule says. `missing` names actions and fields that no plugin brings."""

    name: str
    note: str
    when: tuple[When, ...]
    condition: Filter
    steps: tuple[Step, ...]
    guards: Guards
    stop: bool
    examples: tuple[Example, ...]
    needs: frozenset[str] = frozenset()
    missing: tuple[str, ...] = field(default=())


def wrong(path: str, text: str) -> Invalid:
    """Make the objection to a place of a rule's JSON."""
    return Invalid(f"{path}: {text}", field=path)


def read(data: object, words: Vocabulary, *, lenient: bool = False) -> Definition:
    """Read a rule; raises Invalid with the path of what is wrong.

    `lenient` leaves out actions that no plugin brings any more and names them in `missing`: such
    a rule is paused, not lost.
    """
    return _Reader(words, lenient).rule(data)


class _Reader:
    def __init__(self, words: Vocabulary, lenient: bool) -> None:
        self._words = words
        self._lenient = lenient
        self._missing: list[str] = []
        self._needs: set[str] = set()

    def rule(self, data: object) -> Definition:
        tree = _object(data, "rule")
        schema = tree.pop("schema", SCHEMA)
        if type(schema) is not int or not 1 <= schema <= SCHEMA:
            raise wrong("schema", f"this release reads schemas 1 to {SCHEMA}")
        for number in range(schema, SCHEMA):
            tree = UPCASTERS[number](tree)
        _only(tree, "", ("name", "note", "when", "if", "then", "guards", "stop", "examples"))
        name = _text(tree.get("name"), "name", 200)
        if not name:
            raise wrong("name", "a rule needs a name")
        when = tuple(
            self._when(one, f"when[{n}]")
            for n, one in enumerate(_list(tree.get("when"), "when", MOST_WHEN))
        )
        if not when:
            raise wrong("when", "say what the rule begins with")
        condition = self._filter(tree.get("if") or {}, "if")
        steps = tuple(
            step
            for n, one in enumerate(_list(tree.get("then"), "then", MOST_STEPS))
            if (step := self._step(one, f"then[{n}]")) is not None
        )
        if not steps and not self._missing:
            raise wrong("then", "say what the rule does")
        examples = tuple(
            self._example(one, f"examples[{n}]", when[0].moment)
            for n, one in enumerate(_list(tree.get("examples") or [], "examples", MOST_EXAMPLES))
        )
        return Definition(
            name=name,
            note=_text(tree.get("note", ""), "note", 2000),
            when=when,
            condition=condition,
            steps=steps,
            guards=self._guards(tree.get("guards") or {}),
            stop=_flag(tree.get("stop", False), "stop"),
            examples=examples,
            needs=frozenset(self._needs),
            missing=tuple(self._missing),
        )

    def _filter(self, data: object, path: str) -> Filter:
        try:
            tree = parse(data, self._words.fields, Use.FACT)
        except Invalid as error:
            place = path + error.field.removeprefix("filter")
            text = str(error).removeprefix(error.field).removeprefix(": ")
            if self._lenient and "there is no field" in text:
                self._missing.append(place)
                return Group(Match.ALL, ())
            raise wrong(place, text) from error
        self._needs |= needs_of_filter(tree, self._words)
        return tree

    def _when(self, data: object, path: str) -> When:
        tree = _object(data, path)
        name = tree.pop("event", None)
        moment = self._words.moments.get(name) if isinstance(name, str) else None
        if moment is None:
            if self._lenient and isinstance(name, str):
                self._missing.append(name)
                return When(moment=name)
            raise wrong(f"{path}.event", f"there is no event {str(name)[:80]!r}")
        self._needs |= moment.needs
        _only(tree, path, tuple(sorted(moment.options)))
        given: dict[str, Any] = {"moment": moment.name}
        for option in ("after", "settle"):
            if option in tree:
                given[option] = duration(tree[option], f"{path}.{option}")
        if "after" in moment.options and "after" not in given:
            raise wrong(f"{path}.after", "say how long, as 30m, 12h, 3d")
        if "working" in tree:
            given["working"] = _flag(tree["working"], f"{path}.working")
            self._needs.add("hours")
        if "zone" in tree:
            given["zone"] = _zone(tree["zone"], f"{path}.zone")
        if moment.name == "date":
            given |= self._date(tree, path)
        if moment.name == "schedule":
            given |= self._schedule(tree, path)
        return When(**given)

    def _date(self, tree: Mapping[str, object], path: str) -> dict[str, Any]:
        name = tree.get("field")
        found = self._words.fields.get(name) if isinstance(name, str) else None
        kind, _ = of_card(str(name))
        if found is None or found.type.value != "instant" or kind not in self._words.kinds:
            raise wrong(f"{path}.field", "a date of a card is needed, as client.birthday")
        self._needs.add(kind)
        offset = str(tree.get("offset", "0"))
        sign = -1 if offset.startswith("-") else 1
        length = offset.lstrip("+-")
        return {
            "field": found.name,
            "offset": 0 if length in ("", "0") else sign * duration(length, f"{path}.offset"),
            "at": _time(tree.get("at", "10:00"), f"{path}.at"),
            "yearly": _flag(tree.get("yearly", False), f"{path}.yearly"),
        }

    def _schedule(self, tree: Mapping[str, object], path: str) -> dict[str, Any]:
        from triggers.times import check_cron

        cron = _text(tree.get("cron"), f"{path}.cron", 200)
        try:
            check_cron(cron)
        except ValueError as error:
            raise wrong(f"{path}.cron", str(error)) from error
        found: dict[str, Any] = {"cron": cron}
        each = tree.get("each")
        if each is not None:
            asked = _object(each, f"{path}.each")
            _only(asked, f"{path}.each", ("kind", "filter", "most"))
            kind = asked.get("kind")
            if kind not in (*EACH, *self._words.kinds):
                known = ", ".join((*EACH, *self._words.kinds))
                raise wrong(f"{path}.each.kind", f"one of these is needed: {known}")
            most = asked.get("most", 100)
            if type(most) is not int or not 1 <= most <= 10_000:
                raise wrong(f"{path}.each.most", "a number from 1 to 10000 is needed")
            given = asked.get("filter")
            if given is not None:
                self._each_filter(str(kind), given, f"{path}.each.filter")
            found |= {"each": kind, "each_filter": given, "most": most}
        return found

    def _each_filter(self, kind: str, given: object, path: str) -> None:
        from hub.filters.dialog_fields import DIALOG_FIELDS

        if kind == "user":
            raise wrong(path, "colleagues are not filtered")
        known = DIALOG_FIELDS if kind == "dialog" else self._words.kinds[kind].registered()
        try:
            parse(given, known, Use.QUERY)
        except Invalid as error:
            raise wrong(path + error.field.removeprefix("filter"), str(error)) from error

    def _step(self, data: object, path: str) -> Step | None:
        tree = _object(data, path)
        _only(
            tree,
            path,
            ("action", "params", "wait", "working", "if", "cancel_on", "recheck", "repeat"),
        )
        name = tree.get("action")
        action = self._words.actions.get(name) if isinstance(name, str) else None
        if action is None:
            if self._lenient and isinstance(name, str):
                self._missing.append(name)
                return None
            raise wrong(f"{path}.action", f"there is no action {str(name)[:80]!r}")
        self._needs |= action.needs
        given = _object(tree.get("params") or {}, f"{path}.params")
        if str(given.get("kind", "")) in self._words.kinds:
            # The card that an action of many kinds is to find.
            self._needs.add(str(given["kind"]))
        try:
            params = action.Params.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(one) for one in (f"{path}.params", *first["loc"]))
            raise wrong(place, first["msg"]) from error
        for place, slip in () if self._lenient else slips(given, f"{path}.params"):
            meant = f", {slip.suggestion}?" if slip.suggestion else ""
            raise wrong(place, f"line {slip.line}: {slip.text}{meant}")
        cancels = tuple(
            _one_of(one, CANCELS, f"{path}.cancel_on[{n}]")
            for n, one in enumerate(_list(tree.get("cancel_on") or [], f"{path}.cancel_on", 10))
        )
        only_if = self._filter(tree["if"], f"{path}.if") if tree.get("if") else None
        repeat = _object(tree.get("repeat") or {}, f"{path}.repeat")
        _only(repeat, f"{path}.repeat", ("every", "times"))
        if tree.get("working"):
            self._needs.add("hours")
        times = repeat.get("times", 1)
        if type(times) is not int or not 1 <= times <= 100:
            raise wrong(f"{path}.repeat.times", "a number from 1 to 100 is needed")
        return Step(
            action=str(name),
            params=params,
            given=given,
            wait=duration(tree["wait"], f"{path}.wait") if tree.get("wait") else 0,
            working=_flag(tree.get("working", False), f"{path}.working"),
            only_if=only_if,
            cancel_on=cancels,
            recheck=_flag(tree.get("recheck", True), f"{path}.recheck"),
            every=duration(repeat["every"], f"{path}.repeat.every") if "every" in repeat else 0,
            times=times,
        )

    def _guards(self, data: object) -> Guards:
        tree = _object(data, "guards")
        _only(tree, "guards", ("once_per", "again_after", "most_an_hour", "most_a_day", "quiet"))
        for name in ("most_an_hour", "most_a_day"):
            if type(tree.get(name, 0)) is not int or not 0 <= int(str(tree.get(name, 0))) <= 10**6:
                raise wrong(f"guards.{name}", "a whole number is needed")
        again = tree.get("again_after")
        quiet: tuple[str, str] | None = None
        if tree.get("quiet"):
            hours = _object(tree["quiet"], "guards.quiet")
            _only(hours, "guards.quiet", ("from", "to"))
            ends = [_time(hours.get(one), f"guards.quiet.{one}") for one in ("from", "to")]
            if ends[0] == ends[1]:
                raise wrong("guards.quiet.to", "quiet hours end at another time than they begin")
            quiet = (ends[0], ends[1])
            self._needs |= {"contact", "dialog", "zone"}
        return Guards(
            once_per=_one_of(tree.get("once_per", ""), ONCE, "guards.once_per"),
            again_after=duration(again, "guards.again_after") if again else 0,
            most_an_hour=int(str(tree.get("most_an_hour", 0))),
            most_a_day=int(str(tree.get("most_a_day", 0))),
            quiet=quiet,
        )

    def _example(self, data: object, path: str, moment: str) -> Example:
        tree = _object(data, path)
        _only(tree, path, ("name", "event", "values", "fires"))
        values = _object(tree.get("values") or {}, f"{path}.values")
        for name, value in values.items():
            field = self._words.fields.get(name)
            if field is None and name != "now":
                raise wrong(f"{path}.values.{name}", "there is no such field")
            if value and (field is None or field.type is FieldType.INSTANT):
                ends = value.values() if isinstance(value, Mapping) else [value]
                for one in ends:
                    if one and not (isinstance(one, str) and one.isdecimal()):
                        instant(one, f"{path}.values.{name}")
        return Example(
            name=_text(tree.get("name", ""), f"{path}.name", 200),
            moment=_text(tree.get("event", moment), f"{path}.event", 200),
            values=values,
            fires=_flag(tree.get("fires", True), f"{path}.fires"),
        )


def needs_of_filter(tree: Filter, words: Vocabulary) -> set[str]:
    """Say what must be loaded to judge a filter."""
    if isinstance(tree, Condition):
        return set(words.needs_of(tree.field))
    return {need for one in tree.parts for need in needs_of_filter(one, words)}


# -- small readers ---------------------------------------------------------------------------


def duration(given: object, path: str) -> int:
    """Read 30s, 10m, 12h, 3d, 2w into microseconds."""
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    length = 0
    if found is not None:
        length = int(found[1]) * (SECOND if found[2] == "s" else UNITS[found[2]])
    if not 0 < length <= LONGEST:
        raise wrong(path, "a duration is needed: 30s, 10m, 12h, 3d, 2w")
    return length


def _object(data: object, path: str) -> dict[str, Any]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise wrong(path, "an object is needed")
    return dict(data)


def _only(tree: Mapping[str, object], path: str, known: Sequence[str]) -> None:
    for key in tree:
        if key not in known:
            place = f"{path}.{key}" if path else key
            raise wrong(place, f"known here: {', '.join(known) or 'nothing more'}")


def _list(data: object, path: str, most: int) -> list[object]:
    if not isinstance(data, list | tuple):
        raise wrong(path, "a list is needed")
    if len(data) > most:
        raise wrong(path, f"at most {most}")
    return list(data)


def _text(data: object, path: str, most: int) -> str:
    if not isinstance(data, str):
        raise wrong(path, "a text is needed")
    if len(data) > most:
        raise wrong(path, f"at most {most} characters")
    return " ".join(data.split()) if "\n" not in data else data.strip()


def _flag(data: object, path: str) -> bool:
    if not isinstance(data, bool):
        raise wrong(path, "true or false is needed")
    return data


def _one_of(data: object, known: Sequence[str], path: str) -> str:
    if data not in known:
        names = ", ".join(one for one in known if one)
        raise wrong(path, f"one of these is needed: {names}")
    return str(data)


def _zone(data: object, path: str) -> str:
    if not isinstance(data, str) or data not in available_timezones():
        raise wrong(path, "a time zone is needed, as Europe/Moscow")
    return ZoneInfo(data).key


def _time(data: object, path: str) -> str:
    found = _TIME.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise wrong(path, "a time of the day is needed, as 10:00")
    return clock(int(found[1]), int(found[2])).strftime("%H:%M")
