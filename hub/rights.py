"""Who may what, remembered: an actor's rights until a fact says that they changed.

Called from the loop, from reader threads and from the writer's thread. What is remembered must
never be older than the last change: a reader whose snapshot was taken before the change and who
comes to remember it after the change is not listened to.
"""

from __future__ import annotations

from threading import Lock

from sqlalchemy import Connection

from crm_store.viewer import Viewer, load_viewer
from hub.events import (
    AbsenceChanged,
    AccountChanged,
    AccountCreated,
    AccountRemoved,
    Event,
    RoleChanged,
    TeamChanged,
    UserChanged,
    UserCreated,
)
from hub.objects import Actor, ActorKind

MOST = 5000
TELLING = (
    AbsenceChanged,
    RoleChanged,
    UserChanged,
    UserCreated,
    AccountChanged,
    AccountCreated,
    AccountRemoved,
    TeamChanged,
)
Key = tuple[Actor, frozenset[str] | None]


class Rights:
    """The rights of everybody who was here lately."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[Key, Viewer] = {}
        self._changes = 0

    def known(self, actor: Actor, scopes: frozenset[str] | None = None) -> Viewer | None:
        """Give an actor's rights where they are remembered."""
        if actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
            return Viewer.system()
        return self._known.get((actor, scopes))

    def read(self, conn: Connection, actor: Actor, scopes: frozenset[str] | None = None) -> Viewer:
        """Give an actor's rights, from the database where they are not remembered.

        It must be the first statement of the connection's transaction.
        """
        found = self.known(actor, scopes)
        if found is not None:
            return found
        changes = self._changes
        found = load_viewer(conn, actor, scopes)
        with self._lock:
            if changes == self._changes:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[actor, scopes] = found
        return found

    def forget(self, events: list[Event]) -> None:
        """Hear facts; those that change anybody's rights end what is remembered."""
        if any(isinstance(one, TELLING) for one in events):
            with self._lock:
                self._changes += 1
                self._known.clear()
