"""Automation in the browser's words: ready rules, a dry run, the log with its reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_store.unit_of_work import UnitOfWork
from hub import SYSTEM, CreateAccount, DialogQuery, Micros, RuleId
from hub.records.rules import Rule
from plugins import crm_actions
from tests.houses import until
from tests.scenarios.web.house import open_house
from tests.scenarios.web.pigeons import SETTINGS, letter, plugin
from triggers import rules as reads
from triggers.plans import PlannedTimer
from triggers.waits import Waits


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
        assert "when[0].event: there is no event" in answer.text
        mine = {"name": "Ada", "theme": "system", "time_zone": "UTC"}
        await browser.submit("/settings/profile", data={**mine, "language": "ru"})
        answer = await browser.submit(path, data={"definition": text, "do": "save"})
        assert "when[0].event: нет события" in answer.text
        answer = await browser.submit(path, data={"definition": "{", "do": "save"})
        assert "это не JSON: ожидается имя свойства в двойных кавычках" in answer.text
        await browser.submit("/settings/profile", data={**mine, "language": "en"})
        good = (
            '{"name": "Notes", "when": [{"event": "message.received"}],'
            ' "then": [{"action": "crm_actions.note", "params": {"text": "seen"}}]}'
        )
        answer = await browser.submit(path, data={"definition": good, "do": "try"})
        assert "It would have fired 0 times in the last 7 days" in answer.text
        command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
        account = await house.system.account((await house.system.do(command))[0])
        body, headers = letter("1")
        await browser.post(f"/hooks/{account.hook_token}", content=body, headers=headers)
        urgent = good.replace("note", "set_priority").replace('"text": "seen"', '"priority": 1')
        answer = await browser.submit(path, data={"definition": urgent, "do": "try"})
        # What would be done is told in the words of its form, not of the hub.
        assert 'Priority:</span> <span class="small">High</span>' in answer.text
        await browser.submit(path, data={"definition": urgent, "do": "save"})
        answer = await browser.submit(
            "/settings/rules", data={"rule": path.rpartition("/")[2], "do": "on"}
        )
        assert answer.status_code == 303
        body, headers = letter("2")
        await browser.post(f"/hooks/{account.hook_token}", content=body, headers=headers)
        (dialog, *_) = (await house.system.dialogs(DialogQuery())).dialogs

        async def told() -> str:
            html = (await browser.get(f"/inbox/dialog/{dialog.id}")).text
            return html.partition(f'href="{path}#')[2].partition('"')[0]

        # The line of its run leads to the run, which says why.
        await until(told)
        assert f'<div id="{await told()}">' in (await browser.get(path)).text


async def test_restoring_a_version_asks_what_becomes_of_what_waits(
    database_url: str, tmp_path: Path
) -> None:
    plugins = (("pigeons", plugin()), ("crm_actions", crm_actions))
    async with open_house(tmp_path, database_url, *plugins) as house:
        browser = await house.logged_in("administrator")

        def notes(text: str) -> str:
            return (
                '{"name": "Notes", "when": [{"event": "message.received"}], "then": [{"action":'
                f' "crm_actions.note", "wait": "1h", "params": {{"text": "{text}"}}}}]}}'
            )

        new = "/settings/rules/new"
        made = await browser.submit(new, data={"definition": notes("one"), "do": "save"})
        path = made.headers["location"].partition("?")[0]
        await browser.submit(path, data={"definition": notes("two"), "do": "save"})
        rule_id = int(path.rpartition("/")[2])
        arm = PlannedTimer(
            rule_id=rule_id,
            version=2,
            kind="step",
            slot="s",
            episode="e",
            due_at=Micros(2 * 10**15),
        )

        def write(tx: Any, given: list[PlannedTimer]) -> list[None]:
            waits = Waits(UnitOfWork(tx))
            for one in given:
                waits.arm(one)
            waits.write()
            return [None for _ in given]

        await house.runtime.database.write(write, arm)
        asked = await browser.submit(path, data={"do": "version", "version": "1"})
        assert asked.status_code == 409
        assert 'name="armed" value="cancel"' in asked.text
        assert (await rule_of(house, rule_id)).version == 2
        answer = {"do": "version", "version": "1", "armed": "cancel"}
        assert (await browser.submit(path, data=answer)).status_code == 303
        kept = await rule_of(house, rule_id)
        assert (kept.version, kept.waiting) == (3, 0)
        assert kept.definition["then"][0]["params"]["text"] == "one"


async def rule_of(house: Any, rule_id: int) -> Rule:
    found: Rule = await house.runtime.handle(SYSTEM).read(reads.rule, RuleId(rule_id))
    return found


async def test_a_ready_rule_says_what_it_says(database_url: str, tmp_path: Path) -> None:
    async with open_house(tmp_path, database_url, ("crm_actions", crm_actions)) as house:
        browser = await house.logged_in("administrator")
        page = (await browser.get("/settings/rules")).text
        assert "What it says" in page
        assert "the rule fires" not in page
        assert "we do not answer for 3m" in page
