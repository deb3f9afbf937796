"""The description of the API for programs that read descriptions, complete by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.http_api.openapi_plugins import describe_brought, needed
from hub.pages import Route

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
    ("Subscriptions", "What people subscribe to, and who still has to confirm it."),
    ("Leads", "Hints of interest, and their ways to a client or to a reason why not."),
    ("Audit", "Who changed what and when, on every object."),
    ("Fields", "Fields that the organisation adds to the cards of clients, people and leads."),
    ("Retention", "What is removed by its age."),
    ("Imports", "Files that become clients or leads, dry runs, and taking it all back."),
    ("Exports", "Long lists written in the background, behind links that expire."),
    ("Requests", "Jobs for clients within deadlines, and what is promised about them."),
    ("Tasks", "What is to be done by a date."),
    ("Notices", "What you should know, on the screen and by e-mail."),
    ("Interests", "Deals on their way through the stages of pipelines, and the funnel."),
    ("Search", "Finding words and people."),
    ("Views", "Saved views and tags."),
    ("Accounts", "Connected channels and their health."),
    ("Calendars", "Working hours and holidays, and counting with them."),
    ("Users", "Colleagues and teams."),
    ("Roles", "What each role may do, and how far it reaches."),
    ("Work", "Who works now, who gets new dialogs, who stands in and takes over."),
    ("Rules", "What happens automatically, when, and why it did."),
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


def describe(
    api: FastAPI, routers: Sequence[APIRouter], brought: Sequence[tuple[str, Route]] = ()
) -> None:
    """Give an application its description, made once when first asked for; `brought` are the
    routes of plugins for programs, each with its plugin's name."""

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = _complete(api, endpoints(routers))
            describe_brought(schema, brought, _KEY)
            api.openapi_schema = schema
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
            said = f"{operation.get('description', '')}\n\n{needed(right)}"
            operation["description"] = said.strip()
            if method == "POST":
                operation.setdefault("parameters", []).append(_KEY)
                operation["responses"].setdefault("409", operation["responses"]["422"])
    _name_kinds(schema, known)
    return schema


def _name_kinds(schema: dict[str, Any], known: list[APIRoute]) -> None:
    """Say what the kinds of plugins are, after what is our own."""
    named = {name for name, _ in _TAGS}
    brought = dict.fromkeys(str(tag) for one in known for tag in one.tags if tag not in named)
    for tag in brought:
        schema["tags"].append({"name": tag, "description": "A kind that a plugin brings."})


def endpoints(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """Give every documented endpoint, those of routers inside routers too."""
    found: list[APIRoute] = []
    for router in routers:
        for one in router.routes:
            inner = getattr(one, "original_router", None)
            if inner is not None:
                found += endpoints([inner])
            elif isinstance(one, APIRoute) and one.include_in_schema:
                found.append(one)
    return found


def permission_of(dependant: Dependant) -> str:
    """Give the right that an endpoint asks for, "" for none."""
    for one in dependant.dependencies:
        found: str = getattr(one.call, "permission", "") or permission_of(one)
        if found:
            return found
    return ""
