"""Quick replies by the API: the same functions as the pages, by token, with keys and ETags."""

from __future__ import annotations

from pathlib import Path

import plugins.quick_replies
from tests.scenarios.http_api.world import World
from tests.scenarios.web.house import open_house

NAME = "quick_replies"
PATH = "/quick_replies/replies"
ORDER = {
    "title": "Order",
    "shortcut": "order",
    "scope": "all",
    "texts": {"en": {"text": "{{ interest.title }} is ready"}, "ru": {"text": "Готово"}},
    "buttons": [{"label": "Shop", "url": "https://example.com"}],
}


async def test_a_program_writes_finds_changes_and_moves_replies(
    database_url: str, tmp_path: Path
) -> None:
    async with open_house(tmp_path, database_url, (NAME, plugins.quick_replies)) as house:
        world = World(house)
        marketer = await world.program("marketer")
        starters = (await marketer.ok("GET", PATH))["items"]
        assert len(starters) == 8
        key = {"idempotency-key": "make-order"}
        made = await marketer.ok("POST", PATH, json=ORDER, headers=key)
        again = await marketer.ok("POST", PATH, json=ORDER, headers=key)
        assert again["id"] == made["id"]
        wrong = {**ORDER, "shortcut": "x", "texts": {"en": {"text": "{{ interest.tilte }}"}}}
        error = await marketer.refused(422, "invalid", "POST", PATH, json=wrong)
        assert "interest.title" in error["message"]
        found = (await marketer.ok("GET", f"{PATH}?q=ordr"))["items"]
        assert found[0]["id"] == made["id"]
        one = f"{PATH}/{made['id']}"
        etag = (await marketer.get(one)).headers["etag"]
        assert (
            await marketer.ok("PUT", one, json={"title": "Orders"}, headers={"if-match": etag})
        )["texts"] == {**made["texts"]}
        bare = await marketer.ok("PUT", one, json={"buttons": [], "channels": ["boat"]})
        assert bare["buttons"] == []
        # What it said before is kept, compared, brought back.
        _, was = (await marketer.ok("GET", f"{one}/versions"))["items"]
        assert was["buttons"] == [["Shop", "https://example.com"]]
        assert {"sign": "-", "text": "Order"} in was["changes"]
        assert {"sign": "+", "text": "Orders"} in was["changes"]
        back = await marketer.ok("POST", f"{one}/restore", json={"version": str(was["version"])})
        assert (back["title"], back["shortcut"], back["texts"]) == ("Order", "order", made["texts"])
        assert (back["buttons"], back["channels"]) == (made["buttons"], [])
        assert len((await marketer.ok("GET", f"{one}/versions"))["items"]) == 3
        await marketer.refused(404, "not_found", "POST", f"{one}/restore", json={"version": "9"})
        page = await (await house.logged_in("supervisor")).get(f"/p/quick_replies/{made['id']}")
        assert page.text.count('class="went"') >= 1
        # A favourite is one's own: a colleague's replies stay as they are.
        for _ in range(2):
            assert (await marketer.ok("PUT", f"{one}/favourite"))["favourite"]
        mine = (await marketer.ok("GET", f"{PATH}?favourite=1"))["items"]
        assert [each["id"] for each in mine] == [made["id"]]
        assert not (await (await world.program("agent")).ok("GET", f"{PATH}?favourite=1"))["items"]
        assert not (await marketer.ok("DELETE", f"{one}/favourite"))["favourite"]
        assert not (await marketer.ok("GET", one))["favourite"]
        stale = {"if-match": etag}
        await marketer.refused(412, "version", "PUT", one, json={"title": "X"}, headers=stale)
        # An agent has replies of his own, and changes nobody else's.
        agent = await world.program("agent")
        await agent.refused(403, "not_allowed", "PUT", one, json={"title": "Mine now"})
        own = await agent.ok("POST", PATH, json={"title": "Own", "texts": {"en": {"text": "Hi"}}})
        await marketer.refused(404, "not_found", "GET", f"{PATH}/{own['id']}")
        await agent.refused(403, "not_allowed", "POST", PATH, json={**ORDER, "shortcut": "z"})
        # Out as a file, and in again: nothing doubles.
        file = await marketer.ok("GET", "/quick_replies/export")
        assert {one["shortcut"] for one in file["replies"]} >= {"order", "hello"}
        assert await marketer.ok("POST", "/quick_replies/import", json=file) == {
            "created": 0,
            "changed": 9,
        }
        deep = {"content": b"[" * 100_000}
        await marketer.refused(422, "invalid", "POST", "/quick_replies/import", **deep)
        await marketer.ok("DELETE", one)
        assert await marketer.ok("POST", "/quick_replies/import", json=file) == {
            "created": 1,
            "changed": 8,
        }
        limited = await world.program("marketer", scopes=["dialogs.view"])
        await limited.refused(403, "not_allowed", "POST", PATH, json={**ORDER, "shortcut": "y"})
        await world.stranger().refused(401, "unauthorized", "GET", PATH)
        for program in world.programs:
            await program.aclose()
