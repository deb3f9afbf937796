"""A site's form over the wire: page, script, plain posts, machines, floods."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from crm_store.quarantine import quarantined
from hub import SYSTEM, AccountId, CreateAccount, Dialog, DialogQuery, Message, UpdateAccount
from hub.records.dialogs import QuarantineItem
from hub.replay import replay, waiting
from tests.wire.web_chat.site import ChatHub, running_chat

FIELDS = {"name": "Vera", "email": "vera@example.org", "message": "How much is it?", "Size": "XL"}


@dataclass(slots=True)
class Form:
    """A form of a running hub."""

    chat: ChatHub
    account_id: AccountId

    @property
    def url(self) -> str:
        return f"{self.chat.hub_url}/p/web_form/{self.account_id}"

    async def set(self, **settings: object) -> None:
        hub = self.chat.runtime.handle(SYSTEM)
        before = dict((await hub.account(self.account_id)).settings)
        await hub.do(UpdateAccount(account_id=self.account_id, settings=before | settings))

    async def dialogs(self) -> tuple[Dialog, ...]:
        query = DialogQuery(view="everything", account_id=self.account_id)
        return (await self.chat.runtime.handle(SYSTEM).dialogs(query)).dialogs

    async def message(self) -> Message:
        (dialog,) = await self.dialogs()
        thread = await self.chat.runtime.handle(SYSTEM).thread(dialog.id)
        return thread.messages[-1]

    async def put_aside(self) -> list[QuarantineItem]:
        found = await self.chat.runtime.handle(SYSTEM).read(quarantined, "")
        return [one for one in found if one.account_id == self.account_id]


@pytest.fixture
async def form(tmp_path: Path, database_url: str) -> AsyncIterator[Form]:
    async with running_chat(tmp_path, database_url) as chat:
        hub = chat.runtime.handle(SYSTEM)
        settings = {"title": "Ask us", "min_seconds": 0}
        (account_id,) = await hub.do(
            CreateAccount(channel="web_form", title="Ask us", settings=settings)
        )
        yield Form(chat=chat, account_id=account_id)


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def test_a_plain_post_becomes_a_dialog_with_the_person_s_own_address(
    form: Form, web: httpx.AsyncClient
) -> None:
    answer = await web.post(form.url, data=FIELDS, headers={"referer": "https://shop.example/x"})
    assert answer.status_code == 200
    assert "Thank you!" in answer.text
    (dialog,) = await form.dialogs()
    assert (dialog.address_kind, dialog.address, dialog.contact_name) == (
        "email",
        "vera@example.org",
        "Vera",
    )
    message = await form.message()
    assert message.text == "How much is it?\nSize: XL"
    profile = message.extra["profile"]
    assert isinstance(profile, dict)
    assert profile["page"] == "https://shop.example/x"


async def test_a_double_click_makes_one_message(form: Form, web: httpx.AsyncClient) -> None:
    for _ in range(3):
        await web.post(form.url, data=FIELDS | {"_id": "0123456789abcdef"})
    (dialog,) = await form.dialogs()
    assert dialog.message_count == 1


async def test_json_is_answered_in_json_and_a_redirect_goes_where_the_site_wants(
    form: Form, web: httpx.AsyncClient
) -> None:
    answer = await web.post(form.url, json=FIELDS)
    assert answer.json()["ok"] is True
    assert answer.headers["access-control-allow-origin"] == "*"
    wrong = await web.post(form.url, json=FIELDS | {"email": "nobody"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "email")
    await form.set(thanks_link="https://shop.example/thanks")
    led = await web.post(form.url, data=FIELDS, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "https://shop.example/thanks")


async def test_files_come_with_a_form_that_takes_them(form: Form, web: httpx.AsyncClient) -> None:
    await form.set(files=True)
    sent = [("files", ("план.pdf", b"%PDF", "application/pdf"))]
    assert (await web.post(form.url, data=FIELDS, files=sent)).status_code == 200
    assert [one.name for one in (await form.message()).attachments] == ["план.pdf"]


async def test_our_own_page_works_without_any_script(form: Form, web: httpx.AsyncClient) -> None:
    await form.set(min_seconds=0, more_fields="Size *", consent_text="I <b>agree</b>")
    page = await web.get(form.url, headers={"accept-language": "ru-RU,ru;q=0.9"})
    assert "<script" not in page.text
    assert "Ваше имя" in page.text
    assert "I &lt;b&gt;agree&lt;/b&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    hidden = dict(re.findall(r'type="hidden" name="(_\w+)" value="([^"]*)"', page.text))
    sent = {"email": 'x"><script>', "message": "<i>hi</i>", "Size": "XL", "consent": "yes"}
    refused = await web.post(form.url, data=hidden | sent)
    assert refused.status_code == 422
    assert "Проверьте адрес электронной почты" in refused.text
    assert "x&#34;&gt;&lt;script&gt;" in refused.text
    assert "&lt;i&gt;hi&lt;/i&gt;" in refused.text
    fine = await web.post(form.url, data=hidden | sent | {"email": "a@b.de"})
    assert "Спасибо!" in fine.text
    assert (await form.message()).text == "<i>hi</i>\nSize: XL"


async def test_machines_are_kept_out_and_told_nothing(form: Form, web: httpx.AsyncClient) -> None:
    answer = await web.post(form.url, data=FIELDS | {"website": "http://spam.example"})
    assert "Thank you!" in answer.text
    await form.set(min_seconds=30)
    start = (await web.get(f"{form.url}/config")).json()["start"]
    assert "Thank you!" in (await web.post(form.url, data=FIELDS | {"_start": start})).text
    forged = FIELDS | {"_start": "forged", "_id": "another-one-0001"}
    assert "Thank you!" in (await web.post(form.url, data=forged)).text
    assert await form.dialogs() == ()
    aside = await form.put_aside()
    assert [one.source for one in aside if "hidden field" in one.error] == ["dropped"]
    quick = [one for one in aside if "too fast" in one.error]
    assert [one.source for one in quick] == ["screened", "screened"]
    # Whoever was only quick is let in by a colleague who looks, one by one.
    assert await waiting(form.chat.runtime) == []
    for one in quick:
        await replay(form.chat.runtime, one.id)
    (dialog,) = await form.dialogs()
    assert (dialog.address, dialog.message_count) == ("vera@example.org", 2)


async def test_a_flood_is_slowed_down(form: Form, web: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(web.post(form.url, json=FIELDS) for _ in range(40)))
    codes = [one.status_code for one in answers]
    assert 10 <= codes.count(200) < 30
    assert codes.count(200) + codes.count(429) == 40


async def test_only_allowed_sites_and_our_own_page_may_send(
    form: Form, web: httpx.AsyncClient
) -> None:
    await form.set(allowed_sites="shop.example")
    for origin, status in (
        ("https://shop.example", 200),
        (form.chat.hub_url, 200),
        ("https://evil.example", 403),
        ("null", 403),
    ):
        answer = await web.post(form.url, json=FIELDS, headers={"origin": origin})
        assert answer.status_code == status, origin


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
    ],
)
async def test_noise_is_refused(form: Form, web: httpx.AsyncClient, body: bytes, kind: str) -> None:
    answer = await web.post(form.url, content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert (await web.get(f"{form.chat.hub_url}/p/web_form/1")).status_code == 404
    assert await form.dialogs() == ()
    assert await form.put_aside() == []
