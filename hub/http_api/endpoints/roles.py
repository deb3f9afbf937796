"""Roles: everybody may see them; who manages colleagues makes and changes ones of his own."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path, Response

from crm_store import roles as reads
from hub import commands as c
from hub.errors import Conflict
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.endpoints.contacts import version_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import work as s
from hub.ids import AccountId

router = rights.router("Roles")

RoleKey = Annotated[str, Path(alias="name", max_length=100, description="The role's name.")]
IfMatch = Annotated[
    str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
]


async def _answer(caller: Caller, response: Response, name: str) -> s.Role:
    found = await caller.hub.read(reads.role, name)
    response.headers["etag"] = f'"{found.version}"'
    return s.Role.model_validate(found)


@router.get("/roles", summary="List roles")
async def page(caller: rights.MayViewUsers) -> list[s.Role]:
    """Give every role: those of the house, then ones of your own."""
    return [s.Role.model_validate(one) for one in await caller.hub.read(reads.all_roles)]


@router.get("/roles/{name}", summary="One role")
async def one(caller: rights.MayViewUsers, response: Response, name: RoleKey) -> s.Role:
    """Give one role; its version is the ETag."""
    return await _answer(caller, response, name)


@router.post("/roles", status_code=201, summary="Copy a role", responses=failures(409))
async def create(caller: rights.MayManageUsers, response: Response, body: s.CopyRole) -> s.Role:
    """Make a role of your own, as a copy of another, changed as you say."""
    await caller.hub.do(_command(body.name, body, based_on=body.based_on))
    return await _answer(caller, response, " ".join(body.name.split()))


@router.patch("/roles/{name}", summary="Change a role", responses=failures(409, 412))
async def change(
    caller: rights.MayManageUsers,
    response: Response,
    name: RoleKey,
    body: s.ChangeRole,
    if_match: IfMatch = "",
) -> s.Role:
    """Change a role of your own. You cannot give rights that you do not have."""
    await caller.hub.read(reads.role, name)
    try:
        await caller.hub.do(_command(name, body, version=version_of(if_match)))
    except Conflict as error:
        if error.what == "version" and if_match:
            raise Refused(412, "version", str(error)) from error
        raise
    return await _answer(caller, response, name)


@router.delete("/roles/{name}", status_code=204, summary="Remove a role", responses=failures(409))
async def remove(caller: rights.MayManageUsers, name: RoleKey) -> Response:
    """Delete a role of your own that nobody has."""
    await caller.hub.do(c.RemoveRole(name=name))
    return Response(status_code=204)


def _command(
    name: str, body: s.ChangeRole, *, based_on: str = "", version: int | None = None
) -> c.SaveRole:
    rights_given = frozenset(body.permissions) if body.permissions is not None else None
    return c.SaveRole(
        name=name,
        based_on=based_on,
        permissions=rights_given,
        scope=body.scope,
        scopes=body.scopes,
        account_scopes=(
            {AccountId(int(number)): one for number, one in body.account_scopes.items()}
            if body.account_scopes is not None
            else None
        ),
        version=version,
    )
