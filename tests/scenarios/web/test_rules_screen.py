"""Automation in the browser's words: ready rules, a dry run, the log with its reasons."""

from __future__ import annotations

from pathlib import Path

from plugins import crm_actions
from tests.scenarios.web.house import open_house
from tests.scenarios.web.pigeons import plugin


async def test_a_ready_rule_is_added_tried_and_switched_on(
    database_url: str, tmp_path: Path
) -> None:
    plugins = (("pigeons", plugin()), ("crm_actions", crm_actions))
    async with open_house(tmp_path, database_url, *plugins) as house:
        browser = await house.logged_in("administrator")
        page = (await browser.get("/settings/rules")).text
        assert "New sender" in page
        answer = await browser.submit("/settings/rules", data={"recipe": "crm_actions.new_sender"})
        path = answer.headers["location"].partition("?")[0]
        page = (await browser.get(path)).text
        assert "a new person writes for the first time" in page
        text = '{"name": "x", "when": [{"event": "nonsense"}], "then": []}'
        answer = await browser.submit(path, data={"definition": text, "do": "save"})
        assert answer.status_code == 422
        assert "when[0].event" in answer.text
        good = (
            '{"name": "Notes", "when": [{"event": "message.received"}],'
            ' "then": [{"action": "crm_actions.note", "params": {"text": "seen"}}]}'
        )
        answer = await browser.submit(path, data={"definition": good, "do": "try"})
        assert "It would have fired 0 times in the last 7 days" in answer.text
        answer = await browser.submit(
            "/settings/rules", data={"rule": path.rpartition("/")[2], "do": "on"}
        )
        assert answer.status_code == 303
