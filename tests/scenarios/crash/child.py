"""A hub that takes in, tells, answers and sends, and dies at one hop: a process of its own.

`python -m tests.scenarios.crash.child FOLDER URL WEBHOOK RUN HOP SIDE EARLY`. The world outside
is files in the folder: what a provider was acknowledged, what reached it, what waits in a
mailbox. Each run first finishes what earlier runs have left, three hours later by the clock, so
that every lease of the dead is over; then it arms its trap and does its own part.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import BaseModel
from sqlalchemy import func, select

import hub.webhook_sender
import hub.workers
from crm_store.journal import last_event
from crm_store.tables.dialogs import attachments, messages
from crm_store.tables.journal import cursors
from crm_store.tables.outbox import deliveries, jobs, webhook_deliveries
from crm_store.tables.users import accounts, users
from dialogs import acts
from hub import (
    SYSTEM,
    Address,
    Arrival,
    Attachment,
    Batch,
    Capabilities,
    Channel,
    CreateAccount,
    CreateUser,
    DeliveryReceipt,
    DeliveryStatus,
    DialogId,
    Event,
    InboundMessage,
    Job,
    MessageId,
    MessageReceived,
    OutboundMessage,
    Reaction,
    ReactToMessage,
    RunJob,
    SaveWebhook,
    SendMessage,
    Sent,
    UserId,
    WebhookRequest,
    hookimpl,
)
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from hub.web.webhooks import WebhookDoor, WebhookNumbers
from hub.workers import Workers
from tests.houses import NoSettings, World, until
from tests.scenarios.crash.hops import AFTER, BEFORE, Death
from tests.scenarios.crash.traps import Traps

THUMB = "👍"
NOT_REACHED = 3
RUN_HOURS = 3


class Outside:
    """The world: append-only files that outlive every hub."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, line: str) -> None:
        """Add one line, durably."""
        with (self._folder / name).open("a") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, name: str) -> list[str]:
        """Give the lines."""
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else []


def plugin_of(world: Outside, traps: Traps) -> ModuleType:
    """A channel that pushes, one that pulls, and a plugin's hook and job."""

    class Pigeon(Channel):
        name: ClassVar[str] = "pigeon"
        capabilities: ClassVar[Capabilities] = Capabilities(
            address_kind="pigeon",
            max_attachment_bytes=1_000_000,
            receipts="delivered",
            reactions=True,
            reaction_choices=(THUMB,),
            rate_per_second=10_000,
        )
        Settings: ClassVar[type[BaseModel]] = NoSettings

        def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
            data: Any = request.json()
            if "receipt" in data:
                return [
                    DeliveryReceipt(
                        dedupe_key=f"receipt-{data['receipt']}",
                        external_id=f"out-{data['receipt']}",
                        status=DeliveryStatus.DELIVERED,
                    )
                ]
            n = data["n"]
            return [
                InboundMessage(
                    dedupe_key=f"push-{n}",
                    external_id=f"push-{n}",
                    sender=Address(kind="pigeon", value=f"anna{n}", name=f"Anna {n}"),
                    text=f"pushed {n}",
                    attachments=(
                        Attachment(name="a.txt", media_type="text/plain", content=b"bytes"),
                    ),
                )
            ]

        async def send(self, message: OutboundMessage) -> Sent:
            traps.passed("wire", BEFORE)
            world.write("sent.txt", message.text)
            traps.passed("wire", AFTER)
            return Sent(external_ids=(f"out-{message.text}",))

        async def react(self, to: Address, external_id: str, emoji: str) -> None:
            traps.passed("act", BEFORE)
            world.write("reacted.txt", external_id)
            traps.passed("act", AFTER)

    class Owl(Channel):
        name: ClassVar[str] = "owl"
        capabilities: ClassVar[Capabilities] = Capabilities(address_kind="owl", reactions=True)
        Settings: ClassVar[type[BaseModel]] = NoSettings

        async def listen(self, mark: str) -> AsyncIterator[Batch]:
            read = int(mark or 0)
            while True:
                waiting = world.read("mailbox.txt")[read:]
                if not waiting:
                    await asyncio.sleep(0.02)
                    continue
                n = waiting[0]
                read += 1
                owl = Address(kind="owl", value=f"owl{n}", name=f"Owl {n}")
                yield Batch(
                    arrivals=(
                        InboundMessage(
                            dedupe_key=f"pull-{n}",
                            external_id=f"pull-{n}",
                            sender=owl,
                            text=f"pulled {n}",
                            attachments=(Attachment(name="b.txt", reference=f"file-{n}"),),
                        ),
                        Reaction(
                            dedupe_key=f"heart-{n}",
                            external_id=f"pull-{n}",
                            sender=owl,
                            emoji="❤",
                        ),
                    ),
                    mark=str(read),
                    poison=((f"poison {n}".encode(), "unreadable"),),
                )
                traps.passed("next batch", BEFORE)
                world.write("deleted.txt", n)
                traps.passed("next batch", AFTER)

        async def fetch(self, reference: str) -> bytes:
            traps.passed("fetch", BEFORE)
            traps.passed("fetch", AFTER)
            return reference.encode()

    module = ModuleType("outside")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Pigeon, Owl]

    @hookimpl
    def register_jobs() -> list[Job]:
        return [Job(name="note", run=note)]

    async def note(hub: Any, payload: Mapping[str, Any]) -> None:
        traps.passed("job", BEFORE)
        world.write("jobs.txt", payload["message"])
        traps.passed("job", AFTER)

    @hookimpl
    async def event_occurred(hub: Any, events: tuple[Event, ...]) -> None:
        traps.passed("plugin", BEFORE)
        for one in events:
            assert isinstance(one, MessageReceived)
            world.write("told.txt", str(one.message_id))
            number = str(one.message_id)
            await hub.do(RunJob(name="note", payload={"message": number}, key=number))
        traps.passed("plugin", AFTER)

    vars(module).update(
        register_channels=register_channels,
        register_jobs=register_jobs,
        event_occurred=event_occurred,
        event_types=("message.received",),
    )
    return module


class Story:
    """What happens in a run, and how the world goes on about it until it is taken."""

    def __init__(self, runtime: Runtime, world: Outside, traps: Traps) -> None:
        self.runtime, self.world, self.traps = runtime, world, traps
        self.door = WebhookDoor(_nowhere, runtime, WebhookNumbers())
        self.user_id = UserId(0)
        self.hook = ""

    async def furnish(self, webhook: str) -> None:
        """Hire somebody, connect both channels and the outgoing webhook; once."""
        system = self.runtime.handle(SYSTEM)
        who = select(users.c.id).limit(1)
        if not await self.runtime.database.read(lambda conn: conn.execute(who).scalar()):
            made = await system.do(
                CreateUser(email="vera@example.com", name="Vera", role="administrator")
            )
            await system.as_user(made[0]).do(
                CreateAccount(channel="pigeon", title="Pigeons"),
                CreateAccount(channel="owl", title="Owls"),
                SaveWebhook(url=webhook, events=("*",)),
            )
        find = select(accounts.c.hook_token).where(accounts.c.channel == "pigeon")
        self.hook = str(await self.runtime.database.read(lambda conn: conn.execute(find).scalar()))
        self.user_id = UserId(
            await self.runtime.database.read(lambda conn: conn.execute(who).scalar_one())
        )

    async def happen(self, n: int) -> None:
        """Everything that the outside does in run `n`; what it was acknowledged it does not repeat."""
        if str(n) not in self.world.read("mailbox.txt"):
            self.world.write("mailbox.txt", str(n))
        await self.post(f"push-{n}", json.dumps({"n": n}).encode())
        await self.post(f"junk-{n}", f"junk {n}".encode())
        await self.answer(n)

    async def answer(self, n: int) -> None:
        """An agent answers; the browser repeats the request until it is told that it arrived."""
        if f"answer-{n}" in self.world.read("acknowledged.txt"):
            return
        hub = self.runtime.handle(SYSTEM).as_user(self.user_id)
        dialog_id, message_id = await self.runtime.database.read(
            lambda conn: _place(conn, f"push-{n}")
        )
        await hub.do(ReactToMessage(message_id=message_id, emoji=THUMB))
        # Not before the reaction is settled: who dies at an act while a send is on the wire leaves
        # two deaths in one, and an honest unknown.
        await until(lambda: self.runtime.database.read(_is_carried), 120)
        await hub.do(
            SendMessage(dialog_id=dialog_id, text=f"answer-{n}", idempotency_key=f"answer-{n}")
        )
        self.world.write("acknowledged.txt", f"answer-{n}")

    async def post(self, name: str, body: bytes) -> None:
        """A provider posts until it is answered 200."""
        while name not in self.world.read("acknowledged.txt"):
            status = await self.call(body)
            if status == 200:
                self.world.write("acknowledged.txt", name)

    async def call(self, body: bytes) -> int:
        """One request through the real door, as plain ASGI."""
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: Any) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                self.traps.passed("answer", BEFORE)
                status = event["status"]
            else:
                self.traps.passed("answer", AFTER)

        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/hooks/{self.hook}",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
            "client": ("203.0.113.5", 1),
        }
        await self.door(scope, receive, send)
        return status

    async def is_quiet(self) -> bool:
        """Everything is taken, told, carried and acknowledged."""
        # Not before the send is settled: who dies at the receipt of an unsettled send leaves two
        # deaths in one, and an honest unknown. Receipts that come early have tests of their own.
        if not await self.runtime.database.read(_is_settled):
            return False
        for sent in self.world.read("sent.txt"):
            await self.post(f"receipt-{sent}", json.dumps({"receipt": sent}).encode())
        mail = len(self.world.read("mailbox.txt"))
        return bool(await self.runtime.database.read(lambda conn: _is_quiet(conn, mail)))


def _place(conn: Any, external_id: str) -> tuple[DialogId, MessageId]:
    found = select(messages.c.dialog_id, messages.c.id).where(messages.c.external_id == external_id)
    row = conn.execute(found).one()
    return DialogId(row.dialog_id), MessageId(row.id)


def _is_carried(conn: Any) -> bool:
    """No act waits for its job or is under way."""
    return conn.execute(_AT_WORK.where(jobs.c.name == acts.JOB)).first() is None


def _is_settled(conn: Any) -> bool:
    count = select(func.count()).select_from(deliveries).where(deliveries.c.status == "sending")
    return bool(conn.execute(count).scalar_one() == 0)


# What comes every hour anyway waits for its hour.
_AT_WORK = select(jobs.c.id).where(
    jobs.c.state.in_(("queued", "running")), jobs.c.key != "periodic"
)


def _is_quiet(conn: Any, mail: int) -> bool:
    def none(table: Any, column: Any, *states: str) -> bool:
        count = select(func.count()).select_from(table).where(column.in_(states))
        return bool(conn.execute(count).scalar_one() == 0)

    last = last_event(conn)
    rows = conn.execute(select(cursors.c.name, cursors.c.event_id))
    places = {row.name: row.event_id for row in rows}
    mark = conn.execute(select(accounts.c.mark).where(accounts.c.channel == "owl")).scalar_one()
    return (
        none(deliveries, deliveries.c.status, "queued", "claimed", "sending")
        and none(attachments, attachments.c.state, "pending")
        and not conn.execute(_AT_WORK).first()
        and none(webhook_deliveries, webhook_deliveries.c.state, "queued", "sending")
        and places.get("plugin:outside") == last
        and places.get("webhooks") == last
        and mark == (str(mail) if mail else "")
    )


async def _nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("only webhooks come here")


async def main(folder: Path, url: str, webhook: str, run: int, death: Death | None) -> int:
    """Take up what is left, then live until the trap."""
    hub.workers.LOOK_SECONDS = hub.webhook_sender.IDLE_SECONDS = 0.05
    traps, outside = Traps(folder / "hops.txt"), Outside(folder)
    traps.set()
    host = PluginHost()
    host.add("outside", plugin_of(outside, traps))
    runtime = Runtime(
        HubSettings(
            data=folder / "data",
            database_url=url,
            hold_after_hours=1e6,
            webhooks_allow_private=True,
        ),
        plugins=host,
        now=World(offset_us=run * RUN_HOURS * 3_600_000_000).now,
    )
    runtime.migrate()
    if death is not None and death.early:
        traps.armed = death
    await runtime.start()
    workers = Workers(runtime)
    story = Story(runtime, outside, traps)
    await story.furnish(webhook)
    workers.start()
    for n in range(run):
        await story.happen(n)
    await until(story.is_quiet, 120)
    traps.armed = death
    await story.happen(run)
    await until(story.is_quiet, 120)
    await workers.stop()
    await runtime.stop()
    return 0 if death is None else NOT_REACHED


if __name__ == "__main__":
    _folder, _url, _webhook, _run, _hop, _side, _early = sys.argv[1:]
    _death = Death(_hop, _side, _early == "True") if _hop else None
    sys.exit(asyncio.run(main(Path(_folder), _url, _webhook, int(_run), _death)))
