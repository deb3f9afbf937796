"""Whose numbers of the views are perhaps others now, and counting them anew.

Most facts change no number: the tenth message of a dialog that waits already leaves it waiting.
To count for every open page after each of them cost more than to tell the pages of them. What is
counted is counted beside the stream, so that no row waits for a number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from itertools import chain, islice

from crm_store.database import Database
from crm_store.dialog_counts import counters_of
from crm_store.viewer import Place, Viewer
from hub.ids import DialogId, UserId
from hub.records.dialogs import Dialog
from hub.web.live_connection import Connection

log = logging.getLogger("hub.live")

MOST = 20_000
COUNT_SECONDS = 2.0
"""How often the numbers of one page are counted at most."""
PEOPLE_AT_ONCE = 50
"""How many people are counted for in one reading; the other readers come between two of them."""
Standing = tuple[object, ...]


class Standings:
    """How dialogs stood when they were last told of; what is not known has changed."""

    def __init__(self) -> None:
        self._known: dict[DialogId, Standing] = {}

    def forget(self) -> None:
        """Take everything for changed: facts went by unheard."""
        self._known.clear()

    def changed(
        self, rows: Iterable[Dialog], places: Mapping[DialogId, Place]
    ) -> frozenset[DialogId]:
        """Give those of these dialogs that stand otherwise than before, and remember them.

        Each fact is followed by a reading, so that a change may be found one fact too early but
        never goes by.
        """
        found: dict[DialogId, Standing] = {
            one.id: (
                places.get(one.id),
                one.status,
                one.snoozed_until > 0,
                one.waiting_since > 0,
                one.failed,
                one.merged_into > 0,
            )
            for one in rows
        }
        changed = frozenset(key for key, now in found.items() if self._known.get(key) != now)
        if len(self._known) + len(found) > MOST:
            self._known.clear()
        self._known |= found
        return changed


def counts_anew(
    me: UserId,
    seen: Iterable[Dialog],
    changed: frozenset[DialogId],
    concerned: AbstractSet[tuple[UserId, DialogId]],
) -> bool:
    """Say whether a person's numbers may be others now.

    What is unread is counted in his own dialogs; what he did himself changes his own marks, and a
    note that names him is one more for him: `concerned` are those people, each with the dialog.
    """
    return any(
        one.id in changed or one.assignee_id == me or (me, one.id) in concerned for one in seen
    )


class Counting:
    """Counts for the pages whose numbers have perhaps changed: each person once for all his pages.

    One reading at a time, so that however many pages wait, the reading threads stay free for those
    who wait for an answer.
    """

    def __init__(self, database: Database, pages: Callable[[], Iterable[Connection]]) -> None:
        self._database = database
        self._pages = pages
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Look for pages that want their numbers."""
        self._asked.set()

    async def run(self) -> None:
        """Count whenever somebody asks, until this task ends."""
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            self._asked.clear()
            while wanting := [one for one in self._pages() if one.counts]:
                until = min(one.counted_at for one in wanting) + COUNT_SECONDS - loop.time()
                if until > 0:
                    await asyncio.sleep(until)
                try:
                    await self._count()
                except Exception:
                    # The next fact asks again.
                    log.exception("counting_failed pages=%d", len(wanting))

    async def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        pages_of: dict[Viewer, list[Connection]] = {}
        for one in self._pages():
            if one.counts and one.counted_at + COUNT_SECONDS <= now:
                pages_of.setdefault(one.viewer, []).append(one)
        turn = dict(islice(pages_of.items(), PEOPLE_AT_ONCE))
        for one in chain.from_iterable(turn.values()):
            # What happens from here on is perhaps not in these numbers.
            one.counts, one.counted_at = False, now
        found = await self._database.read(lambda conn: counters_of(conn, turn))
        for viewer, pages in turn.items():
            item = {"k": "counters", "v": asdict(found[viewer])}
            for one in pages:
                if one.viewer == viewer:
                    one.put("counters", item)
                else:
                    one.counts = True
