"""Actions on leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    ChangeLead,
    Command,
    CreateLead,
    Facts,
    RejectLead,
    TakeLead,
    ready_text,
)


class MakeLead(Action):
    """Make a lead of the dialog, unless its person has an open one."""

    name = "create_lead"
    label = "make a lead"
    translations: ClassVar = {"ru": "создать лид"}
    group = "work"
    needs = frozenset({"dialog", "contact", "message"})

    class Params(BaseModel):
        """What it says beyond what the dialog tells."""

        title: str = Field("", title="Title", max_length=400)
        source: str = Field("", title="Source", max_length=400)
        tags: list[str] = Field(default_factory=list, title="Tags")
        owner: str = Field("", title="Responsible", json_schema_extra={"ref": "user"})
        even_if_open: bool = Field(False, title="Even if there is an open one")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Make it."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        values: dict[str, object] = {
            "title": ready_text(params.title, facts),
            "source": params.source,
            "tags": list(params.tags),
            "owner_id": int(params.owner or 0),
        }
        return [
            CreateLead(
                dialog_id=facts.dialog.id,
                values={name: value for name, value in values.items() if value},
                unless_open=not params.even_if_open,
            )
        ]


class _OnLead(Action):
    """An action that needs a lead."""

    group: ClassVar[str] = "work"
    needs = frozenset({"dialog", "contact", "lead"})

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands, or say that there is no lead."""
        lead = facts.object("lead")
        if lead is None:
            raise ActionHeld("there is no lead")
        return self.on_lead(lead, facts, params)

    def on_lead(self, lead: Any, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands for the lead."""
        raise NotImplementedError


class ChangeTheLead(_OnLead):
    """Change a property of the lead."""

    name = "change_lead"
    label = "change the lead"
    translations: ClassVar = {"ru": "изменить лид"}

    class Params(BaseModel):
        """Properties by name."""

        values: dict[str, str | int | bool | list[str]] = Field(title="Properties", min_length=1)

    def on_lead(self, lead: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Change it."""
        return [ChangeLead(lead_id=lead.id, values=dict(params.values))]


class TakeTheLead(_OnLead):
    """Take the lead into work."""

    name = "take_lead"
    label = "take the lead into work"
    translations: ClassVar = {"ru": "взять лид в работу"}

    def on_lead(self, lead: Any, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Take it."""
        return [TakeLead(lead_id=lead.id)]


class RejectTheLead(_OnLead):
    """Reject the lead."""

    name = "reject_lead"
    label = "reject the lead"
    translations: ClassVar = {"ru": "отклонить лид"}

    class Params(BaseModel):
        """Why."""

        reason: str = Field(title="Reason", min_length=1, max_length=400)

    def on_lead(self, lead: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Reject it."""
        return [RejectLead(lead_id=lead.id, reason=params.reason)]
