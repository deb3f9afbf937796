"""Shapes of roles, and of who works when and on what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from hub.roles import Scope
from hub.shapes import ID_PATTERN, Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Word

AccountNumber = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


class Role(Shape):
    """What people of a role may do, and with whose work."""

    name: str
    permissions: list[str]
    scope: Literal["all", "accounts"] = Field(
        description="Which channels: all, or those open to each user."
    )
    scopes: dict[str, Scope] = Field(
        description="Whose work, by subject (dialogs, leads ...); what is missing is of all."
    )
    account_scopes: dict[Id, Scope] = Field(description="Whose dialogs, on single channels.")
    builtin: bool
    based_on: str
    new_rights: list[str] = Field(
        description="Rights that came with a release after the role was saved: they are off."
    )
    users: int
    version: int


class ChangeRole(Body):
    """What to change of a role; what is missing stays."""

    permissions: list[str] | None = None
    scope: Literal["all", "accounts"] | None = None
    scopes: dict[str, Scope] | None = None
    account_scopes: dict[AccountNumber, Scope] | None = None


class CopyRole(ChangeRole):
    """A role of your own, as a copy."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    based_on: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Desk(Shape):
    """A colleague at work."""

    user_id: Id
    name: str
    teams: list[Id]
    status_id: OptionalId
    status: str
    works: bool
    takes_new: bool
    comment: str
    since: Instant
    load: int = Field(description="Open dialogs that are not snoozed.")
    waiting: int = Field(description="Those of them whose person waits for an answer.")
    capacity: int = Field(description="How many are given to him at most; 0: any number.")
    last_given_at: Instant


class SetDesk(Body):
    """What to change; what is missing stays."""

    status_id: GivenId | None = None
    comment: Annotated[str, StringConstraints(max_length=200)] | None = None
    capacity: Annotated[int, Field(ge=0, le=1000)] | None = None


class DeskStatus(Shape):
    """A status to choose."""

    id: Id
    name: str
    works: bool
    takes_new: bool
    position: int


class SaveStatus(Body):
    """A status: whoever takes new dialogs is at work."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    works: bool
    takes_new: bool
    position: Annotated[int, Field(ge=0, le=1000)] = 0


class RoutingRule(Shape):
    """How new dialogs of an account or a team are given out."""

    kind: Literal["account", "team"]
    subject_id: Id
    mode: Literal["nobody", "evenly", "in_order", "least_busy"]
    owner_first: bool
    last_days: int
    idle_minutes: int
    calendar_id: OptionalId


class SetRoute(Body):
    """How new dialogs are given out from now on."""

    mode: Literal["nobody", "evenly", "in_order", "least_busy"] = "nobody"
    owner_first: bool = Field(default=False, description="Ask the client's owner first.")
    last_days: Annotated[int, Field(ge=0, le=366)] = Field(
        default=0, description="Then who answered this person within so many days; 0: nobody."
    )
    idle_minutes: Annotated[int, Field(ge=0, le=720)] = Field(
        default=0, description="Pass on what is not answered for so long; 0: never."
    )
    calendar_id: GivenId = 0


class WaitingDialog(Shape):
    """A dialog that waits to be given out."""

    dialog_id: Id
    team_id: OptionalId
    since: Instant
    reason: str = Field(description="away, full, closed, or empty where nobody looked yet.")


class GiveOut(Body):
    """How to find somebody; an empty mode takes what is set for the account or team."""

    mode: Literal["", "evenly", "in_order", "least_busy", "owner", "last"] = ""
    team_id: GivenId = 0
    last_days: Annotated[int, Field(ge=1, le=366)] = 30
    again: bool = Field(default=False, description="Also where somebody has it already.")


class Given(Shape):
    """Who got it; null where nobody was found and it waits."""

    user_id: OptionalId


class Absence(Shape):
    """Somebody's time away."""

    id: Id
    user_id: Id
    kind: str
    from_at: Instant
    to_at: Instant
    substitute_id: OptionalId
    what: list[str]
    access: bool
    state: str
    made_by: OptionalId
    moves: dict[str, int] = Field(description="What was handed over, counted by state.")


class RegisterAbsence(Body):
    """Who is away, when, and what is handed over meanwhile."""

    user_id: GivenId = Field(default=0, description="Yourself, where it is missing.")
    kind: Literal["vacation", "sick", "trip", "other"] = "vacation"
    from_at: GivenInstant
    to_at: GivenInstant
    substitute_id: GivenId = 0
    what: Annotated[list[Word], Field(max_length=50)] = Field(
        default=[], description="`dialogs`, `intake` and kinds of objects."
    )
    access: bool = False


class HandOver(Body):
    """Whose work goes to whom; filters, by sort, are those of lists."""

    from_id: GivenId
    to_id: GivenId = 0
    what: Annotated[list[Word], Field(min_length=1, max_length=50)]
    filters: dict[str, dict[str, Any]] = Field(default_factory=dict)


class HandoverPreview(Shape):
    """How many of each would change hands."""

    counts: dict[str, int]


class Handover(Shape):
    """Work given to another colleague."""

    id: Id
    from_id: Id
    to_id: Id
    what: list[str]
    state: str
    total: int
    moves: dict[str, int]
    made_by: OptionalId
    created_at: Instant
    undone_at: Instant
