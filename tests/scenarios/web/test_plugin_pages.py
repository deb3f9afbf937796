"""Plugins' pages: what the roof settles before, and that one plugin's mistake stays with it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import Column, Integer, String, Table, select

from crm_store.journal import latest_events
from hub import (
    SYSTEM,
    Answer,
    File,
    Fragment,
    Hub,
    Json,
    NotFound,
    Page,
    PluginRequest,
    Redirect,
    Route,
    ServerEvent,
    Stream,
    UpdateProfile,
    hookimpl,
)
from tests.scenarios.web.house import ADDRESS, House, csrf_of, open_house

closed: list[str] = []


async def show(hub: Hub, request: PluginRequest) -> Answer:
    name = (await hub.user(hub.actor.id)).name  # type: ignore[arg-type]
    return Page(template="garden/page.html", title="Garden", values={"name": name})


async def plant(hub: Hub, request: PluginRequest) -> Answer:
    await hub.do(UpdateProfile(signature=request.fields.get("flower", "")))
    return Redirect(to="/p/garden/")


async def echo(hub: Hub, request: PluginRequest) -> Answer:
    value = {
        "actor": str(hub.actor),
        "body": len(request.body),
        "path": dict(request.path),
        "query": dict(request.query),
        "fields": dict(request.fields),
        "files": [[one.name, len(one.content or b"")] for one in request.files],
        "client": request.client,
        "language": request.language,
        "cookies": dict(request.cookies),
        "cookie": request.headers.get("cookie", ""),
        "url": request.url,
    }
    return Json(value=value, headers={"x-garden": "yes"})


async def broken(hub: Hub, request: PluginRequest) -> Answer:
    raise ZeroDivisionError("a secret detail")


async def wrong(hub: Hub, request: PluginRequest) -> Any:
    return {"not": "an answer"}


async def lost(hub: Hub, request: PluginRequest) -> Answer:
    raise NotFound("no such flower")


async def leaf(hub: Hub, request: PluginRequest) -> Answer:
    return Fragment(template="leaf.html", values={"text": "<b>green</b>"})


async def seed(hub: Hub, request: PluginRequest) -> Answer:
    return File(content=b"<script>alert(1)</script>", media_type="text/html", name='се"мя.html')


async def own_rows(hub: Hub, request: PluginRequest) -> Answer:
    rows = await hub.store.all(select(FLOWERS))
    return Json(value=[dict(one) for one in rows])


async def foreign_rows(hub: Hub, request: PluginRequest) -> Answer:
    from crm_store.tables.users import users

    return Json(value=list(await hub.store.all(select(users))))


async def _drips() -> AsyncIterator[ServerEvent]:
    try:
        yield ServerEvent(event="drip", data="one\ntwo", id="1")
        await asyncio.Event().wait()
    finally:
        closed.append("drip")


async def drip(hub: Hub, request: PluginRequest) -> Answer:
    return Stream(events=_drips())


FLOWERS: Any = None


@pytest.fixture
def garden(tmp_path: Path) -> ModuleType:
    """A plugin with a page of every kind."""
    folder = tmp_path / "garden"
    (folder / "templates").mkdir(parents=True)
    (folder / "static").mkdir()
    locale = folder / "locale/ru/LC_MESSAGES"
    locale.mkdir(parents=True)
    (folder / "templates/page.html").write_text(
        "{% extends layout %}{% import 'hub/ui.html' as ui with context %}{% block main %}"
        "<h1>{{ _('Flowers of') }} {{ name }}</h1><p>{{ _('Settings') }}</p>"
        "<form method='post'>{{ ui.csrf_field(csrf) }}<input name='flower'></form>{% endblock %}"
    )
    (folder / "templates/leaf.html").write_text("<p>{{ text }}</p>")
    (folder / "static/garden.css").write_text("p { color: green }")
    (tmp_path / "secret.txt").write_text("secret")
    (locale / "garden.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Flowers of"\nmsgstr "Цветы от"\n'
    )

    @hookimpl
    def register_routes() -> list[Route]:
        return [
            Route(path="/", endpoint=show, permission="accounts.manage"),
            Route(path="/", endpoint=plant, methods=("POST",), permission="profile.edit"),
            Route(path="/mine", endpoint=echo, methods=("GET", "POST"), permission="dialogs.view"),
            Route(
                path="/open/{what}",
                endpoint=echo,
                methods=("GET", "POST"),
                public=True,
                cors=True,
                max_body=50_000,
            ),
            Route(path="/closed", endpoint=echo, methods=("GET", "POST"), public=True),
            Route(path="/broken", endpoint=broken, public=True, cors=True),
            Route(path="/broken-page", endpoint=broken, permission="dialogs.view"),
            Route(path="/wrong", endpoint=wrong, permission="dialogs.view"),
            Route(path="/lost", endpoint=lost, permission="dialogs.view"),
            Route(path="/leaf", endpoint=leaf, permission="dialogs.view"),
            Route(path="/seed", endpoint=seed, public=True),
            Route(path="/rows", endpoint=own_rows, permission="dialogs.view"),
            Route(path="/foreign", endpoint=foreign_rows, permission="dialogs.view"),
            Route(path="/drip", endpoint=drip, public=True, cors=True),
        ]

    @hookimpl
    def register_tables(metadata: Any) -> None:
        global FLOWERS
        FLOWERS = Table(
            "garden_flowers",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(50), nullable=False),
        )

    module = ModuleType("garden")
    module.__path__ = [str(folder)]
    module.register_routes = register_routes  # type: ignore[attr-defined]
    module.register_tables = register_tables  # type: ignore[attr-defined]
    return module


@pytest.fixture
async def hub(garden: ModuleType, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url, ("garden", garden)) as house:
        yield house


async def test_a_page_stands_in_the_hubs_frame_in_the_readers_language(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await browser.get("/p/garden/")
    assert answer.status_code == 200
    assert "Flowers of Administrator" in answer.text
    assert 'href="/settings"' in answer.text
    assert "script-src 'self' 'nonce-" in answer.headers["content-security-policy"]
    await browser.submit(
        "/settings/profile",
        data={"name": "Administrator", "language": "ru", "theme": "dark", "density": "normal"},
    )
    assert "Цветы от Administrator" in (await browser.get("/p/garden/")).text


async def test_a_stranger_is_led_to_the_login_and_a_role_without_the_right_refused(
    hub: House,
) -> None:
    answer = await hub.browser().get("/p/garden/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/p/garden/")
    answer = await hub.browser().get("/p/garden/", headers={"accept": "application/json"})
    assert answer.status_code == 401
    browser = await hub.logged_in("agent")
    assert (await browser.get("/p/garden/")).status_code == 403
    assert (await browser.get("/p/garden/mine")).status_code == 200


async def test_a_form_of_a_plugin_needs_the_token(hub: House) -> None:
    browser = await hub.logged_in()
    page = (await browser.get("/p/garden/")).text
    for token in ("", "wrong"):
        answer = await browser.post("/p/garden/", data={"flower": "rose", "_csrf": token})
        assert answer.status_code == 403
    answer = await browser.post(
        "/p/garden/",
        data={"flower": "rose", "_csrf": csrf_of(page)},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    answer = await browser.post("/p/garden/", data={"flower": "rose", "_csrf": csrf_of(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/garden/")


async def test_an_endpoint_gets_the_request_as_plain_data_without_the_session(hub: House) -> None:
    browser = await hub.logged_in()
    browser.cookies.set("taste", "sweet", domain="hub.example")
    answer = await browser.post(
        "/p/garden/open/tulip?a=1",
        data={"name": "Ада"},
        files={"photo": ("a.png", b"12345", "image/png")},
        headers={"accept-language": "ru"},
    )
    found = answer.json()
    assert found["actor"] == "plugin:garden"
    assert found["path"] == {"what": "tulip"}
    assert found["query"] == {"a": "1"}
    assert found["fields"] == {"name": "Ада"}
    assert found["files"] == [["a.png", 5]]
    assert found["client"] == "198.51.100.7"
    assert found["cookies"] == {"taste": "sweet"}
    assert found["cookie"] == ""
    assert found["url"] == f"{ADDRESS}/p/garden/open/tulip?a=1"
    assert answer.headers["x-garden"] == "yes"


async def test_other_sites_may_call_only_where_the_route_says_so(hub: House) -> None:
    other = {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
    browser = hub.browser()
    answer = await browser.post("/p/garden/open/x", json={}, headers=other)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    answer = await browser.options(
        "/p/garden/open/x", headers={**other, "access-control-request-headers": "x-extra"}
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "x-extra"
    answer = await browser.post("/p/garden/closed", json={}, headers=other)
    assert "access-control-allow-origin" not in answer.headers
    assert (await browser.options("/p/garden/closed", headers=other)).status_code == 405
    broken_answer = await browser.get("/p/garden/broken", headers=other)
    assert broken_answer.status_code == 500
    assert broken_answer.headers["access-control-allow-origin"] == "*"


async def test_a_body_larger_than_the_route_takes_is_refused(hub: House) -> None:
    browser = hub.browser()
    assert (await browser.post("/p/garden/open/x", content=b"x" * 50_001)).status_code == 413

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield b"x" * 1_000

    assert (await browser.post("/p/garden/open/x", content=parts())).status_code == 413
    assert (await browser.post("/p/garden/open/x", content=b"x" * 50_000)).status_code == 200


async def test_a_plugins_mistake_is_a_notice_with_its_name_and_nothing_more(hub: House) -> None:
    browser = await hub.logged_in()
    for path in ("/p/garden/broken-page", "/p/garden/wrong"):
        answer = await browser.get(path)
        assert answer.status_code == 500
        assert "garden" in answer.text
        assert "secret detail" not in answer.text
        assert "Traceback" not in answer.text
    plugin = hub.runtime.plugins.plugins["garden"]
    assert plugin.failures == 2
    assert plugin.state == "loaded"
    async with asyncio.timeout(10):
        while not await _failures(hub):
            await asyncio.sleep(0.02)
    assert (await browser.get("/inbox")).status_code == 200


async def _failures(hub: House) -> list[Any]:
    found = await hub.runtime.read(
        SYSTEM, None, latest_events, hub.runtime.registry, 0, 10, ("plugin.failed",)
    )
    return list(found)


async def test_errors_of_the_tree_keep_their_meaning(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await browser.get("/p/garden/lost")
    assert answer.status_code == 404
    assert hub.runtime.plugins.plugins["garden"].failures == 0


async def test_what_a_fragment_shows_is_escaped(hub: House) -> None:
    browser = await hub.logged_in()
    assert (await browser.get("/p/garden/leaf")).text == "<p>&lt;b&gt;green&lt;/b&gt;</p>"


async def test_a_file_that_could_act_is_shut_in(hub: House) -> None:
    answer = await hub.browser().get("/p/garden/seed")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "%D1%81%D0%B5%22%D0%BC%D1%8F.html" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_page_sees_the_plugins_own_tables_and_no_others(hub: House) -> None:
    browser = await hub.logged_in("agent")
    assert (await browser.get("/p/garden/rows")).json() == []
    assert (await browser.get("/p/garden/foreign")).status_code == 403


async def test_static_files_are_those_of_the_folder_only(hub: House) -> None:
    browser = hub.browser()
    answer = await browser.get("/p/garden/static/garden.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    outside = ("../templates/page.html", "%2e%2e/%2e%2e/secret.txt", "..%2f..%2fsecret.txt")
    for path in (*outside, "", "a" * 5000, "%00"):
        assert (await browser.get(f"/p/garden/static/{path}")).status_code in (404, 405)


async def test_an_unknown_page_of_a_plugin_is_not_found(hub: House) -> None:
    browser = await hub.logged_in()
    assert (await browser.get("/p/garden/nothing/here")).status_code == 404
    assert (await browser.get("/p/nobody/")).status_code == 404


async def test_a_stream_flows_and_is_closed_when_the_caller_leaves_or_the_hub_stops(
    hub: House,
) -> None:
    closed.clear()
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    config = uvicorn.Config(hub.app, lifespan="off", log_config=None, timeout_graceful_shutdown=20)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        address = f"http://127.0.0.1:{port}/p/garden/drip"
        async with httpx2.AsyncClient(timeout=20) as client:
            async with client.stream("GET", address) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = answer.aiter_lines()
                got = [await anext(lines) for _ in range(4)]
                assert got == ["id: 1", "event: drip", "data: one", "data: two"]
            async with asyncio.timeout(20):
                while closed != ["drip"]:
                    await asyncio.sleep(0.02)
            async with client.stream("GET", address) as answer:
                lines = answer.aiter_lines()
                await anext(lines)
                hub.app.state.stopping.set()
                async with asyncio.timeout(20):
                    async for _ in lines:
                        pass
            assert closed == ["drip", "drip"]
    finally:
        server.should_exit = True
        await running
