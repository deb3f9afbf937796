"""Tokens, webhooks, organisation, plugins, what is held back, the journal."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from crm_store.sessions import token, tokens_of
from crm_store.tables.outbox import webhook_deliveries, webhooks
from crm_store.users import all_users
from crm_store.work import all_webhooks
from hub import (
    CreateAccount,
    DialogQuery,
    RunJob,
    SaveTeam,
    SendMessage,
    UpdateBrand,
)
from hub.grades import Grade
from hub.holding import hold_restored
from hub.importing import upload
from hub.web.auth import token_hash
from tests.scenarios.web.house import Browser, House, served
from tests.scenarios.web.pigeons import SETTINGS, letter


def once(page: str) -> str:
    """The value that is shown one time."""
    found = re.search(r'class="input mono" readonly value="([^"]+)"', page)
    assert found
    return found[1]


# -- tokens --------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(hub: House) -> None:
    browser = await hub.logged_in()
    data = {"name": "Shop", "days": "30", "scopes": ["dialogs.view", "contacts.view", "nonsense"]}
    answer = await browser.submit("/settings/tokens", data=data)
    made = once(answer.text)
    assert made.startswith("hub_")
    found = await hub.system.read(token, token_hash(made))
    assert found is not None
    assert set(found.scopes) == {"dialogs.view", "contacts.view"}
    days = (found.expires_at - hub.runtime.now()) / 86_400_000_000
    assert 29.9 < days <= 30
    assert made not in (await browser.get("/settings/tokens")).text
    token_id = (await hub.system.read(tokens_of))[0].id
    await browser.submit(
        "/settings/tokens/revoke", page="/settings/tokens", data={"token": token_id}
    )
    assert await hub.system.read(token, token_hash(made)) is None


@pytest.mark.parametrize("wrong", [{"name": " "}, {"scopes": []}, {"scopes": ["nonsense"]}])
async def test_a_token_without_a_name_or_a_right_is_not_made(
    hub: House, wrong: dict[str, object]
) -> None:
    browser = await hub.logged_in()
    data = {"name": "Shop", "days": "0", "scopes": ["dialogs.view"], **wrong}
    assert (await browser.submit("/settings/tokens", data=data)).status_code == 422
    assert await hub.system.read(tokens_of) == []


# -- webhooks ------------------------------------------------------------------------------


async def test_a_webhook_is_made_changed_and_removed(hub: House) -> None:
    browser = await hub.logged_in()
    data = {
        "webhook": "0",
        "url": "https://example.org/in",
        "events": "message.received, dialog.opened",
    }
    answer = await browser.submit("/settings/webhooks", data=data)
    secret = once(answer.text)
    assert secret.startswith("whsec_")
    (made,) = await hub.system.read(all_webhooks)
    assert (made.url, made.events, made.active) == (
        "https://example.org/in",
        ("message.received", "dialog.opened"),
        True,
    )
    stored = await hub.runtime.database.read(
        lambda conn: conn.execute(select(webhooks.c.secret)).scalar_one()
    )
    assert secret not in stored
    assert hub.runtime.keys.decrypt(stored) == secret
    change = {
        "webhook": str(made.id),
        "url": "https://example.org/other",
        "events": "",
        "do": "save",
    }
    answer = await browser.submit("/settings/webhooks", data=change)
    assert answer.status_code == 303
    (made,) = await hub.system.read(all_webhooks)
    assert (made.url, made.events, made.active) == ("https://example.org/other", ("*",), False)
    answer = await browser.submit(
        "/settings/webhooks", data={**change, "do": "secret", "active": "yes"}
    )
    assert once(answer.text) != secret
    act = {"webhook": str(made.id), "do": "remove"}
    await browser.submit("/settings/webhooks/act", page="/settings/webhooks", data=act)
    assert await hub.system.read(all_webhooks) == []


@pytest.mark.parametrize("url", ["", "nonsense", "javascript:alert(1)", "ftp://example.org/x"])
async def test_a_webhook_without_a_web_address_is_not_made(hub: House, url: str) -> None:
    browser = await hub.logged_in()
    data = {"webhook": "0", "url": url, "events": "*"}
    assert (await browser.submit("/settings/webhooks", data=data)).status_code == 422
    assert await hub.system.read(all_webhooks) == []


async def test_what_was_given_up_is_listed_and_sent_again(hub: House) -> None:
    browser = await hub.logged_in()
    await hub.app.state.workers.stop()
    data = {"webhook": "0", "url": "https://example.org/in", "events": "*"}
    await browser.submit("/settings/webhooks", data=data)
    (made,) = await hub.system.read(all_webhooks)
    with hub.runtime.database.administer() as conn:
        conn.execute(
            insert(webhook_deliveries),
            [
                {
                    "webhook_id": made.id,
                    "event_id": number,
                    "state": "dead",
                    "attempts": 9,
                    "code": 500,
                    "error": "<i>down</i>",
                }
                for number in (1, 2)
            ],
        )
    page = (await browser.get("/settings/webhooks")).text
    assert "&lt;i&gt;down&lt;/i&gt;" in page
    act = {"webhook": str(made.id), "event": "1", "do": "repeat"}
    await browser.submit("/settings/webhooks/act", page="/settings/webhooks", data=act)
    assert (await hub.system.read(all_webhooks))[0].dead == 1
    act = {"webhook": str(made.id), "do": "repeat_all"}
    await browser.submit("/settings/webhooks/act", page="/settings/webhooks", data=act)
    assert (await hub.system.read(all_webhooks))[0].dead == 0


# -- the house -----------------------------------------------------------------------------


async def test_every_field_of_the_organisation_makes_the_round_trip(hub: House) -> None:
    browser = await hub.logged_in()
    form = {
        "name": "Ромашка & Co",
        "public_url": "https://talk.example.org",
        "language": "ru",
        "time_zone": "Asia/Omsk",
    }
    answer = await browser.submit("/settings/organisation", data=form)
    assert answer.status_code == 303, answer.text
    brand = await hub.system.brand()
    assert (brand.name, brand.public_url, brand.language, brand.time_zone) == tuple(form.values())
    assert "Ромашка &amp; Co" in (await browser.get("/settings/organisation")).text
    for wrong in (
        {"name": ""},
        {"time_zone": "Mars"},
        {"language": "tlh"},
        {"public_url": "talk.example"},
    ):
        answer = await browser.submit("/settings/organisation", data={**form, **wrong})
        assert answer.status_code == 422
    assert await hub.system.brand() == brand


async def test_the_public_address_is_tried_by_calling_it(hub: House) -> None:
    browser = await hub.logged_in()
    form = {"name": "Ada", "language": "en", "time_zone": "UTC", "do": "try"}

    async def tried(address: str) -> str:
        data = {**form, "public_url": address}
        return (await browser.submit("/settings/organisation", data=data)).text

    async with served(hub.app) as address:
        assert 'class="good"' in await tried(address)
    assert 'class="bad"' in await tried(address)

    async def other(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"1.20000.aGVyZQ.AAAA"})  # type: ignore[operator]

    real, hub.app = hub.app, other  # type: ignore[assignment]
    async with served(hub.app) as address:
        assert "somebody else answers there" in await tried(address)
    hub.app = real
    assert (await hub.system.brand()).public_url == ""


async def test_an_address_given_to_the_process_stands_above_the_organisations(hub: House) -> None:
    browser = await hub.logged_in()
    number = (
        await hub.system.do(CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS))
    )[0]
    brand = await hub.system.brand()
    await hub.system.do(UpdateBrand(brand_id=brand.id, public_url="https://new.example.org"))
    page = (await browser.get(f"/settings/channels/{number}")).text
    assert "http://hub.example/hooks/" in page


async def test_plugins_are_shown_with_what_they_add_and_how_they_fail(hub: House) -> None:
    browser = await hub.logged_in()
    plugin = hub.runtime.plugins.plugins["pigeons"]
    hub.runtime.plugins.charge(plugin, "event_occurred", ZeroDivisionError("secret"))
    plugin.grade = Grade(
        owner="The loft", rules={"owner-named": "done"}, doubts={"owner-named": "nobody knows them"}
    )
    [number] = await hub.system.do(
        CreateAccount(channel="pigeon", title="Burning loft", settings=SETTINGS)
    )
    await hub.runtime.channel_host.report(number, "down", "no wings left")
    page = (await browser.get("/settings/plugins")).text
    assert "street_pigeon" in page
    assert "below bronze" in page
    assert "nobody knows them" in page
    assert f'<a href="/settings/channels/{number}">Burning loft</a>: no wings left' in page
    assert "event_occurred: ZeroDivisionError" in page
    assert "1 failure since the start" in page
    plugin.error, plugin.trace = "ImportError: no wings", "Traceback <b>"
    page = (await browser.get("/settings/plugins")).text
    assert "Not loaded" in page
    assert "Traceback &lt;b&gt;" in page


async def test_what_is_held_back_is_counted_and_released_or_dropped(hub: House) -> None:
    browser = await hub.logged_in()
    await hub.app.state.workers.stop()
    assert "Nothing is held back" in (await browser.get("/settings/held")).text
    await hub.system.do(RunJob(name="a"), RunJob(name="b"))
    # What comes round by itself stays free beside them.
    hold_restored(hub.runtime)
    # Whoever may decide is told so where he works; it is nobody else's business.
    assert 'id="holds"' in (await browser.get("/inbox")).text
    agent = await hub.logged_in("agent")
    assert 'id="holds"' not in (await agent.get("/inbox")).text
    page = (await browser.get("/settings/held")).text
    assert "Let them go (2)" in re.sub(r"<svg.*?</svg>|\s+", " ", page).replace("  ", " ")
    answer = await browser.submit("/settings/held", data={"kind": "jobs", "do": "release"})
    assert answer.headers["location"].endswith("said=released")
    assert "Nothing is held back" in (await browser.get("/settings/held")).text
    assert 'id="holds"' not in (await browser.get("/inbox")).text
    for wrong in ({"kind": "hearts", "do": "drop"}, {"kind": "jobs", "do": "keep"}):
        data = {**wrong, "_csrf": await browser.csrf()}
        assert (await browser.post("/settings/held", data=data)).status_code == 422


async def test_held_messages_are_named_where_one_decides_and_say_so_where_one_reads(
    hub: House,
) -> None:
    browser = await hub.logged_in()
    await hub.app.state.workers.stop()
    command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    account = await hub.system.account((await hub.system.do(command))[0])
    body, headers = letter("1")
    await browser.post(f"/hooks/{account.hook_token}", content=body, headers=headers)
    (dialog,) = (await hub.system.dialogs(DialogQuery())).dialogs
    mine = hub.system.as_user((await hub.system.read(all_users))[0].id)
    await mine.do(SendMessage(dialog_id=dialog.id, text="We <come> at nine"))
    hold_restored(hub.runtime)
    page = (await browser.get("/settings/held")).text
    assert "We &lt;come&gt; at nine" in page
    found = re.search(r'name="id" value="(\d+)"', page)
    assert found
    words = "Held back: an administrator lets it go or drops it"
    assert words in (await browser.get(f"/inbox/dialog/{dialog.id}")).text
    data = {"kind": "deliveries", "id": found[1], "do": "release"}
    await browser.submit("/settings/held", data=data)
    assert "Nothing is held back" in (await browser.get("/settings/held")).text
    assert words not in (await browser.get(f"/inbox/dialog/{dialog.id}")).text


async def test_the_journal_is_filtered_and_paged(hub: House) -> None:
    browser: Browser = await hub.logged_in("auditor")
    for number in range(120):
        await hub.system.do(SaveTeam(name=f"Team {number}"))
    page = (await browser.get("/settings/journal?type=team.changed")).text
    assert page.count('<span class="mono">team.changed</span>') == 100
    assert "user.created" not in re.sub(r"<option.*?</option>", "", page)
    older = re.search(r'href="(/settings/journal\?before=[^"]+)"', page)
    assert older
    rest = (await browser.get(older[1].replace("&amp;", "&"))).text
    assert rest.count('<span class="mono">team.changed</span>') == 20
    for odd in ("?type=nothing", "?before=0"):
        assert (await browser.get(f"/settings/journal{odd}")).status_code == 200
    assert (await browser.get("/settings/journal?before=x")).status_code == 404


async def test_the_numbers_count_what_came_in_and_what_was_sent(hub: House) -> None:
    browser = await hub.logged_in()
    command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    account = await hub.system.account((await hub.system.do(command))[0])
    for number in range(3):
        body, headers = letter(str(number))
        await browser.post(f"/hooks/{account.hook_token}", content=body, headers=headers)
    (dialog,) = (await hub.system.dialogs(DialogQuery())).dialogs
    users = await hub.system.read(all_users)
    await hub.system.as_user(users[0].id).do(
        SendMessage(dialog_id=dialog.id, text="coo back", idempotency_key="one")
    )
    local = hub.browser("127.0.0.1")
    async with asyncio.timeout(20):
        while 'hub_messages_total{direction="out"} 1.0' not in (await local.get("/metrics")).text:
            await asyncio.sleep(0.05)
    page = (await local.get("/metrics")).text
    assert 'hub_messages_total{direction="in"} 3.0' in page
    assert 'hub_webhook_requests_total{status="200"} 3.0' in page


async def test_who_has_no_time_zone_lives_in_that_of_the_organisation(hub: House) -> None:
    browser = await hub.logged_in()
    brand_id = (await hub.system.brand()).id
    await hub.system.do(UpdateBrand(brand_id=brand_id, time_zone="Asia/Tokyo"))
    assert 'data-zone="Asia/Tokyo"' in (await browser.get("/inbox")).text
    form = {"name": "Max", "language": "en", "time_zone": "Europe/Berlin", "theme": "system"}
    await browser.submit("/settings/profile", data=form)
    assert 'data-zone="Europe/Berlin"' in (await browser.get("/inbox")).text


# -- imports -------------------------------------------------------------------------------


async def test_a_file_that_is_not_imported_yet_stands_in_the_list(
    hub: House, tmp_path: Path
) -> None:
    browser = await hub.logged_in()
    file = tmp_path / "people.csv"
    file.write_text("Имя;Почта\nАнна;anna@example.org\n", encoding="cp1251")
    await upload(hub.system, "contact", "people.csv", file)
    page = (await browser.get("/settings/imports")).text
    assert "people.csv" in page
    assert "0 / 1" in page
