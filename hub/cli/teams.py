"""`dialoghub team ...`: the tree of teams, set up from a shell or a script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    find_user,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
    table,
)
from hub.errors import Invalid
from hub.ids import TeamId, UserId

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.records.system import Team

app = typer.Typer(help="Teams, and which stands under which.", no_args_is_help=True)

TeamArgument = Annotated[str, typer.Argument(help="The team's name or id.")]
UnderOption = Annotated[str, typer.Option(help="The team above it; empty for the top.")]


async def _team(hub: BoundHub, which: str) -> Team:
    """Find a team by its name or id; raises Invalid."""
    known = await hub.teams()
    if found := [one for one in known if which == str(one.id)]:
        return found[0]
    named = [one for one in known if one.name.casefold() == which.casefold()]
    if len(named) > 1:
        raise Invalid(f"several teams are called {which!r}: give the id, see `dialoghub team list`")
    if not named:
        raise Invalid(f"there is no team {which!r}; `dialoghub team list` shows them all")
    return named[0]


@app.command("list")
def list_teams(
    as_json: JsonOption = False, data: DataOption = None, database: DatabaseOption = None
) -> None:
    """Draw the tree, with who is in each team."""
    from crm_store.team_tree import as_tree
    from crm_store.users import all_users

    settings = load_settings(data, database)

    async def work() -> None:
        async with opened(settings) as hub:
            known = await hub.teams()
            emails = {one.id: one.email for one in await hub.read(all_users)}
        if as_json:
            say_json(
                [
                    {
                        "id": str(one.id),
                        "name": one.name,
                        "parent_id": str(one.parent_id),
                        "members": [str(each) for each in one.members],
                    }
                    for one in known
                ]
            )
            return
        rows = [
            ("  " * len(above) + one.name, ", ".join(emails[each] for each in one.members), one.id)
            for one, above in as_tree(known)
        ]
        table(("team", "members", "id"), rows, empty="No teams yet: `dialoghub team create NAME`")

    run_async(work())


@app.command("create")
def create_team(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    under: UnderOption = "",
    member: Annotated[
        list[str] | None, typer.Option(help="E-mail address or id of a colleague; several times.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make a team."""
    from hub.commands import SaveTeam

    settings = load_settings(data, database)

    async def work() -> TeamId:
        async with opened(settings) as hub:
            members = tuple([UserId((await find_user(hub, one)).id) for one in member or ()])
            parent = (await _team(hub, under)).id if under else TeamId(0)
            command = SaveTeam(name=name, members=members, parent_id=parent)
            return TeamId((await hub.do(command))[0])

    team_id = run_async(work())
    if as_json:
        say_json({"id": str(team_id), "name": name})
    else:
        say(f"{name}: {team_id}")


def _change(
    team: str, data: Path | None, database: str | None, *, name: str = "", under: str | None = None
) -> None:
    from hub.commands import SaveTeam

    settings = load_settings(data, database)

    async def work() -> None:
        async with opened(settings) as hub:
            one = await _team(hub, team)
            parent = None
            if under is not None:
                parent = (await _team(hub, under)).id if under else TeamId(0)
            await hub.do(
                SaveTeam(
                    team_id=one.id, name=name or one.name, members=one.members, parent_id=parent
                )
            )

    run_async(work())


@app.command("rename")
def rename_team(
    team: TeamArgument,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Give a team another name."""
    _change(team, data, database, name=name)
    say(f"{name}: renamed")


@app.command("move")
def move_team(
    team: TeamArgument,
    under: UnderOption = "",
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Put a team under another, or at the top."""
    _change(team, data, database, under=under)
    say(f"{team}: under {under}" if under else f"{team}: at the top")


@app.command("remove")
def remove_team(
    team: TeamArgument,
    into: Annotated[str, typer.Option(help="The team that takes over what hangs on it.")] = "",
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Remove a team: its people, work and channels go to another, where there are any."""
    from hub import team_removal
    from hub.errors import Conflict

    settings = load_settings(data, database)

    async def work() -> None:
        async with opened(settings) as hub:
            one = await _team(hub, team)
            other = (await _team(hub, into)).id if into else TeamId(0)
            try:
                await team_removal.remove_team(hub, one.id, other)
            except Conflict as error:
                counts = error.details.get("counts") if isinstance(error.details, dict) else None
                if not counts:
                    raise
                told = ", ".join(f"{name} {count}" for name, count in counts.items())
                text = f"something hangs on this team ({told}): name the team that takes it over with --into"
                raise Conflict(text, what=error.what) from None

    run_async(work())
    say(f"{team}: removed")
