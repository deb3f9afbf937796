"""docs/mail-recipe.md, followed to the letter on other ports and in another folder."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import SYSTEM, DialogQuery, SendMessage
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.workers import Workers
from tests.houses import until
from tests.servers.fixtures import made
from tests.servers.process import ServerMissing, find_binary, free_ports

ROOT = Path(__file__).parents[3]
PORTS = ("1143", "1993", "1024", "1025")


def blocks() -> list[str]:
    text = (ROOT / "docs/mail-recipe.md").read_text()
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


class Recipe:
    """The steps, with this machine's folder and ports in them."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._names = {"/srv/hub-mail": str(folder)}
        self._names |= dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self._work = work
        self.steps = blocks()

    def follow(self, step: str) -> str:
        wanted = "|".join(map(re.escape, self._names))
        step = re.sub(wanted, lambda found: self._names[found[0]], step)
        path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}:/usr/sbin"
        # Into a file: servers that stay would hold a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                ["bash", "-e", "-c", step],
                cwd=self._work,
                env={**os.environ, "PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, text
        return text


def needed() -> None:
    for name, package in (("dovecot", "dovecot-imapd"), ("postfix", "postfix"), ("curl", "curl")):
        find_binary(name, "/usr/sbin", package=package)
    if os.geteuid() != 0:
        raise ServerMissing("the recipe is for root")


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Recipe]:
    made(needed)  # type: ignore[type-var]
    # Not below pytest's folder: Dovecot's own user must be able to walk in.
    folder = Path(tempfile.mkdtemp(prefix="hub-recipe-"))
    folder.chmod(0o755)
    one = Recipe(folder, tmp_path)
    try:
        yield one
    finally:
        if folder.exists():
            for line in one.steps[-1].splitlines()[:2]:
                subprocess.run(
                    line.replace("/srv/hub-mail", str(folder)), shell=True, capture_output=True
                )
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.mail
async def test_the_recipe_gives_mail_in_and_out(recipe: Recipe, tmp_path: Path) -> None:
    *servers, connect, write, look, away = recipe.steps
    for step in servers:
        await asyncio.to_thread(recipe.follow, step)
    await asyncio.to_thread(recipe.follow, connect)
    runtime = Runtime(HubSettings(data=tmp_path / "data"))
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    hub = runtime.handle(SYSTEM)
    try:
        [account] = await hub.accounts("email")

        async def listening() -> bool:
            return bool((await hub.account(account.id)).mark)

        await until(listening, 60)
        await asyncio.to_thread(recipe.follow, write)

        async def dialogs() -> object:
            return (await hub.dialogs(DialogQuery())).dialogs

        [dialog] = await until(dialogs, 60)
        assert (dialog.subject, dialog.preview) == ("My order", "Where is my order?")
        [message_id] = await hub.do(SendMessage(dialog_id=dialog.id, text="Tomorrow."))

        async def sent() -> bool:
            return (await hub.message(message_id)).status == "sent"

        await until(sent, 60)
        letter = await asyncio.to_thread(_look, recipe, look)
        assert "Tomorrow." in letter
        assert "Re: My order" in letter
    finally:
        await workers.stop()
        await runtime.stop()
    await asyncio.to_thread(recipe.follow, away)


def _look(recipe: Recipe, step: str) -> str:
    for _ in range(100):
        try:
            return recipe.follow(step)
        except AssertionError:
            # It is still on its way from Postfix to the mailbox.
            continue
    return recipe.follow(step)
