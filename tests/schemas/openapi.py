"""Takes parts of a published OpenAPI 3.0 description and makes JSON Schema of them.

What both vendors' excerpts need: references within the excerpt, `nullable` as a type, and
nothing of what only people read. Every other change is the excerpt's own and named there.
"""

from __future__ import annotations

from typing import Any

DROPPED = {"description", "example", "examples", "discriminator", "title", "x-twilio", "summary"}


class Excerpt:
    """The definitions that were taken so far."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self.definitions: dict[str, Any] = {}

    def take(self, schema: Any) -> Any:
        """Give a schema with whatever it refers to taken along."""
        if isinstance(schema, list):
            return [self.take(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return {"$ref": f"#/definitions/{self.named(schema['$ref'].rpartition('/')[2])}"}
        found = {}
        for key, value in schema.items():
            if key == "properties":
                found[key] = {name: self.take(one) for name, one in value.items()}
            elif key in ("enum", "required"):
                found[key] = value
            elif key not in DROPPED and key != "nullable":
                found[key] = self.take(value)
        if schema.get("nullable"):
            kind = found.pop("type", None)
            if kind is None:
                return {"anyOf": [found, {"type": "null"}]}
            found["type"] = [kind, "null"]
            if "enum" in found:
                found["enum"] = [*found["enum"], None]
        return found

    def named(self, name: str) -> str:
        """Take a component by its name."""
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self.take(self._components[name])
        return name
