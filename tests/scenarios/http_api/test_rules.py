"""Rules through the API: written, versioned, tried, ordered, explained, carried elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub import UpdateAccount
from plugins import crm_actions
from tests.houses import until
from tests.scenarios.http_api.world import open_world

PRICE = {
    "name": "Price question",
    "when": [{"event": "message.received"}],
    "if": {"all": [{"field": "message.text", "operator": "words", "value": ["цена", "price"]}]},
    "then": [{"action": "crm_actions.note", "params": {"text": "A price was asked for"}}],
    "examples": [
        {"name": "asks", "values": {"message.text": "Какие у вас цены?"}, "fires": True},
        {"name": "thanks", "values": {"message.text": "Спасибо"}, "fires": False},
    ],
}


async def test_a_rule_is_written_tried_run_and_explained(database_url: str, tmp_path: Path) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        account = await world.account()
        got = await world.letter(account, "anna", "Какая цена?")

        # What is wrong is said with its place.
        broken = {**PRICE, "then": [{"action": "crm_actions.note", "params": {}}]}
        error = await program.refused(422, "invalid", "POST", "/rules", json={"definition": broken})
        assert error["field"] == "then[0].params.text"
        slip = {"text": "Good day, {{ contact.frist_name }}!"}
        slipped = {**PRICE, "then": [{"action": "crm_actions.note", "params": slip}]}
        answer = {"definition": slipped}
        error = await program.refused(422, "invalid", "POST", "/rules", json=answer)
        assert error["field"] == "then[0].params.text"
        assert "contact.first_name?" in error["message"]
        lies = {**PRICE, "examples": [{"values": {"message.text": "no"}, "fires": True}]}
        error = await program.refused(422, "invalid", "POST", "/rules", json={"definition": lies})
        assert error["field"] == "examples[0]"

        # Tried before it is kept: on the past, and on a pasted case.
        days = await program.ok("POST", "/rules/try", json={"definition": PRICE, "days": 7})
        assert (days["fired"], days["cases"][0]["dialog_id"]) == (1, str(got.dialog_id))
        [case] = (
            await program.ok(
                "POST",
                "/rules/try",
                json={"definition": PRICE, "values": {"message.text": "the price please"}},
            )
        )["cases"]
        assert case["fires"]
        clause = case["judged"]["parts"][0]
        assert (clause["field"], clause["seen"]) == ("message.text", "the price please")

        rule = await program.ok("POST", "/rules", json={"definition": PRICE, "enabled": True})
        path = f"/rules/{rule['id']}"
        [tried] = (
            await program.ok(
                "POST",
                "/rules/try",
                json={"rule_id": rule["id"], "dialog_id": str(got.dialog_id)},
            )
        )["cases"]
        assert tried["fires"]
        assert tried["reason"] == "the rule was switched on later"
        assert tried["would"][0]["acts"][0]["command"] == "AddNote"

        await world.letter(account, "anna", "What is the price?")
        log = f"/rule-runs?dialog_id={got.dialog_id}"

        async def ran() -> Any:
            return (await program.ok("GET", log))["items"]

        [run] = await until(ran)
        assert (run["rule_name"], run["state"]) == ("Price question", "done")
        assert run["why"]["parts"][0]["verdict"]
        found = await program.ok("GET", "/rule-runs?q=price%20question")
        assert [one["id"] for one in found["items"]] == [run["id"]]

        # Versions, and nobody's change is lost unseen.
        changed = {**PRICE, "name": "Prices"}
        await program.ok("PUT", path, json={"definition": changed}, headers={"If-Match": '"1"'})
        stale = {"If-Match": '"1"'}
        await program.refused(
            412, "version", "PUT", path, json={"definition": PRICE}, headers=stale
        )
        versions = await program.ok("GET", f"{path}/versions")
        assert [one["version"] for one in versions] == [2, 1]
        back = await program.ok("POST", f"{path}/versions/1/restore?armed=cancel")
        assert (back["name"], back["version"]) == ("Price question", 3)

        # Order, switch, recipes, export and import, removal.
        made = await program.ok("POST", "/rule-recipes/crm_actions.new_sender?language=ru", json={})
        assert (made["enabled"], made["name"]) == (False, "Новый отправитель → лид")
        await program.ok("POST", f"/rules/{made['id']}/move", json={"before": rule["id"]})
        assert [one["id"] for one in await program.ok("GET", "/rules")] == [made["id"], rule["id"]]
        exported = await program.ok("GET", "/rules/export")
        copies = await program.ok("POST", "/rules/import", json={"rules": exported["rules"]})
        assert [one["enabled"] for one in copies] == [False, False]
        await program.ok("POST", f"{path}/switch", json={"enabled": False})
        assert not (await program.ok("GET", path))["enabled"]
        await program.ok("DELETE", path)
        assert rule["id"] not in [one["id"] for one in await program.ok("GET", "/rules")]
        await program.ok("POST", f"{path}/restore")
        words = await program.ok("GET", "/rule-words?language=ru")
        assert {"message.received", "no_answer.ours"} <= {one["name"] for one in words["events"]}

        agent = await world.program("agent")
        await agent.refused(403, "not_allowed", "POST", "/rules", json={"definition": PRICE})


async def test_a_rule_is_not_tried_on_what_one_may_not_see(
    database_url: str, tmp_path: Path
) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        boss, agent = await world.program(), await world.program("agent")
        account = await world.account()
        members = (await world.user("administrator"),)
        await world.house.system.do(UpdateAccount(account_id=account.id, members=members))
        got = await world.letter(account, "anna", "Какая цена?")
        facts = (await boss.ok("GET", "/events?types=message.received"))["events"]
        draft = {"definition": PRICE}
        asked = [
            {**draft, "days": 7},
            {**draft, "event_id": facts[0]["id"].rpartition("-")[2]},
            {**draft, "dialog_id": str(got.dialog_id)},
        ]
        for one in asked:
            assert (await boss.ok("POST", "/rules/try", json=one))["judged"] == 1
        hidden = await agent.ok("POST", "/rules/try", json=asked[0])
        assert (hidden["judged"], hidden["cases"]) == (0, [])
        for one in asked[1:]:
            await agent.refused(404, "not_found", "POST", "/rules/try", json=one)


async def test_every_objection_has_its_place(database_url: str, tmp_path: Path) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        wrong = {
            "name": "",
            "when": [{"event": "nonsense"}, {"event": "no_answer.ours"}],
            "if": {
                "all": [
                    {"field": "message.text", "operator": "words", "value": ["price"]},
                    {"any": [{"field": "message.text", "operator": "words", "value": []}]},
                    {"field": "moon.phase", "operator": "equals", "value": 1},
                ]
            },
            "then": [{"action": "crm_actions.note", "params": {}}],
        }
        found = await program.ok("POST", "/rules/check", json={"definition": wrong})
        assert {one["path"] for one in found["wrong"]} == {
            "name",
            "when[0].event",
            "when[1].after",
            "if.all[1].any[0].value",
            "if.all[2].field",
            "then[0].params.text",
        }
        found = await program.ok("POST", "/rules/check?language=ru", json={"definition": PRICE})
        assert found["wrong"] == []
        assert found["sentence"]["when"] == "пришло сообщение"
        lies = {**PRICE, "examples": [{"values": {"message.text": "no"}, "fires": True}]}
        found = await program.ok("POST", "/rules/check", json={"definition": lies})
        assert [one["path"] for one in found["wrong"]] == ["examples[0]"]
        words = await program.ok("GET", "/rule-words?language=ru")
        assert words["references"]["channel"]
        [note] = [one for one in words["actions"] if one["name"] == "crm_actions.note"]
        assert note["params"]["properties"]["text"]["title"] == "Текст"


async def test_a_draft_is_kept_switched_off(database_url: str, tmp_path: Path) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        good = await program.ok("POST", "/rules", json={"definition": PRICE, "enabled": True})
        path = f"/rules/{good['id']}"
        broken = {**PRICE, "then": [{"action": "crm_actions.note", "params": {}}]}
        await program.refused(422, "invalid", "PUT", path, json={"definition": broken})
        draft = {"definition": broken, "draft": True, "enabled": True}
        kept = await program.ok("PUT", path, json=draft)
        assert (kept["enabled"], kept["version"]) == (False, 2)
        assert "then[0].params.text" in kept["warnings"][0]
        # It is listed, asked why, and not switched on before it is right.
        assert [one["enabled"] for one in await program.ok("GET", "/rules")] == [False]
        error = await program.refused(
            422, "invalid", "POST", f"{path}/switch", json={"enabled": True}
        )
        assert error["field"] == "then[0].params.text"
        # What has no form at all is no draft; a new one may be.
        shapeless = {"definition": {"name": "x", "when": "soon"}, "draft": True}
        await program.refused(422, "invalid", "POST", "/rules", json=shapeless)
        made = await program.ok("POST", "/rules", json=draft)
        assert made["enabled"] is False
        await program.ok("PUT", path, json={"definition": PRICE, "enabled": True})


async def test_examples_know_dates_and_what_time_it_is(database_url: str, tmp_path: Path) -> None:
    actions = ("crm_actions", crm_actions)
    old = {"field": "contact.created_at", "operator": "older_than", "value": "30d"}
    day = {"now": "2026-06-30T12:00:00Z"}
    rule = {
        **PRICE,
        "if": {"all": [old]},
        "examples": [
            {"values": {**day, "contact.created_at": "2026-05-01T00:00:00Z"}, "fires": True},
            {"values": {**day, "contact.created_at": "2026-06-20T00:00:00+03:00"}, "fires": False},
        ],
    }
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        await program.ok("POST", "/rules", json={"definition": rule})
        bad = {**rule, "examples": [{"values": {"now": "yesterday"}, "fires": True}]}
        error = await program.refused(422, "invalid", "POST", "/rules", json={"definition": bad})
        assert error["field"] == "examples[0].values.now"


async def test_a_pattern_is_read_when_it_is_saved_and_judged_without_being_halted(
    database_url: str, tmp_path: Path
) -> None:
    actions = ("crm_actions", crm_actions)

    def rule(pattern: str) -> dict[str, object]:
        asked = {"field": "message.text", "operator": "matches", "value": pattern}
        examples = [
            {"values": {"message.text": "Где мой ЗАКАЗ № 4402?"}, "fires": True},
            {"values": {"message.text": "Заказ без номера"}, "fires": False},
        ]
        return {**PRICE, "if": {"all": [asked]}, "examples": examples}

    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        await program.ok("POST", "/rules", json={"definition": rule(r"заказ\s*№?\s*\d{4,}")})
        for wrong in ("(", r"(?=x)"):
            error = await program.refused(
                422, "invalid", "POST", "/rules", json={"definition": rule(wrong)}
            )
            assert error["field"] == "if.all[0].value"
            assert "this is no pattern" in error["message"]


async def test_a_doubt_names_the_other_rule(database_url: str, tmp_path: Path) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        urgent = {"action": "crm_actions.set_priority", "params": {"priority": 1}}
        other = {**PRICE, "name": "Urgent", "then": [urgent], "examples": []}
        kept = await program.ok("POST", "/rules", json={"definition": other, "enabled": True})
        calm = {**urgent, "params": {"priority": 2}}
        mine = {**other, "name": "Calm", "then": [calm]}
        said = await program.ok("POST", "/rules/check?language=ru", json={"definition": mine})
        assert said["warnings"] == [
            (
                "«Urgent» пишет то же при том же событии (Приоритет): останется значение правила, "
                "стоящего ниже"
            )
        ]
        again = {"definition": mine, "rule_id": kept["id"]}
        assert (await program.ok("POST", "/rules/check", json=again))["warnings"] == []
