"""What plugins' endpoints take and give, read and made by what their routes say of it."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from hub.errors import MalformedPayload
from hub.pages import Answer, Json, PluginRequest, Route

_BODILESS = ("GET", "HEAD", "DELETE")


def read_given(route: Route, request: PluginRequest) -> PluginRequest:
    """Read the body as the route says; raises MalformedPayload, and pydantic's ValidationError for
    what is JSON and not what is wanted."""
    if route.takes is None or isinstance(route.takes, str) or request.method in _BODILESS:
        return request
    try:
        data = json.loads(request.body or b"{}")
    except ValueError as error:
        raise MalformedPayload("the body is not JSON") from error
    if not isinstance(data, dict):
        raise MalformedPayload("the body is not a JSON object")
    return replace(request, given=route.takes.model_validate(data))


def shaped(route: Route, answer: Answer) -> Answer:
    """Put the value of a JSON answer into the route's shape."""
    if route.gives is None or isinstance(route.gives, str) or not isinstance(answer, Json):
        return answer
    maker = adapter(route.gives)
    made = maker.dump_python(maker.validate_python(answer.value), mode="json")
    return replace(answer, value=made)


@functools.cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Give what validates and describes a shape."""
    return TypeAdapter(shape)
