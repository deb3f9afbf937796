"""Passkeys: added and removed in the profile, shown at the login, and what does not open the door."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pyotp
import pytest

from crm_store.passkeys import passkeys_of
from crm_store.users import all_users
from hub import (
    AddPasskey,
    Conflict,
    NotAllowed,
    Passkey,
    RemovePasskey,
    SetPassword,
    SetSecondFactor,
    UpdateUser,
    UserId,
)
from tests.scenarios.web.authenticator import PRESENT, Authenticator
from tests.scenarios.web.house import PASSWORD, Browser, House, open_house
from tests.scenarios.web.pigeons import plugin

ORIGIN = "https://desk.example"
PROFILE = "/settings/profile"


@pytest.fixture
async def hub(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A hub behind https."""
    async with open_house(
        tmp_path,
        database_url,
        ("pigeons", plugin()),
        public_url=ORIGIN,
        trusted_proxies="198.51.100.7",
    ) as house:
        yield house


def secure(browser: Browser) -> Browser:
    """Let a browser come by the public address."""
    browser.base_url = ORIGIN  # type: ignore[assignment]
    browser.headers |= {"origin": ORIGIN, "x-forwarded-proto": "https"}
    return browser


async def at_work(hub: House, role: str = "agent") -> Browser:
    await hub.user(role)
    browser = secure(hub.browser())
    assert (await browser.log_in(f"{role}@example.org")).status_code == 303
    return browser


async def asked(browser: Browser, password: str = PASSWORD, name: str = "Phone") -> httpx2.Response:
    data = {"_csrf": await browser.csrf(), "name": name, "current": password}
    return await browser.post(f"{PROFILE}/passkeys/options", data=data)


async def added(browser: Browser, name: str = "Phone", **more: int) -> Authenticator:
    device = Authenticator(ORIGIN, **more)  # type: ignore[arg-type]
    answer = await asked(browser, name=name)
    assert answer.status_code == 200, answer.text
    made = device.make(answer.json())
    data = {"_csrf": await browser.csrf(), "name": name, "credential": made}
    answer = await browser.post(f"{PROFILE}/passkeys", data=data)
    assert answer.status_code == 303, answer.text
    return device


async def shown(browser: Browser, device: Authenticator, target: str = "") -> httpx2.Response:
    options = (await browser.post("/login/passkey/options")).json()
    data = {"credential": device.show(options), "next": target}
    return await browser.post("/login/passkey", data=data)


async def kept(hub: House, user_id: UserId) -> list[Passkey]:
    return list(await hub.system.read(passkeys_of, user_id))


async def owner(hub: House) -> UserId:
    """The colleague who came first."""
    return min(one.id for one in await hub.system.read(all_users))


async def test_a_passkey_is_added_named_used_and_removed(hub: House) -> None:
    browser = await at_work(hub)
    user_id = await owner(hub)
    assert (await asked(browser, "not the password")).status_code == 422
    device = await added(browser, "Phone")
    one = (await kept(hub, user_id))[0]
    assert (one.name, one.domain, one.last_used_at, one.synced) == (
        "Phone",
        "desk.example",
        0,
        False,
    )

    # Neither the password nor the code is asked for.
    secret = hub.runtime.keys.encrypt(pyotp.random_base32())
    await hub.system.do(SetSecondFactor(user_id=user_id, secret=secret))
    other = secure(hub.browser())
    page = (await other.get("/login")).text
    assert 'data-passkey="get"' in page
    answer = await shown(other, device, "/search")
    assert (answer.status_code, answer.headers["location"]) == (303, "/search")
    assert (await other.get("/inbox")).status_code == 200
    one = (await kept(hub, user_id))[0]
    assert (one.sign_count, one.last_used_at > 0) == (1, True)

    page = (await browser.get(PROFILE)).text
    assert "Phone" in page
    here = f"{PROFILE}/passkeys/{one.id}"
    await browser.submit(here, page=PROFILE, data={"do": "rename", "name": "Desk key"})
    assert (await kept(hub, user_id))[0].name == "Desk key"
    wrong = {"do": "remove", "current": "not the password"}
    assert (await browser.submit(here, page=PROFILE, data=wrong)).status_code == 422
    assert len(await kept(hub, user_id)) == 1
    right = {"do": "remove", "current": PASSWORD}
    assert (await browser.submit(here, page=PROFILE, data=right)).status_code == 303
    assert await kept(hub, user_id) == []
    assert (await shown(secure(hub.browser()), device)).status_code == 401

    boss = await at_work(hub, "administrator")
    page = (await boss.get("/settings/audit?kind=user")).text
    for words in (
        "passkey added",
        "passkey renamed",
        "passkey removed",
        "signed in with a passkey",
    ):
        assert words in page, words


async def test_it_stands_in_place_of_the_code_after_the_password(hub: House) -> None:
    browser = await at_work(hub)
    device = await added(browser)
    user_id = await owner(hub)
    secret = hub.runtime.keys.encrypt(pyotp.random_base32())
    await hub.system.do(SetSecondFactor(user_id=user_id, secret=secret))
    other = secure(hub.browser())
    page = (await other.log_in("agent@example.org")).text
    assert 'name="code"' in page
    assert 'data-passkey="get"' in page
    assert (await shown(other, device)).status_code == 303


async def test_what_was_asked_is_answered_once_and_by_the_browser_that_was_asked(
    hub: House,
) -> None:
    browser = await at_work(hub)
    device = await added(browser, counts=False)
    other, thief = secure(hub.browser()), secure(hub.browser())
    options = (await other.post("/login/passkey/options")).json()
    jar = dict(other.cookies)
    data = {"credential": device.show(options)}
    assert (await thief.post("/login/passkey", data=data)).status_code == 401
    assert (await other.post("/login/passkey", data=data)).status_code == 303
    # The same cookie and the same answer once more, as somebody would who has read both.
    for name, value in jar.items():
        thief.cookies.set(name, value, domain="desk.example", path="/login/passkey")
    assert (await thief.post("/login/passkey", data=data)).status_code == 401
    # What was asked at the login is no answer in the profile.
    options = (await browser.post("/login/passkey/options")).json()
    assert options["userVerification"] == "required"


async def test_a_challenge_is_old_after_five_minutes(hub: House) -> None:
    browser = await at_work(hub)
    device = await added(browser)
    other = secure(hub.browser())
    options = (await other.post("/login/passkey/options")).json()
    data = {"credential": device.show(options)}
    later = hub.runtime.now() + 301_000_000
    hub.runtime.now = lambda: later  # type: ignore[method-assign]
    answer = await other.post("/login/passkey", data=data)
    assert answer.status_code == 401
    assert "took too long" in answer.text


@pytest.mark.parametrize("wrong", ["origin", "key", "unverified", "nobody", "somebody", "rubbish"])
async def test_what_is_not_true_opens_nothing(hub: House, wrong: str) -> None:
    browser = await at_work(hub)
    device = await added(browser)
    other = secure(hub.browser())
    options = (await other.post("/login/passkey/options")).json()
    match wrong:
        case "origin":
            device.origin = "https://desk.example.evil"
        case "key":
            device.key = Authenticator(ORIGIN).key
        case "unverified":
            device.flags = PRESENT
        case "nobody":
            device.credential = b"unknown"
        case "somebody":
            device.user = "MTIz"
    credential = "{" if wrong == "rubbish" else device.show(options)
    answer = await other.post("/login/passkey", data={"credential": credential})
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert (await other.get("/inbox")).status_code == 303


async def test_a_count_that_does_not_grow_tells_of_a_copy(hub: House) -> None:
    browser = await at_work(hub)
    device = await added(browser)
    assert (await shown(secure(hub.browser()), device)).status_code == 303
    device.count = 0
    answer = await shown(secure(hub.browser()), device)
    assert answer.status_code == 401
    assert "may have been copied" in answer.text


async def test_who_is_kept_out_is_kept_out_with_his_passkey_too(hub: House) -> None:
    browser = await at_work(hub)
    device = await added(browser)
    await hub.system.do(UpdateUser(user_id=await owner(hub), active=False))
    assert (await shown(secure(hub.browser()), device)).status_code == 401


async def test_nobody_takes_the_last_way_in_from_himself(hub: House) -> None:
    browser = await at_work(hub)
    await added(browser)
    user_id = await owner(hub)
    own = hub.system.as_user(user_id)
    one = (await kept(hub, user_id))[0]
    await hub.system.do(SetPassword(user_id=user_id, password_hash=""))
    with pytest.raises(Conflict, match="last way in"):
        await own.do(RemovePasskey(passkey_id=one.id))
    second = AddPasskey(name="b", domain="desk.example", credential="b", public_key="b")
    await own.do(second)
    with pytest.raises(Conflict, match="kept already"):
        await own.do(second)
    await own.do(RemovePasskey(passkey_id=one.id))
    # Who manages colleagues gives a new link, and may take a lost key away.
    left = (await kept(hub, user_id))[0]
    rival = hub.system.as_user(await hub.user("supervisor"))
    with pytest.raises(NotAllowed):
        await rival.do(RemovePasskey(passkey_id=left.id))
    boss = await at_work(hub, "administrator")
    here = f"/settings/users/{user_id}"
    assert f"passkey:{left.id}" in (await boss.get(here)).text
    await boss.submit(f"{here}/act", page=here, data={"do": f"passkey:{left.id}"})
    assert await kept(hub, user_id) == []


async def test_a_passkey_that_was_made_for_another_is_not_added(hub: House) -> None:
    browser = await at_work(hub)
    other = await at_work(hub, "auditor")
    device = Authenticator(ORIGIN)
    made = device.make((await asked(other)).json())
    data = {"_csrf": await browser.csrf(), "name": "x", "credential": made}
    answer = await browser.post(f"{PROFILE}/passkeys", data=data)
    assert answer.status_code == 422
    assert await kept(hub, await owner(hub)) == []


async def test_without_https_the_profile_says_what_is_needed(
    database_url: str, tmp_path: Path
) -> None:
    async with open_house(tmp_path, database_url, ("pigeons", plugin())) as house:
        browser = await house.logged_in("agent")
        page = re.sub(r"\s+", " ", (await browser.get(PROFILE)).text)
        assert "begins with https://" in page
        assert "data-passkey" not in page
        assert "data-passkey" not in (await house.browser().get("/login")).text
        answer = await house.browser().post("/login/passkey/options")
        assert answer.status_code == 422
        assert "https" in answer.json()["error"]
