"""What plugins' endpoints take and give, read and made by what their routes say of it."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from hub.errors import Invalid, MalformedPayload
from hub.pages import Answer, Json, PluginRequest, Route

if TYPE_CHECKING:
    from hub.api import Hub

_BODILESS = ("GET", "HEAD", "DELETE")


class WrongBody(Invalid):
    """A body that is not what the endpoint takes; `problems` are all that is wrong with it."""

    def __init__(self, error: ValidationError) -> None:
        self.problems = error.errors()
        first = self.problems[0]
        super().__init__(first["msg"], field=".".join(str(part) for part in first["loc"]))


async def call(hub: Hub, route: Route, request: PluginRequest) -> Answer:
    """Let an endpoint answer; raises MalformedPayload, and WrongBody for what is JSON and not what is
    wanted."""
    return _shaped(route, await route.endpoint(hub, _read(route, request)))


def _read(route: Route, request: PluginRequest) -> PluginRequest:
    if route.takes is None or isinstance(route.takes, str) or request.method in _BODILESS:
        return request
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("the body is not JSON") from error
    if not isinstance(data, dict):
        raise MalformedPayload("the body is not a JSON object")
    try:
        return replace(request, given=route.takes.model_validate(data))
    except ValidationError as error:
        raise WrongBody(error) from error


def _shaped(route: Route, answer: Answer) -> Answer:
    if route.gives is None or isinstance(route.gives, str) or not isinstance(answer, Json):
        return answer
    maker = adapter(route.gives)
    made = maker.dump_python(maker.validate_python(answer.value), mode="json")
    return replace(answer, value=made)


@functools.cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Give what validates and describes a shape."""
    return TypeAdapter(shape)
