"""The one door to the database: a writer with group commit, and a pool of readers.

Whoever wants to write hands in a call; calls that wait at the same time share one
transaction, so a durable commit is paid once for all of them. A group runs without
savepoints. If one call fails, the whole group is rolled back and repeated with a savepoint
per call, so that only the guilty one fails. SQLite has one writer thread; PostgreSQL a few.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from crm_store.engine import POSTGRES_WRITERS, READERS, make_engine
from crm_store.nouns import NOUNS, Noun
from crm_store.room import lacks_room
from crm_store.unit_of_work import Transaction
from hub.capabilities import Abilities
from hub.events import Event
from hub.ids import IdMaker, Micros

if TYPE_CHECKING:
    from hub.extensions import Ageing
    from hub.segment_fields import SegmentField

log = logging.getLogger("hub.database")
T = TypeVar("T")

SQLITE_GROUP = 400
POSTGRES_GROUP = 50
RETRIES = 5
_RETRYABLE = frozenset({"40001", "40P01"})

Many = Callable[[Transaction, list[Any]], list[Any]]


@dataclass(slots=True)
class Call:
    """One thing to do in a transaction.

    `many` does it for all items of the group that name the same function, in order, and gives
    one result each.
    """

    many: Many
    item: Any
    future: Future[Any] = field(default_factory=Future)


class Database:
    """Reads and writes; safe to use from the loop and from threads."""

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], Micros],
        channels: Abilities | None = None,
        on_commit: Callable[[list[Event]], None] | None = None,
    ) -> None:
        self.url = url
        self.dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
        self.new_id: IdMaker | None = None
        self.channels = channels if channels is not None else Abilities({})
        self.nouns: Mapping[str, Noun] = NOUNS
        self.ageing: Mapping[str, Ageing] = {}
        self.references: Mapping[str, Table] = {}
        self.segment_fields: Mapping[str, SegmentField] = {}
        self.on_commit = on_commit
        self.drop_blob: Callable[[str], None] | None = None
        self.group_sizes: list[int] = []
        self.lacks_room = False
        """True where the last thing that was to be written found no room."""
        self._now = now
        self._writer = make_engine(url, writer=True)
        self._reader = make_engine(url, writer=False)
        self._queue: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._threads: list[threading.Thread] = []
        self._group = SQLITE_GROUP if self.dialect == "sqlite" else POSTGRES_GROUP
        self._in_use = 0
        self._closed = False
        self._use = threading.Condition()

    # -- life ------------------------------------------------------------------------------

    def start(self, new_id: IdMaker) -> None:
        """Start the writer threads; from here on `submit` works."""
        self.new_id = new_id
        count = 1 if self.dialect == "sqlite" else POSTGRES_WRITERS
        for n in range(count):
            thread = threading.Thread(target=self._write_loop, name=f"writer-{n}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def set_clock(self, now: Callable[[], Micros]) -> None:
        """Use another clock from here on (the database server's, seen from here)."""
        self._now = now

    def close(self) -> None:
        """Finish what waits, then let go of every connection."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=30)
        self._threads.clear()
        self._readers.shutdown(wait=True)
        with self._use:
            self._closed = True
            self._use.wait_for(lambda: not self._in_use, timeout=30)
        self._writer.dispose()
        self._reader.dispose()

    # -- reading ---------------------------------------------------------------------------

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A read-only connection with one snapshot, on the calling thread.

        Raises DBAPIError where the server was started anew since: `read` does it once more.
        """
        with self._using(), self._reader.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Let `close` wait for a thread whose task was cancelled meanwhile: it works on, and would
        leave its connection in a pool that nobody closes any more."""
        with self._use:
            if self._closed:
                raise RuntimeError("the database is closed")
            self._in_use += 1
        try:
            yield
        finally:
            with self._use:
                self._in_use -= 1
                self._use.notify_all()

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a query function on a reader thread; it may run twice where a connection was lost."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, self.read_now, function
        )

    def read_now(self, function: Callable[[Connection], T]) -> T:
        """Run a query function on the calling thread, see `read`."""
        try:
            return self._read_once(function)
        except DBAPIError as error:
            # The server was started anew meanwhile: all connections of before went with this one.
            if not error.connection_invalidated:
                raise
            return self._read_once(function)

    def _read_once(self, function: Callable[[Connection], T]) -> T:
        with self.connect() as conn:
            return function(conn)

    # -- writing ---------------------------------------------------------------------------

    @contextmanager
    def administer(self) -> Iterator[Connection]:
        """A writing connection of its own, for migrations and maintenance only."""
        with self._using(), self._writer.connect() as conn, conn.begin():
            yield conn

    def submit(self, many: Many, item: Any) -> Future[Any]:
        """Hand in a call; the future gives its result after the commit."""
        call = Call(many, item)
        self._queue.put(call)
        return call.future

    async def write(self, many: Many, item: Any) -> Any:
        """Hand in a call and wait for its commit without blocking the loop."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Any] = loop.create_future()
        call = Call(many, item, _LoopFuture(loop, waiting))
        self._queue.put(call)
        return await waiting

    def _write_loop(self) -> None:
        while True:
            call = self._queue.get()
            if call is None:
                return
            group = [call]
            stop = False
            while len(group) < self._group:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                group.append(more)
            try:
                self._settle(group)
            except BaseException as error:
                log.critical("writer_failed calls=%d", len(group), exc_info=error)
                _resolve(group, [RuntimeError(f"the writer failed: {error!r}")] * len(group))
            if stop:
                return

    def _settle(self, group: list[Call]) -> None:
        self.group_sizes.append(len(group))
        del self.group_sizes[:-1000]
        try:
            outcomes, events = self._together(group)
        except Exception as error:  # noqa: BLE001 - the guilty call is found below, the rest goes on
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            if lost:
                # Whether COMMIT arrived is unknown: repeating could do it twice.
                outcomes, events = [error] * len(group), []
            elif len(group) == 1 and not _is_retryable(error):
                outcomes, events = [error], []
            else:
                outcomes, events = self._one_by_one(group)
        self.lacks_room = any(isinstance(one, Exception) and lacks_room(one) for one in outcomes)
        # Whoever waits for the commit must find what it changed already forgotten.
        if events and self.on_commit is not None:
            try:
                self.on_commit(events)
            except BaseException:
                # Also what is no Exception (CancelledError): the commit stands, so say so.
                log.exception("on_commit_failed facts=%d", len(events))
        _resolve(group, outcomes)

    def _together(self, group: list[Call]) -> tuple[list[Any], list[Event]]:
        with self._writer.connect() as conn:
            with conn.begin():
                tx = self._transaction(conn)
                outcomes: dict[int, Any] = {}
                by_function: dict[Many, list[int]] = {}
                for n, call in enumerate(group):
                    by_function.setdefault(call.many, []).append(n)
                for many, numbers in by_function.items():
                    results = many(tx, [group[n].item for n in numbers])
                    outcomes.update(zip(numbers, results, strict=True))
                tx.write_journal()
            _after_commit(tx)
        return [outcomes[n] for n in range(len(group))], tx.events

    def _one_by_one(self, group: list[Call]) -> tuple[list[Any], list[Event]]:
        for attempt in range(RETRIES):
            try:
                return self._with_savepoints(group)
            except DBAPIError as error:
                if attempt == RETRIES - 1 or not _is_retryable(error):
                    return [error] * len(group), []
                time.sleep(0.01 * 2**attempt)
            except Exception as error:
                log.exception("group_failed calls=%d", len(group))
                return [error] * len(group), []
        raise AssertionError("unreachable")

    def _with_savepoints(self, group: list[Call]) -> tuple[list[Any], list[Event]]:
        outcomes: list[Any] = []
        with self._writer.connect() as conn:
            with conn.begin():
                tx = self._transaction(conn)
                for call in group:
                    mark = tx.mark()
                    savepoint = conn.begin_nested()
                    try:
                        results = call.many(tx, [call.item])
                        tx.check_facts(mark)
                        savepoint.commit()
                        outcomes.extend(results)
                    except Exception as error:
                        if _is_retryable(error):
                            raise
                        savepoint.rollback()
                        tx.go_back(mark)
                        outcomes.append(error)
                tx.write_journal()
            _after_commit(tx)
        return outcomes, tx.events

    def _transaction(self, conn: Connection) -> Transaction:
        if self.new_id is None:
            raise RuntimeError("the database was not started")
        return Transaction(
            conn=conn,
            now=self._now(),
            new_id=self.new_id,
            channels=self.channels,
            dialect=self.dialect,
            drop_blob=self.drop_blob,
            nouns=self.nouns,
            ageing=self.ageing,
            references=self.references,
            segment_fields=self.segment_fields,
        )


def _after_commit(tx: Transaction) -> None:
    """Do what waited for the commit; it stands, so a failure here must not look like its own."""
    for function in tx.after_commit:
        try:
            function()
        except BaseException:
            log.exception("after_commit_failed function=%s", function.__qualname__)


class _LoopFuture(Future[Any]):
    """A future of the writer thread that is resolved on a loop, many in one wake-up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, waiting: asyncio.Future[Any]) -> None:
        super().__init__()
        self.loop = loop
        self.waiting = waiting


def _resolve(group: Sequence[Call], outcomes: Sequence[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for call, outcome in zip(group, outcomes, strict=True):
        future = call.future
        if isinstance(future, _LoopFuture):
            by_loop.setdefault(future.loop, []).append((future.waiting, outcome))
        elif future.set_running_or_notify_cancel():
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_on_loop, pairs)
        except RuntimeError:
            # The loop is gone (shutdown); the commit stands, nobody waits for the answer.
            log.info("answer_dropped calls=%d", len(pairs))


def _resolve_on_loop(pairs: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for waiting, outcome in pairs:
        if waiting.done():
            continue
        if isinstance(outcome, Exception):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)


def _is_retryable(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return state in _RETRYABLE or "database is locked" in str(error.orig)
    return False
