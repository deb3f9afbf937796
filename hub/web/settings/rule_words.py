"""Words of the automation screens: states of runs and steps, pauses, groups of ready rules."""

from __future__ import annotations

from hub.web.settings.common import _

STATES = {
    "done": _("done"),
    "partial": _("done in part"),
    "held": _("held back"),
    "failed": _("failed"),
    "waiting": _("waits"),
    "cancelled": _("called off"),
    "skipped": _("skipped"),
    "would": _("would be done"),
}
PAUSES = {
    "plugin": _("paused: something it needs is missing"),
    "errors": _("paused: it failed again and again"),
    "fuse": _("paused: it ran far more often than ever"),
}
GROUPS = {
    "intake": _("Intake"),
    "routing": _("Routing"),
    "service": _("Service"),
    "sales": _("Sales"),
    "clients": _("Clients"),
    "marketing": _("Marketing"),
}
OPERATORS = {
    "equals": _("is"),
    "not_equals": _("is not"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "empty": _("is empty"),
    "not_empty": _("is not empty"),
    "contains": _("contains"),
    "not_contains": _("does not contain"),
    "starts": _("starts with"),
    "matches": _("matches the pattern"),
    "words": _("has the words (in any form)"),
    "greater": _("is more than"),
    "less": _("is less than"),
    "between": _("is between"),
    "older_than": _("is more than … ago"),
    "within_last": _("is within the last"),
    "within_next": _("is within the next"),
    "changed": _("changed"),
    "changed_to": _("changed to"),
    "changed_from": _("changed from"),
}
DOUBTS = (
    _(
        "The rule begins with what it brings about itself ({moments}): it does not hear itself, "
        "but another rule may answer it"
    ),
    _("{actions} write the same: the last one counts"),
    _("It answers every message: say once per dialog, or per contact and day"),
    _("{actions}: what it names cannot be chosen any more, so nothing will come of it"),
    _("“{rule}” writes the same with the same event ({fields}): the lower one in the list wins"),
    _("It is not known what {actions} changes: whether it fights with {rules} is not looked at"),
    _("Together with {rules} it goes round: {path}. After three acts in a row it stops"),
)
"""The texts of triggers/checking.py."""
