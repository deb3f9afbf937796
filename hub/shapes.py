"""What goes in and out of the API as JSON is made of these: ids, instants, texts, pages, bodies that
are checked. The API's own endpoints and those of plugins describe themselves with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

from hub.ids import Micros
from hub.storable import NOT_KEPT
from hub.wire_json import micros_of, rfc3339

T = TypeVar("T")

MAX_ID = (1 << 63) - 1
ID_PATTERN = r"^[0-9]{1,19}$"
_ID = re.compile(r"[0-9]{1,19}\Z", re.ASCII)
_MOMENT = TypeAdapter(AwareDatetime)
MAX_DEPTH = 20
MAX_TEXT = 200_000
MAX_HTML = 1_000_000


def _instant(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, int) else value


def _id(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _id_or_none(value: Any) -> Any:
    return None if value in (0, "0", None) else _id(value)


def _number(value: Any) -> int:
    if not isinstance(value, str) or not _ID.match(value) or int(value) > MAX_ID:
        raise ValueError("an id is a text of up to 19 digits")
    return int(value)


def _micros(value: Any) -> Micros:
    moment = _MOMENT.validate_python(value)
    if moment.year < 1971:
        raise ValueError("this instant is too long ago")
    return micros_of(moment)


_ID_SCHEMA = {"type": "string", "pattern": ID_PATTERN, "examples": ["714602987520069633"]}
_INSTANT_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-03-01T09:30:00.000000Z"],
}

Id = Annotated[str, BeforeValidator(_id), WithJsonSchema(_ID_SCHEMA)]
"""An id in an answer."""

OptionalId = Annotated[
    str | None,
    BeforeValidator(_id_or_none),
    WithJsonSchema({"anyOf": [_ID_SCHEMA, {"type": "null"}]}),
]
"""An id in an answer, null where there is nobody."""

Instant = Annotated[
    str | None,
    BeforeValidator(_instant),
    WithJsonSchema({"anyOf": [_INSTANT_SCHEMA, {"type": "null"}]}),
]
"""An instant in an answer, null where it is not set."""

GivenId = Annotated[int, BeforeValidator(_number), WithJsonSchema(_ID_SCHEMA)]
"""An id in a request; the handler sees the number."""

GivenInstant = Annotated[Micros, BeforeValidator(_micros), WithJsonSchema(_INSTANT_SCHEMA)]
"""An instant in a request; the handler sees microseconds."""

Word = Annotated[str, StringConstraints(max_length=400)]
"""A short text of a request: a name, a title, a subject."""

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
"""A long text of a request."""


class Shape(BaseModel):
    """Base of everything in an answer; made from records."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class Body(BaseModel):
    """Base of everything in a request: unknown fields are refused, so that no typing mistake
    passes in silence."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        check_storable(value)
        return value


def check_storable(value: Any, depth: int = 0) -> None:
    """Refuse what no database of ours can keep; raises ValueError."""
    if depth > MAX_DEPTH:
        raise ValueError("this is nested too deeply")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= one <= "\udfff" for one in value):
            raise ValueError(NOT_KEPT)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) > MAX_ID:
            raise ValueError("a number is too large")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is not finite")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            check_storable(key, depth + 1)
            check_storable(one, depth + 1)
    elif isinstance(value, Sequence):
        for one in value:
            check_storable(one, depth + 1)


class Listing(Shape, Generic[T]):
    """A page of a list; ask again with `before` set to `next` until it is empty."""

    items: list[T]
    next: str = Field(default="", description="Key of the next page, empty at the end.")


class Made(Shape):
    """What a creation gives."""

    id: Id
