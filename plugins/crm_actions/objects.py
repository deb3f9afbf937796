"""Actions on objects of any kind: clients, leads, and whatever else is described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    ChangeObject,
    Command,
    CreateObject,
    Facts,
    LinkDialog,
    TagObject,
    ready_text,
)

Value = str | int | bool | list[str]


def filled(values: Mapping[str, Value], facts: Facts) -> dict[str, object]:
    """Fill {{ ... }} in every text."""
    return {
        name: ready_text(value, facts) if isinstance(value, str) else value
        for name, value in values.items()
    }


class MakeObject(Action):
    """Make an object of a kind, of the dialog where there is one."""

    name = "create_object"
    label = "make an object"
    translations: ClassVar = {"ru": "создать объект"}
    group = "work"
    needs = frozenset({"dialog", "contact", "client", "message", "lead"})

    class Params(BaseModel):
        """Which kind, and what it says."""

        kind: str = Field(title="Kind", pattern="^[a-z][a-z0-9_.]{1,60}$")
        values: dict[str, Value] = Field(default_factory=dict, title="Properties")
        of_dialog: bool = Field(True, title="Link it to the dialog")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Make it."""
        dialog_id = facts.dialog_id if params.of_dialog else type(facts.dialog_id)(0)
        values = filled(params.values, facts)
        return [CreateObject(kind=params.kind, values=values, dialog_id=dialog_id)]


def _object(facts: Facts, kind: str) -> Any:
    found = facts.object(kind)
    if found is None:
        raise ActionHeld(f"there is no {kind} here")
    return found


class ChangeAnObject(Action):
    """Change properties of an object that the event is about, or that its person has."""

    name = "change_object"
    label = "change an object"
    translations: ClassVar = {"ru": "изменить объект"}
    group = "work"
    needs = frozenset({"dialog", "contact", "client", "lead"})

    class Params(BaseModel):
        """Which kind, and what changes."""

        kind: str = Field(title="Kind", pattern="^[a-z][a-z0-9_.]{1,60}$")
        values: dict[str, Value] = Field(title="Properties", min_length=1)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Change it."""
        found = _object(facts, params.kind)
        return [
            ChangeObject(kind=params.kind, object_id=found.id, values=filled(params.values, facts))
        ]


class TagClient(Action):
    """Tag the client's card."""

    name = "tag_client"
    label = "tag the client"
    translations: ClassVar = {"ru": "добавить метку клиенту"}
    group = "work"
    needs = frozenset({"dialog", "contact", "client"})

    class Params(BaseModel):
        """Which tags."""

        tags: list[str] = Field(title="Tags", min_length=1, max_length=20)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Add what is missing."""
        client = _object(facts, "client")
        return [TagObject(kind="client", object_id=client.id, add=tuple(params.tags))]


class LinkToDialog(Action):
    """Say that the dialog is about the one object that its person, or else his client, has open.

    Of several none is guessed: the dialog stays among the enquiries until somebody chooses.
    """

    name = "attach"
    label = "attach the dialog to what is open"
    translations: ClassVar = {"ru": "привязать диалог к открытому"}
    group = "work"
    needs = frozenset({"dialog", "contact", "client", "lead"})

    class Params(BaseModel):
        """To what."""

        kind: str = Field("lead", title="Kind", pattern="^[a-z][a-z0-9_.]{1,60}$")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Link it."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        found = _object(facts, params.kind)
        if facts.more.get(f"{params.kind}.fitting", 1) not in (0, 1):
            raise ActionHeld("several are open: somebody has to choose")
        return [LinkDialog(kind=params.kind, dialog_id=facts.dialog.id, object_id=found.id)]
