"""One's own devices over the API: added by a login, called, forgotten with it, and told to nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import sessions as session_reads
from hub import RevokeToken
from hub.push_keys import public_key
from hub.web.notice_words import NOT_ALLOWED
from tests.push_service import PushService, push_service
from tests.scenarios.http_api.world import World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose push service is on loopback."""
    async with open_world(tmp_path, database_url, push_allow_private=True) as one:
        yield one


@pytest.fixture
async def service(world: World) -> AsyncIterator[PushService]:
    async with push_service() as one:
        one.public = await public_key(world.house.runtime)
        yield one


async def test_a_device_is_added_tried_switched_and_goes_with_its_token(
    world: World, service: PushService
) -> None:
    agent = await world.program("agent")
    state = await agent.ok("GET", "/notices/push")
    assert state == {"public_key": service.public, "devices": []}
    phone = service.browser("phone")
    given = {name: phone.subscription[name] for name in ("endpoint", "keys")}
    answer = await agent.post("/notices/push/devices", json={**given, "name": "My phone"})
    made = answer.json()
    assert (answer.status_code, made["name"], made["is_this"], made["active"]) == (
        201, "My phone", True, True,
    )  # fmt: skip
    assert phone.endpoint not in answer.text
    assert given["keys"]["auth"] not in answer.text
    path = f"/notices/push/devices/{made['id']}"
    assert await agent.ok("POST", f"{path}/test") == {"ok": True, "code": 201, "error": ""}
    assert phone.told[0]["path"] == "/settings/notices"
    service.answers.append((413, {}))
    tried = await agent.ok("POST", f"{path}/test")
    assert tried == {"ok": False, "code": 413, "error": "its push service answered 413"}
    assert (await agent.ok("PATCH", path, json={"active": False}))["active"] is False
    # It is nobody else's business.
    other = await world.program("supervisor")
    assert (await other.ok("GET", "/notices/push"))["devices"] == []
    await other.refused(404, "not_found", "POST", f"{path}/test")
    await other.refused(404, "not_found", "DELETE", path)
    await agent.ok("DELETE", path)
    again = await agent.ok("POST", "/notices/push/devices", json=given)
    # The second token of the same user sees it, and is not what it came with.
    second = await world.program("agent")
    [seen] = (await second.ok("GET", "/notices/push"))["devices"]
    assert (seen["id"], seen["is_this"]) == (again["id"], False)
    tokens = await world.house.system.read(session_reads.tokens_of, await world.user("agent"))
    await world.house.system.do(RevokeToken(token_id=tokens[-1].id))
    assert (await second.ok("GET", "/notices/push"))["devices"] == []


async def test_an_address_inside_the_house_and_a_wrong_key_are_refused(
    world: World, service: PushService
) -> None:
    agent = await world.program("agent")
    given = {name: service.browser("x").subscription[name] for name in ("endpoint", "keys")}
    path = "/notices/push/devices"
    short = {**given, "keys": {**given["keys"], "auth": "AAAA"}}
    await agent.refused(422, "invalid", "POST", path, json=short)
    no_point = {**given, "keys": {**given["keys"], "p256dh": "AAAA"}}
    await agent.refused(422, "invalid", "POST", path, json=no_point)
    settings = world.house.runtime.settings
    settings.push_allow_private = False
    await agent.refused(422, "invalid", "POST", path, json=given)
    inside = {**given, "endpoint": f"https://localhost:{service.receiver.port}/x"}
    made = await agent.ok("POST", path, json=inside)
    tried = await agent.ok("POST", f"{path}/{made['id']}/test")
    assert tried == {"ok": False, "code": 403, "error": NOT_ALLOWED}
    assert service.receiver.posted == []
