"""What is doubtful about a rule although it can be read: loops, writes that fight, silence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from triggers.definition import Definition
from triggers.effects import (
    Actions,
    Rule,
    apart,
    begins,
    brings,
    hears,
    hears_rules,
    unknown,
    writes,
)

_SAME = (
    {"crm_actions.assign", "crm_actions.route"},
    {"crm_actions.close", "crm_actions.reopen", "crm_actions.set_status", "crm_actions.snooze"},
    {"crm_actions.tag", "crm_actions.untag"},
    {"crm_actions.take_lead", "crm_actions.reject_lead"},
)
"""Actions that write the same thing."""

ITSELF = (
    "The rule begins with what it brings about itself ({moments}): it does not hear itself, but "
    "another rule may answer it"
)
TWICE = "{actions} write the same: the last one counts"
CHATTY = "It answers every message: say once per dialog, or per contact and day"
CONFLICT = "“{rule}” writes the same with the same event ({fields}): the lower one in the list wins"
LOOP = "Together with {rules} it goes round: {path}. After three acts in a row it stops"
UNKNOWN = "It is not known what {actions} changes: whether it fights with {rules} is not looked at"
GONE = "{actions}: what it names cannot be chosen any more, so nothing will come of it"
TEXTS = (ITSELF, TWICE, CHATTY, CONFLICT, LOOP, UNKNOWN, GONE)
MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One doubt: a text with holes, and the names of fields, actions, moments, rules for them."""

    text: str
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def said(self, label: Callable[[str], str] = str, text: str = "") -> str:
        """Say it, with names and the text itself in somebody's language."""
        holes = {
            hole: (" → " if hole == "path" else ", ").join(map(label, names))
            for hole, names in self.names.items()
        }
        return (text or self.text).format(**holes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another rule that is switched on: its name, its place in the list, what it says."""

    name: str
    place: tuple[int, int]
    rule: Rule


def doubts_of(definition: Definition, rule: Rule, actions: Actions) -> list[Doubt]:
    """Give the doubts about one rule for itself."""
    found = []
    again = {one.partition("#")[0] for one in hears(rule) & brings(rule, actions)}
    if again:
        found.append(Doubt(text=ITSELF, names={"moments": sorted(again)}))
    for group in _SAME:
        here = [one for one in definition.steps if one.action in group and not one.wait]
        if len({one.action for one in here}) > 1 and not all(one.only_if for one in here):
            names = list(dict.fromkeys(one.action for one in here))
            found.append(Doubt(text=TWICE, names={"actions": names}))
    moments = {one.moment for one in definition.when}
    says = [one for one in definition.steps if one.action == "crm_actions.send_message"]
    if says and "message.received" in moments and not definition.guards.once_per:
        found.append(Doubt(text=CHATTY))
    return found


def doubts_of_names(
    definition: Definition, actions: Actions, known: Mapping[str, Mapping[str, Collection[str]]]
) -> list[Doubt]:
    """Give the doubts about what actions name: `known` has what may be chosen, by action and ref."""
    found = {}
    for step in definition.steps:
        for name, prop in actions[step.action].Params.model_json_schema()["properties"].items():
            lists = known.get(step.action, {})
            given = step.given.get(name)
            if given and prop.get("ref") in lists and str(given) not in lists[prop["ref"]]:
                found[step.action] = Doubt(text=GONE, names={"actions": [step.action]})
    return list(found.values())


def doubts_among(
    rule: Rule,
    name: str,
    others: Sequence[Other],
    place: tuple[int, int],
    actions: Actions,
) -> list[Doubt]:
    """Give the doubts about a rule at a place of the list among others that are switched on."""
    found = []
    mine, moments, dark = writes(rule, actions), begins(rule), unknown(rule, actions)
    doubtful: dict[str, list[str]] = {}
    for one in others:
        if not moments & begins(one.rule) or apart(rule, one.rule):
            continue
        first = rule if place < one.place else one.rule
        if first.get("stop"):
            continue
        theirs = writes(one.rule, actions)
        # Mild, and only where there is something to fight about.
        for action in dark if theirs else unknown(one.rule, actions) if mine else ():
            doubtful.setdefault(action, []).append(f"“{one.name}”")
        fields = [each for each in mine if each in theirs and mine[each] != theirs[each]]
        if fields:
            shown = list(dict.fromkeys(each.partition("#")[0] for each in fields))
            found.append(Doubt(text=CONFLICT, names={"rule": [one.name], "fields": shown}))
    for action, rules in doubtful.items():
        found.append(Doubt(text=UNKNOWN, names={"actions": [action], "rules": rules[:MOST]}))
    path = _round(rule, others, actions)
    if path:
        names = [one.name for one in path]
        whole = [name, *names, name]
        found.append(
            Doubt(text=LOOP, names={"rules": [f"“{each}”" for each in names], "path": whole})
        )
    return found[:MOST]


def _round(rule: Rule, others: Sequence[Other], actions: Actions) -> list[Other]:
    """Give the shortest way round through other rules back to this one, empty where there is none."""
    if not hears_rules(rule):
        return []
    hearing = [one for one in others if hears_rules(one.rule)]
    target, brought = hears(rule), brings(rule, actions)
    ways: list[list[Other]] = [[one] for one in hearing if brought & hears(one.rule)]
    seen = {id(way[0]) for way in ways}
    while ways:
        way = ways.pop(0)
        brought = brings(way[-1].rule, actions)
        if brought & target:
            return way
        for one in hearing:
            if id(one) not in seen and brought & hears(one.rule):
                seen.add(id(one))
                ways.append([*way, one])
    return []
