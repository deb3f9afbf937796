"""`classify`: messages are sorted by keyword rules that show why; a colleague's word goes before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import find_words
from plugins import crm_actions, keyword_labels
from tests.houses import until
from tests.scenarios.http_api.world import open_world

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
