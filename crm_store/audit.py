"""The audit: which facts of the journal tell who changed what, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from crm_store.journal import events_from, visible
from crm_store.tables.journal import changes, journal
from crm_store.viewer import Reader
from hub.events import Event, EventRegistry
from hub.ids import NEVER, Micros

RIGHT = "audit.view"
MOST = 500
PEOPLE = ("user", "token")
AT_THE_DOOR = ("user.passkey_used", "user.turned_away")
"""Written by the hub itself, and done by the person they are about: nobody is logged in yet."""
NOISE = frozenset(
    {
        "notice.mailed",
        "notice.raised",
        "message.received",
        "message.queued",
        "message.changed",
        "message.cancelled",
        "message.quarantined",
        "delivery.changed",
        "arrival.refused",
        "button.pressed",
        "call.changed",
        "dialog.idle",
        "dialog.opened",
        "note.added",
        "import.batch",
        # One for each person of a mailing; its numbers are counted from rows of their own.
        "deliveries.queued",
        "mailing.opened",
        "mailing.clicked",
        "mailing.answered",
        # The same is told by object.created.
        "client.created",
        "contact.created",
        "lead.created",
        "request.created",
        "task.created",
        "interest.created",
        "plugin.failed",
        "event.parked",
        "job.died",
        "channel.down",
        "channel.up",
        "account.connected",
    }
)
"""Talk and machinery: they stand in the journal, and change no card and no setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which changes are asked for: whose, of what, when. `automatic` adds what nobody did."""

    user_id: int = 0
    kind: str = ""
    object_id: int = 0
    since: Micros = NEVER
    until: Micros = NEVER
    before: int = 0
    limit: int = 50
    automatic: bool = False


def audit(reader: Reader, registry: EventRegistry, query: AuditQuery) -> tuple[list[Event], int]:
    """Give facts that changed something, the newest first, and where the next page begins (0: nowhere).

    Facts about what this reader may not see are left out, so a page may be shorter than asked.
    """
    reader.viewer.need(RIGHT)
    limit = max(1, min(query.limit, MOST))
    types = [one for one in registry.names() if one not in NOISE]
    statement = select(journal).where(journal.c.type.in_(types))
    if query.user_id:
        own = journal.c.actor_kind.in_(PEOPLE) & (journal.c.actor_id == query.user_id)
        came = journal.c.type.in_(AT_THE_DOOR) & (journal.c.subject_id == query.user_id)
        statement = statement.where(or_(own, came))
    elif not query.automatic:
        statement = statement.where(
            or_(journal.c.actor_kind.in_(PEOPLE), journal.c.type.in_(AT_THE_DOOR))
        )
    if query.since:
        statement = statement.where(journal.c.at >= query.since)
    if query.until:
        statement = statement.where(journal.c.at < query.until)
    if query.before:
        statement = statement.where(journal.c.id < query.before)
    if query.kind:
        statement = statement.where(_about(query.kind, query.object_id))
    rows = reader.conn.execute(statement.order_by(journal.c.id.desc()).limit(limit + 1)).all()
    more, rows = len(rows) > limit, rows[:limit]
    found = visible(reader, events_from(reader.conn, registry, rows))
    return found, int(rows[-1].id) if more else 0


def _about(kind: str, object_id: int) -> ColumnElement[bool]:
    """Give the condition that a fact is about an object of a kind, or about one object."""
    own = journal.c.subject_kind == kind
    general = (journal.c.subject_kind == "object") & (
        journal.c.data["object_kind"].as_string() == kind
    )
    moved = select(changes.c.event_id).where(
        changes.c.event_id == journal.c.id, changes.c.kind == kind
    )
    if object_id:
        own = own & (journal.c.subject_id == object_id)
        general = general & (journal.c.subject_id == object_id)
        moved = moved.where(changes.c.object_id == object_id)
    return or_(own, general, moved.correlate(journal).exists())


def kinds_of(registry: EventRegistry, more: Sequence[str]) -> list[str]:
    """Give what the audit can be asked for: the subjects of its facts, and kinds of objects."""
    found = set(more) | {"contact"}
    for name in registry.names():
        kind = registry.get(name)
        if kind is not None and name not in NOISE and kind.subject_kind not in ("", "object"):
            found.add(kind.subject_kind)
    return sorted(found)
