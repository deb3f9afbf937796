"""Which role reaches which screen: the whole matrix, and what a role without the right gets."""

from __future__ import annotations

import re

import pytest

from hub import Address, InboundMessage, SaveRole, SaveTeam, Scope
from hub.roles import ROLES
from hub.web import settings
from hub.web.settings.common import MENU
from tests.scenarios.web.house import House

EVERYBODY = set(ROLES)
ADMINISTRATOR = {"administrator"}
RULES_SEEN = {"administrator", "agent", "auditor", "supervisor"}
RULES_WRITTEN = {"administrator", "supervisor"}
WATCHERS = {"administrator", "supervisor", "auditor"}

MATRIX: dict[str, set[str]] = {
    "/settings/profile": EVERYBODY,
    "/settings/profile/second": EVERYBODY,
    "/settings/channels": EVERYBODY,
    "/settings/channels/new/pigeon": ADMINISTRATOR,
    "/settings/channels/{account_id:int}": EVERYBODY,
    "/settings/channels/{account_id:int}/disconnect": ADMINISTRATOR,
    "/settings/quarantine": ADMINISTRATOR,
    "/settings/words": EVERYBODY,
    "/settings/users": EVERYBODY,
    "/settings/users/{user_id:int}": ADMINISTRATOR,
    "/settings/desks": EVERYBODY,
    "/settings/absences": EVERYBODY,
    "/settings/handovers": {"administrator", "supervisor"},
    "/settings/routing": ADMINISTRATOR,
    "/settings/notices": {"administrator", "agent", "auditor", "marketer", "supervisor"},
    "/settings/fields": {"administrator"},
    "/settings/pipelines": {"administrator", "supervisor"},
    "/settings/classes": {"administrator", "supervisor"},
    "/settings/deadlines": {"administrator", "agent", "auditor", "marketer", "supervisor"},
    "/settings/retention": {"administrator"},
    "/settings/topics": {"administrator", "marketer", "supervisor"},
    "/settings/rules": RULES_SEEN,
    "/settings/rules/log": RULES_SEEN,
    "/settings/rules/waits": RULES_SEEN,
    "/settings/rules/dialogs": RULES_SEEN,
    "/settings/rules/why/{dialog}": RULES_SEEN,
    "/settings/roles": ADMINISTRATOR,
    "/settings/teams": EVERYBODY,
    "/settings/teams/{team_id:int}/remove": ADMINISTRATOR,
    "/settings/organisation": ADMINISTRATOR,
    "/settings/security": ADMINISTRATOR,
    "/settings/tokens": ADMINISTRATOR,
    "/settings/webhooks": ADMINISTRATOR,
    "/settings/plugins": WATCHERS,
    "/settings/held": ADMINISTRATOR,
    "/settings/journal": WATCHERS,
    "/settings/calendars": EVERYBODY,
    "/settings/imports": {"administrator", "marketer", "supervisor"},
    "/settings/audit": {"administrator", "auditor", "supervisor"},
    "/meetings": EVERYBODY,
    "/meetings/calendar": EVERYBODY,
    "/tasks/calendar": EVERYBODY,
}

# What only changes something: nobody but these may press it.
PRESSED: dict[str, set[str]] = {
    "/settings/profile/password": EVERYBODY,
    "/settings/profile/sessions": EVERYBODY,
    "/settings/notices/devices": EVERYBODY,
    "/settings/profile/second/off": EVERYBODY,
    "/settings/profile/passkeys": EVERYBODY,
    "/settings/profile/passkeys/options": EVERYBODY,
    "/settings/profile/passkeys/{passkey_id:int}": EVERYBODY,
    "/settings/channels/{account_id:int}": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/check": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/test": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/templates": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/rules": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/pause": ADMINISTRATOR,
    "/settings/channels/{account_id:int}/rotate": ADMINISTRATOR,
    "/settings/quarantine": ADMINISTRATOR,
    "/settings/users": ADMINISTRATOR,
    "/settings/users/{user_id:int}/act": ADMINISTRATOR,
    "/settings/teams": ADMINISTRATOR,
    "/settings/roles": ADMINISTRATOR,
    "/settings/desks/statuses": ADMINISTRATOR,
    "/settings/absences/end": EVERYBODY,
    "/settings/roles/remove": ADMINISTRATOR,
    "/settings/roles/{name}": ADMINISTRATOR,
    "/settings/tokens": ADMINISTRATOR,
    "/settings/tokens/revoke": ADMINISTRATOR,
    "/settings/webhooks": ADMINISTRATOR,
    "/settings/webhooks/act": ADMINISTRATOR,
    "/settings/held": ADMINISTRATOR,
    "/settings/pipelines": {"administrator", "supervisor"},
    "/settings/classes": {"administrator", "supervisor"},
    "/settings/organisation": ADMINISTRATOR,
    "/settings/calendars/{id:int}": ADMINISTRATOR,
    "/settings/rules/{rule}/check": RULES_SEEN,
    "/settings/rules/{rule}/try": RULES_SEEN,
    "/settings/rules/{rule}/keep": RULES_WRITTEN,
    "/settings/rules/{rule}/call-off": RULES_WRITTEN,
    "/settings/channels/{account}/intake": RULES_WRITTEN,
    "/meetings": EVERYBODY - {"auditor"},
}


def test_no_screen_is_missing_from_the_matrix() -> None:
    known = set(MATRIX) | set(PRESSED)
    known |= {
        "/settings",
        "/settings/quarantine/{item:int}/raw",
        "/settings/fields/preview",
        "/settings/fields/{field_id:int}",
        "/settings/rules/{rule}",
        "/settings/imports/{import_id:int}",
        "/settings/imports/{import_id:int}/bad",
        "/settings/channels/new/{channel}",
    }
    paths = {route.path for route in settings.routes()}  # type: ignore[attr-defined]
    assert paths <= known, f"say who may use {sorted(paths - known)}"


async def _account(hub: House) -> int:
    from hub import CreateAccount
    from tests.scenarios.web.pigeons import SETTINGS

    command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    return int((await hub.system.do(command))[0])


@pytest.mark.parametrize("role", [*sorted(ROLES), "narrow"])
async def test_a_role_reaches_its_screens_and_no_others(hub: House, role: str) -> None:
    account = await _account(hub)
    other = await hub.user("agent", "someone@example.org")
    (team,) = await hub.system.do(SaveTeam(name="Night"))
    pigeon = await hub.system.account(account)
    got = await hub.runtime.receive(
        pigeon,
        [
            InboundMessage(
                dedupe_key="1",
                external_id="1",
                sender=Address(kind="pigeon", value="anna"),
                text="Hello",
                sent_at=hub.runtime.now(),
            )
        ],
    )
    dialog = got[0].dialog_id
    if role == "narrow":
        # A role of one's own that reaches less opens the same screens.
        own = dict.fromkeys(("dialogs", "contacts", "leads"), Scope.OWN)
        await hub.system.do(SaveRole(name="narrow", based_on="agent", scopes=own))
    browser = await hub.logged_in(role)
    narrow, role = role == "narrow", "agent" if role == "narrow" else role
    for path, roles in MATRIX.items():
        address = path.replace("{account_id:int}", str(account)).replace(
            "{user_id:int}", str(other)
        )
        address = address.replace("{dialog}", str(dialog)).replace("{team_id:int}", str(team))
        status = (await browser.get(address)).status_code
        # A dialog that is not one's own is not there for who reaches his own only.
        open_to = 404 if narrow and "{dialog}" in path else 200
        assert status == (open_to if role in roles else 403), f"{role} at {address}"
    menu = (await browser.get("/settings/profile")).text
    for entry in MENU:
        shown = f'href="{entry.path}"' in menu
        assert shown is (role in MATRIX[entry.path]), f"{role} sees {entry.key} in the menu"


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator"}))
async def test_a_role_presses_nothing_that_is_not_its_own(hub: House, role: str) -> None:
    account = await _account(hub)
    other = await hub.user("agent", "someone@example.org")
    browser = await hub.logged_in(role)
    token = await browser.csrf()
    for path, roles in PRESSED.items():
        if role in roles:
            continue
        address = path.replace("{account_id:int}", str(account)).replace(
            "{user_id:int}", str(other)
        )
        address = address.replace("{id:int}", "1").replace("{rule}", "1")
        address = address.replace("{account}", str(account))
        data = {"_csrf": token, "do": "off", "name": "x", "url": "https://x.example"}
        answer = await browser.post(address, data=data)
        assert answer.status_code == 403, f"{role} at {address}"
    assert (await hub.system.user(other)).active
    assert len(await hub.system.accounts()) == 1


async def test_a_refusal_is_a_page_in_the_readers_language(hub: House) -> None:
    browser = await hub.logged_in("agent")
    answer = await browser.get("/settings/tokens")
    assert answer.status_code == 403
    assert "<h1>" in answer.text
    answer = await browser.get("/settings/tokens", headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "notallowed"


async def test_an_error_nobody_foresaw_shows_a_number_and_no_details(
    hub: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from hub.web.settings import system

    browser = await hub.logged_in()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr(system, "show", broken)
    answer = await browser.get("/settings/plugins")
    assert answer.status_code == 500
    assert "inner secret" not in answer.text
    assert "script-src 'self' 'nonce-" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r"number=([0-9a-f]{8})", caplog.text)
    assert found
    assert found[1] in answer.text
