"""Connecting, setting, checking and letting go of channels in the settings."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from crm_store.accounts import sealed_secrets
from hub import Account, CreateAccount, Quarantine, UpdateAccount
from hub.account_settings import unseal
from tests.scenarios.web.house import Browser, House, csrf_of
from tests.scenarios.web.pigeons import KEY, SETTINGS, PigeonChannel, PigeonSettings, letter

FULL: dict[str, Any] = {
    "account_title": "Grey pigeons",
    "loft": "  Attic ",
    "notes": "first\r\nsecond <b>",
    "port": "587",
    "speed": "2,5",
    "weather": "dry",
    "breed": "racing",
    "cities": "Riga\n\n Tver \n",
    "rest": "90",
    "color": "#aabbcc",
    "nickname": "Зося",
    "age": "",
    "signing_key": KEY,
}


async def connect(browser: Browser, *, do: str = "connect", **more: Any) -> Any:
    data = {**FULL, **more, "do": do}
    return await browser.submit("/settings/channels/new/pigeon", data=data)


async def stored(hub: House, account: Account) -> PigeonSettings:
    sealed = await hub.system.read(sealed_secrets, account.id)
    model = unseal(PigeonChannel, account.settings, sealed, hub.runtime.keys)
    assert isinstance(model, PigeonSettings)
    return model


async def only(hub: House) -> Account:
    (account,) = await hub.system.accounts()
    return account


async def test_every_kind_of_field_makes_the_round_trip(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await connect(browser)
    account = await only(hub)
    assert answer.headers["location"] == f"/settings/channels/{account.id}?said=created"
    model = await stored(hub, account)
    assert model.loft == "  Attic "
    assert model.notes == "first\nsecond <b>"
    assert (model.port, model.speed, model.rings) == (587, 2.5, False)
    assert (model.weather, model.breed) == ("dry", "racing")
    assert model.cities == ["Riga", "Tver"]
    assert model.rest.total_seconds() == 90
    assert (model.color, model.nickname, model.age) == ("#aabbcc", "Зося", None)
    assert model.signing_key.get_secret_value() == KEY
    page = (await browser.get(f"/settings/channels/{account.id}")).text
    # What the page shows is what saving it unchanged stores.
    again = form_values(page, "connection")
    assert again["notes"] == "first\nsecond <b>"
    assert again["rest"] == "90"
    assert again["signing_key"] == ""
    answer = await browser.post(f"/settings/channels/{account.id}", data={**again, "do": "save"})
    assert answer.headers["location"].endswith("said=saved"), answer.text
    assert await stored(hub, await only(hub)) == model


def form_values(page: str, form_id: str) -> dict[str, str]:
    """Read a form as a browser would send it, unchanged."""
    form = re.search(rf'<form[^>]*id="{form_id}".*?</form>', page, re.DOTALL)
    assert form
    text = form[0]
    values: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", text):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and not ('type="checkbox"' in tag and " checked" not in tag):
            values[name[1]] = html.unescape(value[1] if value else "")
    for name, inner in re.findall(
        r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', text, re.DOTALL
    ):
        values[name] = html.unescape(inner)
    for name, inner in re.findall(
        r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', text, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        values[name] = html.unescape(chosen[1]) if chosen else ""
    return values


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("loft", "", "This is needed."),
        ("loft", "a cat", "No cats in a loft"),
        ("port", "70000", "At most 65535."),
        ("port", "many", "A whole number is needed."),
        ("speed", "fast", "A number is needed."),
        ("color", "red", "This does not look right."),
        ("weather", "snow", "Choose one of the list."),
        ("rest", "long", "A number of seconds is needed."),
        ("signing_key", "", "This is needed."),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    hub: House, field: str, value: str, words: str
) -> None:
    browser = await hub.logged_in()
    answer = await connect(browser, **{field: value})
    assert answer.status_code == 422
    marked = re.search(rf'id="e-{field}">.*?</svg>([^<]*)<', answer.text, re.DOTALL)
    assert marked
    assert marked[1] == words
    assert await hub.system.accounts() == []
    # What was right is still there, and a typed secret is not in the page in the clear.
    assert "Grey pigeons" in answer.text
    assert KEY not in answer.text


async def test_a_failed_check_is_shown_and_the_secret_is_not_asked_twice(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await connect(browser, loft="a loft on fire")
    assert answer.status_code == 200
    assert "on fire" in answer.text
    assert f"{len(KEY)} letters" in answer.text
    assert KEY not in answer.text
    assert await hub.system.accounts() == []
    sealed = re.search(r'name="_sealed" value="([^"]+)"', answer.text)
    assert sealed
    data = {**FULL, "signing_key": "", "_sealed": sealed[1], "do": "connect"}
    answer = await browser.submit("/settings/channels/new/pigeon", data=data)
    assert answer.status_code == 303
    assert (await stored(hub, await only(hub))).signing_key.get_secret_value() == KEY


async def test_a_kept_secret_opens_for_nobody_else_and_nowhere_else(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await connect(browser, do="try")
    sealed = re.search(r'name="_sealed" value="([^"]+)"', answer.text)
    assert sealed
    data = {**FULL, "signing_key": "", "_sealed": sealed[1], "do": "anyway"}
    await hub.user("administrator", "other@example.org")
    other = hub.browser()
    await other.log_in("other@example.org")
    assert (await other.submit("/settings/channels/new/pigeon", data=data)).status_code == 422
    answer = await browser.submit("/settings/channels/new/street_pigeon", data=data)
    assert answer.status_code == 422
    assert await hub.system.accounts() == []


async def test_a_channel_can_be_connected_although_its_check_fails(hub: House) -> None:
    browser = await hub.logged_in()
    for loft in ("a loft on fire", "nowhere"):
        answer = await connect(browser, loft=loft)
        assert "Connect anyway" in answer.text
    assert (await connect(browser, loft="nowhere", do="anyway")).status_code == 303


async def test_an_empty_secret_keeps_the_stored_one(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    await browser.submit(path, data={**FULL, "signing_key": "", "port": "2525", "do": "save"})
    model = await stored(hub, await only(hub))
    assert (model.port, model.signing_key.get_secret_value()) == (2525, KEY)
    await browser.submit(path, data={**FULL, "signing_key": "another key", "do": "save"})
    assert (await stored(hub, await only(hub))).signing_key.get_secret_value() == "another key"


async def test_settings_are_checked_without_being_saved(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    data = {**FULL, "signing_key": "", "loft": "fire place", "do": "try"}
    answer = await browser.submit(f"/settings/channels/{account.id}", data=data)
    assert "on fire" in answer.text
    assert f"{len(KEY)} letters" in answer.text
    assert (await stored(hub, await only(hub))).loft == "  Attic "


async def test_a_change_by_somebody_else_is_not_overwritten(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    page = form_values((await browser.get(path)).text, "connection")
    await hub.system.do(UpdateAccount(account_id=account.id, settings={**SETTINGS, "loft": "Barn"}))
    answer = await browser.post(path, data={**page, "loft": "Tower", "do": "save"})
    assert answer.status_code == 409
    assert (await stored(hub, await only(hub))).loft == "Barn"


async def test_a_check_makes_the_account_red_with_its_reason_and_green_again(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser, loft="fire", do="anyway")
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    await browser.submit(f"{path}/check", page=path)
    red = await only(hub)
    assert red.state == "down"
    assert "on fire" in red.last_error
    assert "on fire" in (await browser.get("/settings/channels")).text
    await browser.submit(path, data={**FULL, "signing_key": "", "do": "save"})
    await browser.submit(f"{path}/check", page=path)
    assert (await only(hub)).state == "ok"


async def test_pausing_and_going_on(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    await browser.submit(f"{path}/pause", page=path, data={"do": "pause"})
    assert (await only(hub)).paused
    assert "Paused" in (await browser.get(path)).text
    await browser.submit(f"{path}/pause", page=path, data={"do": "resume"})
    assert not (await only(hub)).paused


async def test_a_secret_of_the_hubs_own_is_made_anew_and_shown_once(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    before = (await stored(hub, account)).spare_key.get_secret_value()
    answer = await browser.submit(f"{path}/rotate", page=path, data={"secret": "spare_key"})
    model = await stored(hub, await only(hub))
    made = model.spare_key.get_secret_value()
    assert made != before
    assert made in answer.text
    assert made not in (await browser.get(path)).text
    assert model.signing_key.get_secret_value() == KEY
    for name in ("signing_key", "loft", "nothing"):
        answer = await browser.submit(f"{path}/rotate", page=path, data={"secret": name})
        assert answer.status_code == 404


async def test_secrets_that_no_key_reads_any_more_are_entered_again(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    hub.runtime.keys.rotate()
    hub.runtime.keys.forget_old_secrets()
    # A check does not call it well, and what is given without any secret changes nothing.
    answer = await browser.submit(f"{path}/check", page=path)
    assert ((await only(hub)).state, 'href="#generated"' in answer.text) == ("needs_secret", True)
    answer = await browser.submit(path, data={**FULL, "signing_key": "", "do": "save"})
    assert answer.status_code == 422
    answer = await browser.submit(f"{path}/rotate", page=path, data={"secret": "spare_key"})
    assert (answer.status_code, "Signing key" in answer.text) == (422, True)
    answer = await browser.submit(path, data={**FULL, "do": "save"})
    assert answer.headers["location"] == f"{path}?said=saved"
    assert (await stored(hub, await only(hub))).signing_key.get_secret_value() == KEY
    await browser.submit(f"{path}/check", page=path)
    assert (await only(hub)).state == "ok"


async def test_rules_of_an_accounts_dialogs(hub: House) -> None:
    browser = await hub.logged_in()
    agent = await hub.user("agent")
    await connect(browser)
    account = await only(hub)
    path = f"/settings/channels/{account.id}"
    data = {
        "title": "White pigeons",
        "thread_rule": "always_new",
        "reopen_days": "7",
        "signature": "Yours,\r\nthe loft",
        "team_id": "0",
        "members": [str(agent)],
    }
    answer = await browser.submit(f"{path}/rules", page=path, data=data)
    assert answer.status_code == 303, answer.text
    found = await only(hub)
    assert (found.title, found.thread_rule, found.reopen_days) == ("White pigeons", "always_new", 7)
    assert found.signature == "Yours,\nthe loft"
    assert found.members == (agent,)
    answer = await browser.submit(f"{path}/rules", page=path, data={**data, "title": " "})
    assert answer.status_code == 422
    answer = await browser.submit(f"{path}/rules", page=path, data={**data, "reopen_days": "x"})
    assert answer.status_code == 422


async def test_disconnecting_says_what_it_means_and_then_forgets_the_secrets(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    body, headers = letter("1")
    await browser.post(f"/hooks/{account.hook_token}", content=body, headers=headers)
    path = f"/settings/channels/{account.id}/disconnect"
    page = (await browser.get(path)).text
    assert "1 dialog stays" in page
    assert len(await hub.system.accounts()) == 1
    answer = await browser.post(path, data={"_csrf": csrf_of(page)})
    assert answer.status_code == 303
    assert await hub.system.accounts() == []
    assert await hub.system.read(sealed_secrets, account.id) == ""
    assert (await browser.get(f"/settings/channels/{account.id}")).status_code == 404


async def test_unread_input_is_shown_downloaded_tried_again_and_dropped(hub: House) -> None:
    browser = await hub.logged_in()
    await connect(browser)
    account = await only(hub)
    body, headers = letter("5")
    for raw in (body, b"<script>alert(1)</script>"):
        await hub.system.do(
            Quarantine(
                account_id=account.id,
                raw=raw,
                error="<b>odd</b>",
                source="webhook",
                method="POST",
                url="https://x.example/hooks/1",
                headers=tuple(headers.items()),
            )
        )
    page = (await browser.get("/settings/quarantine")).text
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    items = re.findall(r'name="item" value="(\d+)"', page)
    assert len(items) == 2
    bad, good = items
    download = await browser.get(f"/settings/quarantine/{bad}/raw")
    assert download.content == b"<script>alert(1)</script>"
    assert download.headers["content-type"] == "application/octet-stream"
    assert download.headers["content-disposition"].startswith("attachment")
    answer = await browser.submit("/settings/quarantine", data={"item": good, "do": "replay"})
    assert answer.headers["location"].endswith("said=replayed")
    answer = await browser.submit("/settings/quarantine", data={"item": bad, "do": "replay"})
    assert answer.status_code == 409
    assert "it still cannot be read" in answer.text
    answer = await browser.submit("/settings/quarantine", data={"do": "all"})
    page = (await browser.get(answer.headers["location"])).text
    assert "Read at last: 0. Still cannot be read: 1." in page
    await browser.submit("/settings/quarantine", data={"item": bad, "do": "drop"})
    assert "odd" not in (await browser.get("/settings/quarantine")).text
    assert "cannot be read" not in (await browser.get("/settings/quarantine")).text
    assert f"/{bad}/raw" in (await browser.get("/settings/quarantine?state=dropped")).text


async def test_an_agent_sees_the_health_of_channels_and_changes_nothing(hub: House) -> None:
    admin = await hub.logged_in()
    await connect(admin)
    account = await only(hub)
    agent = await hub.logged_in("agent")
    path = f"/settings/channels/{account.id}"
    page = (await agent.get(path)).text
    assert "Grey pigeons" in page
    assert account.hook_token not in page
    assert "signing_key" not in page
    token = await agent.csrf()
    for suffix in ("", "/check", "/rules", "/pause", "/rotate", "/disconnect"):
        answer = await agent.post(f"{path}{suffix}", data={"_csrf": token, "do": "pause"})
        assert answer.status_code == 403, suffix
    assert (await agent.get("/settings/channels/new/pigeon")).status_code == 403


async def test_an_account_whose_plugin_is_gone_is_still_shown(hub: House) -> None:
    browser = await hub.logged_in()
    await hub.system.do(CreateAccount(channel="pigeon", title="Old loft", settings=SETTINGS))
    account = await only(hub)
    del hub.runtime.channels["pigeon"]
    answer = await browser.get(f"/settings/channels/{account.id}")
    assert answer.status_code == 200
    assert "is not loaded" in answer.text
