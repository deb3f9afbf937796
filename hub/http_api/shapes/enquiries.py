"""Verdicts on enquiries in the API."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.shapes import Body, GivenId, OptionalId, Shape, Word

What = Literal["lead", "request", "interest", "attached", "rejected"]


class SayVerdict(Body):
    """What an enquiry is."""

    verdict: What
    reason: str = Field(default="", max_length=200, description="Why it is rejected.")
    remember: bool = Field(default=True, description="Take nothing more in from a rejected sender.")
    kind: Word = Field(default="", description="Attached: to which kind of object.")
    object_id: GivenId | None = Field(default=None, description="Attached: to which one.")


class Said(Shape):
    """What was said, as it is taken back."""

    verdict: What
    kind: str
    object_id: OptionalId
    remember: bool
