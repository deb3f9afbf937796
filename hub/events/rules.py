"""Facts about rules: what they did, that they could not, and who changed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import ContactId, DialogId, RuleId, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanged(Event):
    """A rule was written, moved, switched, paused, removed or restored; `what` tells which."""

    type: ClassVar[str] = "rule.changed"
    subject_kind: ClassVar[str] = "rule"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RuleId
    what: str
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPublished(Event):
    """A rule (or a plugin) published an event of the house's own; `name` and `text` are its words.

    It is about a dialog, a person, an object, or none of them.
    """

    type: ClassVar[str] = "event.published"
    subject_kind: ClassVar[str] = "dialog"
    subject_field: ClassVar[str] = "dialog_id"

    name: str
    text: str = ""
    dialog_id: DialogId = DialogId(0)
    contact_id: ContactId = ContactId(0)
    object_kind: str = ""
    object_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFired(Event):
    """A rule ran; its run says why and what it did. `done` counts the steps that were carried out."""

    type: ClassVar[str] = "rule.fired"
    subject_kind: ClassVar[str] = "rule"
    subject_field: ClassVar[str] = "rule_id"
    shown: ClassVar[bool] = True

    rule_id: RuleId
    run_id: RunId
    version: int
    dialog_id: DialogId = DialogId(0)
    contact_id: ContactId = ContactId(0)
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFailed(Event):
    """A rule matched and could not act, or could not be judged; its run says why."""

    type: ClassVar[str] = "rule.failed"
    subject_kind: ClassVar[str] = "rule"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RuleId
    run_id: RunId
    version: int
    dialog_id: DialogId = DialogId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePaused(Event):
    """A rule was paused: its plugin is gone (`plugin`), it failed (`errors`), it ran wild (`fuse`)."""

    type: ClassVar[str] = "rule.paused"
    subject_kind: ClassVar[str] = "rule"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RuleId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAsked(Event):
    """Somebody asked a rule to run on a dialog or an object."""

    type: ClassVar[str] = "rule.asked"
    subject_kind: ClassVar[str] = "rule"
    subject_field: ClassVar[str] = "rule_id"

    rule_id: RuleId
    dialog_id: DialogId = DialogId(0)
    about_kind: str = ""
    about_id: int = 0
