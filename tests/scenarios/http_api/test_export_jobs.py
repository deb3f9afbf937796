"""Long lists become files in the background: told, handed out once rights hold, gone after a day."""

from __future__ import annotations

import csv
import errno
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_store import notices, work
from crm_store.exports import JOB
from hub import ChangeObject, CreateClient, CreateContact, EraseContact, SaveRole, UpdateUser
from plugins import contracts
from tests.houses import until
from tests.scenarios.http_api.world import World, open_world
from tests.scenarios.web.house import ADDRESS


async def finished(program: Any, **body: object) -> Any:
    made = await program.ok("POST", "/exports", json=body)
    assert made["url"] == ""

    async def done() -> Any:
        one = await program.ok("GET", f"/exports/{made['id']}")
        return one if one["state"] in ("done", "failed") else None

    return await until(done)


async def test_a_list_is_written_told_and_handed_out_until_rights_change(world: World) -> None:
    hub = world.house.system
    for name in ("Anna", "Boris"):
        await hub.do(CreateClient(name=name))
    tree = {"field": "client.name", "operator": "equals", "value": "Anna"}
    boss = await world.program("supervisor")
    done = await finished(boss, kind="client", filter=tree, columns=["name", "email"])
    assert (done["state"], done["rows_count"], done["rows_done"]) == ("done", 1, 1)
    user = world.users["supervisor"]
    told = await hub.as_user(user).read(notices.page)
    assert [(one.kind, one.object_id) for one in told] == [("export.done", int(done["id"]))]
    browser = world.house.browser()
    path = done["url"].removeprefix(ADDRESS)
    assert path.startswith("/exports/")
    rows = (await browser.get(path)).text.splitlines()
    assert rows[0].endswith("id,name,email")
    assert len(rows) == 2
    assert "Anna" in rows[1]
    assert (await browser.get(path[:-3] + "abc")).status_code in (403, 404)
    # Nobody else sees it, and it is not handed out to whoever sees less now.
    other = await world.program("administrator")
    await other.refused(404, "not_found", "GET", f"/exports/{done['id']}")
    await hub.do(
        SaveRole(name="watcher", based_on="supervisor", scopes={"contacts": "own"}),  # type: ignore[dict-item]
        UpdateUser(user_id=user, role="watcher"),
    )
    assert (await browser.get(path)).status_code == 409
    assert (await finished(boss, kind="client"))["rows_done"] == 0
    await boss.ok("DELETE", f"/exports/{done['id']}")
    assert (await browser.get(path)).status_code == 404


async def test_who_may_not_see_or_export_gets_no_file(world: World) -> None:
    agent = await world.program("agent")
    await agent.refused(403, "not_allowed", "POST", "/exports", json={"kind": "client"})
    boss = await world.program("administrator", scopes=("lists.export",))
    await boss.refused(403, "not_allowed", "POST", "/exports", json={"kind": "client"})
    boss = await world.program()
    await boss.refused(422, "invalid", "POST", "/exports", json={"kind": "boat"})
    wrong = {"kind": "client", "filter": {"field": "x", "operator": "empty"}}
    await boss.refused(422, "invalid", "POST", "/exports", json=wrong)


async def test_every_list_a_plugins_too_becomes_a_workbook(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, database_url, ("contracts", contracts)) as world:
        boss = await world.program()
        for kind in world.house.runtime.nouns:
            done = await finished(boss, kind=kind, format="xlsx")
            assert (done["state"], done["error"]) == ("done", ""), kind
            answer = await world.house.browser().get(done["url"].removeprefix(ADDRESS))
            assert answer.content.startswith(b"PK")


async def test_files_go_after_a_day_and_when_a_person_is_erased(world: World) -> None:
    from hub.commands import SweepExports

    hub = world.house.system
    anna = (await hub.do(CreateContact(name="Anna")))[0]
    boss = await world.program()
    first = await finished(boss, kind="contact")
    assert (await hub.do(SweepExports()))[0] == 0
    report = (await hub.do(EraseContact(contact_id=anna)))[0]
    assert report["exports"] == 1
    await boss.refused(404, "not_found", "GET", f"/exports/{first['id']}")
    second = await finished(boss, kind="contact")
    path = second["url"].removeprefix(ADDRESS)
    runtime = world.house.runtime
    now = runtime.now
    blobs = {one for one in (runtime.settings.data / "blobs").rglob("*") if one.is_file()}
    assert len(blobs) == 1
    try:
        runtime.database.set_clock(lambda: now() + 90_000_000_000)  # type: ignore[arg-type,return-value]
        assert (await hub.do(SweepExports()))[0] == 1
    finally:
        runtime.database.set_clock(now)
    assert (await world.house.browser().get(path)).status_code == 404
    assert not [one for one in (runtime.settings.data / "blobs").rglob("*") if one.is_file()]


async def test_a_long_list_on_screen_is_written_in_the_background(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, database_url, export_at_once=1) as world:
        hub = world.house.system
        first = (await hub.do(CreateClient(name="Anna")))[0]
        browser = await world.house.logged_in("supervisor")
        assert "Anna" in (await browser.get("/clients?as=csv")).text
        await hub.do(CreateClient(name="Boris"))
        change = ChangeObject(kind="client", object_id=first, values={"name": "Anna, \n two"})
        await hub.do(change)
        answer = await browser.get("/clients?as=csv&q=")
        assert (answer.status_code, answer.headers["location"]) == (303, "/exports")

        async def ready() -> str:
            page = (await browser.get("/exports")).text
            return page if "/exports/" in page and "download" in page and "2 rows" in page else ""

        page = await until(ready)
        assert "Clients" in page
        link = page.split('class="btn primary" href="')[1].split('"')[0]
        assert "Boris" in (await browser.get(link)).text


async def test_what_cannot_be_written_says_why_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, runtime = world.house.system, world.house.runtime
    await hub.do(CreateClient(name="Anna"))
    boss = await world.program("supervisor")

    def no_room(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(runtime.blobs, "put_file", no_room)
        failed = await finished(boss, kind="client")
        assert failed["state"] == "failed"
        assert "disk is full" in failed["error"]
        assert failed["finished_at"]
    browser = world.house.browser()
    await browser.log_in("supervisor@example.org")
    page = (await browser.get("/exports")).text
    assert "disk is full" in page
    assert "Try again" in page
    user = world.users["supervisor"]
    tried = await boss.ok("POST", f"/exports/{failed['id']}/retry")
    assert (tried["state"], tried["error"]) == ("waiting", "")

    async def done() -> Any:
        one = await boss.ok("GET", f"/exports/{failed['id']}")
        return one if one["state"] == "done" else None

    assert (await until(done))["rows_done"] == 1
    told = await hub.as_user(user).read(notices.page)
    assert [one.kind for one in told] == ["export.done", "export.failed"]
    await boss.refused(409, "state", "POST", f"/exports/{failed['id']}/retry")
    other = await world.program("administrator")
    await other.refused(404, "not_found", "POST", f"/exports/{failed['id']}/retry")


async def test_an_export_whose_job_is_given_up_does_not_run_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = await world.program("supervisor")
    runtime = world.house.runtime
    plugin, job = runtime.jobs[JOB]
    monkeypatch.setitem(runtime.jobs, JOB, (plugin, replace(job, max_attempts=1)))

    def broken(*args: object) -> None:
        raise RuntimeError("a wire came loose")

    monkeypatch.setattr(runtime.blobs, "put_file", broken)
    failed = await finished(boss, kind="client")
    assert failed["state"] == "failed"
    assert "wire" not in failed["error"]
    assert "try again" in failed["error"]
    # The job is given up a moment after its export says so.
    dead = await until(lambda: world.house.system.read(work.dead_jobs))
    assert [one.name for one in dead] == [JOB]


async def test_the_list_of_dialogs_is_a_file_too_of_what_one_may_see(world: World) -> None:
    hub = world.house.system
    account = await world.account()
    await world.letter(account, "anna", "Good morning")
    await world.letter(account, "boris", "=2+2")
    boss = await world.program("supervisor")
    done = await finished(boss, kind="dialog", view="all")
    rows = (await world.house.browser().get(done["url"].removeprefix(ADDRESS))).text
    listed = list(csv.DictReader(io.StringIO(rows.removeprefix("\ufeff"))))
    assert [one["preview"] for one in listed] == ["Good morning", "'=2+2"]
    assert (done["rows_count"], listed[0]["status"]) == (2, "new")
    tree = {"field": "dialog.text", "operator": "words", "value": "morning"}
    assert (await finished(boss, kind="dialog", filter=tree))["rows_done"] == 1
    await boss.refused(422, "invalid", "POST", "/exports", json={"kind": "dialog", "q": "Anna"})
    await boss.refused(422, "invalid", "POST", "/exports", json={"kind": "dialog", "view": "x"})
    await boss.refused(422, "invalid", "POST", "/exports", json={"kind": "client", "view": "all"})
    await hub.do(
        SaveRole(name="watcher", based_on="supervisor", scopes={"dialogs": "own"}),  # type: ignore[dict-item]
        UpdateUser(user_id=world.users["supervisor"], role="watcher"),
    )
    assert (await finished(boss, kind="dialog"))["rows_done"] == 0
    browser = await world.house.logged_in("administrator")
    form = {"act": "dialogs", "view": "everything", "format": "xlsx"}
    answer = await browser.submit("/exports", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/exports")

    async def ready() -> str:
        page = (await browser.get("/exports")).text
        return page if "2 rows" in page else ""

    assert "Dialogs" in await until(ready)
