"""The description of the API for programs that read descriptions, complete by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

_ABOUT = """
Everything that the inbox does, for programs.

* **Who calls:** `Authorization: Bearer hub_...`; a token has the rights of its user, limited by
  its scopes. Each endpoint names the right it needs.
* **Ids** are strings. **Instants** are RFC 3339 in UTC with microseconds.
* **Errors** have one shape: `{"error": {"code", "message", "field", "details", "request_id"}}`.
* **Pages** are continued with `before=<next>` until `next` is empty.
* **`Idempotency-Key`** on a POST makes repeating it harmless.
""".strip()

_TAGS = (
    ("Dialogs", "What is being talked about, with whom, and who has it."),
    ("Messages", "Answers, notes, and what became of them."),
    ("Attachments", "Files of messages."),
    ("Contacts", "The people who write to us, their addresses, and clients."),
    ("Leads", "Hints of interest, and their ways to a client or to a reason why not."),
    ("Search", "Finding words and people."),
    ("Views", "Saved views and tags."),
    ("Accounts", "Connected channels and their health."),
    ("Users", "Colleagues and teams."),
    ("Me", "The caller's own profile and tokens."),
    ("Events", "The journal of everything that happened, with resume."),
    ("Webhooks", "Outgoing webhooks after the Standard Webhooks specification."),
    ("Quarantine", "What came in and could not be read."),
    ("System", "The organisation, held things, plugins."),
)
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request gives the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 150, "pattern": "^[ -~]+$"},
}


def describe(api: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Give an application its description, made once when first asked for."""

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _complete(api, endpoints(routers))
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


def _complete(api: FastAPI, known: list[APIRoute]) -> dict[str, Any]:
    schema = get_openapi(
        title=api.title,
        version=api.version,
        description=_ABOUT,
        routes=api.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
        servers=[{"url": "/api/v1"}],
    )
    for route in known:
        for method in route.methods or ():
            operation = schema["paths"][route.path_format][method.lower()]
            right = permission_of(route.dependant)
            operation["x-permission"] = right
            needed = f"Needs the right `{right}`." if right else "Needs no right but a caller."
            operation["description"] = f"{operation.get('description', '')}\n\n{needed}".strip()
            if method == "POST":
                operation.setdefault("parameters", []).append(_KEY)
                operation["responses"].setdefault("409", operation["responses"]["422"])
    return schema


def endpoints(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """Give every documented endpoint."""
    return [
        one
        for router in routers
        for one in router.routes
        if isinstance(one, APIRoute) and one.include_in_schema
    ]


def permission_of(dependant: Dependant) -> str:
    """Give the right that an endpoint asks for, "" for none."""
    for one in dependant.dependencies:
        found: str = getattr(one.call, "permission", "") or permission_of(one)
        if found:
            return found
    return ""
