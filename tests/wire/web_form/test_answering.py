"""A form cannot answer; its dialog leads to an e-mail dialog with the same person."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from pydantic import BaseModel

import plugins.web_chat
import plugins.web_form
from hub import (
    SYSTEM,
    Actor,
    ActorKind,
    Capabilities,
    Channel,
    CreateAccount,
    Dialog,
    DialogQuery,
    SendMessage,
    Unsupported,
    hookimpl,
)
from hub.plugin_host import PluginHost
from tests.wire.web_chat.site import ChatHub, running_chat


class NoSettings(BaseModel):
    """Nothing to set."""


class Mailbox(Channel):
    """A mailbox whose post stays in the outbox."""

    name: ClassVar[str] = "email"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="email", subject=True, threads=True, initiates=True
    )
    Settings: ClassVar[type[BaseModel]] = NoSettings


class MailboxPlugin:
    """Brings the mailbox."""

    @hookimpl
    def register_channels(self) -> list[type[Channel]]:
        return [Mailbox]


@pytest.fixture
async def chat(tmp_path: Path, database_url: str) -> AsyncIterator[ChatHub]:
    host = PluginHost()
    host.add("web_chat", plugins.web_chat)
    host.add("web_form", plugins.web_form)
    host.add("mailbox", MailboxPlugin())
    async with running_chat(tmp_path, database_url, plugins=host) as running:
        yield running


@pytest.fixture
async def colleague(chat: ChatHub) -> AsyncIterator[httpx.AsyncClient]:
    cookies = await chat.log_in()
    async with httpx.AsyncClient(timeout=30, base_url=chat.hub_url, cookies=cookies) as client:
        yield client


async def form_dialog(chat: ChatHub, **fields: str) -> Dialog:
    hub = chat.runtime.handle(SYSTEM)
    (form,) = await hub.do(CreateAccount(channel="web_form", title="Ask", settings={}))
    async with httpx.AsyncClient() as web:
        answer = await web.post(f"{chat.hub_url}/p/web_form/{form}", json=fields)
        assert answer.status_code == 200
    (dialog,) = (await hub.dialogs(DialogQuery(view="everything", account_id=form))).dialogs
    return dialog


async def test_from_the_form_s_dialog_an_e_mail_dialog_is_started(
    chat: ChatHub, colleague: httpx.AsyncClient
) -> None:
    dialog = await form_dialog(chat, email="vera@example.org", name="Vera", message="How much?")
    hub = chat.runtime.handle(Actor(kind=ActorKind.USER, id=chat.agent_id, name="web_form"))
    (panel,) = await plugins.web_form.dialog_panels(hub, dialog)
    href = next(one.href for one in panel.lines if one.label == "Answer by e-mail")
    assert "There is no mailbox yet" in (await colleague.get(href)).text
    (mailbox,) = await chat.agent.do(CreateAccount(channel="email", title="Sales", settings={}))
    page = (await colleague.get(href)).text
    assert "vera@example.org" in page
    csrf = re.findall(r'name="_csrf" value="([^"]+)"', page)[0]
    forged = await colleague.post(href, data={"mailbox": str(mailbox)})
    assert forged.status_code == 403
    answer = await colleague.post(href, data={"_csrf": csrf, "mailbox": str(mailbox)})
    assert answer.status_code == 303
    started = await chat.agent.dialog(int(answer.headers["location"].rpartition("/")[2]))
    assert (started.account_id, started.address) == (mailbox, "vera@example.org")
    assert started.contact_id == dialog.contact_id


async def test_the_form_s_own_dialog_takes_no_answer(chat: ChatHub) -> None:
    dialog = await form_dialog(chat, phone="+7 916 123-45-67", message="Call me")
    with pytest.raises(Unsupported):
        await chat.agent.do(SendMessage(dialog_id=dialog.id, text="We will"))
    hub = chat.runtime.handle(Actor(kind=ActorKind.USER, id=chat.agent_id, name="web_form"))
    (panel,) = await plugins.web_form.dialog_panels(hub, dialog)
    assert panel.lines[-1].label.startswith("A form cannot answer")


async def test_the_account_s_page_says_how_to_embed_the_form(
    chat: ChatHub, colleague: httpx.AsyncClient
) -> None:
    dialog = await form_dialog(chat, email="a@b.de", message="x")
    answer = await colleague.get(f"/p/web_form/section?account={dialog.account_id}")
    assert answer.status_code == 200
    assert f"/p/web_form/form.js?form={dialog.account_id}" in answer.text
