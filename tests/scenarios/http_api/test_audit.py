"""The audit: who changed what and when, found by person, kind and period, and exported."""

from __future__ import annotations

import re
from pathlib import Path

from hub import ChangeClient, ClientId, CreateClient, CreateObject, CreateUser
from tests.scenarios.http_api.world import open_world


async def test_the_audit_tells_who_changed_what(database_url: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, database_url) as world:
        boss = await world.program("supervisor")
        made = await boss.ok("POST", "/clients", json={"name": "Platypus Ltd", "source": "fair"})
        other = world.house.system.as_user(await world.user("agent"))
        changed = ChangeClient(
            client_id=ClientId(int(made["id"])), values={"source": "web", "name": "Heron Ltd"}
        )
        await other.do(changed)
        await world.house.system.do(CreateClient(name="By nobody"))
        lines = (await boss.ok("GET", "/audit?kind=client"))["items"]
        assert {one["title"] for one in lines} == {"Heron Ltd"}
        moved = lines[0]
        assert (moved["type"], moved["object_id"]) == ("object.changed", made["id"])
        assert moved["actor"]["id"] == str(world.users["agent"])
        by_field = {one["field"]: (one["before"], one["after"]) for one in moved["changes"]}
        assert by_field == {"source": ("fair", "web"), "name": (None, None)}
        mine = f"/audit?user_id={world.users['agent']}"
        assert [one["event_id"] for one in (await boss.ok("GET", mine))["items"]] == [
            moved["event_id"]
        ]
        everything = (await boss.ok("GET", "/audit?kind=client&automatic=true"))["items"]
        assert len(everything) > len(lines)
        assert (await boss.ok("GET", "/audit?until=2020-01-01T00:00:00Z"))["items"] == []
        seen: list[str] = []
        before = ""
        while True:
            page = await boss.ok("GET", f"/audit?limit=1{before and f'&before={before}'}")
            seen += [one["event_id"] for one in page["items"]]
            before = page["next"]
            if not before:
                break
        assert moved["event_id"] in seen
        assert seen == sorted(seen, key=int, reverse=True)
        file = (await boss.get("/audit/export?kind=client")).content.decode("utf-8-sig")
        assert "Source: fair → web" in file
        assert "Platypus" not in file
        agent = await world.program("agent")
        await agent.refused(403, "not_allowed", "GET", "/audit")


async def test_the_audit_leads_only_where_its_reader_may_go(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, database_url) as world:
        roles = ("administrator", "auditor")
        browsers = {role: await world.house.logged_in(role) for role in roles}
        boss = world.house.system.as_user(await world.user("supervisor"))
        await boss.do(CreateClient(name="Heron Ltd"))
        await boss.do(
            CreateObject(kind="meeting", values={"title": "Lunch", "at": "2031-05-05T10:00:00Z"})
        )
        await world.house.system.do(
            CreateUser(email="newcomer@example.org", name="Newcomer", role="agent")
        )
        links = {}
        for role, browser in browsers.items():
            page = await browser.get("/settings/audit?automatic=yes")
            links[role] = set(re.findall(r'href="(/[a-z/]+/)\d+"', page.text))
        assert {"/clients/", "/meetings/", "/settings/users/"} <= links["administrator"]
        assert {"/clients/", "/meetings/"} <= links["auditor"]
        assert "/settings/users/" not in links["auditor"]
