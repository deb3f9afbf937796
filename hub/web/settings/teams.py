"""Teams: who is in them, and which stands under which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import users as user_reads
from crm_store.nouns import Noun
from crm_store.team_tree import as_tree
from crm_store.teams import CIRCLE
from crm_store.viewer import Reader
from hub.commands import SaveTeam
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.ids import TeamId, UserId
from hub.records.system import Team
from hub.team_removal import remove_team, use_of
from hub.web.settings.common import form_of, go, hub_of, many, needs, number, say, show

PATH = "/settings/teams"


def _(text: str) -> str:
    return text


HANGING = {
    "member": _("Members"),
    "team": _("Teams below it"),
    "account": _("Channels"),
    "view": _("Saved views"),
    "dialog": _("Dialogs"),
}
NEW = Team(id=TeamId(0), name="", members=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """A team as it is drawn: as it was typed, what is above it, and under which it may be put
    (each with those above it, the nearest first)."""

    team: Team
    above: tuple[Team, ...]
    places: list[tuple[TeamId, str]]


def _branches(known: list[Team], typed: Team | None) -> list[_Branch]:
    tree = as_tree(known)
    found = []
    for team, above in [*tree, (NEW, ())]:
        places = [
            (one.id, " ‹ ".join(each.name for each in (one, *over[::-1])))
            for one, over in tree
            if team.id not in {one.id, *(each.id for each in over)}
        ]
        shown = typed if typed is not None and typed.id == team.id else team
        found.append(_Branch(team=shown, above=above, places=places))
    return found


async def _screen(
    request: Request, status: int = 200, problem: str = "", typed: Team | None = None
) -> Response:
    def load(reader: Reader) -> dict[str, Any]:
        branches = _branches(user_reads.all_teams(reader), typed)
        return {"users": user_reads.all_users(reader), "tree": branches[:-1], "new": branches[-1]}

    found = await hub_of(request).read(load)
    return show(request, "teams", "teams", status, problem=problem, **found)


@needs("users.view")
async def teams(request: Request) -> Response:
    """Show the teams."""
    return await _screen(request)


@needs("users.manage")
async def save(request: Request) -> Response:
    """Make a team, or change one."""
    form = await form_of(request)
    typed = replace(
        NEW,
        id=TeamId(number(form.get("team_id", "0"))),
        name=str(form.get("name", "")),
        members=tuple(UserId(number(one)) for one in many(form, "members")),
        parent_id=TeamId(number(form.get("parent_id", "0"))),
    )
    try:
        await hub_of(request).do(
            SaveTeam(
                team_id=typed.id,
                name=typed.name,
                members=typed.members,
                parent_id=typed.parent_id if "parent_id" in form else None,
            )
        )
    except (Invalid, Conflict, NotAllowed) as error:
        return await _screen(request, 422, _words(request, error), typed)
    return go(PATH, "saved")


@needs("users.manage")
async def removal(request: Request) -> Response:
    """Say what hangs on a team before it is removed, and ask who takes it over; remove it."""
    hub = hub_of(request)
    team_id = TeamId(number(request.path_params["team_id"]))
    known: list[Team] = await hub.read(user_reads.all_teams)
    team = next((one for one in known if one.id == team_id), None)
    if team is None:
        raise NotFound("there is no such team")
    problem, into = "", TeamId(0)
    if request.method == "POST":
        into = TeamId(number((await form_of(request)).get("into", "") or "0"))
        try:
            await remove_team(hub, team_id, into)
        except (Invalid, Conflict) as error:
            problem = say(request, str(error))
        else:
            return go(PATH, "removed")
    use = await use_of(hub, team_id)
    others = [(str(one.id), one.name) for one, _above in as_tree(known) if one.id != team_id]
    takers = [("", "—"), *others] if others else []
    nouns = request.app.state.runtime.nouns
    return show(
        request,
        "team_removal",
        "teams",
        422 if problem else 200,
        team=team,
        named=use.named,
        hangs=[
            (_called(request, nouns, name), count) for name, count in use.counts.items() if count
        ],
        takers=takers,
        into=into,
        problem=problem,
    )


def _called(request: Request, nouns: Mapping[str, Noun], name: str) -> str:
    if name in HANGING:
        return say(request, HANGING[name])
    kind = nouns[name].kind
    return str(kind.plurals.get(request.state.language, kind.plural))


def _words(request: Request, error: HubError) -> str:
    if isinstance(error, Conflict) and error.what == CIRCLE and isinstance(error.details, dict):
        words = say(request, "A team cannot stand under itself:")
        return f"{words} {' → '.join(error.details['path'])}"
    return say(request, str(error))


def routes() -> list[BaseRoute]:
    """Give the routes of teams."""
    return [
        Route(PATH, teams, methods=["GET"]),
        Route(PATH, save, methods=["POST"]),
        Route(f"{PATH}/{{team_id:int}}/remove", removal, methods=["GET", "POST"]),
    ]
