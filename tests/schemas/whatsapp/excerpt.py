"""Makes excerpt.json out of Meta's published OpenAPI: `python excerpt.py FILE`.

FILE is business-messaging-api_v23.0.yaml of the project facebook/openapi. Taken are the requests
that the channel makes, their answers and the webhook. Changed:

1. `nullable` became a type; descriptions and formats are left out;
2. `additionalProperties: false` inside an `allOf` is left out: there it forbids what the other
   members allow, so that no message at all would pass;
3. the pattern of a template button's index is left out: it refuses the schema's own example;
4. since spring 2026 a message names its person by `to` or by `recipient`, and an incoming one by
   a number or by `user_id`: so `to`, `from`, `recipient_id` are no longer required;
5. a context names a product only where the person asked about one: not required;
6. what is defined twice, for messages out and for events in, is told apart: in the published file
   the events refer to the messages' definitions (`TextMessage`) where their own are numbered
   (`TextMessage_2`);
7. a location's coordinates come as numbers, as in the schema's own examples, not as strings.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from openapi import DROPPED, Excerpt  # noqa: E402

NUMBER = "/{Version}/{Phone-Number-ID}"
ACCOUNT = "/{Version}/{WABA-ID}"
CALLS = {
    "messages POST": (f"{NUMBER}/messages", "post"),
    "media POST": (f"{NUMBER}/media", "post"),
    "media GET": ("/{Version}/{Media-ID}", "get"),
    "number GET": (NUMBER, "get"),
    "number POST": (NUMBER, "post"),
    "templates GET": (f"{ACCOUNT}/message_templates", "get"),
    "subscribed_apps POST": (f"{ACCOUNT}/subscribed_apps", "post"),
}
OBJECTS = ("WebhookPayload", "MarkMessageRequestPayload", "GraphAPIError", "MessageResponsePayload")
NOT_REQUIRED = {
    "BaseMessageProperties": "to",
    "BaseMessageProperties_1": "from",
    "Statuses": "recipient_id",
    "ContextObject": "referred_product",
}


def main(file: Path) -> None:
    DROPPED.add("format")
    api = yaml.safe_load(file.read_text())
    components = api["components"]["schemas"]
    names = list(components)
    events = names[names.index("WebhookPayload") :]
    twins = {one.rpartition("_")[0]: one for one in events if re.search(r"_\d+$", one)}
    for name in events:
        point(components[name], twins)
    excerpt = Excerpt(components)
    calls: dict[str, Any] = {}
    for name, (path, method) in CALLS.items():
        found = api["paths"][path][method]
        answer = found["responses"]["200"]["content"]["application/json"]["schema"]
        calls[name] = {"response": excerpt.take(answer)}
        if "requestBody" in found:
            request = found["requestBody"]["content"]["application/json"]["schema"]
            calls[name]["request"] = excerpt.take(request)
    for name in OBJECTS:
        excerpt.named(name)
    known = excerpt.definitions
    for name, field in NOT_REQUIRED.items():
        known[name]["required"] = [one for one in known[name]["required"] if one != field]
    for one in known.values():
        for part in one.get("allOf", ()):
            part.pop("additionalProperties", None)
    known["TemplateComponent"]["properties"]["index"].pop("pattern")
    for one in known.values():
        numbers(one)
    text = json.dumps({"calls": calls, "definitions": known}, indent=1, sort_keys=True)
    (HERE / "excerpt.json").write_text(text + "\n")


def point(schema: Any, twins: dict[str, str]) -> None:
    """Let references lead to the twin of a name."""
    for one in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(one, dict | list):
            point(one, twins)
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        place, _, name = schema["$ref"].rpartition("/")
        schema["$ref"] = f"{place}/{twins.get(name, name)}"


def numbers(schema: Any) -> None:
    """Let coordinates be numbers wherever they stand."""
    if isinstance(schema, list):
        for one in schema:
            numbers(one)
    elif isinstance(schema, dict):
        for key, one in schema.items():
            if key in ("latitude", "longitude") and isinstance(one, dict) and "type" in one:
                one["type"] = ["number", "string"]
            numbers(one)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
