"""The tree of teams: a head sees what is below, and nothing beside or above."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import objects
from crm_store.dialog_counts import counters, counters_of
from crm_store.objects import NOUNS
from crm_store.search import search
from crm_store.tables.users import views
from crm_store.team_tree import as_tree, parents_of, upwards
from crm_store.users import all_teams
from crm_store.viewer import Reader
from hub import (
    AssignDialog,
    Conflict,
    CreateLead,
    CreateUser,
    DialogId,
    DialogQuery,
    Invalid,
    NotFound,
    RemoveTeam,
    SaveRole,
    SaveRoute,
    SaveSlaPolicy,
    SaveTeam,
    SaveView,
    Scope,
    Team,
    TeamId,
    UpdateAccount,
    UserId,
)
from hub.handle import BoundHub
from tests.houses import House, house, message
from triggers.counters import Counters


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def team(home: House, name: str, parent: int = 0, *members: UserId) -> TeamId:
    made = await home.user.do(SaveTeam(name=name, parent_id=TeamId(parent), members=members))
    return TeamId(made[0])


async def put(home: House, one: TeamId, parent: int | None, name: str = "moved") -> None:
    """Put a team under another; who is in it stays."""
    known = {each.id: each for each in await home.user.read(all_teams)}
    given = TeamId(parent) if parent is not None else None
    members = known[one].members
    await home.user.do(SaveTeam(team_id=one, name=name, members=members, parent_id=given))


async def seen(hub: BoundHub) -> set[str]:
    """What is seen of dialogs and leads: in lists, counted, searched, and one by one."""
    listed = (await hub.dialogs(DialogQuery(view="everything"))).dialogs
    names = {one.subject for one in listed}

    def counted(reader: Reader) -> tuple[int, int]:
        with_others = counters_of(reader.conn, [reader.viewer])[reader.viewer]
        return counters(reader).all, with_others.all

    assert await hub.read(counted) == (len(listed), len(listed))
    for one in listed:
        assert (await hub.dialog(one.id)).subject == one.subject
    leads = await hub.read(objects.page, NOUNS["lead"], objects.ObjectQuery())
    assert {one.title for one in leads.items} == names
    found = await hub.read(search, "hello")
    assert {one.dialog.subject for one in found.messages} == names
    return names


async def test_a_head_sees_what_is_below_and_nothing_beside_or_above(home: House) -> None:
    scopes = dict.fromkeys(("dialogs", "leads", "contacts"), Scope.TEAM)
    await home.user.do(SaveRole(name="head", based_on="agent", scopes=scopes))
    people: dict[str, UserId] = {}
    for name in ("above", "head", "below", "deep", "beside"):
        user = CreateUser(email=f"{name}@example.com", name=name, role="head")
        people[name] = UserId((await home.user.do(user))[0])
    above = await team(home, "above", 0, people["above"])
    head = await team(home, "head", above, people["head"])
    # Nobody is in the one between, and still it is passed.
    below = await team(home, "between", head)
    deep = await team(home, "deep", below, people["deep"])
    await team(home, "below", head, people["below"])
    beside = await team(home, "beside", above, people["beside"])
    ids: dict[str, DialogId] = {}
    given = {name: (one, TeamId(0)) for name, one in people.items()}
    given |= {"deep team": (UserId(0), deep), "beside team": (UserId(0), beside)}
    for name, (user_id, team_id) in given.items():
        letter = message(f"k-{name}", f"{name} hello", kind="email", subject=name)
        ids[name] = (await home.receive(letter, letter=True))[0].dialog_id
        await home.user.do(AssignDialog(dialog_id=ids[name], user_id=user_id, team_id=team_id))
        values = {"title": name, "owner_id": user_id, "team_id": team_id}
        await home.user.do(CreateLead(values=values))
    as_head = home.system.as_user(people["head"])
    mine = {"head", "below", "deep", "deep team"}
    assert await seen(as_head) == mine
    assert await seen(home.system.as_user(people["above"])) == set(given)
    assert await seen(home.system.as_user(people["below"])) == {"below"}
    assert await seen(home.system.as_user(people["deep"])) == {"deep", "deep team"}
    # A team that goes takes its work with it at once, and brings it back.
    await put(home, below, beside)
    assert await seen(as_head) == {"head", "below"}
    assert await seen(home.system.as_user(people["beside"])) == {
        "beside",
        "beside team",
        "deep",
        "deep team",
    }
    with pytest.raises(NotFound):
        await as_head.dialog(ids["deep"])
    await put(home, below, head)
    assert await seen(as_head) == mine


async def test_a_team_never_stands_under_itself(home: House) -> None:
    care = await team(home, "Care")
    north = await team(home, "North", care)
    coast = await team(home, "Coast", north)
    for parent, path in ((care, ["Care", "Care"]), (coast, ["Care", "North", "Coast", "Care"])):
        with pytest.raises(Conflict, match=" → ".join(path)) as refused:
            await put(home, care, parent)
        assert refused.value.what == "circle"
        assert refused.value.details == {"path": path}
    with pytest.raises(Invalid):
        await put(home, care, 5)
    with pytest.raises(NotFound):
        await home.user.do(SaveTeam(team_id=TeamId(5), name="Nobody"))
    # Left out, the team above stays.
    await put(home, coast, None, "Sea")
    assert await home.user.read(lambda reader: parents_of(reader.conn)) == {
        north: care,
        coast: north,
    }


async def test_the_head_of_a_dialog_is_the_nearest_supervisor_above(home: House) -> None:
    user = CreateUser(email="far@example.com", name="Far", role="supervisor")
    far = UserId((await home.user.do(user))[0])
    user = CreateUser(email="near@example.com", name="Near", role="supervisor")
    near = UserId((await home.user.do(user))[0])
    care = await team(home, "Care", 0, near)
    north = await team(home, "North", await team(home, "Between", care))
    stood = {1: SimpleNamespace(team_id=north), 2: SimpleNamespace(team_id=0)}

    def heads(reader: Reader) -> object:
        known: Any = stood
        return Counters(reader, known, {}, {}, {}, {}).count({"head"})

    assert await home.system.read(heads) == {"dialog.head": {1: near, 2: far}}


def test_a_tree_is_drawn_from_the_top_however_deep_it_is() -> None:
    def one(number: int, parent: int) -> Team:
        name = str(number)
        return Team(id=TeamId(number), name=name, members=(), parent_id=TeamId(parent))

    known = [one(1, 0), one(2, 3), one(3, 0), one(4, 2), one(5, 99)]
    drawn = [(int(team.id), [int(each.id) for each in above]) for team, above in as_tree(known)]
    assert drawn == [(1, []), (3, []), (2, [3]), (4, [3, 2]), (5, [])]
    long = [one(number, number - 1) for number in range(1, 1501)]
    assert len(as_tree(long)[-1][1]) == 1499
    parents = {each.id: each.parent_id for each in long}
    assert len(list(upwards(parents, TeamId(1500)))) == 1500
    assert list(upwards({TeamId(1): TeamId(2), TeamId(2): TeamId(1)}, TeamId(1))) == [1, 2]


async def gone(home: House, one: TeamId, into: TeamId = TeamId(0), limit: int = 500) -> int:
    left: int = (await home.user.do(RemoveTeam(team_id=one, into_id=into, limit=limit)))[0]
    return left


async def test_a_team_on_which_nothing_hangs_is_removed(home: House) -> None:
    one, other = await team(home, "One"), await team(home, "Other")
    assert await gone(home, one) == 0
    assert [each.id for each in await home.user.read(all_teams)] == [other]
    for command in (
        RemoveTeam(team_id=one),
        SaveTeam(team_id=one, name="One"),
    ):
        with pytest.raises(NotFound):
            await home.user.do(command)


async def test_what_hangs_on_a_team_goes_to_another_step_by_step(home: House) -> None:
    users = await home.user.do(
        *(CreateUser(email=f"{one}@a.example", name=one, role="agent") for one in "ab")
    )
    anna, boris = map(UserId, users)
    top = await team(home, "Top")
    old = await team(home, "Old", top, anna, boris)
    below = await team(home, "Below", old)
    lowest = await team(home, "Lowest", below)
    new = await team(home, "New", lowest, boris)
    beside = await team(home, "Beside", old)
    talks = [(await home.receive(message(str(n), f"p{n}")))[0].dialog_id for n in range(3)]
    await home.user.do(
        *(AssignDialog(dialog_id=one, user_id=anna, team_id=old) for one in talks),
        SaveView(name="Ours", filter={}, team_id=old),
        UpdateAccount(account_id=(await home.user.accounts())[0].id, team_id=old),
        SaveRoute(kind="team", subject_id=old, mode="in_order"),
    )
    values = {"title": "Boats", "team_id": str(old)}
    lead = (await home.user.do(CreateLead(values=values)))[0]
    with pytest.raises(Conflict) as refused:
        await gone(home, old)
    assert refused.value.details == {
        "counts": {"member": 2, "team": 2, "account": 1, "view": 1, "dialog": 3, "lead": 1}
    }
    with pytest.raises(Invalid):
        await gone(home, old, old)
    assert await gone(home, old, new, limit=2) == 2
    # What stopped half way goes on; nothing but the work has gone over till then.
    known = {one.id: one for one in await home.user.read(all_teams)}
    assert set(known[old].members) == {anna, boris}
    assert await gone(home, old, new, limit=2) == 0
    assert {(await home.user.dialog(one)).team_id for one in talks} == {new}
    assert (await home.user.dialog(talks[0])).assignee_id == anna
    assert (await home.user.get("lead", lead)).team_id == new
    assert (await home.user.accounts())[0].team_id == new
    known = {one.id: one for one in await home.user.read(all_teams)}
    assert old not in known
    assert set(known[new].members) == {anna, boris}
    # No team stands under itself: what leads down to the new one goes up.
    assert {one: known[one].parent_id for one in (below, lowest, new, beside)} == {
        below: top,
        lowest: below,
        new: lowest,
        beside: new,
    }
    assert await home.user.read(views_of_team, new) == ["Ours"]


def views_of_team(reader: Reader, team_id: int) -> list[str]:
    found = select(views.c.name).where(views.c.team_id == team_id)
    return list(reader.conn.execute(found).scalars())


async def test_a_team_that_a_rule_names_stays_until_none_does(home: House) -> None:
    one, other = await team(home, "One"), await team(home, "Other")
    tree = {"field": "request.team", "operator": "equals", "value": str(one)}
    await home.user.do(SaveSlaPolicy(name="Quick", filter=tree, first_minutes=10))
    with pytest.raises(Conflict) as refused:
        await gone(home, one, other)
    assert refused.value.details == {"used_by": ["Quick"]}
