"""Web Push: tells browsers whose tab is closed what their colleagues have not seen yet.

The words are made when they leave, with their reader's rights: what was seen meanwhile, is over or
is out of his sight is not told, nor is anything to whoever is away. They are encrypted for the one
browser, and a newer word on an object takes the older one's place on its way and on the screen.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import orjson
from cryptography.fernet import InvalidToken
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import Connection, Row, select

from crm_store import pushes
from crm_store.notice_letters import PROMPT
from crm_store.push_devices import push_key
from crm_store.pushes import DONE, GONE, LATER, US, Pushed
from crm_store.tables.pushes import push_devices
from crm_store.tables.users import users
from crm_store.users import away_until
from crm_store.viewer import Reader, load_viewer
from hub.channel import in_thread
from hub.errors import NotFound
from hub.events import Event, NoticeRaised
from hub.ids import PushDeviceId
from hub.judged_client import judged_client
from hub.objects import Actor, ActorKind
from hub.push_keys import Subscription, sealed_words, signed, signer
from hub.reach import NotCalled, Unreachable
from hub.web.i18n import translate
from hub.web.notice_words import (
    NOT_ALLOWED,
    NOT_REACHED,
    NOT_READABLE,
    NOT_TAKEN,
    line_of,
)

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.push_sender")

BATCH = 16
"""So many calls are under way at most."""
IDLE_SECONDS = 5.0
TAKEN_SECONDS = 0.5
TIMEOUT_SECONDS = 15.0
SCHEDULE_SECONDS = (5, 30, 120, 600, 1800, 3600)
LONGEST_PAUSE = 3600.0
TTL_SECONDS, PROMPT_TTL_SECONDS = 86_400, 3_600
"""So long a push service keeps a word for a phone that is off."""
URGENT = PROMPT | {"dialog.mentioned", "dialog.assigned"}
NOT_THERE = (404, 410)
LATER_AGAIN = (408, 425, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one browser is told, and how soon and how long that is of use."""

    subscription: Subscription
    words: bytes
    topic: str
    ttl: int
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a push service said; `code` 0: nothing."""

    code: int = 0
    error: str = ""
    pause: float = 0.0


class PushSender:
    """Pushes what waits."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._client: httpx.AsyncClient | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self.registry = CollectorRegistry()
        self._ends = Counter(
            "hub_pushes", "what became of words to browsers", ["outcome"], registry=self.registry
        )

    def follow(self) -> None:
        """Hear of new notices, also of what another process raised."""
        loop = asyncio.get_running_loop()

        def noticed(events: list[Event]) -> None:
            if any(isinstance(one, NoticeRaised) for one in events):
                loop.call_soon_threadsafe(self._wake.set)

        self._runtime.on_events(noticed)
        if self._runtime.database.dialect == "postgresql":
            self._runtime.feed.before_all(noticed)

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def run(self) -> None:
        """Push what is due; a slow push service takes one of the places, never the others' turn."""
        try:
            while True:
                self._wake.clear()
                due_at = await self._runtime.database.read(pushes.next_due)
                free = BATCH - len(self._calls)
                if not free:
                    await self._rest(0)
                elif not due_at or due_at > self._runtime.now():
                    await self._rest(due_at)
                elif not await self._take(free):
                    # Another process has them.
                    await asyncio.sleep(TAKEN_SECONDS)
        finally:
            for task in list(self._calls):
                task.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            await self.close()

    async def _rest(self, due_at: int) -> None:
        ahead = (due_at - self._runtime.now()) / US if due_at else IDLE_SECONDS
        try:
            async with asyncio.timeout(max(0.02, min(IDLE_SECONDS, ahead))):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _take(self, free: int) -> bool:
        """Begin to push what is due, at most so many; says whether there was something."""
        claimed = await self._runtime.database.write(pushes.claim, free)
        if not claimed:
            return False
        made = await self._runtime.database.read(lambda conn: self._words(conn, claimed))
        for row in claimed:
            task = asyncio.create_task(self._push(row, made.get((row.device_id, row.notice_id))))
            self._calls.add(task)
            task.add_done_callback(self._pushed)
        return True

    def _pushed(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            # Its lease runs out, and it is tried again.
            log.error("push_failed error=%s", type(task.exception()).__name__)

    # -- words -------------------------------------------------------------------------------

    def _words(self, conn: Connection, claimed: Sequence[Row[Any]]) -> dict[tuple[int, int], Word]:
        """Give what is still to be told."""
        now = self._runtime.now()
        rows = pushes.told_to(conn, claimed, now)
        people = {
            one.id: one
            for one in conn.execute(
                select(users, away_until(now)).where(users.c.id.in_({row.user_id for row in rows}))
            )
        }
        readers: dict[int, Reader] = {}
        made: dict[tuple[int, int], Word] = {}
        for row in rows:
            to = people.get(row.user_id)
            if row.read_at or to is None or not to.active or to.away_until:
                continue
            if not pushes.is_pushed(to.preferences, row.kind):
                continue
            if now - row.created_at > pushes.KEPT_US:
                continue
            reader = readers.get(to.id)
            if reader is None:
                reader = readers[to.id] = Reader(
                    conn=conn,
                    viewer=load_viewer(conn, Actor(kind=ActorKind.USER, id=to.id)),
                    now=now,
                    nouns=self._runtime.nouns,
                    ageing=self._runtime.ageing,
                )
            word = self._word(reader, to, row)
            if word is not None:
                made[row.device_id, row.notice_id] = word
        return made

    def _word(self, reader: Reader, to: Row[Any], row: Row[Any]) -> Word | None:
        line = line_of(reader, to.language, row, row.noticed_at)
        if line is None:
            return None
        about = f"{row.object_kind}-{row.object_id}" if row.object_id else row.kind
        return self._made(
            row.sealed,
            {
                "title": line.what,
                "body": line.title,
                "path": line.path,
                "tag": about,
                "at": line.at // 1000,
                "language": to.language,
            },
            ttl=PROMPT_TTL_SECONDS if row.kind in PROMPT else TTL_SECONDS,
            urgent=row.kind in URGENT,
        )

    def _made(self, sealed: str, told: dict[str, Any], *, ttl: int, urgent: bool) -> Word | None:
        try:
            subscription = Subscription.unsealed(self._runtime.keys, sealed)
        except InvalidToken:
            return None
        # What the push service may compare says nothing to it.
        about = hashlib.sha256(subscription.auth + str(told["tag"]).encode()).hexdigest()[:32]
        return Word(
            subscription=subscription,
            words=orjson.dumps(told),
            topic=about,
            ttl=ttl,
            urgent=urgent,
        )

    # -- the wire ----------------------------------------------------------------------------

    async def _push(self, row: Row[Any], word: Word | None) -> None:
        attempts = row.attempts + 1
        settled = Pushed(device_id=row.device_id, notice_id=row.notice_id, attempts=attempts)
        if word is None:
            self._ends.labels("not_needed").inc()
        else:
            settled = self._judge(settled, await self.send(word))
        await self._runtime.database.write(pushes.settle, settled)

    def _judge(self, one: Pushed, answer: Answer) -> Pushed:
        """Say what follows from an answer."""
        shared: dict[str, Any] = {
            "device_id": one.device_id,
            "notice_id": one.notice_id,
            "attempts": one.attempts,
        }
        if not answer.error:
            self._ends.labels("told").inc()
            return Pushed(**shared, end=DONE, told=True)
        log.info("push_refused device=%d code=%d", one.device_id, answer.code)
        if answer.code in NOT_THERE:
            self._ends.labels("gone").inc()
            return Pushed(**shared, end=GONE)
        again = not answer.code or answer.code >= 500 or answer.code in LATER_AGAIN
        if again and one.attempts <= len(SCHEDULE_SECONDS):
            self._ends.labels("again").inc()
            pause = SCHEDULE_SECONDS[one.attempts - 1] * random.uniform(0.8, 1.2)
            due_at = self._runtime.now() + int(max(pause, answer.pause) * US)
            return Pushed(**shared, end=LATER, error=answer.error, due_at=due_at)
        self._ends.labels("failed").inc()
        return Pushed(**shared, end=DONE, error=answer.error)

    async def send(self, word: Word) -> Answer:
        """Post one word."""
        _, sealed = await self._runtime.database.read(push_key)
        vapid = signer(self._runtime.keys, sealed)
        if vapid is None:
            return Answer(code=403, error=NOT_READABLE)
        now = self._runtime.now()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                endpoint, url = word.subscription.endpoint, self._runtime.public_url
                body = await in_thread(sealed_words, word.subscription, word.words)
                headers = {
                    "authorization": await in_thread(signed, vapid, endpoint, url, now),
                    "content-encoding": "aes128gcm",
                    "content-type": "application/octet-stream",
                    "ttl": str(word.ttl),
                    "urgency": "high" if word.urgent else "normal",
                    "topic": word.topic,
                }
                return await self._call(endpoint, headers, body)
        except TimeoutError:
            return Answer(error=NOT_REACHED)
        except NotCalled:
            return Answer(code=403, error=NOT_ALLOWED)
        except (Unreachable, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # Its text may name the address, which is a secret.
            log.info("push_not_reached error=%s", type(error).__name__)
            return Answer(error=NOT_REACHED)

    async def _call(self, endpoint: str, headers: dict[str, str], body: bytes) -> Answer:
        if self._client is None:
            allow_private = self._runtime.settings.push_allow_private
            self._client = judged_client(allow_private=allow_private, seconds=TIMEOUT_SECONDS)
        async with self._client.stream("POST", endpoint, headers=headers, content=body) as answer:
            code = answer.status_code
            given = answer.headers.get("retry-after", "")
        if 200 <= code < 300:
            return Answer(code=code)
        pause = float(given) if given.isascii() and given.isdecimal() else 0.0
        return Answer(code=code, error=NOT_TAKEN.format(code), pause=min(pause, LONGEST_PAUSE))

    async def try_out(self, user_id: int, device_id: PushDeviceId) -> tuple[int, str]:
        """Push a test to one of a user's own browsers now; gives the status, and what went wrong."""

        def read(conn: Connection) -> tuple[str, str]:
            row = conn.execute(
                select(push_devices.c.sealed, users.c.language)
                .join(users, users.c.id == push_devices.c.user_id)
                .where(push_devices.c.id == device_id, push_devices.c.user_id == user_id)
            ).first()
            if row is None:
                raise NotFound("there is no such device")
            return row.sealed, row.language

        sealed, language = await self._runtime.database.read(read)
        word = self._made(
            sealed,
            {
                "title": translate(language, "A test"),
                "body": translate(language, "Notices reach this device."),
                "path": "/settings/notices",
                "tag": "test",
                "at": self._runtime.now() // 1000,
                "language": language,
            },
            ttl=60,
            urgent=True,
        )
        if word is None:
            return 0, NOT_READABLE
        answer = await self.send(word)
        one = Pushed(device_id=device_id, notice_id=0, attempts=len(SCHEDULE_SECONDS) + 1)
        await self._runtime.database.write(pushes.settle, self._judge(one, answer))
        return answer.code, answer.error
