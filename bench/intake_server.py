"""The hub under measurement: the real application with one push channel, in a process of its own.

`python -m bench.intake_server FOLDER URL PORT GROUP`; GROUP 1 switches group commit off, so that
the same hub is measured with a commit per request.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from bench.bench_channel import plugin
from hub import SYSTEM, CreateAccount, CreateUser
from hub.app import build
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.server import listen, serve
from hub.settings import HubSettings


async def prepare(runtime: Runtime) -> str:
    """Make the account; gives the path of its webhook."""
    await runtime.start()
    system = runtime.handle(SYSTEM)
    user = (await system.do(CreateUser(email="b@example.com", name="B", role="administrator")))[0]
    made = await system.as_user(user).do(CreateAccount(channel="bench", title="Bench"))
    account = await system.account(made[0])
    await runtime.stop()
    return f"/hooks/{account.hook_token}"


def make(folder: Path, url: str, port: int) -> Runtime:
    """Build a hub with the bench channel alone."""
    host = PluginHost()
    # As the channels that come with the hub: a stranger's is read in a thread of its own.
    host.add("bench_plugin", plugin()).bundled = True
    settings = HubSettings(
        data=folder, database_url=url, port=port, public_url=f"http://127.0.0.1:{port}"
    )
    return Runtime(settings, plugins=host)


def main(folder: Path, url: str, port: int, group: int) -> None:
    """Prepare the database, print the webhook's path, and serve until ended."""
    logging.basicConfig(level=logging.ERROR)
    first = make(folder, url, port)
    first.migrate()
    path = asyncio.run(prepare(first))
    runtime = make(folder, url, port)
    if group:
        runtime.database._group = group
    sys.stdout.write(path + "\n")
    sys.stdout.flush()
    serve(
        build(runtime.settings, runtime), runtime.settings, listen(runtime.settings), lambda: None
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
