"""Records of what we work on: leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hub.ids import ClientId, ContactId, EventId, LeadId, Micros, TeamId, UserId
from hub.objects import Actor, Cause
from hub.properties import CustomValues

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A hint of interest: who it may be, what was said, and what became of it.

    `status` is new, in_work, qualified (converted to a client) or rejected with a `reason`.
    `repeat_of` is an earlier lead of the same person. `received_at` is when its words came in,
    before it was written down where it is made of a dialog; `first_responded_at` is when a person
    of ours first answered, wrote, called or met, `first_response_us` how long that took. Both are
    0 where nobody has answered.
    """

    id: LeadId
    title: str
    status: str
    owner_id: UserId
    team_id: TeamId
    name: str
    company: str
    phone: str
    email: str
    message: str
    source: str
    tags: tuple[str, ...]
    channel: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str
    contact_id: ContactId
    client_id: ClientId
    received_at: Micros
    first_responded_at: Micros
    first_response_us: int
    repeat_of: LeadId
    reason: str
    closed_at: Micros
    created_at: Micros
    deleted_at: Micros
    version: int
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One property that changed: when, by whom, why. Of a personal one both values are None."""

    event_id: EventId
    at: Micros
    actor: Actor
    cause: Cause
    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPage(Generic[T]):
    """One page of a list of objects; `next` is the key of the following one, "" at the end."""

    items: tuple[T, ...]
    next: str
