"""`dialoghub role ...`: what people may do, and with whose work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
    table,
)

if TYPE_CHECKING:
    from hub.records.system import RoleRecord
    from hub.settings import HubSettings

app = typer.Typer(help="Roles: rights, and whose work they reach.", no_args_is_help=True)


@app.command("list")
def list_roles(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every role."""
    found = run_async(_all(load_settings(data, database)))
    if as_json:
        say_json([_plain(one) for one in found])
        return
    rows = [
        (one.name, "house" if one.builtin else f"copy of {one.based_on}", str(one.users))
        for one in found
    ]
    table(("role", "kind", "people"), rows)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of the role.")],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what people of a role may do."""
    from hub.errors import NotFound
    from hub.roles import PERMISSIONS

    found = run_async(_all(load_settings(data, database)))
    one = next((each for each in found if each.name == name), None)
    if one is None:
        raise NotFound(f"there is no role {name!r}")
    if as_json:
        say_json(_plain(one))
        return
    say(f"{one.name}: {'of the house' if one.builtin else f'copy of {one.based_on}'}")
    say(f"channels: {'all' if one.scope == 'all' else 'those open to each user'}")
    for subject, scope in sorted(one.scopes.items()):
        say(f"{subject}: {scope.value}")
    for number, scope in sorted(one.account_scopes.items()):
        say(f"dialogs of account {number}: {scope.value}")
    for right, words in PERMISSIONS.items():
        mark = "+" if right in one.permissions else "new, off" if right in one.new_rights else "-"
        say(f"{mark:>8}  {right}  ({words})")


async def _all(settings: HubSettings) -> list[RoleRecord]:
    from crm_store.roles import all_roles

    async with opened(settings) as hub:
        found: list[RoleRecord] = await hub.read(all_roles)
        return found


def _plain(one: RoleRecord) -> dict[str, object]:
    return {
        "name": one.name,
        "builtin": one.builtin,
        "based_on": one.based_on,
        "scope": one.scope,
        "scopes": {name: scope.value for name, scope in one.scopes.items()},
        "account_scopes": {str(key): scope.value for key, scope in one.account_scopes.items()},
        "permissions": sorted(one.permissions),
        "new_rights": list(one.new_rights),
        "users": one.users,
        "version": one.version,
    }
