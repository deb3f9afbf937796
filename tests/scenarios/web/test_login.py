"""Logging in and out, and what a stranger can do about it."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from sqlalchemy import select, update

from crm_store.sessions import sessions_of
from crm_store.tables.users import sessions
from crm_store.users import all_users
from hub import RevokeSessions, UpdateUser
from tests.scenarios.web.house import ADDRESS, PASSWORD, House


async def test_who_is_not_logged_in_is_led_to_the_login_and_back(hub: House) -> None:
    await hub.user("agent")
    browser = hub.browser()
    answer = await browser.get("/inbox?view=mine")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/inbox")
    answer = await browser.log_in("agent@example.org", next="/search")
    assert (answer.status_code, answer.headers["location"]) == (303, "/search")
    assert (await browser.get("/inbox")).status_code == 200


async def test_the_cookie_is_for_nobody_else_and_its_token_is_not_stored(hub: House) -> None:
    user_id = await hub.user()
    browser = hub.browser()
    cookie = (await browser.log_in("administrator@example.org")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = browser.cookies["hub_session"]
    stored = (await hub.system.read(sessions_of, user_id))[0].token_hash
    assert stored == hashlib.sha256(token.encode()).hexdigest()
    rows = await hub.runtime.database.read(lambda conn: conn.execute(select(sessions)).all())
    assert token not in str(rows)


async def test_behind_https_the_cookie_is_secure(hub: House) -> None:
    await hub.user()
    browser = hub.browser()
    answer = await browser.post(
        "https://hub.example/login",
        data={"email": "administrator@example.org", "password": PASSWORD},
        headers={"origin": "https://hub.example"},
    )
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


async def test_forwarded_headers_of_a_stranger_do_not_count(hub: House) -> None:
    await hub.user()
    answer = await hub.browser().post(
        "/login",
        data={"email": "administrator@example.org", "password": PASSWORD},
        headers={"x-forwarded-proto": "https", "x-forwarded-for": "10.0.0.1"},
    )
    assert "secure" not in answer.headers["set-cookie"].lower()
    found = await hub.runtime.database.read(
        lambda conn: conn.execute(select(sessions.c.ip)).scalar()
    )
    assert found == "198.51.100.7"


async def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(hub: House) -> None:
    await hub.user()
    browser = hub.browser()
    wrong = await browser.log_in("administrator@example.org", "not the password")
    unknown = await browser.log_in("administratos@example.org", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert _less(wrong.text) == _less(unknown.text)


def _less(html: str) -> str:
    """A page without what must differ: the address that was typed, and the nonce."""
    lines = [line for line in html.splitlines() if "nonce" not in line]
    return "\n".join(lines).replace("administrator@", "X@").replace("administratos@", "X@")


async def test_who_logs_in_over_another_login_leaves_nothing_of_it(hub: House) -> None:
    first = await hub.user("agent")
    await hub.user("supervisor")
    browser = hub.browser()
    await browser.log_in("agent@example.org")
    assert len(await hub.system.read(sessions_of, first)) == 1
    await browser.log_in("supervisor@example.org")
    assert await hub.system.read(sessions_of, first) == []
    assert (await browser.get("/inbox")).status_code == 200


async def test_a_session_fixed_beforehand_is_not_taken_over(hub: House) -> None:
    await hub.user()
    browser = hub.browser()
    browser.cookies.set("hub_session", "a-token-of-the-attacker", domain="hub.example")
    await browser.log_in("administrator@example.org")
    assert [one.value for one in browser.cookies.jar if one.name == "hub_session"][-1] != (
        "a-token-of-the-attacker"
    )
    attacker = hub.browser()
    attacker.cookies.set("hub_session", "a-token-of-the-attacker", domain="hub.example")
    assert (await attacker.get("/inbox")).status_code == 303


async def test_logging_out_ends_the_session_itself(hub: House) -> None:
    browser = await hub.logged_in()
    token = browser.cookies["hub_session"]
    answer = await browser.submit("/logout", page="/settings/profile")
    assert answer.status_code == 303
    thief = hub.browser()
    thief.cookies.set("hub_session", token, domain="hub.example")
    assert (await thief.get("/inbox")).status_code == 303


async def test_a_revoked_session_is_over_with_the_next_request(hub: House) -> None:
    user_id = await hub.user()
    browser = hub.browser()
    await browser.log_in("administrator@example.org")
    assert (await browser.get("/inbox")).status_code == 200
    await hub.system.do(RevokeSessions(user_id=user_id))
    assert (await browser.get("/inbox")).status_code == 303


async def test_a_deactivated_colleague_is_out_at_once_and_stays_out(hub: House) -> None:
    await hub.user()
    browser = await hub.logged_in("agent")
    agent_id = next(one.id for one in await hub.system.read(all_users) if one.role == "agent")
    await hub.system.do(UpdateUser(user_id=agent_id, active=False))
    assert (await browser.get("/inbox")).status_code == 303
    assert (await browser.log_in("agent@example.org")).status_code == 401


async def test_guessing_a_password_is_stopped_for_that_address_only(hub: House) -> None:
    await hub.user("agent")
    guesser = hub.browser("203.0.113.9")
    statuses = [
        (await guesser.log_in("agent@example.org", f"guess number {number}")).status_code
        for number in range(9)
    ]
    assert statuses[:8] == [401] * 8
    assert statuses[8] == 429
    # Not even the right password helps from there now, and the colleague is not locked out.
    assert (await guesser.log_in("agent@example.org")).status_code == 429
    assert (await hub.browser("198.51.100.7").log_in("agent@example.org")).status_code == 303


async def test_guesses_made_side_by_side_are_all_counted(hub: House) -> None:
    await hub.user("agent")
    guesser = hub.browser("203.0.113.9")
    answers = await asyncio.gather(
        *(guesser.log_in("agent@example.org", f"guess number {number}") for number in range(14))
    )
    assert sorted(one.status_code for one in answers) == [401] * 8 + [429] * 6


@pytest.mark.slow
async def test_one_address_that_tries_many_names_is_stopped(hub: House) -> None:
    await hub.user("agent")
    guesser = hub.browser("203.0.113.9")
    statuses = [
        (await guesser.log_in(f"agent{number}@example.org", "guess")).status_code
        for number in range(42)
    ]
    assert statuses[39] == 401
    assert statuses[41] == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://hub.example.evil.example"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(hub: House, headers: dict[str, str]) -> None:
    browser = await hub.logged_in()
    token = await browser.csrf()
    clean = {"accept": "text/html", **headers}
    request = browser.build_request("POST", "/logout", data={"_csrf": token})
    for name in ("origin", "sec-fetch-site"):
        request.headers.pop(name, None)
    request.headers.update(clean)
    assert (await browser.send(request)).status_code == 403
    assert (await browser.get("/inbox")).status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "пароль"])
async def test_a_form_without_its_token_changes_nothing(hub: House, token: str) -> None:
    browser = await hub.logged_in()
    answer = await browser.post("/logout", data={"_csrf": token})
    assert answer.status_code == 403
    assert (await browser.get("/inbox")).status_code == 200


async def test_a_caller_that_says_nothing_about_itself_needs_the_token(hub: House) -> None:
    browser = await hub.logged_in()
    for content, kind in ((b"{}", "application/json"), (b"x", "text/plain"), (b"", "")):
        request = browser.build_request(
            "POST", "/logout", content=content, headers={"content-type": kind}
        )
        for name in ("origin", "sec-fetch-site"):
            request.headers.pop(name, None)
        assert (await browser.send(request)).status_code == 403
    assert (await browser.get("/inbox")).status_code == 200


async def test_every_page_carries_the_strict_headers(hub: House) -> None:
    browser = await hub.logged_in()
    for path in ("/inbox", "/settings/profile", "/nowhere"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self' 'nonce-" in policy
        assert "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_redirect_after_login_never_leaves_the_hub(hub: House) -> None:
    await hub.user()
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"):
        answer = await hub.browser().log_in("administrator@example.org", next=target)
        assert answer.headers["location"] == "/inbox"


async def test_the_language_of_a_stranger_is_the_browsers_until_he_chooses(hub: House) -> None:
    await hub.user()
    browser = hub.browser()
    answer = await browser.get("/login", headers={"accept-language": "ru-RU,ru;q=0.9"})
    assert '<html lang="ru"' in answer.text
    await browser.get("/login/language/en?next=/login")
    answer = await browser.get("/login", headers={"accept-language": "ru-RU"})
    assert '<html lang="en"' in answer.text


async def test_health_is_told_to_whoever_asks_and_numbers_to_this_machine_only(hub: House) -> None:
    await hub.user()
    stranger = hub.browser()
    assert (await stranger.get("/healthz")).text == "ok"
    assert (await stranger.get("/readyz")).json() == {"ready": True, "problems": []}
    assert (await stranger.get("/metrics")).status_code == 403
    local = hub.browser("127.0.0.1")
    body = (await local.get("/metrics")).text
    assert "hub_webhook_seconds_count" in body
    assert ADDRESS not in body


async def test_a_session_in_use_is_prolonged_with_its_cookie(hub: House) -> None:
    browser = await hub.logged_in()
    assert "set-cookie" not in (await browser.get("/inbox")).headers
    with hub.runtime.database.administer() as conn:
        conn.execute(update(sessions).values(last_seen_at=sessions.c.last_seen_at - 600_000_000))
    before = await hub.runtime.database.read(
        lambda conn: conn.execute(select(sessions.c.expires_at)).scalar_one()
    )
    answer = await browser.get("/inbox")
    assert "httponly" in answer.headers["set-cookie"].lower()
    after = await hub.runtime.database.read(
        lambda conn: conn.execute(select(sessions.c.expires_at)).scalar_one()
    )
    assert after > before
    assert "set-cookie" not in (await browser.get("/inbox")).headers


async def test_requests_are_logged_without_their_addresses(
    hub: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hub.web")
    await hub.user()
    await hub.browser().get("/invite/a-secret-token?and=words")
    assert "request method=GET endpoint=hub.web.invitations.accept status=410" in caplog.text
    assert "a-secret-token" not in caplog.text
    assert "words" not in caplog.text


async def test_a_hub_whose_loop_has_ended_is_not_ready(hub: House) -> None:
    browser = hub.browser()
    assert (await browser.get("/readyz")).json()["ready"] is True
    for task in asyncio.all_tasks():
        if task.get_name() == "dispatcher":
            task.cancel()
    async with asyncio.timeout(10):
        while (answer := await browser.get("/readyz")).status_code == 200:
            await asyncio.sleep(0.02)
    assert answer.json() == {"ready": False, "problems": ["loop: dispatcher"]}
