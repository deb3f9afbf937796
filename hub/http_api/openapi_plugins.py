"""What plugins bring to the description of the API: their routes for programs, with their rights.

A plugin says what an endpoint does in its docstring, what it needs, takes and gives in its Route.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from hub.pages import Route
from hub.web.plugin_shapes import adapter

_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
_TAKES = ("POST", "PUT", "PATCH")


def needed(right: str) -> str:
    """Say which right an endpoint needs."""
    return f"Needs the right `{right}`." if right else "Needs no right but a caller."


def describe_brought(
    schema: dict[str, Any], brought: Sequence[tuple[str, Route]], key: Mapping[str, Any]
) -> None:
    """Add the routes of plugins to a description; a path of the core stays as it is. `key` is the
    header that makes a POST repeatable."""
    paths: dict[str, Any] = schema["paths"]
    shapes = _shapes(brought, schema["components"]["schemas"])
    errors = _errors(paths)
    named = {one["name"] for one in schema["tags"]}
    for plugin, route in brought:
        if not route.api:
            continue
        path = _PART.sub(r"{\1}", f"/{plugin}/{route.path.lstrip('/')}")
        here = paths.setdefault(path, {})
        for method in route.methods:
            operation = _operation(plugin, route, method, path, errors)
            operation["responses"]["2XX"]["content"] = _given(shapes, plugin, route.gives)
            if method in _TAKES:
                body = _taken(shapes, plugin, route.takes)
                operation |= {"requestBody": body} if body else {}
            if method == "POST":
                operation["parameters"].append(key)
            here.setdefault(method.lower(), operation)
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
            *({**_IN_PATH, "name": one} for one in _PART.findall(route.path)),
            *({**_IN_QUERY, "name": one, "description": said} for one, said in route.asks.items()),
        ],
        "responses": {
            "2XX": {"description": "Done."},
            **{code: one for code, one in errors.items() if method != "GET" or code in _REFUSALS},
        },
    }
    return operation


_REFUSALS = ("400", "401", "403", "404", "413", "422", "429")
_OF_CHANGES = ("409", "412")
_IN_PATH = {"in": "path", "required": True, "schema": {"type": "string"}}
_IN_QUERY = {"in": "query", "required": False, "schema": {"type": "string"}}
Shapes = Mapping[tuple[str, Any], dict[str, Any]]


def _given(shapes: Shapes, plugin: str, gives: Any) -> dict[str, Any]:
    if isinstance(gives, str):
        return {gives: {"schema": _plain(gives)}}
    return {"application/json": {"schema": shapes.get((plugin, gives), {})}}


def _plain(media: str) -> dict[str, Any]:
    if media == "application/json":
        return {"type": "object", "additionalProperties": True}
    return {"type": "string", "contentMediaType": media}


def _taken(shapes: Shapes, plugin: str, takes: Any) -> dict[str, Any]:
    if takes is None:
        return {}
    if isinstance(takes, str):
        return {"required": True, "content": {takes: {"schema": _plain(takes)}}}
    content = {"application/json": {"schema": shapes[plugin, takes]}}
    return {"required": True, "content": content}


def _shapes(brought: Sequence[tuple[str, Route]], known: dict[str, Any]) -> Shapes:
    """Describe what routes take and give; the named parts of it come to the `known` ones."""
    found: dict[tuple[str, Any], dict[str, Any]] = {}
    for plugin in dict.fromkeys(name for name, _ in brought):
        routes = [one for name, one in brought if name == plugin and one.api]
        asked = [
            (each, mode, adapter(each).core_schema)
            for one in routes
            for each, mode in ((one.takes, "validation"), (one.gives, "serialization"))
            if each is not None and not isinstance(each, str)
        ]
        made = GenerateJsonSchema(ref_template=f"#/components/schemas/{plugin}.{{model}}")
        schemas, parts = made.generate_definitions(asked)  # type: ignore[arg-type]
        known |= {f"{plugin}.{name}": part for name, part in parts.items()}
        found |= {(plugin, each): one for (each, _), one in schemas.items()}
    return found


def _errors(paths: dict[str, Any]) -> dict[str, Any]:
    """Give the refusals that every endpoint of the API knows, in their one shape, and those of one
    that changes something: what stands against it, and an older version."""
    found: dict[str, Any] = {}
    for operations in paths.values():
        for operation in operations.values():
            found = {**operation["responses"], **found}
    return {code: found[code] for code in (*_REFUSALS, *_OF_CHANGES) if code in found}
