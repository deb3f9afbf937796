"""The classes of clients as the API gives and takes them."""

from __future__ import annotations

from pydantic import Field

from hub.shapes import Body, Instant, Shape


class ClassRules(Shape):
    """How clients are put into classes, and what the last count found."""

    months: int
    a_percent: int
    b_percent: int
    x_percent: int
    y_percent: int
    currency: str = Field(description='The currency that counts; "" is the one used most.')
    version: int
    counted_at: Instant
    counted_months: int
    counted_currency: str
    whole: int = Field(description="What all clients brought together, in minor units.")


class SaveClassRules(Body):
    """How clients are to be put into classes."""

    months: int = Field(default=12, ge=1, le=60)
    a_percent: int = Field(default=80, ge=1, le=100)
    b_percent: int = Field(default=15, ge=0, le=99)
    x_percent: int = Field(default=10, ge=0, le=1000)
    y_percent: int = Field(default=25, ge=0, le=1000)
    currency: str = Field(default="", max_length=3, pattern=r"^[A-Z]*$")
