"""A disk that is full: providers are asked to repeat, nothing is half, and it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from hub.web.auth import COOKIE, CSRF_HEADER, csrf_for
from tests.scenarios.cli.processes import CommandLine, Running
from tests.scenarios.full_disk.disk import ask, came, fill, until

PASSWORD = "correct horse battery"
PLUGINS = Path(__file__).parent / "plugins"


def test_who_starts_on_a_full_disk_is_told_so_in_words(
    small_disk: Path, run: Callable[[CommandLine], Running]
) -> None:
    hub = CommandLine(small_disk, "", {"HUB_PLUGINS_DIR": str(PLUGINS), "WELL": os.devnull})
    hub("user", "create", "ada@hub.example", "--password-stdin", given=f"{PASSWORD}\n")
    fill(small_disk / "ballast")
    for command in (("run", "--port", "0"), ("user", "list")):
        assert "the disk is full: make room" in hub.refused(*command)
    (small_disk / "ballast").unlink()
    assert run(hub).get("/readyz")["ready"]


@pytest.mark.slow
async def test_a_full_disk_loses_nothing_and_all_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path, run: Callable[[CommandLine], Running]
) -> None:
    well = tmp_path / "well.txt"
    well.touch()
    hub = CommandLine(small_disk, "", {"HUB_PLUGINS_DIR": str(PLUGINS), "WELL": str(well)})
    hub(
        "user", "create", "ada@hub.example", "--role", "administrator", "--password-stdin",
        given=f"{PASSWORD}\n",
    )  # fmt: skip
    token = json.loads(hub("token", "create", "ada@hub.example", "--json"))["token"]
    for channel in ("bucket", "well"):
        hub("account", "add", channel, "--title", channel)
    running = run(hub)
    hook = ask(small_disk, "SELECT hook_token FROM accounts WHERE channel = 'bucket'")[0][0]
    own = f"http://127.0.0.1:{running.port}"

    def drawn() -> int:
        return int(ask(small_disk, "SELECT mark FROM accounts WHERE channel = 'well'")[0][0] or 0)

    async with httpx2.AsyncClient(base_url=own, timeout=30, headers={"origin": own}) as client:

        async def tell(name: str, text_size: int = 0, file_size: int = 0) -> int:
            body = {"name": name, "text_size": text_size, "file_size": file_size}
            return (await client.post(f"/hooks/{hook}", json=body)).status_code

        form = {"email": "ada@hub.example", "password": PASSWORD}
        assert (await client.post("/login", data=form)).status_code == 303
        assert await tell("first", 1_000, 100_000) == 200
        with well.open("a") as lines:
            lines.write("drawn-1 1000 100000\n")
        await until(lambda: drawn() == 1, "nothing was drawn")
        assert "no-room" not in (await client.get("/inbox", headers={"accept": "text/html"})).text
        ballast = small_disk / "ballast"
        fill(ballast)

        # Providers are asked to repeat; what was not taken is nowhere.
        refused = [name for name in ("file-1", "file-2") if await tell(name, 0, 300_000) == 503]
        assert refused == ["file-1", "file-2"]
        taken = ["first", "drawn-1"]
        for number in range(12):
            name = f"text-{number}"
            status = await tell(name, 400_000)
            assert status in (200, 503)
            (taken if status == 200 else refused).append(name)
        assert len(refused) > 2, "the log of the database took everything"
        with well.open("a") as lines:
            lines.writelines(f"drawn-{n} 400000 300000\n" for n in (2, 3))
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["disk: full"])
        answer = await client.get("/inbox", headers={"accept": "text/html"})
        assert (answer.status_code, "no-room" in answer.text) == (200, True)
        dialog = ask(small_disk, "SELECT id FROM dialogs ORDER BY id LIMIT 1")[0][0]
        files = {"file": ("photo.bin", os.urandom(300_000))}
        bearer = {"authorization": f"Bearer {token}"}
        answer = await client.post("/api/v1/attachments", files=files, headers=bearer)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no_room")
        own_page = {CSRF_HEADER: csrf_for(client.cookies[COOKIE]), "accept": "application/json"}
        photo = os.urandom(300_000)
        answer = await client.post(f"/upload/{dialog}", content=photo, headers=own_page)
        assert answer.status_code == 507
        assert answer.json()["error"]["message"].startswith("the server's disk is full")
        await asyncio.sleep(3)
        assert drawn() == 1
        assert sorted(came(small_disk)) == sorted(taken)
        assert not list((small_disk / "blobs").rglob("*.new"))
        assert (await client.get("/healthz")).status_code == 200

        # There is room again: nobody restarts anything.
        ballast.unlink()
        for name in refused:
            assert await tell(name, 400_000, 300_000) == 200
        await until(lambda: drawn() == 3, f"the well is not asked again: {running.said()[-3000:]}")
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (200, [])
        assert "no-room" not in (await client.get("/inbox", headers={"accept": "text/html"})).text
    assert sorted(came(small_disk)) == sorted([*taken, *refused, "drawn-2", "drawn-3"])
    assert ask(small_disk, "PRAGMA integrity_check") == [("ok",)]
    half = "SELECT count(*) FROM dialogs WHERE id NOT IN (SELECT dialog_id FROM messages)"
    assert ask(small_disk, half) == [(0,)]
