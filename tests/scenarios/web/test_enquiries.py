"""Enquiries without a verdict, and the choices of an account that write an ordinary rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_store import enquiries
from crm_store.addresses import blocked_addresses
from hub import Invalid
from hub.account_intake import Intake, choices_of, definition_of
from hub.ids import AccountId
from plugins import crm_actions
from tests.houses import until
from tests.scenarios.http_api.world import open_world


async def test_each_enquiry_gets_its_verdict_and_it_is_taken_back(
    database_url: str, tmp_path: Path
) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        program = await world.program()
        account = await world.account()
        names = ("anna", "boris", "vera", "spam")
        ids = {
            one: str((await world.letter(account, one, f"I am {one}")).dialog_id) for one in names
        }

        async def waiting() -> list[str]:
            found = await program.ok("GET", "/enquiries?limit=3")
            rest = (
                await program.ok("GET", f"/enquiries?after={found['next']}")
                if found["next"]
                else {}
            )
            return [one["id"] for one in [*found["items"], *rest.get("items", [])]]

        assert await waiting() == [ids[one] for one in names]

        said = {}
        for name, verdict in (("anna", "lead"), ("boris", "request"), ("vera", "interest")):
            path = f"/enquiries/{ids[name]}/verdict"
            said[name] = await program.ok("POST", path, json={"verdict": verdict})
            assert (said[name]["kind"], said[name]["verdict"]) == (verdict, verdict)
        path = f"/enquiries/{ids['spam']}"
        error = await program.refused(
            422, "invalid", "POST", f"{path}/verdict", json={"verdict": "rejected"}
        )
        assert error["field"] == "reason"
        body = {"verdict": "rejected", "reason": "advertising"}
        said["spam"] = await program.ok("POST", f"{path}/verdict", json=body)
        assert await waiting() == []

        # A rejected sender is remembered, until that is taken back.
        blocked = await world.house.runtime.database.read(blocked_addresses)
        assert list(blocked.values()) == ["advertising"]
        for name, one in said.items():
            await program.ok("POST", f"/enquiries/{ids[name]}/back", json=one)
        assert sorted(await waiting()) == sorted(ids.values())
        assert await world.house.runtime.database.read(blocked_addresses) == {}

        # What belongs to something is attached to it.
        client = await program.ok("POST", "/clients", json={"name": "Boats Ltd"})
        body = {"verdict": "attached", "kind": "client", "object_id": client["id"]}
        await program.ok("POST", f"/enquiries/{ids['anna']}/verdict", json=body)
        assert ids["anna"] not in await waiting()

        # Of several that fit somebody chooses: the list says so, and they are offered first.
        browser = await world.house.logged_in("supervisor")
        hint = "Several are open: choose what it belongs to."
        assert hint not in (await browser.get("/enquiries")).text
        person = (await program.ok("GET", f"/dialogs/{ids['boris']}"))["contact_id"]
        for title in ("Leaks", "Sails"):
            body = {"title": title, "contact_id": person}
            await program.ok("POST", "/requests", json=body)
        assert (await browser.get("/enquiries")).text.count(hint) == 1
        offered = (await browser.get(f"/enquiries/{ids['boris']}/candidates")).json()
        assert [one["label"] for one in offered if one["kind"] == "request"] == ["Sails", "Leaks"]


async def test_an_accounts_choices_write_an_ordinary_rule(
    database_url: str, tmp_path: Path
) -> None:
    actions = ("crm_actions", crm_actions)
    async with open_world(tmp_path, database_url, actions, api_per_minute=100_000) as world:
        account = await world.account()
        browser = await world.house.logged_in("administrator")
        path = f"/settings/channels/{account.id}"
        assert "What happens with new messages here" in (await browser.get(path)).text
        values = {"make": "lead", "give": "route", "greeting": "Good day!"}
        answer = await browser.submit(f"{path}/intake", path, data=values)
        assert answer.status_code == 303
        page = (await browser.get(path)).text
        assert "It is an ordinary rule" in page
        assert "the first message of a dialog comes in" in page
        assert 'value="lead" selected' in page

        await world.letter(account, "anna", "Hello")

        async def made() -> bool:
            return await world.house.system.read(enquiries.count) == 0

        assert await until(made)
        # Nothing chosen: the rule goes, messages only come in.
        await browser.submit(f"{path}/intake", path, data={"make": "", "give": ""})
        assert "It is an ordinary rule" not in (await browser.get(path)).text


@pytest.mark.parametrize(
    "intake",
    [
        Intake(make="lead"),
        Intake(make="interest", give="team", to=7, greeting="Hello"),
        Intake(make="reject", reason="noise"),
        Intake(give="user", to=9),
    ],
)
def test_choices_are_read_back_from_the_rule_they_write(intake: Intake) -> None:
    definition = definition_of(AccountId(5), "Desk", intake, "ru")
    assert choices_of(AccountId(5), definition) == intake
    assert choices_of(AccountId(5), {**definition, "guards": {"most_a_day": 3}}) is None


def test_choices_that_say_too_little_are_refused() -> None:
    for wrong in (Intake(make="reject"), Intake(give="team"), Intake(make="pie")):
        with pytest.raises(Invalid):
            definition_of(AccountId(5), "Desk", wrong, "en")
