"""Roles on screen: a copy, its matrix and its difference; and looking with other eyes."""

from __future__ import annotations

import re

from crm_store.journal import latest_events
from hub import CreateAccount, CreateLead, UpdateUser
from hub.wire_json import event_json
from tests.scenarios.web.house import House
from tests.scenarios.web.pigeons import SETTINGS


async def test_a_role_is_copied_changed_compared_and_given(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await browser.submit("/settings/roles", data={"name": "Night", "based_on": "agent"})
    assert answer.headers["location"] == "/settings/roles/Night?said=created"
    page = (await browser.get("/settings/roles/Night")).text
    assert "No difference so far" in page
    kept = re.findall(r'name="rights" value="([a-z.]+)" checked', page)
    data = {
        "version": "1",
        "rights": [*(one for one in kept if one != "leads.edit"), "lists.export"],
        "scope-dialogs": "own_and_unassigned",
        "scope-leads": "team",
        "channels": "all",
    }
    answer = await browser.submit("/settings/roles/Night", data=data)
    assert answer.headers["location"] == "/settings/roles/Night?said=saved"
    page = (await browser.get("/settings/roles/Night")).text
    changed = page[page.index("Compared with") : page.index("matrix")]
    for words in ("export lists", "work on leads", "own and nobody", "the team", "Other channels"):
        assert words in changed
    answer = await browser.submit("/settings/roles/Night", data=data)
    assert (answer.status_code, "changed meanwhile" in answer.text) == (422, True)
    vera = await hub.user("Night", "vera@example.org")
    answer = await browser.submit(
        "/settings/roles/remove", data={"name": "Night"}, page="/settings/roles"
    )
    assert (answer.status_code, "another one first" in answer.text) == (422, True)
    data = {"name": "Vera", "email": "vera@example.org", "role": "agent"}
    await browser.submit(f"/settings/users/{vera}", data=data)
    await browser.submit("/settings/roles/remove", data={"name": "Night"}, page="/settings/roles")
    assert "Night" not in (await browser.get("/settings/roles")).text
    answer = await browser.submit("/settings/roles/agent", data={"version": "1"})
    assert answer.status_code == 422


async def test_other_eyes_see_less_and_have_no_hands(hub: House) -> None:
    browser = await hub.logged_in()
    vera = await hub.user("agent", "vera@example.org")
    command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    await hub.system.do(command)
    await browser.submit("/settings/roles", data={"name": "Own", "based_on": "agent"})
    await browser.submit(
        "/settings/roles/Own",
        data={
            "version": "1",
            "rights": ["leads.view", "dialogs.view", "profile.edit"],
            "scope-leads": "own",
            "channels": "all",
        },
    )
    await hub.system.do(UpdateUser(user_id=vera, role="Own"))
    for title, owner in (("platypus", 0), ("heron", vera)):
        await hub.system.do(CreateLead(values={"title": title, "owner_id": owner}))
    assert "platypus" in (await browser.get("/leads")).text
    before = len(await hub.system.read(latest_events, hub.runtime.registry))

    answer = await browser.submit("/eyes", data={"eyes": f"user:{vera}"}, page="/settings/roles")
    assert answer.headers["location"] == "/inbox"
    page = (await browser.get("/leads")).text
    assert "platypus" not in page
    assert "heron" in page
    assert 'id="eyes"' in page
    assert 'href="/contacts"' not in page
    assert (await browser.get("/settings/users/1")).status_code == 403
    shown = (await browser.get("/api/v1/leads")).json()["items"]
    assert [one["title"] for one in shown] == ["heron"]
    assert (await browser.get("/api/v1/me")).json()["name"] != "Vera"
    csrf = {"x-csrf-token": await browser.csrf()}
    for verb, path in (("POST", "/do/status"), ("POST", "/api/v1/leads"), ("POST", "/leads/add")):
        answer = await browser.request(verb, path, json={}, headers=csrf)
        assert answer.status_code == 403, path
    assert (await browser.post("/do/read", json={}, headers=csrf)).json() == {"result": None}
    after = await hub.system.read(latest_events, hub.runtime.registry)
    assert len(after) == before, [event_json(one, "") for one in after]
    answer = await browser.submit("/eyes/end", data={}, page="/leads")
    assert "platypus" in (await browser.get("/leads")).text

    # By role; and nobody borrows eyes that see more than his own.
    await browser.submit("/eyes", data={"eyes": "role:Own"}, page="/settings/roles")
    assert "heron" not in (await browser.get("/leads")).text
    await hub.user("Own", "boris@example.org")
    agent = hub.browser("203.0.113.30")
    await agent.log_in("boris@example.org")
    agent.cookies.set("hub_eyes", "role:administrator")
    assert 'id="eyes"' not in (await agent.get("/leads")).text
    assert (
        await agent.submit("/eyes", data={"eyes": "role:agent"}, page="/leads")
    ).status_code == 403
