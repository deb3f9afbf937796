"""A plugin's kind for programs and in a browser: the same resource, list and card as all others."""

from __future__ import annotations

from pathlib import Path

from hub import CreateClient
from plugins import contracts
from tests.scenarios.http_api.world import open_world
from tests.scenarios.web.house import csrf_of

PATH = "/contracts.contract"


async def test_contracts_over_the_api_and_on_screen(database_url: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, database_url, ("contracts", contracts)) as world:
        client = (await world.house.system.do(CreateClient(name="Harbour")))[0]
        program = await world.program()
        made = await program.ok("POST", PATH, json={"number": "A-1", "client_id": str(client)})
        assert (made["number"], made["client_id"], made["status"]) == ("A-1", str(client), "draft")
        one = f"{PATH}/{made['id']}"
        await program.ok("PATCH", one, json={"amount": 500}, headers={"if-match": '"1"'})
        await program.refused(
            412, "version", "PATCH", one, json={"amount": 7}, headers={"if-match": '"1"'}
        )
        await program.refused(422, "invalid", "POST", PATH, json={"subject": "no number"})
        [line] = (await program.ok("GET", f"{one}/history"))["items"]
        assert (line["field"], line["after"]) == ("amount", 500)
        tree = '{"field":"contracts.contract.amount","operator":"greater","value":100}'
        listed = await program.ok("GET", PATH, params={"filter": tree})
        assert [each["number"] for each in listed["items"]] == ["A-1"]
        described = (await program.ok("GET", "/openapi.json"))["paths"]
        assert {PATH, f"{PATH}/export", f"{PATH}/{{object_id}}/history"} <= set(described)
        reader = await world.program("auditor")
        await reader.refused(403, "not_allowed", "POST", PATH, json={"number": "B"})

        browser = await world.house.logged_in("supervisor")
        page = (await browser.get(PATH)).text
        assert "A-1" in page
        assert "Harbour" in page
        card = (await browser.get(one)).text
        assert 'value="Harbour"' in card
        form = {"_csrf": csrf_of(card), "number": "A-2", "version": "2", "status": "active"}
        form |= {"client_id": str(client), "client_id-was": "Harbour", "client_id-name": "harbo"}
        saved = await browser.post(one, data=form)
        assert saved.status_code == 303, saved.text
        now = await program.ok("GET", one)
        assert (now["number"], now["client_id"], now["status"]) == ("A-2", str(client), "active")
        wrong = {**form, "version": "3", "client_id-name": "Nobody"}
        refused = await browser.post(one, data=wrong)
        assert refused.status_code == 422
        assert "nothing is called so" in refused.text
        names = (await browser.get("/objects/client/names", params={"q": "harb"})).json()
        assert names == ["Harbour"]
        rows = (await browser.get(f"{PATH}?as=csv")).text.splitlines()
        assert "A-2" in rows[1]
        assert "Harbour" in rows[1]
        audit = (await browser.get("/settings/audit", params={"kind": PATH[1:]})).text
        assert "A-2" in audit
