"""The engine's loop: reads the journal, lets triggers decide, prepares the commands, commits.

One process at a time does it, by lease; should two ever meet, the place in the journal lets only
one of them commit (triggers/engine.py). Due timers are worked off only when every fact before
them was read, so that an answer that came in time calls the reminder off.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from crm_store.journal import cursor, last_event
from crm_store.viewer import Reader, Viewer
from hub.commands import CarryOut, MoveCursor, PauseRule
from hub.errors import HubError
from hub.events import Event
from hub.ids import EventId, Micros
from hub.objects import SYSTEM
from hub.prepare import prepare
from hub.records.rules import Rule
from triggers import rules as rule_reads
from triggers import timer_rows, timers
from triggers.arming import dates_to_arm, schedules_to_arm
from triggers.book import Book
from triggers.decide import DULL, Decision, decide, decide_timers
from triggers.definition import Definition
from triggers.engine import CURSOR, NeedsCare
from triggers.plans import Item, Misses, PlannedRun, PlannedStep
from triggers.reading import read
from triggers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.rules")
T = TypeVar("T")

BATCH = 200
TIMERS = 100
LATE_US = 900_000_000
LATE_BATCH = 20
"""What is due since long (the hub was away) is worked off in small parts, in its order."""
LATE_PAUSE = 1.0
"""Seconds of rest between two such parts."""
IDLE_SECONDS = 1.0
SAVE_SECONDS = 2.0
"""How often the place is written while no fact concerns any rule."""
COUNT_SECONDS = 10
HABIT_LEAST = 200
HABIT_TIMES = 20


class RuleEngine:
    """Runs the rules of this hub."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.book: Book | None = None
        self.place = EventId(0)
        self._known = EventId(0)
        """Changes of rules up to this fact are in the book."""
        self._habits: dict[int, int] = {}
        self._counted_at = Micros(0)
        self._written = EventId(0)
        self._saved_at = time.monotonic()
        self._due = 0
        self._was_late = False
        """Whether the last step worked off what was due since long."""

    async def run(self) -> None:
        """Work until cancelled."""
        await self.begin()
        async with self._runtime.feed.follow(CURSOR, self.place, self._concerns) as follower:
            while True:
                if await self._next_step():
                    follower.place = self.place
                    if self._was_late:
                        await asyncio.sleep(LATE_PAUSE)
                    continue
                if time.monotonic() - self._saved_at >= SAVE_SECONDS:
                    await self._save_place()
                await follower.wait(self._pause(self._due))

    def _concerns(self, event: Event) -> bool:
        """Say whether a fact may begin a rule, end a waiting, or change the rules."""
        book = self._book()
        if event.type in DULL:
            return event.id > self._known
        return book.hears(event) or timers.concerns(book, event)

    async def begin(self) -> None:
        """Find the place, load the rules."""
        found = await self._runtime.database.read(lambda conn: cursor(conn, CURSOR))
        if found is None:
            # Rules begin where the hub stands now: they are not shown years of history.
            found = await self._runtime.database.read(last_event)
            await self._move(found)
        self.place = self._written = EventId(found)
        await self.load()

    async def rest(self) -> float:
        """Say how long nothing can be due."""
        return self._pause(await self._next_due())

    def _pause(self, due: int) -> float:
        if not due:
            return IDLE_SECONDS
        return max(0.02, min(IDLE_SECONDS, (due - self._runtime.now()) / 1_000_000))

    async def _next_due(self) -> int:
        rules = self._book().rules
        return await self._read(lambda reader: timer_rows.next_due(reader, rules))

    async def _read(self, function: Callable[[Reader], T]) -> T:
        runtime = self._runtime

        def run(conn: Any) -> T:
            return function(
                Reader(conn=conn, viewer=Viewer.system(), now=runtime.now(), nouns=runtime.nouns)
            )

        return await runtime.database.read(run)

    async def _move(self, place: int) -> None:
        command = MoveCursor(name=CURSOR, event_id=EventId(place))
        await self._runtime.do(SYSTEM, None, (command,))
        self._written = EventId(place)

    async def _save_place(self) -> None:
        """Facts that no rule could hear are passed over; the place is written now and then."""
        if self._written != self.place:
            await self._move(self.place)
        self._saved_at = time.monotonic()

    # -- the rules ---------------------------------------------------------------------------

    async def load(self) -> None:
        """Read and compile the rules; what cannot be read is paused by name.

        Facts stand in the order of their commits: what is read behind the newest of them has every
        change up to it, whoever made it, and none of these needs another reading.
        """
        known = EventId(await self._runtime.database.read(last_event))
        await self._runtime.renew_fields()
        active = await self._read(rule_reads.active_rules)
        self._habits = await self._read(lambda reader: rule_reads.habits(reader, reader.now))
        ready: list[tuple[Rule, Definition]] = []
        for rule in active:
            problem, definition = _readable(rule, self._runtime.rule_words)
            if definition is None:
                log.warning("rule_paused rule=%d", rule.id)
                pause = PauseRule(rule_id=rule.id, reason="plugin", detail=problem)
                await self._runtime.do(SYSTEM, None, (pause,))
            else:
                ready.append((rule, definition))
        self.book = Book(self._runtime.rule_words, ready)
        self._known = known
        await self._arm()

    async def _arm(self) -> None:
        """Schedules wait for their next time; dates of cards are armed in parts."""
        book = self._book()
        armed = await self._read(lambda reader: schedules_to_arm(reader, book))
        if armed:
            await self._carry(armed, self.place)
        after: tuple[int, int] | None = (0, 0)
        while after is not None:
            place = after
            found, after = await self._read(
                lambda reader, p=place: dates_to_arm(reader, book, p)  # type: ignore[misc]
            )
            if found:
                await self._carry(found, self.place)

    def _book(self) -> Book:
        assert self.book is not None
        return self.book

    # -- one step ------------------------------------------------------------------------------

    async def step(self) -> bool:
        """Judge the next facts, or what is due; False where there is nothing to do."""
        await self._runtime.feed.look()
        return await self._next_step()

    async def _next_step(self) -> bool:
        """Judge the next facts that the feed has read, or what is due.

        What is due is looked at only when everything that was committed by then is judged.
        """
        self._was_late = False
        if await self._next_facts():
            return True
        self._due = await self._next_due()
        if not self._due or self._due > self._runtime.now():
            return False
        await self._runtime.feed.look()
        return await self._next_facts() or await self._timers()

    async def _next_facts(self) -> bool:
        events, last = await self._runtime.feed.facts(self.place, BATCH)
        if last == self.place:
            return False
        await self._facts(events, last)
        return True

    async def _facts(self, events: Sequence[Event], last: int) -> None:
        if not any(map(self._concerns, events)):
            self.place = EventId(last)
            return
        book, known = self._book(), self._known
        decision = await self._read(lambda reader: decide(reader, book, events, last, known))
        if decision.judged:
            await self._carry(decision.items, decision.read_to)
        else:
            # Written with the next decision, or when there is time.
            self.place = decision.read_to
        if decision.reload:
            await self._save_place()
            await self.load()

    async def _timers(self) -> bool:
        book, now = self._book(), self._runtime.now()
        rows = await self._read(lambda reader: timer_rows.due(reader, book.rules, now, TIMERS))
        if not rows:
            return False
        self._was_late = rows[0].due_at < now - LATE_US
        if self._was_late:
            rows = rows[:LATE_BATCH]
        registry, place = self._runtime.registry, self.place
        decision: Decision = await self._read(
            lambda reader: decide_timers(reader, book, registry, rows, place)
        )
        await self._carry(decision.items, place)
        return True

    async def _carry(self, items: Sequence[Item], read_to: EventId) -> None:
        """Prepare what leaves, and commit it all with the place."""
        items = [await self._prepared(one) for one in items]
        misses = self._misses()
        if misses is not None:
            items.append(misses)
        command = CarryOut(plan=tuple(items), seen=self._written, read_to=read_to)
        try:
            await self._runtime.do(SYSTEM, None, (command,))
        except NeedsCare:
            await self._runtime.do(SYSTEM, None, (replace(command, careful=True),))
        self.place = self._written = read_to

    def _misses(self) -> Misses | None:
        now = self._runtime.now()
        if now - self._counted_at < COUNT_SECONDS * 1_000_000:
            return None
        self._counted_at = now
        counts = {rule: number for rule, number in self._book().misses().items() if number}
        return Misses(counts=counts) if counts else None

    async def _prepared(self, item: Item) -> Item:
        if not isinstance(item, PlannedRun):
            return item
        steps = tuple([await self._prepared_step(one) for one in item.steps])
        habit = max(HABIT_LEAST, HABIT_TIMES * self._habits.get(item.rule_id, 0))
        return replace(item, steps=steps, habit=habit)

    async def _prepared_step(self, step: PlannedStep) -> PlannedStep:
        try:
            ready = [await prepare(self._runtime, Viewer.system(), one) for one in step.commands]
        except HubError as error:
            return replace(step, commands=(), state="failed", reason=str(error)[:400])
        return replace(step, commands=tuple(ready))


def _readable(rule: Rule, words: Vocabulary) -> tuple[str, Definition | None]:
    """Read a stored rule; gives what it misses, or its definition."""
    try:
        definition = read(rule.definition, words, lenient=True)
    except HubError as error:
        return str(error), None
    if definition.missing:
        return f"needs {', '.join(sorted(set(definition.missing)))}", None
    return "", definition
