"""Every channel is connected from the gallery, against a server that speaks its vendor's protocol."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from hub import UpdateProfile
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Office, open_office
from tests.servers import graph, max_messenger, telegram, twilio, vk
from tests.servers.certificates import Authority
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix

pytestmark = [pytest.mark.browser]
PLUGINS = {
    **{
        name: f"channels.{name}"
        for name in (
            "calls",
            "email",
            "max_messenger",
            "sms",
            "telegram",
            "vk",
            "webhook",
            "whatsapp",
        )
    },
    **{name: f"plugins.{name}" for name in ("portrait", "web_chat", "web_form")},
}
BOT = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
Form = Mapping[str, str]


@dataclass
class Vendors:
    """What an administrator types for each channel, and two who bring messages."""

    forms: dict[str, Form]
    carrier: twilio.TwilioServer
    meta: graph.GraphServer


@in_session
async def office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """A hub with every bundled channel."""
    more = [(name, importlib.import_module(module)) for name, module in PLUGINS.items()]
    async with open_office(tmp_path, database_url, "127.0.0.1", *more) as running:
        yield running


@in_session
async def vendors(
    mailbox: Mailbox, postfix: Postfix, authority: Authority
) -> AsyncIterator[Vendors]:
    """They stand in this process."""
    async with AsyncExitStack() as stack:
        bots = await stack.enter_async_context(telegram.TelegramServer())
        bots.new_bot(BOT)
        carrier = stack.enter_context(twilio.TwilioServer())
        meta = stack.enter_context(graph.GraphServer())
        community = stack.enter_context(vk.Vk())
        messenger = stack.enter_context(max_messenger.MaxMessenger())
        account = {"account_sid": twilio.ACCOUNT, "auth_token": twilio.TOKEN}
        sms = {**account, "sender": twilio.NUMBER, "api_url": carrier.url}
        forms: dict[str, Form] = {
            "telegram": {"token": BOT, "api_url": bots.url},
            "sms": sms,
            "whatsapp_twilio": sms,
            "calls": {**account, "api_url": carrier.url},
            "whatsapp": {
                "phone_number_id": graph.PHONE_ID,
                "business_account_id": graph.ACCOUNT_ID,
                "access_token": graph.TOKEN,
                "app_secret": graph.SECRET,
                "api_url": meta.url,
            },
            "vk": {"token": vk.TOKEN, "receive": "polling", "api_url": community.url},
            "max": {
                "token": max_messenger.TOKEN,
                "receive": "polling",
                "api_url": messenger.url,
            },
            "webhook": {},
            "web_chat": {},
            "web_form": {},
            "email": {
                "address": mailbox.address,
                "imap_host": "localhost",
                "imap_port": str(mailbox.dovecot.imaps_port),
                "imap_password": mailbox.password,
                "smtp_host": "localhost",
                "smtp_port": str(postfix.smtp_port),
                "smtp_security": "none",
                "smtp_login": "",
                "ca_file": str(authority.ca_file),
            },
        }
        yield Vendors(forms, carrier, meta)


async def type_in(page: Page, form: Form) -> None:
    """Fill in a form as somebody does who opens every part of it."""
    # Asking for all of something waits for none: the page must be there as a whole.
    await page.locator("#f-account_title").wait_for(state="attached")
    await page.wait_for_load_state("domcontentloaded")
    for one in await page.locator("details.more > summary").all():
        await one.click()
    for name, value in form.items():
        field = page.locator(f"#f-{name}")
        if await field.evaluate("one => one.tagName") == "SELECT":
            await field.select_option(value)
        elif await field.get_attribute("type") == "checkbox":
            await field.set_checked(bool(value))
        else:
            await field.fill(value)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_channel_is_connected_from_the_gallery(
    office: Office, enter: Enter, vendors: Vendors, language: str
) -> None:
    forms = vendors.forms
    await office.hands_of("Max").do(UpdateProfile(language=language))
    page = await enter("Max", "/settings/channels")
    offers = page.locator("a.offer")
    paths = {str(await one.get_attribute("href")) for one in await offers.all()}
    names = {path.rpartition("/")[2] for path in paths} - {"boat", "letter"}
    # A channel that comes later belongs here.
    assert names == set(forms)
    for name, form in forms.items():
        await page.goto(f"{office.url}/settings/channels")
        await page.locator(f"a[href='/settings/channels/new/{name}']").click()
        await type_in(page, form)
        await page.locator("#f-account_title").fill(f"Our {name}")
        await page.locator("button[value=try]").click()
        found = page.locator(".box[role=status]")
        if name not in ("web_chat", "web_form", "webhook"):
            await expect(found).to_be_visible()
        await expect(found.locator(".bad")).to_have_count(0)
        await page.locator("button[value=connect]").click()
        await expect(page.locator("h1")).to_have_text(f"Our {name}")
        await expect(page.locator(".settings .banner.good")).to_be_visible()
    titles = {one.title for one in await office.system.accounts()}
    assert {f"Our {name}" for name in forms} <= titles
    # What is connected leaves with its consequences told, and with a last word of one's own.
    await page.locator("a[href$='/disconnect']").click()
    await expect(page.locator(".checks li")).to_have_count(3)
    await expect(page.locator("form[action$='/disconnect'] button")).to_be_visible()

    # One customer on two of them: one person, whose card shows both dialogs.
    assert (await asyncio.to_thread(vendors.carrier.bring, f"+{graph.PERSON}", "By SMS"))[0] == 200
    message = vendors.meta.text("By WhatsApp")
    assert await asyncio.to_thread(vendors.meta.bring, message) == 200
    await page.goto(f"{office.url}/inbox")
    await page.locator("[id^=row-]", has_text="By SMS").click()
    card = page.locator("#card-pane")
    await expect(card).to_contain_text("By WhatsApp")
    # The number that wrote first has got its name from WhatsApp.
    await expect(page.locator("h1")).to_have_text(graph.NAME)
