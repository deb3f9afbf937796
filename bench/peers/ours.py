"""The hub's side: the same letters in, with and without answers, and the same mailing out."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from bench.mail import channel_path
from bench.mail import settings as mailbox
from bench.mailing import SESSIONS, make_people, queued, sent, signing
from channels import email as email_plugin
from crm_store.tables.outbox import deliveries
from hub import SYSTEM, CreateAccount
from hub.commands import SaveRule
from hub.dispatcher import Dispatcher
from hub.plugin_host import PluginHost
from hub.rule_engine import RuleEngine
from hub.runtime import Runtime
from hub.settings import HubSettings
from plugins import crm_actions

LONGEST = 300.0
"""Seconds within which everybody has his answer."""
ANSWER = {
    "name": "Answer",
    "when": [{"event": "message.first"}],
    "then": [
        {"action": "crm_actions.send_message", "params": {"text": "Thank you, we are reading it."}}
    ],
}


def house(folder: Path, url: str = "") -> Runtime:
    """Make a hub with mail and rules, not started; on SQLite where no database is named."""
    host = PluginHost()
    host.add("email", email_plugin)
    host.add("crm_actions", crm_actions)
    settings = HubSettings(
        data=folder, database_url=url, hold_after_hours=1e6, public_url="https://hub.example"
    )
    runtime = Runtime(settings, plugins=host)
    runtime.migrate()
    return runtime


def account(port: int, *, signed: bool = False) -> CreateAccount:
    """An account that sends to the sink."""
    out: dict[str, Any] = {
        "smtp_port": port, "smtp_security": "none", "smtp_login": False,
        "letters_per_second": 5_000, "connections": SESSIONS,
    }  # fmt: skip
    more = signing() if signed else {}
    return CreateAccount(channel="email", title="Mail", settings=mailbox() | out | more)


def taken_in(folder: Path, port: int, raw: list[bytes], *, answers: bool) -> float:
    """Letters a second from their bytes to the commit; with `answers` until each answer of the
    hub's rule has left, the letters' senders being new to it."""

    async def run() -> float:
        runtime = house(folder)
        await runtime.start()
        hub = runtime.handle(SYSTEM)
        (number,) = await hub.do(account(port))
        if not answers:
            pace = await channel_path(runtime, number, raw)
            await runtime.stop()
            return pace
        await hub.do(SaveRule(definition=ANSWER, enabled=True))
        engine = RuleEngine(runtime)
        # Rules begin where the hub stands when they begin.
        await engine.begin()
        # The loops that carry answers; no mailbox is listened to.
        loops = [asyncio.create_task(one.run()) for one in (Dispatcher(runtime), engine)]
        began = time.perf_counter()
        await channel_path(runtime, number, raw)
        async with asyncio.timeout(LONGEST):
            while await runtime.database.read(answered) < len(raw):
                await asyncio.sleep(0.02)
        took = time.perf_counter() - began
        for one in loops:
            one.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await runtime.stop()
        return len(raw) / took

    return asyncio.run(run())


def answered(conn: Connection) -> int:
    """Count the answers that have left."""
    gone = select(func.count()).select_from(deliveries).where(deliveries.c.status == "sent")
    return int(conn.execute(gone).scalar_one())


def mailed(folder: Path, port: int, count: int, *, url: str = "", signed: bool) -> float:
    """Letters a second of a mailing, from the queue to the wire."""

    async def run() -> float:
        runtime = house(folder, url)
        await runtime.start()
        (number,) = await runtime.handle(SYSTEM).do(account(port, signed=signed))
        await queued(runtime, number, make_people(runtime, count))
        pace, _growth, _used = await sent(runtime, count, [])
        await runtime.stop()
        return pace

    return asyncio.run(run())
