"""What a rule writes and brings about, read off its JSON: so that rules that fight are found.

Nothing is loaded and nothing compiled: an editor asks it of every rule while one is typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.rules import Action

_STATUS = "dialog.status"
_WRITES: Mapping[str, tuple[str, str]] = {
    "assign": ("dialog.assignee", ""),
    "route": ("dialog.assignee", ""),
    "to_substitute": ("dialog.assignee", ""),
    "set_priority": ("dialog.priority", "priority"),
    "set_status": (_STATUS, "status"),
    "close": (_STATUS, "closed"),
    "reopen": (_STATUS, "open"),
    "snooze": (_STATUS, "snoozed"),
    "take_lead": ("lead.status", "in_work"),
    "reject_lead": ("lead.status", "rejected"),
    "set_stage": ("interest.stage", "stage"),
    "win": ("interest.status", "won"),
    "lose": ("interest.status", "lost"),
    "set_request_status": ("request.status", "status"),
}
"""The field that an action writes, and the parameter that says what, or what it always writes."""

PUBLISHED = "event.published"
_STATUS_MOMENTS = ("dialog.status_changed",)
_BRINGS: Mapping[str, tuple[str, ...]] = {
    "tag": ("dialog.tagged",),
    "untag": ("dialog.untagged",),
    "assign": ("dialog.assigned", "dialog.team_changed"),
    "route": ("dialog.assigned", "dialog.routed", "dialog.not_routed"),
    "to_substitute": ("dialog.assigned",),
    "close": ("dialog.closed", *_STATUS_MOMENTS),
    "reopen": ("dialog.reopened", *_STATUS_MOMENTS),
    "set_status": _STATUS_MOMENTS,
    "snooze": ("dialog.snoozed", *_STATUS_MOMENTS),
    "note": ("note.added",),
    "create_lead": ("lead.created",),
    "change_lead": ("lead.changed",),
    "take_lead": ("lead.taken", "lead.status_changed"),
    "reject_lead": ("lead.rejected", "lead.status_changed"),
    "create_task": ("task.created",),
    "create_request": ("request.created",),
    "create_interest": ("interest.created",),
    "create_client": ("client.created",),
    "tag_client": ("client.changed",),
    "set_stage": ("interest.stage_changed",),
    "win": ("interest.won",),
    "lose": ("interest.lost",),
    "set_request_status": ("request.status_changed",),
    "send_message": ("message.sent", "message.failed", "message.read"),
    "send_elsewhere": ("message.sent", "message.failed", "message.read"),
    "ask_for_data": ("message.sent", "message.failed", "message.read", "details.answered"),
    "publish": (PUBLISHED,),
    "subscribe": ("consent.given", "consent.asked"),
    "unsubscribe": ("consent.withdrawn",),
    "suppress_address": ("address.suppressed",),
}
PREFIX = "crm_actions."
Rule = Mapping[str, object]
Actions = Mapping[str, Action]
"""Actions by their names in rules. Those of plugins say themselves what they write and bring; the
bundled plugin's stand in the tables above, for what they write may depend on their parameters."""


def _steps(rule: Rule) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Give each step's action and parameters, and whether it comes later."""
    later = False
    given = rule.get("then")
    for one in given if isinstance(given, list | tuple) else ():
        if isinstance(one, Mapping):
            later = later or bool(one.get("wait"))
            params = one.get("params")
            action = str(one.get("action", "")).removeprefix(PREFIX)
            yield action, params if isinstance(params, Mapping) else {}, later


def writes(rule: Rule, actions: Actions) -> dict[str, list[str]]:
    """Give the fields that a rule writes at once, each with what it writes."""
    found: dict[str, list[str]] = {}
    for action, params, later in _steps(rule):
        if later:
            continue
        for name, value in (*_written(action, params), *_declared(actions.get(action), params)):
            found.setdefault(name, []).append(value)
    return found


def _written(action: str, params: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if action in _WRITES:
        name, what = _WRITES[action]
        # Two that give a dialog to somebody never write the same.
        return [
            (name, str(params.get(what, what)) if what else f"{action}{sorted(params.items())}")
        ]
    if action in ("tag", "untag"):
        tags = params.get("tags")
        return [(f"dialog.tags#{one}", action) for one in tags] if isinstance(tags, list) else []
    if action in ("change_object", "change_lead"):
        kind = "lead" if action == "change_lead" else str(params.get("kind", ""))
        values = params.get("values")
        if isinstance(values, Mapping):
            return [(f"{kind}.{str(k).removesuffix('_id')}", str(v)) for k, v in values.items()]
    return []


def _declared(action: Action | None, params: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Give what an action says of itself that it writes."""
    if action is not None:
        for name, parameter in (action.writes or {}).items():
            whole = f"{action.name}{sorted(params.items())}"
            yield name, str(params.get(parameter)) if parameter else whole


def unknown(rule: Rule, actions: Actions) -> list[str]:
    """Give the actions at once of which nobody knows what they write."""
    return [
        name
        for name in dict.fromkeys(action for action, _, later in _steps(rule) if not later)
        if (known := actions.get(name)) is not None and known.writes is None
    ]


def brings(rule: Rule, actions: Actions) -> set[str]:
    """Give the moments that a rule brings about, at once or later."""
    found: set[str] = set()
    for action, params, _ in _steps(rule):
        found |= set(_BRINGS.get(action, ()))
        if action in actions:
            found |= set(actions[action].brings or ())
        if action in ("change_object", "create_object"):
            verb = "changed" if action == "change_object" else "created"
            found.add(f"{params.get('kind', '')}.{verb}")
        if action == "publish":
            found.add(f"{PUBLISHED}#{params.get('name', '')}")
        if action == "set_status" and params.get("status") == "closed":
            found.add("dialog.closed")
    return found


def begins(rule: Rule) -> set[str]:
    """Give the moments with which a rule begins."""
    given = rule.get("when")
    return {
        str(one.get("event"))
        for one in (given if isinstance(given, list | tuple) else ())
        if isinstance(one, Mapping)
    }


def hears(rule: Rule) -> set[str]:
    """Give the moments that begin a rule, of published events those that it names."""
    found = begins(rule)
    names = dict(needed(rule.get("if"))).get("published.name")
    if PUBLISHED in found and names is not None:
        found = (found - {PUBLISHED}) | {f"{PUBLISHED}#{one}" for one in names}
    return found


def needed(tree: object) -> Iterator[tuple[str, frozenset[str]]]:
    """Give fields that must have one of some values, whatever else holds."""
    if not isinstance(tree, Mapping):
        return
    if "field" in tree:
        value = tree.get("value")
        if tree.get("operator") in ("equals", "in") and not str(tree["field"]).endswith("tags"):
            values = value if isinstance(value, list | tuple) else [value]
            yield str(tree["field"]), frozenset(map(str, values))
    elif isinstance(tree.get("all"), list | tuple):
        for one in tree["all"]:
            yield from needed(one)


def apart(one: Rule, other: Rule) -> bool:
    """Say whether the conditions of two rules can never hold together."""
    mine = dict(needed(one.get("if")))
    return any(
        name in mine and mine[name].isdisjoint(values) for name, values in needed(other.get("if"))
    )


def hears_rules(rule: Rule) -> bool:
    """Say whether a rule may begin with what another one did."""
    return all(name != "event.by" or "rule" in values for name, values in needed(rule.get("if")))
