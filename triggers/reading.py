"""Reading a rule's JSON: what it says, or what is wrong with it and where.

Stored rules carry `schema`; a change of the form gets a new number and a function in UPCASTERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from hub.errors import Invalid
from hub.filters import Condition, FieldType, Filter, Group, Match, Use, parse
from hub.filters.reading import instant
from triggers.definition import CANCELS, EACH, ONCE, Definition, Example, Guards, Step, When
from triggers.fields import of_card
from triggers.json_values import (
    duration,
    flag,
    listed,
    mapping,
    number,
    one_of,
    only,
    text,
    time_of_day,
    wrong,
    zone,
)
from triggers.vocabulary import Vocabulary
from triggers.wording import slips

SCHEMA = 1
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: Mapping[int, Upcaster] = {}

MOST_WHEN = 10
MOST_STEPS = 30
MOST_EXAMPLES = 50


def read(data: object, words: Vocabulary, *, lenient: bool = False) -> Definition:
    """Read a rule; raises Invalid with the path of what is wrong.

    `lenient` leaves out actions that no plugin brings any more and names them in `missing`: such
    a rule is paused, not lost.
    """
    return RuleReader(words, lenient).rule(data)


class RuleReader:
    """Reads a rule, or a part of one; gathers what must be loaded and what no plugin brings."""

    def __init__(self, words: Vocabulary, lenient: bool) -> None:
        self._words = words
        self._lenient = lenient
        self._missing: list[str] = []
        self._needs: set[str] = set()

    def rule(self, data: object) -> Definition:
        """Read a whole rule."""
        tree = mapping(data, "rule")
        schema = tree.pop("schema", SCHEMA)
        if type(schema) is not int or not 1 <= schema <= SCHEMA:
            raise wrong("schema", f"this release reads schemas 1 to {SCHEMA}")
        for n in range(schema, SCHEMA):
            tree = UPCASTERS[n](tree)
        only(tree, "", ("name", "note", "when", "if", "then", "guards", "stop", "examples"))
        name = text(tree.get("name"), "name", 200)
        if not name:
            raise wrong("name", "a rule needs a name")
        when = tuple(
            self.when(one, f"when[{n}]")
            for n, one in enumerate(listed(tree.get("when"), "when", MOST_WHEN))
        )
        if not when:
            raise wrong("when", "say what the rule begins with")
        condition = self.filter(tree.get("if") or {}, "if")
        steps = tuple(
            step
            for n, one in enumerate(listed(tree.get("then"), "then", MOST_STEPS))
            if (step := self.step(one, f"then[{n}]")) is not None
        )
        if not steps and not self._missing:
            raise wrong("then", "say what the rule does")
        examples = tuple(
            self.example(one, f"examples[{n}]", when[0].moment)
            for n, one in enumerate(listed(tree.get("examples") or [], "examples", MOST_EXAMPLES))
        )
        return Definition(
            name=name,
            note=text(tree.get("note", ""), "note", 2000),
            when=when,
            condition=condition,
            steps=steps,
            guards=self.guards(tree.get("guards") or {}),
            stop=flag(tree.get("stop", False), "stop"),
            examples=examples,
            needs=frozenset(self._needs),
            missing=tuple(self._missing),
        )

    def filter(self, data: object, path: str) -> Filter:
        """Read conditions."""
        try:
            tree = parse(data, self._words.fields, Use.FACT)
        except Invalid as error:
            place = path + error.field.removeprefix("filter")
            said = str(error).removeprefix(error.field).removeprefix(": ")
            if self._lenient and "there is no field" in said:
                self._missing.append(place)
                return Group(Match.ALL, ())
            raise wrong(place, said) from error
        self._needs |= needs_of_filter(tree, self._words)
        return tree

    def when(self, data: object, path: str) -> When:
        """Read what a rule begins with."""
        tree = mapping(data, path)
        name = tree.pop("event", None)
        moment = self._words.moments.get(name) if isinstance(name, str) else None
        if moment is None:
            if self._lenient and isinstance(name, str):
                self._missing.append(name)
                return When(moment=name)
            raise wrong(f"{path}.event", f"there is no event {str(name)[:80]!r}")
        self._needs |= moment.needs
        only(tree, path, tuple(sorted(moment.options)))
        given: dict[str, Any] = {"moment": moment.name}
        for option in ("after", "settle"):
            if option in tree:
                given[option] = duration(tree[option], f"{path}.{option}")
        if "after" in moment.options and "after" not in given:
            raise wrong(f"{path}.after", "say how long, as 30m, 12h, 3d")
        if "working" in tree:
            given["working"] = flag(tree["working"], f"{path}.working")
            self._needs.add("hours")
        if "zone" in tree:
            given["zone"] = zone(tree["zone"], f"{path}.zone")
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
            "at": time_of_day(tree.get("at", "10:00"), f"{path}.at"),
            "yearly": flag(tree.get("yearly", False), f"{path}.yearly"),
        }

    def _schedule(self, tree: Mapping[str, object], path: str) -> dict[str, Any]:
        from triggers.times import check_cron

        cron = text(tree.get("cron"), f"{path}.cron", 200)
        try:
            check_cron(cron)
        except ValueError as error:
            raise wrong(f"{path}.cron", str(error)) from error
        found: dict[str, Any] = {"cron": cron}
        each = tree.get("each")
        if each is not None:
            asked = mapping(each, f"{path}.each")
            only(asked, f"{path}.each", ("kind", "filter", "most"))
            kind = asked.get("kind")
            if kind not in (*EACH, *self._words.kinds):
                known = ", ".join((*EACH, *self._words.kinds))
                raise wrong(f"{path}.each.kind", f"one of these is needed: {known}")
            most = number(asked.get("most", 100), f"{path}.each.most", 1, 10_000)
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

    def step(self, data: object, path: str) -> Step | None:
        """Read an action; None where no plugin brings it and that is let pass."""
        tree = mapping(data, path)
        known = ("action", "params", "wait", "working", "if", "cancel_on", "recheck", "repeat")
        only(tree, path, known)
        name = tree.get("action")
        action = self._words.actions.get(name) if isinstance(name, str) else None
        if action is None:
            if self._lenient and isinstance(name, str):
                self._missing.append(name)
                return None
            raise wrong(f"{path}.action", f"there is no action {str(name)[:80]!r}")
        self._needs |= action.needs
        given = mapping(tree.get("params") or {}, f"{path}.params")
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
            one_of(one, CANCELS, f"{path}.cancel_on[{n}]")
            for n, one in enumerate(listed(tree.get("cancel_on") or [], f"{path}.cancel_on", 10))
        )
        only_if = self.filter(tree["if"], f"{path}.if") if tree.get("if") else None
        repeat = mapping(tree.get("repeat") or {}, f"{path}.repeat")
        only(repeat, f"{path}.repeat", ("every", "times"))
        if tree.get("working"):
            self._needs.add("hours")
        times = number(repeat.get("times", 1), f"{path}.repeat.times", 1, 100)
        return Step(
            action=str(name),
            params=params,
            given=given,
            wait=duration(tree["wait"], f"{path}.wait") if tree.get("wait") else 0,
            working=flag(tree.get("working", False), f"{path}.working"),
            only_if=only_if,
            cancel_on=cancels,
            recheck=flag(tree.get("recheck", True), f"{path}.recheck"),
            every=duration(repeat["every"], f"{path}.repeat.every") if "every" in repeat else 0,
            times=times,
        )

    def guards(self, data: object) -> Guards:
        """Read what keeps a rule from doing too much."""
        tree = mapping(data, "guards")
        only(tree, "guards", ("once_per", "again_after", "most_an_hour", "most_a_day", "quiet"))
        most_an_hour, most_a_day = (
            number(tree.get(name, 0), f"guards.{name}", 0, 1_000_000)
            for name in ("most_an_hour", "most_a_day")
        )
        again = tree.get("again_after")
        quiet: tuple[str, str] | None = None
        if tree.get("quiet"):
            hours = mapping(tree["quiet"], "guards.quiet")
            only(hours, "guards.quiet", ("from", "to"))
            ends = [time_of_day(hours.get(one), f"guards.quiet.{one}") for one in ("from", "to")]
            if ends[0] == ends[1]:
                raise wrong("guards.quiet.to", "quiet hours end at another time than they begin")
            quiet = (ends[0], ends[1])
            self._needs |= {"contact", "dialog", "zone"}
        return Guards(
            once_per=one_of(tree.get("once_per", ""), ONCE, "guards.once_per"),
            again_after=duration(again, "guards.again_after") if again else 0,
            most_an_hour=most_an_hour,
            most_a_day=most_a_day,
            quiet=quiet,
        )

    def example(self, data: object, path: str, moment: str) -> Example:
        """Read a case; `moment` is what it begins with where it does not say."""
        tree = mapping(data, path)
        only(tree, path, ("name", "event", "values", "fires"))
        values = mapping(tree.get("values") or {}, f"{path}.values")
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
            name=text(tree.get("name", ""), f"{path}.name", 200),
            moment=text(tree.get("event", moment), f"{path}.event", 200),
            values=values,
            fires=flag(tree.get("fires", True), f"{path}.fires"),
        )


def needs_of_filter(tree: Filter, words: Vocabulary) -> set[str]:
    """Say what must be loaded to judge a filter."""
    if isinstance(tree, Condition):
        return set(words.needs_of(tree.field))
    return {need for one in tree.parts for need in needs_of_filter(one, words)}
