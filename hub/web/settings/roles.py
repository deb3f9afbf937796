"""Roles: what their people may do, and with whose work; copies of one's own, and other eyes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from crm_store import roles as role_reads
from crm_store import users as user_reads
from crm_store.nouns import NOUNS
from crm_store.viewer import Reader
from hub.commands import RemoveRole, SaveRole
from hub.errors import Conflict, Invalid, NotAllowed
from hub.ids import AccountId
from hub.records.system import RoleRecord
from hub.roles import DIALOGS, PERMISSIONS, SCOPES, Scope
from hub.web.settings.common import _, form_of, go, hub_of, many, needs, number, say, show

PATH = "/settings/roles"

AREAS = {
    "dialogs": _("Dialogs"),
    "contacts": _("People and clients"),
    "lists": _("Lists"),
    "accounts": _("Channels"),
    "users": _("Colleagues"),
    "absences": _("Absences"),
    "work": _("Handover"),
    "profile": _("Oneself"),
    "templates": _("Templates"),
    "system": _("The house"),
}
"""Names of areas of rights; those of kinds have the names of their kinds."""

HOUSE = ("tokens", "webhooks", "plugins", "events", "jobs", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One row of the matrix: an area, its rights in words, and whose work they reach."""

    subject: str
    title: str
    rights: tuple[tuple[str, str], ...]
    scoped: bool


def areas(request: Request) -> list[Area]:
    """Give the rows of the matrix, in the order of the rights."""
    language = request.state.language
    kinds = {one.kind.subject: one.kind for one in NOUNS.values()}
    grouped: dict[str, list[str]] = {}
    for name in PERMISSIONS:
        subject = name.partition(".")[0]
        grouped.setdefault("system" if subject in HOUSE else subject, []).append(name)
    found = []
    for subject, names in grouped.items():
        title = say(request, AREAS[subject]) if subject in AREAS else ""
        if not title and subject in kinds:
            title = str(kinds[subject].plurals.get(language, kinds[subject].plural)).capitalize()
        rights = tuple((name, say(request, PERMISSIONS[name])) for name in names)
        scoped = subject == DIALOGS or subject in kinds
        found.append(Area(subject=subject, title=title or subject, rights=rights, scoped=scoped))
    return found


def difference(one: RoleRecord, base: RoleRecord | None) -> dict[str, Any]:
    """Say what a role of one's own has more, less and otherwise than what it was copied from."""
    if base is None:
        return {}
    names = {*one.scopes, *base.scopes}
    return {
        "more": [name for name in PERMISSIONS if name in one.permissions - base.permissions],
        "less": [name for name in PERMISSIONS if name in base.permissions - one.permissions],
        "scopes": [
            (name, one.scopes.get(name, Scope.ALL))
            for name in sorted(names)
            if one.scopes.get(name, Scope.ALL) != base.scopes.get(name, Scope.ALL)
        ],
        "channels": one.scope != base.scope,
    }


@needs("users.manage")
async def roles(request: Request) -> Response:
    """Show every role."""
    return await _list(request)


async def _list(request: Request, status: int = 200, problem: str = "") -> Response:
    found = await hub_of(request).read(role_reads.all_roles)
    return show(request, "roles", "roles", status, roles=found, problem=problem)


async def _one(request: Request, name: str, status: int = 200, problem: str = "") -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        known = role_reads.all_roles(reader)
        one = role_reads.role(reader, name)
        base = next((each for each in known if each.name == one.based_on), None)
        return {
            "role": one,
            "base": base,
            "people": [each for each in user_reads.all_users(reader) if each.role == name],
            "accounts": account_reads.all_accounts(reader),
        }

    found = await hub_of(request).read(load)
    return show(
        request,
        "role",
        "roles",
        status,
        areas=areas(request),
        scopes=SCOPES,
        rights=PERMISSIONS,
        differs=difference(found["role"], found["base"]),
        problem=problem,
        **found,
    )


def _scope(form: Mapping[str, Any], field: str) -> Scope:
    given = str(form.get(field, Scope.ALL.value))
    if given not in set(Scope):
        raise Invalid("there is no such scope", field=field)
    return Scope(given)


def _special(form: Mapping[str, Any], fields: Iterable[str]) -> dict[AccountId, Scope]:
    return {
        AccountId(number(field.removeprefix("account-"))): _scope(form, field)
        for field in fields
        if field.startswith("account-") and form.get(field)
    }


@needs("users.manage")
async def role(request: Request) -> Response:
    """Show a role, or change one of one's own."""
    name = request.path_params["name"]
    if request.method == "GET":
        return await _one(request, name)
    form = await form_of(request)
    try:
        command = SaveRole(
            name=name,
            permissions=frozenset(many(form, "rights")),
            scope="accounts" if form.get("channels") == "accounts" else "all",
            scopes={
                one.subject: _scope(form, f"scope-{one.subject}")
                for one in areas(request)
                if one.scoped
            },
            account_scopes=_special(form, form.keys()),
            version=number(form.get("version", "0")),
        )
        await hub_of(request).do(command)
    except (Invalid, Conflict, NotAllowed) as error:
        return await _one(request, name, 422, say(request, str(error)))
    return go(f"{PATH}/{quote(name, safe='')}", "saved")


@needs("users.manage")
async def copy(request: Request) -> Response:
    """Make a role of one's own, as a copy."""
    form = await form_of(request)
    name = " ".join(str(form.get("name", "")).split())
    base = str(form.get("based_on", ""))
    try:
        await hub_of(request).do(SaveRole(name=name, based_on=base))
    except (Invalid, Conflict, NotAllowed) as error:
        return await _list(request, 422, say(request, str(error)))
    return go(f"{PATH}/{quote(name, safe='')}", "created")


@needs("users.manage")
async def remove(request: Request) -> Response:
    """Delete a role that nobody has."""
    form = await form_of(request)
    name = str(form.get("name", ""))
    try:
        await hub_of(request).do(RemoveRole(name=name))
    except (Conflict, NotAllowed) as error:
        return await _one(request, name, 422, say(request, str(error)))
    return go(PATH, "removed")


def routes() -> list[BaseRoute]:
    """Give the routes of roles."""
    return [
        Route(PATH, roles, methods=["GET"]),
        Route(PATH, copy, methods=["POST"]),
        Route(f"{PATH}/remove", remove, methods=["POST"]),
        Route(f"{PATH}/{{name}}", role, methods=["GET", "POST"]),
    ]
