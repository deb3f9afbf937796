"""Seeding the demo company: colleagues, channels and what happened so far, by commands alone.

The clock of the seeding runtime is turned back, so that dialogs lie in the past where they
belong. Every step is harmless when repeated: a seeding that was interrupted goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from hub.commands import (
    AddNote,
    AssignDialog,
    ClaimDeliveries,
    CreateAccount,
    CreateUser,
    MarkRead,
    SaveTeam,
    SendMessage,
    SetDialogStatus,
    SetPriority,
    SettleDelivery,
    SnoozeDialog,
    StartSending,
    TagDialog,
    UpdateAccount,
    UpdateBrand,
    UpdateProfile,
)
from hub.demo.calls import make_calls
from hub.demo.files import file_of
from hub.demo.stories import CHAT, MAIL, MESSENGER, STORIES, Story
from hub.demo.work import Work
from hub.handle import BoundHub
from hub.ids import AccountId, AttachmentId, DialogId, MessageId, Micros, UserId
from hub.messages import Address, Attachment, DeliveryReceipt, DeliveryStatus, InboundMessage
from hub.objects import SYSTEM
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings

log = logging.getLogger("hub.demo")
HOUR = 3_600_000_000
MINUTE = 60_000_000
DONE = "demo"
PASSWORDS = "demo-passwords.json"
WORDS = ("amber", "basket", "candle", "linen", "maple", "saucer", "velvet", "willow", "copper")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works in the demo company."""

    login: str
    name: str
    role: str
    language: str
    signature: str = ""

    @property
    def email(self) -> str:
        """The name to log in with."""
        return f"{self.login}@warmhouse.example"


TEAM = (
    Colleague("anna", "Анна Петрова", "agent", "ru", "Анна Петрова\nТёплый дом"),
    Colleague("james", "James Miller", "agent", "en", "James Miller\nWarm House"),
    Colleague("olga", "Ольга Данилова", "supervisor", "ru"),
    Colleague("admin", "Max Lindner", "administrator", "en"),
)
ACCOUNTS = (
    (CHAT, "Warm House · web chat"),
    (MESSENGER, "Warm House · messenger"),
    (MAIL, "hello@warmhouse.example"),
)


class TurnedClock:
    """The clock of a seeding: stands where it is put, and creeps on."""

    def __init__(self) -> None:
        self.at = system_now()

    def __call__(self) -> Micros:
        self.at = Micros(self.at + 1)
        return self.at

    def turn(self, at: int) -> None:
        """Go forward to an instant; never back, for ids and facts are made in order."""
        self.at = Micros(max(self.at, at))


async def seed(settings: HubSettings) -> list[str]:
    """Make the demo company where it is not there yet; gives who may log in, in words."""
    passwords = await asyncio.to_thread(_passwords, settings.data / PASSWORDS)
    clock = TurnedClock()
    clock.at = Micros(system_now() - int(max(one.hours_ago for one in STORIES) + 2) * HOUR)
    runtime = Runtime(settings, now=clock)
    await runtime.start()
    try:
        hub = runtime.handle(SYSTEM)
        brand = await hub.brand()
        if not brand.settings.get(DONE):
            await _Seeding(runtime, clock).run(passwords)
            await hub.do(
                UpdateBrand(
                    brand_id=brand.id,
                    name=brand.name or "Warm House",
                    settings={DONE: True},
                )
            )
            log.info("demo_seeded dialogs=%d", len(STORIES))
    finally:
        await runtime.stop()
    return _who(passwords)


def _who(passwords: dict[str, str]) -> list[str]:
    width = max(len(one.email) for one in TEAM)
    lines = ["", "The demo company Warm House. Log in as:"]
    lines += [
        f"  {one.email:<{width}}  {passwords[one.login]:<20}  {one.role}, {one.name}"
        for one in TEAM
    ]
    return lines


def _passwords(path: Path) -> dict[str, str]:
    """Give the passwords of this very demo: the same at each start, another one elsewhere."""
    if path.is_file():
        found: dict[str, str] = json.loads(path.read_text())
        return found
    made = {
        one.login: "-".join(secrets.choice(WORDS) for _ in range(3))
        + f"-{secrets.randbelow(90) + 10}"
        for one in TEAM
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file)
    return made


class _Seeding:
    """One seeding on its way."""

    def __init__(self, runtime: Runtime, clock: TurnedClock) -> None:
        self._runtime = runtime
        self._clock = clock
        self._hub = runtime.handle(SYSTEM)
        self._users: dict[str, UserId] = {}
        self._accounts: dict[str, AccountId] = {}
        self._dialogs: dict[str, DialogId] = {}
        self._now = system_now()

    async def run(self, passwords: dict[str, str]) -> None:
        """Do it all, in the order in which it happened."""
        await self._people(passwords)
        await self._channels(lively=False)
        steps = sorted(
            (at, n, line)
            for n, story in enumerate(STORIES)
            for line, at in enumerate(self._times(story))
        )
        for at, n, line in steps:
            self._clock.turn(at)
            await self._line(STORIES[n], line)
        self._clock.turn(self._now)
        for story in STORIES:
            await self._end(story)
        work = Work(self._as("olga"), self._users, self._dialogs, self._clock())
        await work.make()
        await make_calls(self._as("olga"))
        await self._channels(lively=True)

    def _times(self, story: Story) -> list[int]:
        at = self._now - int(story.hours_ago * HOUR)
        found = []
        for _, minutes, _ in story.lines:
            at += int(minutes * MINUTE)
            found.append(min(at, self._now - 30_000_000))
        return found

    async def _people(self, passwords: dict[str, str]) -> None:
        from crm_store.users import all_teams, all_users
        from hub.web.login import hash_password

        known = {one.email: one.id for one in await self._hub.read(all_users)}
        for one in TEAM:
            user_id = known.get(one.email)
            if user_id is None:
                hashed = await hash_password(passwords[one.login])
                command = CreateUser(
                    email=one.email,
                    name=one.name,
                    role=one.role,
                    language=one.language,
                    password_hash=hashed,
                )
                user_id = (await self._hub.do(command))[0]
            self._users[one.login] = user_id
            if one.signature:
                await self._as(one.login).do(UpdateProfile(signature=one.signature))
        if not await self._hub.read(all_teams):
            agents = (self._users["anna"], self._users["james"])
            head = SaveTeam(name="Customer care", members=(self._users["olga"],))
            above = (await self._hub.do(head))[0]
            await self._hub.do(SaveTeam(name="Support", members=agents, parent_id=above))

    async def _channels(self, *, lively: bool) -> None:
        """Connect; while the past is told nobody answers by himself."""
        known = {(one.channel, one.title): one.id for one in await self._hub.accounts()}
        for channel, title in ACCOUNTS:
            settings = {} if channel == CHAT else {"answers": lively, "newcomers": lively}
            account_id = known.get((channel, title))
            if account_id is None:
                command = CreateAccount(channel=channel, title=title, settings=settings)
                account_id = (await self._hub.do(command))[0]
            elif settings:
                await self._hub.do(UpdateAccount(account_id=account_id, settings=settings))
            self._accounts[channel] = account_id

    def _as(self, login: str) -> BoundHub:
        return self._hub.as_user(self._users[login])

    async def _line(self, story: Story, n: int) -> None:
        who, _, text = story.lines[n]
        if who == "in":
            await self._customer(story, n, text)
        elif who.startswith("note:"):
            key = f"demo-{story.address}-{n}"
            await self._as(who.removeprefix("note:")).do(
                AddNote(dialog_id=self._dialogs[story.address], text=text, idempotency_key=key)
            )
        else:
            await self._agent(story, n, who, text)

    async def _customer(self, story: Story, n: int, text: str) -> None:
        key = f"demo-story:{story.address}:{n}"
        files: tuple[Attachment, ...] = ()
        if story.file and n == 0:
            content, media_type = file_of(story.file)
            files = (
                Attachment(
                    name=story.file, media_type=media_type, size=len(content), content=content
                ),
            )
        is_mail = story.channel == MAIL
        message = InboundMessage(
            dedupe_key=key,
            external_id=key,
            sender=Address(
                kind="email" if is_mail else story.channel, value=story.address, name=story.name
            ),
            text=text,
            subject=(story.subject if n == 0 else f"Re: {story.subject}") if is_mail else "",
            in_reply_to=f"demo-story:{story.address}:0" if is_mail and n else "",
            attachments=files,
            sent_at=self._clock.at,
            language=story.language,
        )
        received = (await self._hub.receive(self._accounts[story.channel], [message]))[0]
        self._dialogs[story.address] = received.dialog_id

    async def _agent(self, story: Story, n: int, who: str, text: str) -> None:
        agent = self._as(who)
        is_last = n == max(i for i, line in enumerate(story.lines) if line[0] in self._users)
        files: tuple[AttachmentId, ...] = ()
        if story.answer_file and n == min(
            i for i, line in enumerate(story.lines) if line[0] in self._users
        ):
            content, media_type = file_of(story.answer_file)
            file = Attachment(name=story.answer_file, media_type=media_type, content=content)
            files = (await agent.upload(file, self._dialogs[story.address]),)
        command = SendMessage(
            dialog_id=self._dialogs[story.address],
            text=text,
            attachments=files,
            idempotency_key=f"demo-{story.address}-{n}",
            send_anyway=True,
        )
        message_id: MessageId = (await agent.do(command))[0]
        await self._deliver(story, message_id, story.outcome if is_last else "read")

    async def _deliver(self, story: Story, message_id: MessageId, outcome: str) -> None:
        """Settle as the channel would have; a hub that runs meanwhile may have been faster."""
        account_id = self._accounts[story.channel]
        claim = ClaimDeliveries(account_id=account_id, worker="demo", limit=1, lease_us=MINUTE)
        for delivery_id, fence in (await self._hub.do(claim))[0]:
            start = StartSending(delivery_id=delivery_id, fence=fence, lease_us=MINUTE)
            await self._hub.do(start)
            self._clock.turn(self._clock.at + 700_000)
            status, reason, words = _outcome(outcome)
            external = (f"demo-story-out:{message_id}",) if status is DeliveryStatus.SENT else ()
            await self._hub.do(
                SettleDelivery(
                    delivery_id=delivery_id,
                    fence=fence,
                    status=status,
                    external_ids=external,
                    reason=reason,
                    text=words,
                    started_at=self._clock.at,
                    took_us=700_000,
                )
            )
            if external and story.channel != CHAT:
                last = (
                    DeliveryStatus.READ if story.channel == MESSENGER else DeliveryStatus.DELIVERED
                )
                receipt = DeliveryReceipt(
                    dedupe_key=f"{external[0]}:{last.value}",
                    external_id=external[0],
                    status=last,
                    at=self._clock.at,
                )
                await self._hub.receive(account_id, [receipt])

    async def _end(self, story: Story) -> None:
        """Bring the dialog to where the newcomer finds it."""
        dialog_id = self._dialogs[story.address]
        lead = self._as("olga")
        if story.tags:
            await lead.do(TagDialog(dialog_id=dialog_id, add=story.tags))
        if story.priority:
            await lead.do(SetPriority(dialog_id=dialog_id, priority=story.priority))
        if story.assignee:
            await lead.do(AssignDialog(dialog_id=dialog_id, user_id=self._users[story.assignee]))
        if story.status:
            await lead.do(SetDialogStatus(dialog_id=dialog_id, status=story.status))
        if story.snooze_hours:
            until = Micros(self._now + int(story.snooze_hours * HOUR))
            await lead.do(SnoozeDialog(dialog_id=dialog_id, until=until))
        if story.lines[-1][0] != "in" and story.assignee:
            thread = await self._hub.thread(dialog_id)
            seen = thread.messages[-1].id
            await self._as(story.assignee).do(MarkRead(dialog_id=dialog_id, message_id=seen))


def _outcome(outcome: str) -> tuple[DeliveryStatus, str, str]:
    if outcome == "failed":
        return DeliveryStatus.FAILED, "blocked", "the person has blocked this account"
    if outcome == "unknown":
        return DeliveryStatus.UNKNOWN, "other", "the line broke after the message was handed over"
    return DeliveryStatus.SENT, "", ""


async def start_demo(settings: HubSettings, language: str = "en") -> None:
    """Make the demo company in a hub that runs (asked for at the first run).

    Whoever asked is an administrator and sees the colleagues; their passwords lie in a file of
    the data directory that only its owner reads.
    """
    await seed(settings)
    log.info("demo_ready logins_in=%s language=%s", settings.data / PASSWORDS, language)
