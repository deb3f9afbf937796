"""A hub that kills itself at a named hop: run by test_crash as a process of its own.

`python -m tests.scenarios.crash_child FOLDER URL HOP CLOCK_HOURS`; the provider is a file to
which every send appends one line, so that what really left can be counted afterwards.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store.database import Database
from crm_store.unit_of_work import Transaction
from hub import SYSTEM, CreateAccount, CreateUser, DialogQuery, OutboundMessage, SendMessage, Sent
from hub.dispatcher import Dispatcher
from hub.workers import Workers
from tests.houses import World, build, message, until

HOPS = (
    "before_commit",
    "after_commit",
    "queued",
    "claimed",
    "before_wire",
    "after_wire",
    "before_settle",
    "after_settle",
)


def die() -> None:
    """End like a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(hop: str) -> None:
    """Put the trap where the hop is."""
    if hop == "before_commit":
        write = Transaction.write_journal

        def write_journal(self: Transaction) -> None:
            write(self)
            if any(one.type == "message.received" for one in self.events):
                die()

        Transaction.write_journal = write_journal  # type: ignore[method-assign]
    elif hop in ("after_commit", "queued", "after_settle"):
        wanted = {
            "after_commit": "message.received",
            "queued": "message.queued",
            "after_settle": "delivery.changed",
        }[hop]
        together = Database._together

        def committed(self: Database, group: Any) -> Any:
            answer = together(self, group)
            if any(one.type == wanted for one in answer[1]):
                die()
            return answer

        Database._together = committed  # type: ignore[method-assign]
    elif hop == "claimed":

        async def carry(*_: Any) -> None:
            die()

        Dispatcher._carry = carry  # type: ignore[method-assign]
    elif hop == "before_settle":

        async def settle(*_: Any) -> None:
            die()

        Dispatcher._settle = settle  # type: ignore[method-assign]


def provider(log: Path, hop: str) -> Any:
    """Give the outcome of a send: a line in the provider's book."""

    async def send(out: OutboundMessage) -> Sent:
        if hop == "before_wire":
            die()
        with log.open("a") as file:
            file.write(f"{out.idempotency_key}\n")
            file.flush()
            os.fsync(file.fileno())
        if hop == "after_wire":
            die()
        return Sent(external_ids=(f"x-{out.idempotency_key}",))

    return send


async def main(folder: Path, url: str, hop: str, hours: int) -> None:
    """Take one message in, answer it, and carry the answer out; idempotent when run again."""
    arm(hop)
    world = World(offset_us=hours * 3_600_000_000)
    world.outcomes = [provider(folder / "provider.txt", hop)] * 50
    runtime = build(folder, url, world)
    runtime.migrate()
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    system = runtime.handle(SYSTEM)
    accounts = await system.accounts()
    if accounts:
        account = accounts[0]
        from crm_store import users

        user = (await system.read(users.all_users))[0]
        hub = system.as_user(user.id)
    else:
        user_id = (
            await system.do(CreateUser(email="v@example.com", name="V", role="administrator"))
        )[0]
        hub = system.as_user(user_id)
        account = await system.account(
            (await hub.do(CreateAccount(channel="pigeon", title="P")))[0]
        )
    # The provider repeats what was never acknowledged.
    given = (await runtime.receive(account, [message("k1")]))[0]
    await hub.do(
        SendMessage(dialog_id=given.dialog_id, text="answer", idempotency_key="the-answer")
    )

    async def quiet() -> bool:
        page = await system.dialogs(DialogQuery(view="everything"))
        thread = await system.thread(page.dialogs[0].id)
        final = {"sent", "delivered", "failed", "unknown"}
        return all(one.status in final for one in thread.messages if one.direction.value == "out")

    await until(quiet, 30)
    page = await system.dialogs(DialogQuery(view="everything"))
    thread = await system.read(message_reads.thread, page.dialogs[0].id)
    statuses = [one.status for one in thread.messages if one.direction.value == "out"]
    inbound = sum(one.direction.value == "in" for one in thread.messages)
    counters = await system.read(dialog_reads.counters)
    sys.stdout.write(
        f"dialogs={len(page.dialogs)} inbound={inbound} out={','.join(statuses)}"
        f" failed={counters.failed}\n"
    )
    await workers.stop()
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
