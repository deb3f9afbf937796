"""Rules from the command line: tested, imported, listed and carried elsewhere."""

from __future__ import annotations

import json

from tests.scenarios.cli.processes import CommandLine

RULE = {
    "name": "Price question",
    "when": [{"event": "message.received"}],
    "if": {"field": "message.text", "operator": "words", "value": "price"},
    "then": [{"action": "crm_actions.note", "params": {"text": "A price"}}],
    "examples": [{"values": {"message.text": "What is the price?"}, "fires": True}],
}


def test_rules_are_tested_imported_listed_and_exported(hub: CommandLine) -> None:
    file = hub.data.parent / "rules.json"
    file.write_text(json.dumps({"schema": 1, "rules": [RULE]}))
    assert "ok, 1 example(s), would have fired 0" in hub("rules", "test", str(file), "--days", "7")
    assert "1 rule(s) added, on" in hub("rules", "import", str(file), "--on")
    assert "Price question" in hub("rules", "list")
    exported = json.loads(hub("rules", "export"))
    assert exported["rules"][0]["if"] == RULE["if"]
    RULE["examples"][0]["fires"] = False  # type: ignore[index]
    file.write_text(json.dumps(RULE))
    assert "should stay silent" in hub.refused("rules", "test", str(file))
