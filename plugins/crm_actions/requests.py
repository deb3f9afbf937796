"""Actions on requests: status, checklist; and work that a plugin has registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    ChangeChecklist,
    Command,
    Facts,
    RunJob,
    SetRequestStatus,
)


class _OnRequest(Action):
    """An action that needs a request."""

    group: ClassVar[str] = "work"
    needs = frozenset({"dialog", "contact", "client", "request"})

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands, or say that there is no request."""
        request = facts.object("request")
        if request is None:
            raise ActionHeld("there is no request")
        return self.on_request(request, facts, params)

    def on_request(self, request: Any, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands for the request."""
        raise NotImplementedError


class SetStatusOfRequest(_OnRequest):
    """Move the request to a status."""

    name = "set_request_status"
    label = "set the request's status"
    translations: ClassVar = {"ru": "установить состояние заявки"}

    class Params(BaseModel):
        """Which, and what is said with it."""

        status: str = Field(title="Status", pattern="^[a-z_]{2,40}$")
        reason: str = Field("", title="Reason", max_length=400)
        solution: str = Field("", title="Solution", max_length=4000)

    def on_request(self, request: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Set it, where it is as it was seen."""
        return [
            SetRequestStatus(
                request_id=request.id,
                status=params.status,
                reason=params.reason,
                solution=params.solution,
                expected=request.status,
            )
        ]


class StartChecklist(_OnRequest):
    """Put points on the request's checklist."""

    name = "start_checklist"
    label = "start a checklist on the request"
    translations: ClassVar = {"ru": "завести чек-лист в заявке"}

    class Params(BaseModel):
        """Which points."""

        points: list[str] = Field(title="Points", min_length=1, max_length=50)

    def on_request(self, request: Any, facts: Facts, params: Params) -> Sequence[Command]:
        """Add them."""
        return [ChangeChecklist(request_id=request.id, add=tuple(params.points))]


class RunWork(Action):
    """Run a function that a plugin registered as a job: leased, retried, shown."""

    name = "run_job"
    label = "run a registered function"
    translations: ClassVar = {"ru": "выполнить зарегистрированную функцию"}
    group = "outside"
    needs = frozenset({"dialog", "contact"})

    class Params(BaseModel):
        """Which, and with what."""

        job: str = Field(title="Function", pattern=r"^[a-z][a-z0-9_.]{1,100}$")
        values: dict[str, str | int | bool] = Field(default_factory=dict, title="Values")

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Queue it, once for each event."""
        payload: dict[str, object] = {
            **params.values,
            "event_id": str(facts.event.id),
            "dialog_id": str(facts.dialog_id),
            "contact_id": str(facts.contact.id if facts.contact is not None else 0),
        }
        key = f"rule:{facts.event.id}" if facts.event.id else ""
        return [RunJob(name=params.job, payload=payload, key=key)]
