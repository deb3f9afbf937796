"""Rules of retention as the API gives and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape

Subject = Literal[
    "messages",
    "files",
    "dialogs",
    "leads",
    "journal",
    "rule_runs",
    "rule_marks",
    "rule_hours",
    "notices",
]
PLUGINS = r"^[a-z][a-z0-9_]*\.[a-z0-9_]+$"
"""What a plugin keeps, as `mailings.versions`."""


class RetentionRule(Shape):
    """What is removed once it is so many days old."""

    id: Id
    subject: str
    account_id: OptionalId = Field(description="null is every channel.")
    days: int
    active: bool
    running_since: Instant
    last_run_at: Instant
    last_counts: dict[str, int]
    version: int


class ChangeRetention(Body):
    """How long things are kept, and whether the rule is carried out."""

    days: int = Field(ge=7, le=36_500, examples=[1095])
    active: bool = False


class CreateRetention(ChangeRetention):
    """A new rule."""

    subject: Subject | Annotated[str, Field(pattern=PLUGINS, max_length=100)]
    account_id: GivenId | None = None


class RetentionPreview(Shape):
    """What a rule would remove now."""

    count: int
