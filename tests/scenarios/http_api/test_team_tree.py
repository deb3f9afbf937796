"""Teams under teams, over HTTP: the tree is set, and a move takes sight away everywhere at once."""

from __future__ import annotations

from typing import Any

from hub import AssignDialog, ChangeObject, CreateObject, SaveRole, SaveTeam, Scope, TeamId, UserId
from tests.scenarios.http_api.test_export_jobs import finished
from tests.scenarios.http_api.world import World
from tests.scenarios.web.house import ADDRESS
from tests.scenarios.web.test_live import Listener


async def test_a_tree_of_teams_is_set_and_on_record(world: World) -> None:
    admin = await world.program()
    care = await admin.ok("POST", "/teams", json={"name": "Care"})
    assert care["parent_id"] is None
    body = {"name": "North", "parent_id": care["id"]}
    north = await admin.ok("POST", "/teams", json=body)
    assert north["parent_id"] == care["id"]
    path = f"/teams/{north['id']}"
    me = str(world.users["administrator"])
    changed = await admin.ok("PUT", path, json={"name": "North", "members": [me]})
    assert changed["parent_id"] == care["id"]
    circle = {"name": "Care", "parent_id": north["id"]}
    error = await admin.refused(409, "circle", "PUT", f"/teams/{care['id']}", json=circle)
    assert error["details"] == {"path": ["Care", "North", "Care"]}
    wrong = {"name": "North", "parent_id": "5"}
    assert (await admin.refused(422, "invalid", "PUT", path, json=wrong))["field"] == "parent_id"
    top = {"name": "Noon", "parent_id": None, "members": [me]}
    assert (await admin.ok("PUT", path, json=top))["parent_id"] is None
    lines = (await admin.ok("GET", f"/audit?kind=team&object_id={north['id']}"))["items"]
    assert [{one["field"] for one in line["changes"]} for line in lines] == [
        {"name", "parent_id"},
        {"members"},
        {"name", "parent_id"},
    ]
    browser = world.house.browser()
    await browser.log_in("administrator@example.org")
    page = (await browser.get("/settings/audit?kind=team")).text
    assert "Stands under: Care → —" in page
    assert "Members: — → " in page


async def test_a_team_that_is_moved_is_out_of_sight_at_once(world: World) -> None:
    hub = world.house.system
    subjects = ("dialogs", "leads", "contacts")
    scopes = dict.fromkeys(subjects, Scope.TEAM)
    await hub.do(SaveRole(name="head", based_on="supervisor", scopes=scopes))
    head, worker = await world.user("head"), await world.user("agent")
    above = (await hub.do(SaveTeam(name="Above", members=(head,))))[0]
    below = (await hub.do(SaveTeam(name="Below", members=(worker,), parent_id=above)))[0]
    came = await world.letter(await world.account(), "raven", "a quokka writes")
    await hub.do(AssignDialog(dialog_id=came.dialog_id, user_id=worker))
    values = {"title": "Quokka", "owner_id": str(worker)}
    lead = (await hub.do(CreateObject(kind="lead", values=values)))[0]
    program = await world.program("head")
    browser = world.house.browser()
    await browser.log_in("head@example.org")
    listener = await Listener(world.house, UserId(head)).start()

    def of_lead(item: dict[str, Any]) -> bool:
        return item == {"k": "object", "kind": "lead", "id": str(lead)}

    async def change(source: str) -> None:
        await hub.do(ChangeObject(kind="lead", object_id=lead, values={"source": source}))

    assert (await program.get(f"/dialogs/{came.dialog_id}")).status_code == 200
    assert (await program.ok("GET", "/leads"))["items"]
    assert "Quokka" in (await browser.get("/leads")).text
    assert "quokka" in (await program.get("/search?q=quokka")).text
    export = await finished(program, kind="lead")
    assert export["rows_done"] == 1
    file = export["url"].removeprefix(ADDRESS)
    assert (await browser.get(file)).status_code == 200
    await change("fair")
    await listener.hear(of_lead)

    await hub.do(SaveTeam(team_id=below, name="Below", members=(worker,), parent_id=TeamId(0)))
    await listener.hear(lambda item: item["k"] == "session")
    assert (await program.get(f"/dialogs/{came.dialog_id}")).status_code == 404
    assert (await program.ok("GET", "/leads"))["items"] == []
    assert "Quokka" not in (await browser.get("/leads")).text
    assert "quokka writes" not in (await program.get("/search?q=quokka")).text
    assert (await browser.get(file)).status_code == 409
    assert (await finished(program, kind="lead"))["rows_done"] == 0
    # What is heard next is of one's own; of the other's lead nothing came before it.
    await change("call")
    mine = await hub.do(CreateObject(kind="lead", values={"title": "Own", "owner_id": str(head)}))
    heard: list[dict[str, Any]] = []

    def own(item: dict[str, Any]) -> bool:
        heard.append(item)
        return item.get("id") == str(mine[0])

    await listener.hear(own)
    assert not any(of_lead(item) for item in heard)
    await listener.leave()
