"""What a plugin offers to programs, called from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.cli.base import OPERATOR
from hub.errors import Invalid

if TYPE_CHECKING:
    from hub.handle import BoundHub


async def ask(
    hub: BoundHub,
    plugin: str,
    path: str,
    *,
    method: str = "GET",
    names: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> Any:
    """Give what an endpoint of a plugin answers, as its JSON says it; raises Invalid."""
    from hub.handle import BoundHub
    from hub.pages import Json, PluginRequest
    from hub.web.plugin_shapes import WrongBody, call

    runtime = hub.runtime
    for name, route in runtime.plugins.collect("register_routes"):
        if name != plugin or not route.api or route.path != path or method not in route.methods:
            continue
        request = PluginRequest(
            method=method,
            url=path,
            headers={},
            query=dict(query or {}),
            body=json.dumps(body or {}).encode(),
            received_at=runtime.now(),
            path=dict(names or {}),
        )
        try:
            answer = await call(BoundHub(runtime, OPERATOR, plugin=plugin), route, request)
        except WrongBody as error:
            words = str(error).removeprefix("Value error, ")
            raise Invalid(f"{error.field}: {words}", field=error.field) from None
        if not isinstance(answer, Json):
            raise TypeError(f"{path} gave {type(answer).__name__}")
        return answer.value
    raise Invalid(f"the plugin `{plugin}` is not on: see `dialoghub plugins`")
