"""A hub that dies at VK's wire: run by test_crash as a process of its own.

`python -m tests.scenarios.vk.crash_child FOLDER DATABASE API HOP MINUTES`; VK lives in the test's
own process and survives.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import channels.vk
from channels.vk.client import VkClient
from crm_store import users
from hub import (
    SYSTEM,
    Address,
    CreateAccount,
    CreateUser,
    DialogQuery,
    InboundMessage,
    SendMessage,
)
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.workers import Workers
from tests.houses import World, settings_for, until
from tests.servers.vk import ANNA, TOKEN

FINAL = {"sent", "delivered", "read", "failed", "unknown"}


def die() -> None:
    """End like a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(hop: str) -> None:
    """Put the trap on one side of the wire."""
    call = VkClient._call

    def trapped(self: VkClient, method: str, values: dict[str, str]) -> Any:
        if method == "messages.send" and hop == "before_wire":
            die()
        answer = call(self, method, values)
        if method == "messages.send" and hop == "after_wire":
            die()
        return answer

    VkClient._call = trapped  # type: ignore[method-assign]


async def main(folder: Path, database: str, api: str, hop: str, minutes: int) -> None:
    """Answer a customer; the same when run again."""
    arm(hop)
    world = World(offset_us=minutes * 60_000_000)
    host = PluginHost()
    host.add("vk", channels.vk)
    runtime = Runtime(settings_for(folder, database), plugins=host, now=world.now)
    runtime.migrate()
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    system = runtime.handle(SYSTEM)
    accounts = await system.accounts()
    if not accounts:
        create = CreateUser(email="v@example.com", name="V", role="administrator")
        values = {"token": TOKEN, "api_url": api, "receive": "polling"}
        await system.do(create)
        await system.do(CreateAccount(channel="vk", title="Shop", settings=values))
        accounts = await system.accounts()
    user = (await system.read(users.all_users))[0]
    message = InboundMessage(
        dedupe_key="message:1", external_id=f"{ANNA}:1", sender=Address(kind="vk", value=str(ANNA))
    )
    [given] = await runtime.receive(accounts[0], [message])
    answer = SendMessage(dialog_id=given.dialog_id, text="answer", idempotency_key="the-answer")
    sent = (await system.as_user(user.id).do(answer))[0]

    async def settled() -> bool:
        return (await system.message(sent)).status in FINAL

    await until(settled, 60)
    dialogs = (await system.dialogs(DialogQuery(view="everything"))).dialogs
    sys.stdout.write(f"dialogs={len(dialogs)} out={(await system.message(sent)).status}\n")
    await workers.stop()
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
