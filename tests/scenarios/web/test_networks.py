"""People are let in from certain networks only: at every door, and never to customers' harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

import plugins.web_chat
from crm_store.networks import parsed
from hub import CreateAccount, CreateToken, LimitNetworks, NotAllowed, NoteTurnedAway, UserId
from hub.web.auth import new_api_token, token_hash
from hub.web.invitations import invitation_link
from tests.scenarios.web.house import ADDRESS, PASSWORD, Browser, House, open_house
from tests.scenarios.web.pigeons import SETTINGS, plugin
from tests.scenarios.web.test_live import Listener

OFFICE, HOME = "198.51.100.7", "203.0.113.9"
PROXY = "192.0.2.1"
PATH = "/settings/security"


@pytest.fixture
async def hub(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A hub behind a proxy that it trusts."""
    brought = (("pigeons", plugin()), ("web_chat", plugins.web_chat))
    async with open_house(tmp_path, database_url, *brought, trusted_proxies=PROXY) as house:
        yield house


async def limited(browser: Browser, *networks: str) -> httpx2.Response:
    """Save a list on the screen."""
    return await browser.submit(PATH, data={"networks": "\n".join(networks)})


def program(house: House, secret: str, client: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=house.app, client=(client, 5000)),
        base_url=f"{ADDRESS}/api/v1",
        headers={"authorization": f"Bearer {secret}"},
    )


async def test_people_come_in_from_the_networks_named_and_from_nowhere_else(hub: House) -> None:
    boss = await hub.logged_in()
    agent_id = await hub.user("agent")
    agent = hub.browser(HOME)
    assert (await agent.log_in("agent@example.org")).status_code == 303
    assert (await limited(boss, "198.51.100.0/24", "2001:db8::/32")).status_code == 303
    # A session that was opened before is of no use from elsewhere, at once.
    answer = await agent.get("/inbox")
    assert answer.status_code == 403
    assert HOME in answer.text
    assert "Not from this network" in answer.text
    answer = await agent.get("/live", headers={"accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "network")
    answer = await agent.get("/api/v1/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "network")
    # Nor does one sign in, by whatever way.
    stranger = hub.browser(HOME)
    for answer in (
        await stranger.get("/login"),
        await stranger.log_in("agent@example.org"),
        await stranger.post("/login/passkey/options"),
        await stranger.post("/login/passkey"),
        await stranger.get(await invitation_link(hub.runtime, agent_id)),
    ):
        assert answer.status_code == 403, answer.text
    assert "hub_session" not in stranger.cookies
    assert (await stranger.get("/inbox")).headers["location"].startswith("/login")
    assert (await stranger.get("/login/language/ru?next=/login")).status_code == 303
    assert "Не из этой сети" in (await stranger.get("/login")).text
    # In the office all goes on, by IPv6 and by IPv4 in its words too.
    for address in (OFFICE, "2001:db8::7", "::ffff:198.51.100.20"):
        assert (await hub.browser(address).log_in("agent@example.org")).status_code == 303, address
    # Back in the office the session is there again.
    agent._transport = hub.browser(OFFICE)._transport
    assert (await agent.get("/inbox")).status_code == 200


async def test_tokens_of_programs_are_held_to_it(hub: House) -> None:
    user_id = await hub.user()
    secret = new_api_token()
    await hub.system.do(CreateToken(user_id=user_id, name="x", token_hash=token_hash(secret)))
    async with program(hub, secret, OFFICE) as near, program(hub, secret, HOME) as far:
        assert (await far.get("/me")).status_code == 200
        # Nobody locks himself out by the API either.
        answer = await far.put("/networks", json={"networks": ["198.51.100.0/24"]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "locked_out")
        answer = await near.put("/networks", json={"networks": ["198.51.100.9/24"]})
        assert answer.json() == {"networks": ["198.51.100.0/24"], "seen_from": OFFICE}
        answer = await far.get("/me")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "network")
        assert (await near.get("/networks")).status_code == 200
        await hub.system.do(LimitNetworks(networks=()))
        await told(hub)
        assert (await far.get("/me")).status_code == 200


async def told(hub: House, *networks: str) -> None:
    """Wait until what another process has saved has come round."""
    async with asyncio.timeout(10):
        while hub.runtime.networks != parsed(networks):
            await asyncio.sleep(0.01)


async def test_open_streams_end_where_they_are_not_let_in_any_more(hub: House) -> None:
    ears = await Listener(hub, await hub.user("agent")).start()
    await hub.system.do(LimitNetworks(networks=("192.0.2.0/24",)))
    await ears.hear(lambda item: item["k"] == "session")
    with pytest.raises((StopAsyncIteration, TimeoutError)):
        await ears.hear(lambda item: item["k"] == "never")
    assert hub.app.state.live.connections == 0


async def test_nobody_locks_himself_out(hub: House) -> None:
    boss = await hub.logged_in()
    answer = await limited(boss, "192.0.2.0/24")
    assert answer.status_code == 422
    assert "lock yourself out" in answer.text
    assert "192.0.2.0/24" in answer.text
    answer = await limited(boss, "office")
    assert answer.status_code == 422
    assert "office is no network" in answer.text
    assert (await hub.browser(HOME).get("/login")).status_code == 200
    agent = hub.system.as_user(await hub.user("agent"))
    with pytest.raises(NotAllowed):
        await agent.do(LimitNetworks(networks=()))
    with pytest.raises(NotAllowed):
        await agent.do(NoteTurnedAway(user_id=UserId(1), seen_from=HOME))


async def test_the_address_is_that_before_a_trusted_proxy_and_no_other(hub: House) -> None:
    boss = await hub.logged_in()
    await hub.user("agent")
    assert (await limited(boss, "198.51.100.0/24")).status_code == 303
    inside, outside, liar = hub.browser(PROXY), hub.browser(PROXY), hub.browser(HOME)
    inside.headers["x-forwarded-for"] = OFFICE
    outside.headers["x-forwarded-for"] = f"{OFFICE}, {HOME}"
    liar.headers["x-forwarded-for"] = OFFICE
    assert (await inside.log_in("agent@example.org")).status_code == 303
    assert (await outside.log_in("agent@example.org")).status_code == 403
    assert (await liar.log_in("agent@example.org")).status_code == 403
    boss.headers["x-forwarded-for"] = "10.0.0.1"
    assert "HUB_TRUSTED_PROXIES" in (await boss.get(PATH)).text


async def test_customers_and_machines_are_never_asked(hub: House) -> None:
    made = await hub.system.do(CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS))
    account = await hub.system.account(made[0])
    chat = await hub.system.account(
        (await hub.system.do(CreateAccount(channel="web_chat", title="Chat", settings={})))[0]
    )
    paths = [
        "/healthz",
        "/readyz",
        "/favicon.ico",
        "/manifest.webmanifest",
        f"/hooks/{account.hook_token}",
        f"/p/web_chat/{chat.hook_token}/widget.js",
        "/u/x",
        "/s/x",
        "/c/x",
        "/o/x",
        "/ical/x.ics",
        "/shared/x",
        "/texts/ru.js",
    ]
    far = hub.browser(HOME)
    before = [(await far.get(path)).status_code for path in paths]
    boss = await hub.logged_in()
    await hub.user("agent")
    # Also for a colleague at home, whose browser sends his session along.
    home = hub.browser(HOME)
    await home.log_in("agent@example.org")
    assert (await limited(boss, "198.51.100.0/24")).status_code == 303
    for browser in (far, home):
        assert [(await browser.get(path)).status_code for path in paths] == before
    # An export is a colleague's, though its link needs no session.
    assert (await far.get("/exports/x")).status_code == 403


async def test_who_was_turned_away_stands_in_the_audit_once(hub: House) -> None:
    boss = await hub.logged_in()
    await hub.user("agent")
    agent = hub.browser(HOME)
    await agent.log_in("agent@example.org")
    await limited(boss, "198.51.100.0/24")
    for _ in range(3):
        await agent.get("/inbox")
        await hub.browser("203.0.113.77").log_in("agent@example.org", PASSWORD)
    page = (await boss.get("/settings/audit")).text
    assert page.count("turned away") == 2
    assert HOME in page
    assert "203.0.113.77" in page
    assert "networks of people changed" in page
    assert "198.51.100.0/24" in page
