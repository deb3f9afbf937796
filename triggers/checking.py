"""What is doubtful about a rule although it can be read: loops, writes that fight, silence."""

from __future__ import annotations

from triggers.definition import Definition

_STARTS = {
    "crm_actions.tag": ("dialog.tagged",),
    "crm_actions.untag": ("dialog.untagged",),
    "crm_actions.assign": ("dialog.assigned", "dialog.unassigned"),
    "crm_actions.route": ("dialog.assigned",),
    "crm_actions.close": ("dialog.closed", "dialog.status_changed"),
    "crm_actions.reopen": ("dialog.reopened", "dialog.status_changed"),
    "crm_actions.set_status": ("dialog.status_changed",),
    "crm_actions.snooze": ("dialog.snoozed", "dialog.status_changed"),
    "crm_actions.note": ("note.added",),
    "crm_actions.create_lead": ("lead.created",),
    "crm_actions.change_lead": ("lead.changed",),
    "crm_actions.reject_lead": ("lead.rejected", "lead.changed"),
    "crm_actions.send_message": ("message.sent", "message.failed", "message.read"),
}
"""Which moments an action brings about: a rule that begins with one of its own is a loop."""

_SAME = (
    {"crm_actions.assign", "crm_actions.route"},
    {"crm_actions.close", "crm_actions.reopen", "crm_actions.set_status", "crm_actions.snooze"},
    {"crm_actions.tag", "crm_actions.untag"},
    {"crm_actions.take_lead", "crm_actions.reject_lead"},
)
"""Actions that write the same thing."""


def warnings_of(definition: Definition) -> list[str]:
    """Give the doubts about one rule, as sentences."""
    found = []
    moments = {one.moment for one in definition.when}
    for step in definition.steps:
        again = moments & set(_STARTS.get(step.action, ()))
        if again:
            found.append(
                f"{step.action} brings about {', '.join(sorted(again))}, with which the rule "
                "begins: it does not hear itself, but another rule may answer it"
            )
    for group in _SAME:
        here = [one for one in definition.steps if one.action in group and not one.wait]
        if len({one.action for one in here}) > 1 and not all(one.only_if for one in here):
            names = ", ".join(dict.fromkeys(one.action for one in here))
            found.append(f"{names} write the same: the last one counts")
    says = [one for one in definition.steps if one.action == "crm_actions.send_message"]
    if says and "message.received" in moments and not definition.guards.once_per:
        found.append("it answers every message: say once per dialog, or per contact and day")
    return found


def conflicts(rules: list[tuple[str, Definition]]) -> list[tuple[str, str, str]]:
    """Give pairs of rules that begin with the same moment and write the same thing."""
    found = []
    for n, (name, one) in enumerate(rules):
        for other_name, other in rules[n + 1 :]:
            moments = {each.moment for each in one.when} & {each.moment for each in other.when}
            for group in _SAME:
                mine = {each.action for each in one.steps} & group
                theirs = {each.action for each in other.steps} & group
                if moments and mine and theirs:
                    what = ", ".join(sorted(mine | theirs))
                    found.append((name, other_name, what))
    return found
