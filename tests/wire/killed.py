"""A hub that is killed while a channel's send is on the wire, and the hub that comes after it.

    outcome = await killed_in_send(tmp_path, url, module="channels.telegram", channel="telegram",
                                   settings={...}, person=Address(...), reached=event)

The first process sends one message and is killed with SIGKILL once `reached` is set (by the
stand-in of the provider, which then keeps its answer to itself). The second one starts three
hours later by its own clock, so that every lease of the dead one is over, and says what became of
the delivery. `python -m tests.wire.killed` is those processes.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from crm_store.deliveries import delivery
from hub import (
    SYSTEM,
    Address,
    CreateAccount,
    CreateUser,
    DialogQuery,
    InboundMessage,
    Micros,
    SendMessage,
    UserId,
)
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.workers import Workers
from tests.houses import until
from tests.warm import WarmProcess

HOURS = 3
HOUR_US = 3_600_000_000
FINAL = ("sent", "delivered", "read", "failed", "unknown")


async def killed_in_send(
    folder: Path,
    url: str,
    *,
    module: str,
    channel: str,
    settings: Mapping[str, object],
    person: Address,
    reached: asyncio.Event,
) -> str:
    """Give the status of the delivery after the kill and a second life."""
    wish = json.dumps(
        {
            "folder": str(folder / "data"),
            "url": url,
            "module": module,
            "channel": channel,
            "settings": dict(settings),
            "person": [person.kind, person.value, person.name],
        }
    )
    first = WarmProcess("tests.wire.killed", wish, "0", env=os.environ, output=folder / "first.log")
    await asyncio.wait_for(reached.wait(), 60)
    first.send_signal(signal.SIGKILL)
    await asyncio.to_thread(first.wait, 60)
    second = WarmProcess(
        "tests.wire.killed", wish, str(HOURS), env=os.environ, output=folder / "second.log"
    )
    code = await asyncio.to_thread(second.wait, 90)
    said = (folder / "second.log").read_text()
    assert code == 0, said
    return said.strip().splitlines()[-1]


async def live(wish: Mapping[str, object], hours: int) -> None:
    """One life of the hub: send where nothing was sent yet, then see it through."""
    host = PluginHost()
    host.add(str(wish["channel"]), importlib.import_module(str(wish["module"])))
    runtime = Runtime(
        HubSettings(
            data=Path(str(wish["folder"])), database_url=str(wish["url"]), hold_after_hours=1e6
        ),
        plugins=host,
        now=lambda: Micros(system_now() + hours * HOUR_US),
    )
    await runtime.start()
    loops = Workers(runtime)
    loops.start()
    system = runtime.handle(SYSTEM)
    if not await system.accounts():
        user = await system.do(CreateUser(email="a@example.org", name="A", role="administrator"))
        agent = system.as_user(UserId(user[0]))
        settings = wish["settings"]
        assert isinstance(settings, dict)
        await agent.do(CreateAccount(channel=str(wish["channel"]), title="Shop", settings=settings))
        kind, value, name = wish["person"]  # type: ignore[misc]
        account = (await system.accounts())[0]
        received = await runtime.receive(
            account,
            [
                InboundMessage(
                    dedupe_key="in-1",
                    external_id=f"{value}:1",
                    sender=Address(kind=kind, value=value, name=name),
                    text="Are you there?",
                    sent_at=system.now(),
                )
            ],
        )
        await agent.do(
            SendMessage(
                dialog_id=received[0].dialog_id,
                text="We are",
                seen_message_id=received[0].message_id,
            )
        )
    found = ""

    async def settled() -> bool:
        nonlocal found
        page = await system.dialogs(DialogQuery(view="everything"))
        thread = await system.thread(page.dialogs[0].id)
        mine = next(one for one in thread.messages if one.text == "We are")
        found = (await system.read(delivery, mine.id)).status
        return found in FINAL

    await until(settled, 75)
    await loops.stop()
    await runtime.stop()
    sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    asyncio.run(live(json.loads(sys.argv[1]), int(sys.argv[2])))
