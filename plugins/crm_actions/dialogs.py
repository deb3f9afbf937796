"""Actions on the dialog in which it happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    AddNote,
    AssignDialog,
    Command,
    Facts,
    Micros,
    RouteDialog,
    SetDialogStatus,
    SetPriority,
    SnoozeDialog,
    TagDialog,
    TeamId,
    UserId,
    ready_text,
)

MINUTE_US = 60_000_000


class _OnDialog(Action):
    """An action that needs a dialog."""

    group: ClassVar[str] = "work"

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands, or say that there is no dialog."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        return self.on_dialog(facts, params)

    def on_dialog(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands for the dialog."""
        raise NotImplementedError


class Assign(_OnDialog):
    """Give the dialog to a colleague or a team."""

    name = "assign"
    label = "assign the dialog"
    translations: ClassVar = {"ru": "назначить ответственного"}

    class Params(BaseModel):
        """Who gets it."""

        user: str = Field("", title="Colleague", json_schema_extra={"ref": "user"})
        team: str = Field("", title="Team", json_schema_extra={"ref": "team"})
        only_if_free: bool = Field(True, title="Only if nobody has it")

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Assign, unless somebody took it meanwhile."""
        assert facts.dialog is not None
        if params.only_if_free and facts.dialog.assignee_id:
            raise ActionHeld("somebody has this dialog already")
        return [
            AssignDialog(
                dialog_id=facts.dialog.id,
                user_id=UserId(int(params.user or 0)),
                team_id=TeamId(int(params.team)) if params.team else None,
                expected=facts.dialog.assignee_id,
            )
        ]


class Route(_OnDialog):
    """Give the dialog to whoever should have it now."""

    name = "route"
    label = "give the dialog to whoever is at work"
    translations: ClassVar = {"ru": "передать диалог тому, кто на смене"}

    class Params(BaseModel):
        """How he is found."""

        mode: str = Field("", title="Mode", pattern="^(|evenly|in_order|least_busy|owner|last)$")
        team: str = Field("", title="Team", json_schema_extra={"ref": "team"})
        last_days: int = Field(30, title="Answered within, days", ge=1, le=3650)
        again: bool = Field(False, title="Also if somebody has it")

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Route it."""
        return [
            RouteDialog(
                dialog_id=facts.dialog_id,
                mode=params.mode,
                team_id=TeamId(int(params.team or 0)),
                last_days=params.last_days,
                again=params.again,
            )
        ]


class ToSubstitute(_OnDialog):
    """Give the dialog of somebody who is away to whoever stands in, else to whoever is free."""

    name = "to_substitute"
    label = "give the dialog to whoever stands in"
    translations: ClassVar = {"ru": "передать диалог заместителю"}
    needs = frozenset({"dialog", "away"})

    def on_dialog(self, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Assign the substitute; nobody stands in: route it."""
        assert facts.dialog is not None
        instead = facts.more.get("dialog.substitute")
        if isinstance(instead, int) and instead:
            return [
                AssignDialog(
                    dialog_id=facts.dialog.id,
                    user_id=UserId(instead),
                    expected=facts.dialog.assignee_id,
                )
            ]
        return [RouteDialog(dialog_id=facts.dialog_id, mode="least_busy", again=True)]


class Tag(_OnDialog):
    """Tag the dialog."""

    name = "tag"
    label = "tag the dialog"
    translations: ClassVar = {"ru": "добавить метку"}

    class Params(BaseModel):
        """Which tags."""

        tags: list[str] = Field(title="Tags", min_length=1, max_length=20)

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Add tags."""
        return [TagDialog(dialog_id=facts.dialog_id, add=tuple(params.tags))]


class Untag(Tag):
    """Take tags off the dialog."""

    name = "untag"
    label = "take a tag off the dialog"
    translations: ClassVar = {"ru": "снять метку"}

    def on_dialog(self, facts: Facts, params: Tag.Params) -> Sequence[Command]:
        """Remove tags."""
        return [TagDialog(dialog_id=facts.dialog_id, remove=tuple(params.tags))]


class SetDialogPriority(_OnDialog):
    """Make the dialog more or less urgent."""

    name = "set_priority"
    label = "set the priority"
    translations: ClassVar = {"ru": "установить приоритет"}

    class Params(BaseModel):
        """-1 low, 0 normal, 1 high, 2 urgent."""

        priority: int = Field(
            1,
            title="Priority",
            ge=-1,
            le=2,
            json_schema_extra={"choices": [[-1, "low"], [0, "normal"], [1, "high"], [2, "urgent"]]},
        )

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Set it."""
        return [SetPriority(dialog_id=facts.dialog_id, priority=params.priority)]


class SetStatus(_OnDialog):
    """Set the dialog's status."""

    name = "set_status"
    label = "set the status"
    translations: ClassVar = {"ru": "установить состояние"}

    class Params(BaseModel):
        """open or waiting."""

        status: str = Field("waiting", title="Status", pattern="^(open|waiting)$")

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Set it, where it is as it was seen."""
        assert facts.dialog is not None
        seen = facts.dialog.status.value
        return [SetDialogStatus(dialog_id=facts.dialog_id, status=params.status, expected=seen)]


class Close(_OnDialog):
    """Close the dialog."""

    name = "close"
    label = "close the dialog"
    translations: ClassVar = {"ru": "закрыть диалог"}

    def on_dialog(self, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Close it."""
        return [SetDialogStatus(dialog_id=facts.dialog_id, status="closed")]


class Reopen(_OnDialog):
    """Open the dialog again."""

    name = "reopen"
    label = "open the dialog again"
    translations: ClassVar = {"ru": "открыть диалог снова"}

    def on_dialog(self, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Open it."""
        return [SetDialogStatus(dialog_id=facts.dialog_id, status="open")]


class Snooze(_OnDialog):
    """Put the dialog aside."""

    name = "snooze"
    label = "put the dialog aside"
    translations: ClassVar = {"ru": "отложить диалог"}

    class Params(BaseModel):
        """For how long."""

        minutes: int = Field(60, title="Minutes", ge=1, le=525_600)

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Snooze it."""
        until = Micros(facts.now + params.minutes * MINUTE_US)
        return [SnoozeDialog(dialog_id=facts.dialog_id, until=until)]


class AddNoteToDialog(_OnDialog):
    """Write a note for colleagues."""

    name = "note"
    label = "write a note"
    translations: ClassVar = {"ru": "написать заметку"}
    needs = frozenset({"dialog", "contact", "client", "message"})

    class Params(BaseModel):
        """What, and who is called to it."""

        text: str = Field(title="Text", min_length=1, max_length=4000)
        mention: list[str] = Field(
            default_factory=list, title="Colleagues", json_schema_extra={"ref": "user"}
        )

    def on_dialog(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Add it."""
        return [
            AddNote(
                dialog_id=facts.dialog_id,
                text=ready_text(params.text, facts),
                mentions=tuple(UserId(int(one)) for one in params.mention),
            )
        ]
