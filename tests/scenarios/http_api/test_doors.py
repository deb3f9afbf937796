"""The edges of the API: sizes, rates, browsers, files, errors, the description."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hub import Attachment
from hub.http_api import door
from plugins import contracts, csat, mailings, quick_replies
from tests.scenarios.http_api.world import API, World, open_world


async def test_a_file_goes_up_and_comes_down_as_a_download_only(world: World) -> None:
    account = await world.account()
    page = b"<script>alert(1)</script>"
    came = await world.letter(
        account,
        "anna",
        attachments=(Attachment(name='../"e\tvil".html', media_type="text/html", content=page),),
    )
    program = await world.program("agent")
    whole = await program.ok("GET", f"/messages/{came.message_id}")
    file = whole["attachments"][0]
    answer = await program.get(f"/attachments/{file['id']}/content")
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert not re.search(r"[/\t\\]", disposition)
    raw = await program.get(f"/messages/{came.message_id}/raw")
    assert raw.headers["content-disposition"].startswith("attachment;")
    files = {"file": ("../../план.txt", b"plan", "text/plain; charset=utf-8")}
    mine = await program.ok("POST", "/attachments", files=files)
    assert (mine["name"], mine["media_type"], mine["size"]) == (".._.._план.txt", "text/plain", 4)
    note = await program.ok(
        "POST",
        f"/dialogs/{came.dialog_id}/notes",
        json={"text": "see", "attachments": [mine["id"]]},
    )
    assert note["attachments"][0]["id"] == mine["id"]
    await program.refused(422, "invalid", "POST", "/attachments", json={})


async def test_what_is_too_large_is_refused_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MAX_BODY", 10_000)
    monkeypatch.setattr(world.house.runtime.settings, "max_file", 50_000)
    monkeypatch.setattr(door, "FORM_EXTRA", 1_000)
    program = await world.program()
    await program.refused(413, "too_large", "POST", "/clients", json={"name": "x" * 20_000})
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10_000_000:
            sent += 1_000
            yield b"x" * 1_000

    # Nobody says how long it is: it is counted while it comes.
    headers = {"content-type": "application/json"}
    await program.refused(413, "too_large", "POST", "/clients", content=endless(), headers=headers)
    await program.refused(
        413, "too_large", "POST", "/attachments", files={"file": ("a", b"x" * 100_000)}
    )
    await program.ok("POST", "/attachments", files={"file": ("a", b"x" * 40_000)})


async def test_one_token_does_not_flood_the_others(database_url: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, database_url, api_per_minute=5) as world:
        program, other = await world.program(), await world.program()
        for _ in range(5):
            await program.ok("GET", "/me")
        answer = await program.get("/me")
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "too_many_requests"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        await other.ok("GET", "/me")


async def test_a_browser_is_known_by_its_session_and_its_pages_token(world: World) -> None:
    browser = await world.house.logged_in("agent")
    assert (await browser.get(f"{API}/me")).json()["name"] == "Agent"
    refused = await browser.post(f"{API}/clients", json={"name": "A"})
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "csrf"
    token = await browser.csrf()
    made = await browser.post(f"{API}/clients", json={"name": "A"}, headers={"x-csrf-token": token})
    assert made.status_code == 201, made.text
    # A bearer token that is not valid is not saved by the session beside it.
    headers = {"authorization": "Bearer hub_x"}
    assert (await browser.get(f"{API}/me", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/clients", {"name": "A", "nmae": "B"}, "nmae"),
        ("/clients", {"name": "A\x00"}, ""),
        ("/clients", {"name": "A" * 401}, "name"),
        ("/clients", {"name": "A", "contact_id": 5}, "contact_id"),
        ("/clients", {"name": "A", "contact_id": "9" * 19}, "contact_id"),
        ("/clients", {"name": "A", "contact_id": "١"}, "contact_id"),
        ("/tokens", {"name": "A", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ("/tokens", {"name": "A", "expires_at": 5}, "expires_at"),
        ("/views", {"name": "A", "filter": {"a": 10**30}}, ""),
        ("/clients", [], ""),
        ("/clients", None, ""),
    ],
)
async def test_a_wrong_body_is_told_by_its_field(
    world: World, path: str, body: Any, field: str
) -> None:
    program = await world.program()
    error = await program.refused(422, "invalid", "POST", path, json=body)
    assert error["field"] == field
    assert error["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[" * 100_000,
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b"\xff\xfe",
        b'{"name": 1e999}',
    ],
)
async def test_bytes_that_are_no_body_are_refused(world: World, content: bytes) -> None:
    program = await world.program()
    headers = {"content-type": "application/json"}
    answer = await program.post("/clients", content=content, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["code"] == "invalid"


async def test_errors_have_one_shape_also_where_nothing_is(world: World) -> None:
    program = await world.program()
    await program.refused(404, "not_found", "GET", "/nothing")
    await program.refused(405, "wrong_method", "PUT", "/clients")
    await program.refused(400, "invalid", "GET", "/contacts?q=%00")
    await program.refused(404, "not_found", "GET", f"/dialogs/{5}")
    await program.refused(422, "invalid", "GET", "/dialogs/x")
    await program.refused(404, "not_found", "GET", "/dialogs/5/")
    await program.refused(422, "invalid", "GET", "/dialogs/5%0A")
    await program.refused(404, "not_found", "GET", "/no%0Athing")


async def test_a_crash_is_answered_with_its_number_and_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from crm_store import dialogs

    def crash(reader: object) -> None:
        raise RuntimeError("the secret is platypus")

    monkeypatch.setattr(dialogs, "all_tags", crash)
    program = await world.program()
    error = await program.refused(500, "internal", "GET", "/tags")
    assert "platypus" not in json.dumps(error)
    assert error["request_id"] in caplog.text


@pytest.fixture
async def whole(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub with what plugins bring to the API: kinds and endpoints."""
    brought = (("contracts", contracts), ("mailings", mailings), ("csat", csat))
    more = (("quick_replies", quick_replies),)
    async with open_world(tmp_path, database_url, *brought, *more) as one:
        yield one


async def test_the_description_is_whole_and_the_reference_needs_nothing_from_outside(
    whole: World,
) -> None:
    program = whole.stranger()
    schema = await program.ok("GET", "/openapi.json")
    assert schema["openapi"].startswith("3.1")
    known = {one["name"] for one in schema["tags"]}
    ids = set()
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            name = f"{verb} {path}"
            assert operation["summary"], name
            assert len(operation["description"]) > 30, name
            assert set(operation["tags"]) <= known, name
            ids.add(operation["operationId"])
            good = [one for one in operation["responses"] if one.startswith("2")]
            assert good, name
            for status, answer in operation["responses"].items():
                if status != "204":
                    contents = answer["content"].values()
                    assert all(one.get("schema") for one in contents), f"{name} {status}"
    assert len(ids) == sum(len(one) for one in schema["paths"].values())
    answer = await program.get("/docs")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "<script" not in answer.text
    outside = re.findall(r'(?:src|href)="(?!#|openapi\.json)([^"]*)"', answer.text)
    assert outside == []
    for path in schema["paths"]:
        assert path in answer.text


async def test_two_hundred_readers_do_not_disturb_each_other(world: World) -> None:
    account = await world.account()
    await world.letter(account, "anna")
    program = await world.program("agent")

    async def read() -> int:
        answer: httpx2.Response = await program.get("/dialogs")
        return answer.status_code

    assert set(await asyncio.gather(*(read() for _ in range(200)))) == {200}
