"""`classify`: messages are sorted by keyword rules that show why; a colleague's word goes before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import AccountId, Address, Classifying, InboundMessage, find_words
from plugins import crm_actions, keyword_labels
from plugins.keyword_labels.words import KNOWN, STARTING
from tests.houses import until
from tests.scenarios.http_api.world import open_world
from tests.scenarios.web.house import open_house

COMPLAINT = {
    "name": "Complaints are urgent",
    "when": [{"event": "message.received"}],
    "if": {
        "all": [
            {"field": "message.label", "operator": "equals", "value": "complaint"},
            {"field": "message.label_confidence", "operator": "greater", "value": 50},
        ]
    },
    "then": [{"action": "crm_actions.set_priority", "params": {"priority": 2}}],
}


async def test_a_message_is_sorted_with_its_reason_and_overruled(
    database_url: str, tmp_path: Path
) -> None:
    plugins = (("crm_actions", crm_actions), ("keyword_labels", keyword_labels))
    async with open_world(tmp_path, database_url, *plugins, api_per_minute=100_000) as world:
        program = await world.program()
        account = await world.account()
        await program.ok("POST", "/rules", json={"definition": COMPLAINT, "enabled": True})
        got = await world.letter(account, "anna", "Это безобразие! Верните деньги за лодку.")
        path = f"/messages/{got.message_id}"
        label = (await program.ok("GET", path))["extra"]["label"]
        assert label == {
            "name": "complaint",
            "reason": "безобразие, Верните",
            "confidence": 90,
            "by": "keyword_labels",
        }

        async def urgent() -> Any:
            return (await program.ok("GET", f"/dialogs/{got.dialog_id}"))["priority"] == 2

        assert await until(urgent)
        [run] = (await program.ok("GET", f"/rule-runs?dialog_id={got.dialog_id}"))["items"]
        assert [one["seen"] for one in run["why"]["parts"]] == ["complaint", 90]

        # A colleague knows better; what was said before is kept beside it.
        shown = await program.ok("PUT", f"{path}/label", json={"label": "sales"})
        label = shown["extra"]["label"]
        assert (label["name"], label["was"], label["by"]) == ("sales", "complaint", "user")
        shown = await program.ok("PUT", f"{path}/label", json={"label": ""})
        assert "label" not in shown["extra"]

        plain = await world.letter(account, "boris", "See you tomorrow")
        assert "label" not in (await program.ok("GET", f"/messages/{plain.message_id}"))["extra"]


def test_words_are_found_in_any_form_as_they_stand() -> None:
    assert find_words("Какие у вас ЦЕНЫ и скидки?", ["цена", "скидка"]) == ["ЦЕНЫ", "скидки"]
    assert find_words("Prices, please", ["price"]) == ["Prices"]
    assert find_words("nothing here", ["price"]) == []


async def test_the_words_of_a_meaning_are_written_on_a_page(
    database_url: str, tmp_path: Path
) -> None:
    plugins = (("crm_actions", crm_actions), ("keyword_labels", keyword_labels))
    async with open_house(tmp_path, database_url, *plugins) as house:
        browser = await house.logged_in("administrator")
        path = "/p/keyword_labels/"
        page = (await browser.get(f"{path}?try=Верните деньги")).text
        assert "<b>complaint</b> — Верните (60 %)" in page
        rental = {"name_0": "rental", "words_0": "rent, hire\nаренда", "do": "save"}
        answer = await browser.submit(path, data=rental)
        assert answer.status_code == 303, answer.text
        page = (await browser.get(f"{path}?try=Сколько стоит аренда лодки?")).text
        assert "<b>rental</b> — аренда (60 %)" in page

        # Every process hears of it, and takes messages in by the new words.
        KNOWN.words = STARTING
        again = {**rental, "words_0": "rent, hire, аренда, прокат"}
        await browser.submit(path, data=again)
        assert await until(lambda: "прокат" in KNOWN.words.get("rental", ()))
        seen = InboundMessage(
            dedupe_key="1",
            external_id="1",
            sender=Address(kind="pigeon", value="anna"),
            text="Прокат лодок",
        )
        label = keyword_labels.classify(
            Classifying(message=seen, account_id=AccountId(1), channel="pigeon")
        )
        assert label is not None
        assert (label.name, label.reason) == ("rental", "Прокат")

        twice = {**rental, "name_1": "rental", "words_1": "x"}
        answer = await browser.submit(path, data=twice)
        assert (answer.status_code, "two meanings" in answer.text) == (422, True)
        await browser.submit(path, data={"do": "start"})
        assert "complaint" in (await browser.get(path)).text
        agent = await house.logged_in("agent")
        assert (await agent.submit(path, data=rental)).status_code == 403
