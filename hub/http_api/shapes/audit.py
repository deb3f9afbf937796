"""The audit as the API gives it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.shapes import Id, Instant, OptionalId, Shape


class AuditActor(Shape):
    """Who did it."""

    kind: str
    id: OptionalId
    name: str


class AuditChange(Shape):
    """One property that changed; of a personal one both values are null."""

    field: str
    before: Any
    after: Any


class AuditLine(Shape):
    """One act on one object."""

    event_id: Id
    type: str = Field(description="The fact in the journal.")
    at: Instant
    actor: AuditActor
    who: str = Field(description="The actor's name.")
    kind: str = Field(description="What was changed: client, lead, user, role ...")
    object_id: OptionalId
    title: str
    changes: list[AuditChange]
    cause: str = Field(description="What provoked it; empty for a person's own act.")
