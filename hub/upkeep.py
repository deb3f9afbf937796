"""Upkeep: sweeping unnamed bytes, forgetting what is of no use."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select

from crm_store import buckets, leftovers
from crm_store.attachments import forget_uploads
from crm_store.journal import set_meta
from crm_store.notice_letters import forget_letters
from crm_store.pushes import forget_pushes
from crm_store.segments import forget_members
from crm_store.tables.dialogs import blobs, bodies
from crm_store.tables.outbox import parked_receipts
from crm_store.tables.users import api_requests, login_attempts, sessions

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.upkeep")
HOUR = 3600
DAY_US = 86_400_000_000


class Upkeep:
    """What keeps the house clean."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Every minute a sign of life, and what emptied objects left behind; every hour a sweep."""
        minutes = 0
        while True:
            await asyncio.to_thread(self._alive)
            await self.take_out_leftovers()
            if minutes % 60 == 0:
                removed = await asyncio.to_thread(self._runtime.blobs.sweep, self._known)
                await asyncio.to_thread(self._forget)
                if removed:
                    log.info("blobs_swept count=%d", removed)
            minutes += 1
            await asyncio.sleep(60)

    async def take_out_leftovers(self) -> None:
        """Take what emptied objects left behind out of the indexes of three-letter parts."""
        seen = await asyncio.to_thread(self._runtime.database.read_now, leftovers.marked)
        if not seen:
            return
        for index in leftovers.INDEXES:
            begin = more = True
            while more:
                more = await asyncio.to_thread(self._take_out, index, begin)
                begin = False
        await asyncio.to_thread(self._unmark, seen)

    def _take_out(self, index: str, begin: bool) -> bool:
        with self._runtime.database.administer() as conn:
            return leftovers.take_out(conn, index, begin=begin)

    def _unmark(self, seen: str) -> None:
        with self._runtime.database.administer() as conn:
            leftovers.unmark(conn, seen)

    def _alive(self) -> None:
        with self._runtime.database.administer() as conn:
            set_meta(conn, "alive_at", str(self._runtime.now()))

    def _known(self, names: list[str]) -> set[str]:
        def look(conn: Connection) -> set[str]:
            found: set[str] = set()
            for start in range(0, len(names), 500):
                chunk = names[start : start + 500]
                found |= set(
                    conn.execute(select(blobs.c.id).where(blobs.c.id.in_(chunk))).scalars()
                )
                # A raw mail's blob is named by its body, not by an attachment.
                found |= self._raw_blobs(conn, chunk)
            return found

        return self._runtime.database.read_now(look)

    def _raw_blobs(self, conn: Connection, chunk: list[str]) -> set[str]:
        return set(
            conn.execute(select(bodies.c.raw_blob).where(bodies.c.raw_blob.in_(chunk))).scalars()
        )

    def _forget(self) -> None:
        now = self._runtime.now()
        with self._runtime.database.administer() as conn:
            conn.execute(delete(api_requests).where(api_requests.c.created_at < now - 2 * DAY_US))
            conn.execute(delete(login_attempts).where(login_attempts.c.window_start < now - DAY_US))
            conn.execute(delete(sessions).where(sessions.c.expires_at < now))
            conn.execute(
                delete(parked_receipts).where(parked_receipts.c.parked_at < now - 7 * DAY_US)
            )
            forget_uploads(conn, now)
            forget_letters(conn, now)
            forget_pushes(conn, now)
            forget_members(conn, now)
            buckets.forget(conn, now)
