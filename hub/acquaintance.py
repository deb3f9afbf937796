"""Getting to know people better, behind the scenes: likenesses of cards, addresses told in messages.

One loop follows the journal. Whatever made or changed a card has its likenesses looked for again;
whatever came in is read for phones and e-mails. Nothing is linked here but what answers a
question of ours: the rest is only found, and shown to people. Cards that were there before are walked through once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from crm_store.journal import cursor, last_event
from crm_store.nouns import NOUNS
from crm_store.rows import among, listed
from crm_store.tables.dialogs import messages
from crm_store.tables.duplicates import asked_details
from hub.commands import Command, MoveCursor, NoteSaid, RefreshDuplicates, TakeAnswers
from hub.errors import HubError
from hub.events import Event, MessageReceived
from hub.ids import EventId, MessageId
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.acquaintance")
NAME = "acquaintance"
BATCH = 500
CARDS = 10
"""How many cards are looked at in one transaction: on SQLite everybody else waits for it."""
SHARE = 4.0
"""How long to rest after each, in lengths of the work itself: people go first."""
REST = 0.5
MOST_REST = 2.0
CHANGED = (
    "contact.created",
    "contact.changed",
    "contact.merged",
    "contact.unmerged",
    "contact.split",
    "contact.unsplit",
    "address.changed",
    "client.created",
    "client.merged",
    "client.unmerged",
    "object.changed",
    "object.removed",
    "message.received",
)
_EMAIL = re.compile(r"\w@\w")
_PHONE = re.compile(r"\d(?:[ ()\-.\u00a0]{0,3}\d){6}")
_MINE = ("contact_id", "merged_id", "restored_id", "new_contact_id", "client_id")


class Acquaintance:
    """Keeps suggestions up to date."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        after = await self._runtime.database.read(lambda conn: cursor(conn, NAME))
        if after is None:
            after = await self._runtime.database.read(last_event)
            await self._keep(NAME, after)
        await self._walk()
        async with self._runtime.feed.follow(NAME, after, _tells) as follower:
            while True:
                events, last = await follower.next(BATCH)
                for command in await self._work(events):
                    await self._try(command)
                await self._keep(NAME, last)
                if last >= self._runtime.feed.last:
                    # What happens together is looked at together.
                    await asyncio.sleep(REST)

    async def _work(self, events: Sequence[Event]) -> list[Command]:
        """Say what facts ask for."""
        said = [MessageId(one.message_id) for one in events if isinstance(one, MessageReceived)]
        telling: list[MessageId] = []
        answers: list[MessageId] = []
        if said:
            telling, answers = await self._runtime.database.read(
                lambda conn: (_telling(conn, said), _answers(conn, said))
            )
        commands: list[Command] = [NoteSaid(message_ids=tuple(telling))] if telling else []
        if answers:
            commands.append(TakeAnswers(message_ids=tuple(answers)))
        for kind, wanted in _cards(events).items():
            commands += [
                RefreshDuplicates(kind=kind, ids=tuple(wanted[start : start + CARDS]))
                for start in range(0, len(wanted), CARDS)
            ]
        return commands

    async def _keep(self, name: str, after: int) -> None:
        await self._runtime.do(SYSTEM, None, (MoveCursor(name=name, event_id=EventId(after)),))

    async def _try(self, command: Command) -> None:
        began = time.monotonic()
        try:
            await self._runtime.do(SYSTEM, None, (command,))
        except HubError:
            log.exception("acquaintance_failed command=%s", type(command).__name__)
        await asyncio.sleep(min(MOST_REST, SHARE * (time.monotonic() - began)))

    async def _walk(self) -> None:
        """Look through the cards that were there before anybody looked, once."""
        for kind in ("contact", "client"):
            name = f"{NAME}.{kind}"
            after = await self._runtime.database.read(
                lambda conn, n=name: cursor(conn, n) or 0  # type: ignore[misc]
            )
            while ids := await self._runtime.database.read(
                lambda conn, k=kind, a=after: _following(conn, k, a)  # type: ignore[misc]
            ):
                await self._try(RefreshDuplicates(kind=kind, ids=tuple(ids)))
                after = ids[-1]
                await self._keep(name, after)


def _following(conn: Connection, kind: str, after: int) -> list[int]:
    table = NOUNS[kind].table
    found = select(table.c.id).where(table.c.id > after).order_by(table.c.id).limit(CARDS)
    return list(conn.execute(found).scalars())


def _telling(conn: Connection, ids: list[MessageId]) -> list[MessageId]:
    """Leave out the messages that can hold neither a phone nor an e-mail: nearly all."""
    dialect = conn.dialect.name
    rows = conn.execute(_texts(dialect), {"ids": listed(dialect, ids)})
    return [MessageId(row.id) for row in rows if _may_tell(row.text)]


def _may_tell(text: str) -> bool:
    # One pattern for both tries both at every letter of everything that comes in.
    return ("@" in text and _EMAIL.search(text) is not None) or _PHONE.search(text) is not None


def _answers(conn: Connection, ids: list[MessageId]) -> list[MessageId]:
    """Give the messages of dialogs in which a question of ours waits for its answer."""
    dialect = conn.dialect.name
    rows = conn.execute(_asked(dialect), {"ids": listed(dialect, ids)})
    return [MessageId(one) for one in rows.scalars()]


# Made once: every group of messages asks these.
@cache
def _texts(dialect: str) -> Select[Any]:
    return select(messages.c.id, messages.c.text).where(among(dialect, messages.c.id, "ids"))


@cache
def _asked(dialect: str) -> Select[Any]:
    return (
        select(messages.c.id)
        .join(asked_details, asked_details.c.dialog_id == messages.c.dialog_id)
        .where(among(dialect, messages.c.id, "ids"), asked_details.c.state != "done")
        .order_by(messages.c.id)
    )


def _tells(event: Event) -> bool:
    return event.type in CHANGED


def _cards(events: Sequence[Event]) -> dict[str, list[int]]:
    """Give the cards that facts changed, by their kind, each once."""
    cards: dict[str, dict[int, None]] = {"contact": {}, "client": {}}
    for event in events:
        kind = str(getattr(event, "object_kind", "")) or event.type.partition(".")[0]
        kind = "contact" if kind == "address" else kind
        if kind in cards:
            ids = [int(getattr(event, name, 0)) for name in (*_MINE, "object_id")]
            cards[kind] |= dict.fromkeys(one for one in ids if one)
    return {kind: list(ids) for kind, ids in cards.items()}
