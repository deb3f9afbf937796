"""What plugins bring to the description of the API: their routes for programs, with their rights.

A plugin says what an endpoint does in its docstring and what it needs in its Route; the shape of
what it takes and gives is its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from hub.pages import Route

_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
_TAKES = ("POST", "PUT", "PATCH")


def needed(right: str) -> str:
    """Say which right an endpoint needs."""
    return f"Needs the right `{right}`." if right else "Needs no right but a caller."


def describe_brought(schema: dict[str, Any], brought: Sequence[tuple[str, Route]]) -> None:
    """Add the routes of plugins to a description; a path of the core stays as it is."""
    paths: dict[str, Any] = schema["paths"]
    errors = _errors(paths)
    named = {one["name"] for one in schema["tags"]}
    for plugin, route in brought:
        if not route.api:
            continue
        path = _PART.sub(r"{\1}", f"/{plugin}/{route.path.lstrip('/')}")
        here = paths.setdefault(path, {})
        for method in route.methods:
            here.setdefault(method.lower(), _operation(plugin, route, method, path, errors))
        if plugin not in named:
            named.add(plugin)
            schema["tags"].append({"name": plugin, "description": f"Of the plugin {plugin}."})


def _operation(
    plugin: str, route: Route, method: str, path: str, errors: dict[str, Any]
) -> dict[str, Any]:
    said = inspect.getdoc(route.endpoint) or route.endpoint.__name__
    first, _, rest = said.partition("\n")
    name = re.sub(r"\W+", "_", f"{method.lower()}_{path}").strip("_")
    operation: dict[str, Any] = {
        "tags": [plugin],
        "summary": first.rstrip("."),
        "description": f"{rest.strip() or first}\n\n{needed(route.permission)}",
        "operationId": name,
        "x-permission": route.permission,
        "x-plugin": plugin,
        "parameters": [
            {"name": one, "in": "path", "required": True, "schema": {"type": "string"}}
            for one in _PART.findall(route.path)
        ],
        "responses": {
            "2XX": {"description": "Done.", "content": {"application/json": {"schema": {}}}},
            **errors,
        },
    }
    if method in _TAKES:
        body = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
        operation["requestBody"] = {"required": False, "content": body}
    return operation


def _errors(paths: dict[str, Any]) -> dict[str, Any]:
    """Give the refusals that every endpoint of the API knows, in their one shape."""
    for operations in paths.values():
        for operation in operations.values():
            found = operation["responses"]
            if "401" in found:
                wanted = ("400", "401", "403", "404", "413", "422", "429")
                return {code: found[code] for code in wanted if code in found}
    return {}
