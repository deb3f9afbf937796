"""One transaction: what a command's handler may do while it lasts.

Handlers run on a writer thread, inside a transaction that they share with their neighbours
(group commit). They read, decide and write rows through `conn`, and put facts on record; the
journal is written last, once per transaction, so that id order is commit order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table

from crm_store.nouns import NOUNS, Noun
from crm_store.rows import insert_rows, is_kept
from crm_store.tables.journal import changes, journal
from crm_store.viewer import Viewer
from hub.capabilities import Abilities
from hub.commands.base import Command
from hub.errors import HubError, Invalid
from hub.events import Event, ImportBatchWritten, ObjectChanged
from hub.ids import ContactId, EventId, Micros
from hub.kinds import Kind
from hub.objects import DIRECT, MAX_DEPTH, SYSTEM, Actor, Cause
from hub.storable import NOT_KEPT

if TYPE_CHECKING:
    from hub.extensions import Ageing
    from hub.records.segments import Reachable
    from hub.segment_fields import SegmentField

JOURNAL_LOCK = 0x4855_4A4F
"""Number of the advisory lock under which PostgreSQL writes the journal."""
# The lock first, then the numbers: nothing of the outer row is known before it is held.
_NEXT_NUMBERS = (
    "SELECT nextval(own.numbers) FROM"
    f" (SELECT pg_advisory_xact_lock({JOURNAL_LOCK}),"
    " pg_get_serial_sequence('journal', 'id')::regclass AS numbers) AS own,"
    " generate_series(1, %s)"
)
_LAST_NUMBER = "SELECT seq FROM sqlite_sequence WHERE name = 'journal'"


@dataclass(slots=True)
class Transaction:
    """What all calls of one group commit share."""

    conn: Connection
    now: Micros
    new_id: Callable[[], int]
    channels: Abilities
    dialect: str
    events: list[Event] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    drop_blob: Callable[[str], None] | None = None
    nouns: Mapping[str, Noun] = field(default_factory=lambda: NOUNS)
    ageing: Mapping[str, Ageing] = field(default_factory=dict)
    references: Mapping[str, Table] = field(default_factory=dict)
    """Tables of plugins whose rows go where the people go whom they name."""
    segment_fields: Mapping[str, SegmentField] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    """What was read here and nobody changes; it is forgotten with a savepoint."""

    def mark(self) -> tuple[int, int]:
        """Give where this transaction stands, for `go_back`."""
        return len(self.events), len(self.after_commit)

    def go_back(self, mark: tuple[int, int]) -> None:
        """Forget what was noted since: the savepoint that began there was rolled back."""
        recorded, later = mark
        del self.events[recorded:]
        del self.after_commit[later:]
        self.known.clear()

    def check_facts(self, mark: tuple[int, int]) -> None:
        """Raise Invalid where what was recorded since `mark` has what no journal takes: written
        with that of the neighbours it would fail them all."""
        for event in self.events[mark[0] :]:
            if not is_kept(self.dialect, [event.to_data(), cause_data(event.cause)]):
                raise Invalid(NOT_KEPT)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind of object by its name, plugins' too."""
        return {name: one.kind for name, one in self.nouns.items()}

    def write_journal(self) -> None:
        """Give the recorded facts their ids and write them: the last statement before COMMIT."""
        if not self.events:
            return
        ids = self._journal_ids(len(self.events))
        rows, field_rows = [], []
        for number, event in zip(ids, self.events, strict=True):
            data = event.to_data()
            if isinstance(event, ObjectChanged | ImportBatchWritten):
                for n, one in enumerate(data.pop("changes")):
                    field_rows.append(
                        {
                            "event_id": number,
                            "n": n,
                            "kind": one["kind"],
                            "object_id": one["id"],
                            "field": one["field"],
                            "before": one["before"],
                            "after": one["after"],
                        }
                    )
            subject = event.subject
            rows.append(
                {
                    "id": number,
                    "type": event.type,
                    "schema": event.schema,
                    "at": self.now,
                    "actor_kind": event.actor.kind.value,
                    "actor_id": event.actor.id,
                    "actor_name": event.actor.name,
                    "cause": cause_data(event.cause),
                    "subject_kind": subject.kind,
                    "subject_id": subject.id,
                    "dialog_id": event.dialog,
                    "shown": event.shown,
                    "data": data,
                }
            )
        self.events = [
            event.stamped(id=EventId(number), at=self.now, actor=event.actor, cause=event.cause)
            for number, event in zip(ids, self.events, strict=True)
        ]
        insert_rows(self.conn, journal, rows)
        insert_rows(self.conn, changes, field_rows)

    def _journal_ids(self, count: int) -> list[int]:
        if self.dialect == "postgresql":
            rows = self.conn.exec_driver_sql(_NEXT_NUMBERS, (count,))
            return sorted(row[0] for row in rows)
        # The write lock is held since BEGIN IMMEDIATE; AUTOINCREMENT's own counter never
        # goes back, even after the newest rows are deleted.
        last = self.conn.exec_driver_sql(_LAST_NUMBER).scalar()
        return [int(last or 0) + n + 1 for n in range(count)]


def cause_data(cause: Cause) -> dict[str, Any]:
    """Give a cause as stored JSON; {} for a person's own act."""
    if cause == DIRECT:
        return {}
    return {
        "kind": cause.kind,
        "id": cause.id,
        "event": cause.event,
        "depth": cause.depth,
        "text": cause.text,
    }


def cause_from(data: Mapping[str, Any]) -> Cause:
    """Read a stored cause."""
    return Cause(**data) if data else DIRECT


class DepthExceeded(HubError):
    """A chain of automatic acts grew too long and was stopped."""


@dataclass(slots=True)
class UnitOfWork:
    """One caller's part of a transaction: who acts, why, and with which rights."""

    tx: Transaction
    actor: Actor = SYSTEM
    cause: Cause = DIRECT
    viewer: Viewer = field(default_factory=Viewer.system)
    carry_out: Callable[[UnitOfWork, Command], Any] | None = None
    carry_together: Callable[[Sequence[tuple[UnitOfWork, Command]]], Sequence[Any]] | None = None

    @property
    def conn(self) -> Connection:
        """The connection, inside the transaction."""
        return self.tx.conn

    @property
    def now(self) -> Micros:
        """The transaction's instant; the same for all that happens in it."""
        return self.tx.now

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.tx.dialect

    @property
    def channels(self) -> Abilities:
        """What each kind of channel can do."""
        return self.tx.channels

    def new_id(self) -> int:
        """Make an id."""
        return self.tx.new_id()

    def record(self, event: Event) -> None:
        """Put a fact on record, with this caller as its actor and cause."""
        if self.cause.depth > MAX_DEPTH:
            raise DepthExceeded(f"automatic acts in a row: {self.cause.depth}")
        self.tx.events.append(
            event.stamped(id=EventId(0), at=self.now, actor=self.actor, cause=self.cause)
        )

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run a statement (plugins get a guarded one)."""
        return self.conn.execute(statement, parameters)

    def give(self, command: Command) -> Any:
        """Carry out another command in this same transaction, with the same rights."""
        if self.carry_out is None:
            raise RuntimeError("this unit of work carries no commands")
        return self.carry_out(self, command)

    def reachable(
        self, preferred: Mapping[int, int], *, kind: str
    ) -> Mapping[ContactId, Reachable]:
        """Say where people can be reached on a kind of address now, and who refused advertising."""
        from crm_store.reachable import reachable

        return reachable(self, preferred, kind)
