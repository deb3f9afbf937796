"""What a rule did stands in the dialog in words, with the way to its reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import Address, CreateAccount, InboundMessage, SaveRule
from plugins import crm_actions
from tests.houses import until
from tests.scenarios.web.house import open_house
from tests.scenarios.web.pigeons import SETTINGS, plugin


async def test_a_dialog_says_which_rule_ran_and_why(database_url: str, tmp_path: Path) -> None:
    plugins = (("pigeons", plugin()), ("crm_actions", crm_actions))
    async with open_house(tmp_path, database_url, *plugins) as house:
        browser = await house.logged_in("administrator")
        rule = {
            "name": "Seen by a rule",
            "when": [{"event": "message.received"}],
            "then": [{"action": "crm_actions.tag", "params": {"tags": ["seen"]}}],
        }
        account, rule_id = await house.system.do(
            CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS),
            SaveRule(definition=rule, enabled=True),
        )
        one = InboundMessage(
            dedupe_key="1",
            external_id="1",
            sender=Address(kind="pigeon", value="anna", name="Anna"),
            text="coo",
        )
        got = (await house.runtime.receive(await house.system.account(account), [one]))[0]

        async def shown() -> Any:
            page = (await browser.get(f"/inbox/{got.dialog_id}")).text
            return page if "The rule “Seen by a rule” ran" in page else None

        assert f"/settings/rules/{rule_id}" in await until(shown)
