"""Actions that give colleagues something to do or to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    Command,
    CreateObject,
    DialogId,
    Facts,
    Notify,
    UserId,
    ready_text,
)
from plugins.crm_actions.objects import Value, filled

HOUR_US = 3_600_000_000
EVERYTHING = frozenset({"dialog", "contact", "client", "lead", "request", "interest", "message"})


def owner_of(facts: Facts) -> int:
    """Give who is responsible: for what the event is about, the client, else the dialog."""
    for kind in (facts.subject.kind, "request", "interest", "lead", "client"):
        owner = getattr(facts.object(kind), "owner_id", 0)
        if owner:
            return int(owner)
    return facts.dialog.assignee_id if facts.dialog is not None else 0


class MakeTask(Action):
    """Give somebody a task about what happened."""

    name = "create_task"
    label = "make a task"
    translations: ClassVar = {"ru": "создать задачу"}
    group = "work"
    needs = EVERYTHING | {"head", "lacks"}

    class Params(BaseModel):
        """What, by when, for whom (nobody named: whoever is responsible)."""

        title: str = Field(title="What to do", min_length=1, max_length=400)
        details: str = Field("", title="Details", max_length=4000)
        points: list[str] = Field(default_factory=list, title="Points", max_length=50)
        hours: float = Field(24, title="Due in, hours", gt=0, le=24 * 365)
        user: str = Field("", title="Colleague", json_schema_extra={"ref": "user"})
        head: bool = Field(False, title="The supervisor")
        priority: str = Field("normal", title="Priority", pattern="^(low|normal|high)$")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Make it; of the dialog where there is one, else of the object."""
        owner = int(params.user or 0)
        if not owner and params.head:
            owner = int(str(facts.more.get("dialog.head") or 0))
        owner = owner or owner_of(facts)
        values: dict[str, object] = {
            "title": ready_text(params.title, facts) or params.title,
            "due_at": int(facts.now + params.hours * HOUR_US),
            "priority": params.priority,
        }
        points = [f"☐ {ready_text(one, facts)}" for one in params.points]
        details = "\n".join([ready_text(params.details, facts), *points]).strip()
        if details:
            values["description"] = details
        if owner:
            values["owner_id"] = owner
        about = facts.subject
        if facts.object(about.kind) is not None:
            values |= {"object_kind": about.kind, "object_id": about.id}
        return [CreateObject(kind="task", values=values, dialog_id=facts.dialog_id)]


class MakeOpen(Action):
    """Make a request or an interest of the dialog, unless its person has one open."""

    kind: ClassVar[str] = "request"
    name = "create_request"
    label = "make a request, unless one is open"
    translations: ClassVar = {"ru": "создать заявку, если нет открытой"}
    group = "work"
    needs = EVERYTHING

    class Params(BaseModel):
        """What it says beyond what the dialog tells."""

        values: dict[str, Value] = Field(default_factory=dict, title="Properties")
        even_if_open: bool = Field(False, title="Even if there is an open one")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Make it."""
        found = facts.object(self.kind)
        is_open = found is not None and not getattr(found, "closed_at", 0)
        if is_open and not params.even_if_open:
            raise ActionHeld(f"there is an open {self.kind} already")
        values = {name: value for name, value in filled(params.values, facts).items() if value}
        owner = owner_of(facts)
        if owner:
            values.setdefault("owner_id", owner)
        return [CreateObject(kind=self.kind, values=values, dialog_id=facts.dialog_id)]


class MakeInterest(MakeOpen):
    """Make an interest of the dialog, unless its person has one open."""

    kind: ClassVar[str] = "interest"
    name = "create_interest"
    label = "make an interest, unless one is open"
    translations: ClassVar = {"ru": "создать интерес, если нет открытого"}


class NotifyColleagues(Action):
    """Tell colleagues, at their bell."""

    name = "notify"
    label = "notify colleagues"
    translations: ClassVar = {"ru": "уведомить сотрудников"}
    group = "words"
    needs = EVERYTHING

    class Params(BaseModel):
        """Whom: colleagues by name, and whoever is responsible."""

        users: list[str] = Field(
            default_factory=list, title="Colleagues", json_schema_extra={"ref": "user"}
        )
        responsible: bool = Field(True, title="Whoever is responsible")
        supervisors: bool = Field(False, title="The supervisors")
        themselves: bool = Field(False, title="The colleague it is about")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Tell them once for each event."""
        people = [int(one) for one in params.users]
        if params.responsible:
            people.append(owner_of(facts))
        if params.themselves and facts.subject.kind == "user":
            people.append(facts.subject.id)
        people = [one for one in dict.fromkeys(people) if one]
        if not people and not params.supervisors:
            raise ActionHeld("nobody is responsible, and nobody is named")
        about: Any = facts.subject
        kind, number = about.kind, about.id
        if facts.object(kind) is None and facts.dialog_id:
            kind, number = "dialog", facts.dialog_id
        return [
            Notify(
                user_ids=tuple(UserId(one) for one in people),
                kind="rule.digest" if kind == "user" else "rule.told",
                object_kind=kind,
                object_id=number,
                dialog_id=DialogId(facts.dialog_id),
                event_id=facts.event.id,
                roles=("supervisor",) if params.supervisors else (),
            )
        ]
