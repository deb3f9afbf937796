"""What colleagues see of the web chat: the line for the site, a sample page, the visitor's card."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub import Actor, ActorKind, UpdateProfile
from plugins.web_chat import dialog_panels
from tests.wire.web_chat.site import ChatHub, running_chat
from tests.wire.web_chat.test_endpoints import say, visitor


@pytest.fixture
async def chat(tmp_path: Path, database_url: str) -> AsyncIterator[ChatHub]:
    async with running_chat(tmp_path, database_url) as running:
        yield running


@pytest.fixture
async def colleague(chat: ChatHub) -> AsyncIterator[httpx.AsyncClient]:
    cookies = await chat.log_in()
    async with httpx.AsyncClient(timeout=30, base_url=chat.hub_url, cookies=cookies) as client:
        yield client


async def test_the_account_s_page_gives_the_line_for_the_site(
    chat: ChatHub, colleague: httpx.AsyncClient
) -> None:
    answer = await colleague.get(f"/p/web_chat/section?account={chat.account_id}")
    line = f'<script async src="{chat.hub_url}/p/web_chat/widget.js?account={chat.account_id}"></script>'
    assert answer.status_code == 200
    assert line in html.unescape(answer.text)
    assert "Paste this line" in answer.text
    await chat.agent.do(UpdateProfile(language="ru"))
    russian = await colleague.get(f"/p/web_chat/section?account={chat.account_id}")
    assert "Вставьте эту строку" in russian.text
    for wrong in ("", "1", "x", "9" * 40):
        assert (await colleague.get(f"/p/web_chat/section?account={wrong}")).status_code == 404


async def test_nobody_else_sees_it(chat: ChatHub) -> None:
    async with httpx.AsyncClient(base_url=chat.hub_url) as stranger:
        for path in (f"section?account={chat.account_id}", f"{chat.account_id}/preview"):
            answer = await stranger.get(f"/p/web_chat/{path}")
            assert answer.status_code in (303, 401)


async def test_the_sample_page_shows_the_chat(chat: ChatHub, colleague: httpx.AsyncClient) -> None:
    answer = await colleague.get(f"/p/web_chat/{chat.account_id}/preview")
    assert answer.status_code == 200
    assert f"/p/web_chat/widget.js?account={chat.account_id}" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert (await colleague.get("/p/web_chat/preview.css")).status_code == 200


async def test_the_card_says_where_the_visitor_is(chat: ChatHub) -> None:
    async with httpx.AsyncClient() as web:
        token = await visitor(chat, web, email="vera@example.org")
        page = {
            "url": "https://shop.example/roses",
            "title": "Roses",
            "referrer": "https://search.example/",
            "utm": {"utm_source": "mail"},
        }
        await say(chat, web, token, "Hello", page=page)
    (dialog,) = await chat.dialogs()
    hub = chat.runtime.handle(Actor(kind=ActorKind.USER, id=chat.agent_id, name="web_chat"))
    (panel,) = await dialog_panels(hub, dialog)
    lines = {one.label: (one.value, one.href) for one in panel.lines}
    assert panel.title == "Visitor"
    assert lines["Page"] == ("Roses", "https://shop.example/roses")
    assert lines["Came from"] == ("https://search.example/", "https://search.example/")
    assert lines["Source"] == ("mail", "")
    assert lines["E-mail"] == ("vera@example.org", "")
