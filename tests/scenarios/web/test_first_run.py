"""From an empty database to the first administrator, by a link that opens once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.web_chat
from crm_store.users import all_users
from hub import UpdateBrand
from hub.web.first_run import new_setup_link
from tests.scenarios.web.house import ADDRESS, House, open_house

FORM = {
    "organisation": "Ромашка",
    "zone": "Europe/Moscow",
    "public_url": "",
    "name": "Ada",
    "email": "ada@example.org",
    "password": "a long enough word",
}


@pytest.fixture
async def hub(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(
        tmp_path, database_url, ("web_chat", plugins.web_chat), public_url=""
    ) as house:
        yield house


async def link_of(hub: House) -> str:
    link = await asyncio.to_thread(new_setup_link, hub.runtime)
    return link.removeprefix(hub.runtime.public_url)


async def test_the_link_leads_to_an_administrator_a_channel_and_the_inbox(hub: House) -> None:
    link = await link_of(hub)
    browser = hub.browser()
    page = await browser.get(link)
    assert page.status_code == 200
    # Under a name of its own the hub proposes that name as its public address.
    assert f'value="{ADDRESS}"' in page.text
    answer = await browser.post(f"{link}?language=ru", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome")
    welcome = (await browser.get("/welcome")).text
    assert '<html lang="ru"' in welcome
    (account,) = await hub.system.accounts()
    assert account.channel == "web_chat"
    assert f"/settings/channels/{account.id}" in welcome
    assert (await browser.get("/inbox")).status_code == 200
    brand = await hub.system.brand()
    assert (brand.name, brand.language, brand.time_zone) == ("Ромашка", "ru", "Europe/Moscow")
    (ada,) = await hub.system.read(all_users)
    assert (ada.role, ada.language) == ("administrator", "ru")
    # The snippet is on the account's page, drawn by the plugin.
    page = await browser.get(f"/settings/channels/{account.id}")
    assert "widget.js?account=" in page.text


async def test_the_link_opens_once(hub: House) -> None:
    link = await link_of(hub)
    assert (await hub.browser().post(link, data=FORM)).status_code == 303
    late = hub.browser()
    assert (await late.get(link)).status_code == 410
    again = {**FORM, "email": "mallory@example.org"}
    assert (await late.post(link, data=again)).status_code == 410
    assert len(await hub.system.read(all_users)) == 1
    assert await asyncio.to_thread(new_setup_link, hub.runtime) == ""


async def test_two_who_press_at_once_make_one_administrator(hub: House) -> None:
    link = await link_of(hub)
    answers = await asyncio.gather(
        *(
            hub.browser().post(link, data={**FORM, "email": f"ada{number}@example.org"})
            for number in range(6)
        )
    )
    assert sorted(one.status_code for one in answers) == [303] + [410] * 5
    assert len(await hub.system.read(all_users)) == 1


async def test_a_newer_link_ends_the_older_one_and_a_guess_opens_nothing(hub: House) -> None:
    old, new = await link_of(hub), await link_of(hub)
    browser = hub.browser()
    assert (await browser.get(old)).status_code == 410
    assert (await browser.get("/setup/" + "A" * 22)).status_code == 410
    assert (await browser.get("/setup/")).status_code in (303, 404)
    assert (await browser.get(new)).status_code == 200


async def test_only_the_hash_of_the_link_is_stored(hub: House) -> None:
    link = await link_of(hub)
    from sqlalchemy import select

    from crm_store.tables.journal import meta

    rows = await hub.runtime.database.read(lambda conn: conn.execute(select(meta)).all())
    assert link.rpartition("/")[2] not in str(rows)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("organisation", " "),
        ("name", ""),
        ("email", "nobody"),
        ("zone", "Mars/North"),
        ("public_url", "javascript:alert(1)"),
        ("password", "short"),
        ("password", "ada"),
    ],
)
async def test_what_is_wrong_is_named_and_the_link_still_opens(
    hub: House, field: str, value: str
) -> None:
    link = await link_of(hub)
    browser = hub.browser()
    answer = await browser.post(link, data={**FORM, field: value})
    assert answer.status_code == 422
    assert re.search(rf'href="#f-{field}"', answer.text)
    assert FORM["password"] not in answer.text
    assert await hub.system.read(all_users) == []
    assert (await browser.post(link, data=FORM)).status_code == 303


async def test_another_site_cannot_set_the_hub_up(hub: House) -> None:
    link = await link_of(hub)
    answer = await hub.browser().post(
        link, data=FORM, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert await hub.system.read(all_users) == []


async def test_before_the_set_up_the_login_tells_where_the_link_is(hub: House) -> None:
    answer = await hub.browser().get("/login")
    assert answer.status_code == 200
    assert "one-time link" in answer.text


async def test_an_address_that_does_not_lead_here_is_said_at_once(hub: House) -> None:
    link = await link_of(hub)
    browser = hub.browser()
    await browser.post(link, data={**FORM, "public_url": "http://127.0.0.1:9"})
    page = (await browser.get("/welcome")).text
    assert "could not call itself under http://127.0.0.1:9" in page


async def test_a_new_public_address_counts_at_once_and_after_a_restart(
    hub: House, database_url: str, tmp_path: Path
) -> None:
    link = await link_of(hub)
    browser = hub.browser()
    await browser.post(link, data=FORM)
    (account,) = await hub.system.accounts()
    brand = await hub.system.brand()
    await hub.system.do(UpdateBrand(brand_id=brand.id, public_url="https://new.example.org"))
    path = f"/settings/channels/{account.id}"
    async with asyncio.timeout(10):
        while "https://new.example.org/p/web_chat/" not in (await browser.get(path)).text:
            await asyncio.sleep(0.02)
    async with open_house(
        tmp_path / "second", database_url, ("web_chat", plugins.web_chat), public_url=""
    ) as second:
        assert second.runtime.public_url == "https://new.example.org"
