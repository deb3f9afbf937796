"""The shape of every error."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.shapes import Shape


class Problem(Shape):
    """What went wrong."""

    code: str = Field(description="A word for programs.", examples=["not_found"])
    message: str = Field(description="A sentence for people.")
    field: str = Field(default="", description="The part of the request to mend.")
    details: Any = Field(default=None, description="More, by code.")
    request_id: str = Field(description="The number of this request in the log.")


class Failure(Shape):
    """The one shape of every error."""

    error: Problem
