"""Quarantine, held things, plugins and jobs over the API."""

from __future__ import annotations

import json

from sqlalchemy import update

from crm_store.tables.outbox import deliveries
from hub import Quarantine
from tests.scenarios.http_api.world import World
from tests.scenarios.web.house import ADDRESS
from tests.scenarios.web.pigeons import SETTINGS, letter, signed


async def test_a_webhook_that_could_not_be_read_is_replayed_after_the_mend(world: World) -> None:
    account = await world.account()
    program = await world.program()
    browser = world.house.browser()
    hook = f"{ADDRESS}/hooks/{account.hook_token}"
    broken = json.dumps({"id": "7", "from": "anna"}).encode()
    assert (await browser.post(hook, content=broken, headers=signed(broken))).status_code < 500
    body, headers = letter("8", "hello from quarantine")
    kept = Quarantine(
        account_id=account.id,
        raw=body,
        error="ValueError: the channel was broken that day",
        headers=tuple(headers.items()),
        url=hook,
    )
    good = (await world.house.system.do(kept))[0]
    listed = (await program.ok("GET", "/quarantine"))["items"]
    assert listed[0]["id"] == str(good)
    assert len(listed) == 2
    bad = listed[1]["id"]
    whole = await program.ok("GET", f"/quarantine/{bad}")
    assert "KeyError" in whole["error"]
    assert "Traceback" in whole["trace"]
    assert {"name": "x-pigeon", "value": signed(broken)["x-pigeon"]} in whole["headers"]
    raw = await program.get(f"/quarantine/{bad}/raw")
    assert raw.content == broken
    assert raw.headers["content-disposition"].startswith("attachment;")
    error = await program.refused(409, "unreadable", "POST", f"/quarantine/{bad}/replay")
    assert "KeyError" in error["message"]
    assert (await program.ok("POST", f"/quarantine/{good}/replay")) == {"arrivals": 1}
    dialogs = await program.ok("GET", "/dialogs")
    assert [one["preview"] for one in dialogs["items"]] == ["hello from quarantine"]
    await program.refused(409, "settled", "POST", f"/quarantine/{good}/replay")
    # All that waits together: here the one that still cannot be read.
    done = await program.ok("POST", "/quarantine/replay")
    assert done == {"read": 0, "failed": 1, "next": None}
    assert (await program.ok("POST", f"/quarantine/replay?after={bad}"))["failed"] == 0
    await program.ok("POST", f"/quarantine/{bad}/drop")
    assert (await program.ok("GET", "/quarantine"))["items"] == []
    states = {one["state"] for one in (await program.ok("GET", "/quarantine?state="))["items"]}
    assert states == {"replayed", "dropped"}
    first = await program.ok("GET", "/quarantine?state=&limit=1")
    rest = await program.ok("GET", f"/quarantine?state=&limit=1&before={first['next']}")
    assert [first["items"][0]["id"], rest["items"][0]["id"]] == [str(good), bad]


async def test_a_replay_twice_makes_one_message(world: World) -> None:
    """The same letter had come through meanwhile: its dedupe key stands."""
    account = await world.account()
    program = await world.program()
    body, headers = letter("9", "once")
    hook = f"{ADDRESS}/hooks/{account.hook_token}"
    kept = Quarantine(
        account_id=account.id, raw=body, error="x", headers=tuple(headers.items()), url=hook
    )
    number = (await world.house.system.do(kept))[0]
    answer = await world.house.browser().post(hook, content=body, headers=headers)
    assert answer.status_code == 200
    await program.ok("POST", f"/quarantine/{number}/replay")
    dialogs = await program.ok("GET", "/dialogs")
    assert [one["message_count"] for one in dialogs["items"]] == [1]


async def test_held_answers_wait_for_a_decision(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna")
    program = await world.program()
    later = {"text": "soon", "due_at": "2099-01-01T00:00:00Z"}
    path = f"/dialogs/{came.dialog_id}/messages"
    made = await program.ok("POST", path, json=later)
    with world.house.runtime.database.administer() as conn:
        conn.execute(update(deliveries).values(held=True))
    held = await program.ok("GET", "/held")
    assert (held["deliveries"], held["jobs"], held["webhooks"]) == (1, 0, 0)
    assert held["oldest_at"] is not None
    assert (await program.ok("GET", f"/messages/{made['id']}/delivery"))["held"] is True
    (named,) = await program.ok("GET", "/held/deliveries")
    assert (named["text"], named["dialog_id"]) == ("soon", str(came.dialog_id))
    await program.refused(422, "invalid", "GET", f"/held/deliveries?after={10**30}")
    body = {"kind": "deliveries", "release": False, "ids": [named["id"]]}
    for wrong in ({"kind": "webhooks"}, {"ids": [str(10**30)]}):
        await program.refused(422, "invalid", "POST", "/held/release", json={**body, **wrong})
    assert await program.ok("POST", "/held/release", json=body) == {"count": 1}
    assert (await program.ok("GET", "/held"))["deliveries"] == 0
    found = await program.ok("GET", f"/messages/{made['id']}/delivery")
    assert found["status"] == "suppressed"


async def test_plugins_are_shown_with_their_state(world: World) -> None:
    program = await world.program("auditor")
    found = await program.ok("GET", "/plugins")
    pigeons = next(one for one in found if one["name"] == "pigeons")
    assert (pigeons["state"], pigeons["hooks"]) == ("loaded", ["register_channels"])
    admin = await world.program()
    assert await admin.ok("GET", "/jobs/dead") == []
    assert SETTINGS["signing_key"] not in json.dumps(found)
