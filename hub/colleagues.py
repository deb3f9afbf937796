"""Who works here, remembered until a fact says otherwise: every page names colleagues.

The rules are those of `hub/rights.py`: what is remembered is never older than the last change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection

from crm_store.users import all_teams, all_users
from crm_store.viewer import Reader, Viewer
from hub.events import AbsenceChanged, Event, TeamChanged, UserChanged, UserCreated
from hub.ids import Micros, UserId
from hub.records.system import Team, User

TELLING = (AbsenceChanged, TeamChanged, UserChanged, UserCreated)
LONGEST_US = 30_000_000
"""An absence that was planned begins without a fact of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Colleagues by id, in the order of their names, and teams by name."""

    users: Mapping[UserId, User]
    teams: tuple[Team, ...]
    at: Micros


class Colleagues:
    """The colleagues and teams of the hub."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: Staff | None = None
        self._changes = 0

    def known(self, now: Micros) -> Staff | None:
        """Give them where they are remembered."""
        known = self._known
        return known if known is not None and 0 <= now - known.at < LONGEST_US else None

    def read(self, conn: Connection, now: Micros) -> Staff:
        """Give them from the database; it must be the first question of the transaction."""
        changes = self._changes
        reader = Reader(conn=conn, viewer=Viewer.system(), now=now)
        found = Staff(
            users={one.id: one for one in all_users(reader)},
            teams=tuple(all_teams(reader)),
            at=now,
        )
        with self._lock:
            if changes == self._changes:
                self._known = found
        return found

    def forget(self, events: list[Event]) -> None:
        """Hear facts; those about colleagues end what is remembered."""
        if any(isinstance(one, TELLING) for one in events):
            with self._lock:
                self._changes += 1
                self._known = None
