"""Files that came as references only are fetched after their message was committed.

One account's files come one after the other, those of several accounts side by side, so that a
vendor who is slow or gone keeps nobody else's waiting. Where a vendor cannot be asked just now it
is asked again, in growing pauses, for a day.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from crm_store.tables.dialogs import attachments
from hub.commands import SettleAttachment
from hub.errors import HubError, OutcomeUnknown, TemporaryFailure
from hub.events import Event
from hub.ids import AccountId, AttachmentId, Micros
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.following import Follower
    from hub.runtime import Runtime

log = logging.getLogger("hub.fetching")

SECOND_US = 1_000_000
FILE_SECONDS = 120
LONGEST_PAUSE = 600
"""Seconds between two tries at most."""
PATIENCE_US = 24 * 3600 * SECOND_US
"""From a file's arrival on, how long its vendor is asked again."""
AT_ONCE = 4
"""So many files are held in memory at the most."""
PAGE = 100
BRINGING_FILES = ("message.", "call.")
LOOK_SECONDS = 15
PAUSE = 0.1


class Fetching:
    """Gets the bytes of files, account by account."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tries: dict[int, int] = {}
        self._not_before: dict[int, Micros] = {}
        self._asked: set[AccountId] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._follower: Follower | None = None

    async def run(self) -> None:
        """Fetch what is missing, for as long as this hub runs."""
        busy: dict[AccountId, asyncio.Task[None]] = {}
        try:
            async with self._runtime.feed.follow("files", 0, _may_bring_files) as follower:
                self._follower = follower
                while True:
                    found = await self._runtime.database.read(self._accounts)
                    busy = {key: task for key, task in busy.items() if not task.done()}
                    for account_id in found:
                        self._asked.add(account_id)
                        if account_id not in busy:
                            work = self._account(account_id)
                            busy[account_id] = asyncio.create_task(work)
                    await follower.wait(self._seconds_to_wait())
                    # However many messages come, it looks a few times a second.
                    await asyncio.sleep(PAUSE)
        finally:
            for task in busy.values():
                task.cancel()
            await asyncio.gather(*busy.values(), return_exceptions=True)

    def _seconds_to_wait(self) -> float:
        now = self._runtime.now()
        pauses = [one - now for one in self._not_before.values() if one > now]
        return min(LOOK_SECONDS, min(pauses, default=LOOK_SECONDS * SECOND_US) / SECOND_US)

    def _accounts(self, conn: Connection) -> list[AccountId]:
        """Give the accounts of which a file can be fetched now."""
        found = select(attachments.c.account_id, attachments.c.id).where(*_missing())
        waiting = self._waiting()
        rows = [one for one in conn.execute(found) if one.id not in waiting]
        return sorted({AccountId(one.account_id) for one in rows})

    def _waiting(self) -> set[int]:
        now = self._runtime.now()
        return {key for key, moment in self._not_before.items() if moment > now}

    def _rows(self, conn: Connection, account_id: AccountId) -> list[Any]:
        found = (
            select(attachments.c.id, attachments.c.reference, attachments.c.created_at)
            .where(*_missing(), attachments.c.account_id == account_id)
            .order_by(attachments.c.id)
        )
        waiting = self._waiting()
        return [row for row in conn.execute(found) if row.id not in waiting][:PAGE]

    async def _account(self, account_id: AccountId) -> None:
        read = self._runtime.database.read
        while True:
            self._asked.discard(account_id)
            rows = await read(lambda conn: self._rows(conn, account_id))
            # What came while it was looked has been asked for meanwhile.
            if not rows and account_id not in self._asked:
                return
            for row in rows:
                async with self._room:
                    await self._fetch(account_id, row)

    async def _fetch(self, account_id: AccountId, row: Any) -> None:
        runtime = self._runtime
        try:
            _, channel = await runtime.channel_host.get(account_id)
            async with asyncio.timeout(FILE_SECONDS):
                content = await channel.fetch(row.reference)
            blob = await asyncio.to_thread(runtime.blobs.put, content)
            command = SettleAttachment(attachment_id=AttachmentId(row.id), blob=blob)
        except Exception as error:  # noqa: BLE001 - shown at the file, with its reason
            if self._asks_again(error, row):
                return
            log.warning("fetch_failed attachment=%d error=%s", row.id, type(error).__name__)
            why = str(error) if isinstance(error, HubError) else type(error).__name__
            command = SettleAttachment(attachment_id=AttachmentId(row.id), error=why)
        self._tries.pop(row.id, None)
        self._not_before.pop(row.id, None)
        await runtime.do(SYSTEM, None, (command,))

    def _asks_again(self, error: Exception, row: Any) -> bool:
        """Say whether a file is tried once more, and remember when."""
        now = self._runtime.now()
        if not isinstance(error, TemporaryFailure | OutcomeUnknown | TimeoutError | OSError):
            return False
        if now - row.created_at > PATIENCE_US:
            return False
        tries = self._tries[row.id] = self._tries.get(row.id, 0) + 1
        log.info("fetch_waits attachment=%d error=%s", row.id, type(error).__name__)
        pause = min(LONGEST_PAUSE, 2**tries)
        self._not_before[row.id] = Micros(now + pause * SECOND_US)
        if self._follower is not None:
            # It waits already, and not for this file.
            self._follower.wake()
        return True


def _missing() -> tuple[Any, ...]:
    # Written as the partial index is: see crm_store/tables/dialogs.py.
    return attachments.c.state == "pending", attachments.c.reference != ""


def _may_bring_files(event: Event) -> bool:
    return event.type.startswith(BRINGING_FILES)
