"""Loading facts: one snapshot for all rules of each event, a handful of statements for a batch.

Only the parts that some candidate rule asks for are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import people as people_reads
from crm_store.calendars import working
from crm_store.objects import Noun, objects_by_id
from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import contacts
from crm_store.tables.users import brands
from crm_store.viewer import Reader
from hub.calendars import Calendar
from hub.events import Event
from hub.ids import ContactId, DialogId, MessageId, Micros
from hub.objects import Ref
from hub.records.dialogs import Dialog, Message
from hub.records.people import Contact
from hub.rules import Facts
from triggers.counters import Counters
from triggers.wording import filled

DAY_US = 86_400_000_000
CORE = frozenset({"dialog", "message", "contact", "zone", "hours"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """An event that rules may judge, with the rule's word for it, and when it is judged."""

    event: Event
    trigger: str = ""
    now: Micros = Micros(0)
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)


def about_of(event: Event) -> Ref:
    """Give the object an event is about: a card, or nothing of that sort."""
    kind = getattr(event, "object_kind", "") or getattr(event, "about_kind", "")
    number = getattr(event, "object_id", 0) or getattr(event, "about_id", 0)
    if kind:
        return Ref(kind=kind, id=int(number))
    return event.subject


def changes_of(event: Event) -> dict[str, tuple[object, object]]:
    """Give the fields that an event changed, by the names of conditions."""
    found: dict[str, tuple[object, object]] = {}
    for one in getattr(event, "changes", ()):
        name = f"{one.kind}.{one.field.removesuffix('_id')}"
        found[name] = (_plain(one.field, one.before), _plain(one.field, one.after))
    match event.type:
        case "dialog.assigned":
            for name in ("user", "team"):
                pair = (getattr(event, f"before_{name}_id"), getattr(event, f"{name}_id"))
                if pair[0] != pair[1]:
                    found["dialog.assignee" if name == "user" else "dialog.team"] = pair
        case (
            "dialog.status_changed"
            | "lead.status_changed"
            | "request.status_changed"
            | "task.status_changed"
        ):
            name = f"{event.type.partition('.')[0]}.status"
            found[name] = (getattr(event, "before", ""), getattr(event, "after", ""))
        case "interest.stage_changed":
            found["interest.stage"] = (getattr(event, "before", 0), getattr(event, "stage_id", 0))
        case "dialog.changed":
            found[f"dialog.{getattr(event, 'field', '')}"] = (None, None)
        case "delivery.changed":
            found["message.status"] = (getattr(event, "before", ""), getattr(event, "after", ""))
        case "dialog.tagged":
            added, removed = getattr(event, "added", ()), getattr(event, "removed", ())
            found["dialog.tags"] = (removed, added)
    return found


def _plain(name: str, value: object) -> object:
    """The journal writes references as texts."""
    if isinstance(value, str) and value.isdecimal() and name.endswith(("_id", "_of")):
        return int(value)
    return value


class Loader:
    """Reads what a batch of occasions needs."""

    def __init__(self, reader: Reader, needs: Iterable[str]) -> None:
        self._reader = reader
        self._needs = frozenset(needs)
        self._dialogs: dict[int, Dialog] = {}
        self._messages: dict[int, Message] = {}
        self._contacts: dict[int, Contact] = {}
        self._objects: dict[str, dict[int, Any]] = {}
        self._open: dict[str, dict[int, Any]] = {}
        self._many: dict[str, dict[int, int]] = {}
        self._more: Mapping[str, Mapping[int, object]] = {}
        self._dialog_of: dict[Ref, int] = {}
        self._zone = "UTC"
        self._calendar: Calendar | None = None

    def load(self, occasions: Sequence[Occasion]) -> list[Facts]:
        """Give the facts of each occasion."""
        events = [one.event for one in occasions]
        self._load_objects(events)
        self._load_dialogs(events)
        self._load_messages(events)
        self._load_contacts(events)
        self._load_owned(events)
        self._count()
        return [self._facts(one) for one in occasions]

    def _count(self) -> None:
        """Read the calendar, and what must be counted for people, dialogs and cards."""
        if "zone" in self._needs or "hours" in self._needs:
            zone = self._reader.conn.execute(select(brands.c.time_zone).limit(1)).scalar()
            self._zone = str(zone or "UTC")
        if "hours" in self._needs:
            self._calendar = working(self._reader.conn)
        interests = {**self._objects.get("interest", {})}
        interests |= {one.id: one for one in self._open.get("interest", {}).values()}
        self._more = Counters(
            self._reader,
            self._dialogs,
            self._messages,
            self._contacts,
            interests,
            self._objects.get("client", {}),
        ).count(self._needs)

    # -- what there is -----------------------------------------------------------------------

    def _kinds(self) -> list[str]:
        return [one for one in self._reader.nouns if one in self._needs]

    def _load_objects(self, events: Sequence[Event]) -> None:
        """The cards that events are about; they say which person and client it is about."""
        wanted: dict[str, set[int]] = {}
        for event in events:
            about = about_of(event)
            if about.kind in self._reader.nouns:
                wanted.setdefault(about.kind, set()).add(about.id)
        for kind, ids in wanted.items():
            self._objects[kind] = objects_by_id(self._reader, self._reader.nouns[kind], sorted(ids))

    def _load_dialogs(self, events: Sequence[Event]) -> None:
        abouts = {
            about
            for event in events
            if not event.dialog and (about := about_of(event)).kind in self._reader.nouns
        }
        for kind in {one.kind for one in abouts}:
            ids = sorted({one.id for one in abouts if one.kind == kind})
            self._dialog_of |= self._linked(kind, ids)
        ids = sorted({self._dialog_id(event) for event in events} - {0})
        self._dialogs = {
            one.id: one
            for one in dialog_reads.several(self._reader, [DialogId(each) for each in ids])
        }

    def _linked(self, kind: str, ids: Sequence[int]) -> dict[Ref, int]:
        """The newest dialog of each object, by its link, its person or its client."""
        found = self._of_clients(kind, ids)
        people: dict[int, list[int]] = {}
        for number in ids:
            record = self._objects.get(kind, {}).get(number)
            contact = number if kind == "contact" else getattr(record, "contact_id", 0)
            if contact:
                people.setdefault(contact, []).append(number)
        if people:
            rows = self._reader.conn.execute(
                select(dialogs.c.contact_id, func.max(dialogs.c.id).label("id"))
                .where(dialogs.c.contact_id.in_(sorted(people)))
                .group_by(dialogs.c.contact_id)
            )
            for row in rows:
                for number in people[row.contact_id]:
                    found[Ref(kind=kind, id=number)] = row.id
        rows = self._reader.conn.execute(
            select(dialog_links.c.object_id, func.max(dialog_links.c.dialog_id).label("id"))
            .where(dialog_links.c.kind == kind, dialog_links.c.object_id.in_(ids))
            .group_by(dialog_links.c.object_id)
        )
        for row in rows:
            found[Ref(kind=kind, id=row.object_id)] = row.id
        return found

    def _of_clients(self, kind: str, ids: Sequence[int]) -> dict[Ref, int]:
        owners: dict[int, list[int]] = {}
        for number in ids:
            record = self._objects.get(kind, {}).get(number)
            client = number if kind == "client" else int(getattr(record, "client_id", 0) or 0)
            if client:
                owners.setdefault(client, []).append(number)
        if not owners:
            return {}
        rows = self._reader.conn.execute(
            select(contacts.c.client_id, func.max(dialogs.c.id).label("id"))
            .join(dialogs, dialogs.c.contact_id == contacts.c.id)
            .where(contacts.c.client_id.in_(sorted(owners)))
            .group_by(contacts.c.client_id)
        )
        return {
            Ref(kind=kind, id=number): row.id for row in rows for number in owners[row.client_id]
        }

    def _dialog_id(self, event: Event) -> int:
        return event.dialog or self._dialog_of.get(about_of(event), 0)

    def _message_id(self, event: Event) -> int:
        own = getattr(event, "message_id", 0)
        if own:
            return int(own)
        dialog = self._dialogs.get(self._dialog_id(event))
        return dialog.last_message_id if dialog is not None else 0

    def _load_messages(self, events: Sequence[Event]) -> None:
        if "message" not in self._needs:
            return
        ids = sorted({self._message_id(event) for event in events} - {0})
        if ids:
            found = message_reads.several(self._reader, [MessageId(one) for one in ids])
            self._messages = {one.id: one for one in found}

    def _contact_id(self, event: Event) -> int:
        dialog = self._dialogs.get(self._dialog_id(event))
        if dialog is not None:
            return dialog.contact_id
        about = about_of(event)
        own = about.id if about.kind == "contact" else getattr(event, "contact_id", 0)
        if own:
            return int(own)
        return int(getattr(self._about(event), "contact_id", 0) or 0)

    def _about(self, event: Event) -> Any:
        about = about_of(event)
        return self._objects.get(about.kind, {}).get(about.id)

    def _load_contacts(self, events: Sequence[Event]) -> None:
        ids = sorted({self._contact_id(event) for event in events} - {0})
        if ids:
            found = people_reads.contacts_of(self._reader, [ContactId(one) for one in ids])
            self._contacts = {one.id: one for one in found}

    def _client_id(self, event: Event) -> int:
        about = about_of(event)
        if about.kind == "client":
            return about.id
        own = getattr(self._about(event), "client_id", 0)
        contact = self._contacts.get(self._contact_id(event))
        return int(own or (contact.client_id if contact is not None else 0))

    def _load_owned(self, events: Sequence[Event]) -> None:
        """Cards that the person or the client has open: the newest of each kind, and how many."""
        for kind in self._kinds():
            if kind == "contact":
                continue
            if kind == "client":
                ids = sorted({self._client_id(event) for event in events} - {0})
                known = self._objects.setdefault("client", {})
                missing = [one for one in ids if one not in known]
                if missing:
                    known |= objects_by_id(self._reader, self._reader.nouns["client"], missing)
                continue
            noun = self._reader.nouns[kind]
            found: dict[int, Any] = {}
            many: dict[int, int] = {}
            for column, sign, owners in (
                ("client_id", -1, {self._client_id(event) for event in events} - {0}),
                ("contact_id", 1, {self._contact_id(event) for event in events} - {0}),
            ):
                if column in noun.table.c and owners:
                    # A client's stands under his number with a minus, a person's under his own.
                    for key, (one, count) in self._newest(noun, column, sorted(owners)).items():
                        found[sign * key], many[sign * key] = one, count
            self._open[kind], self._many[kind] = found, many

    def _newest(self, noun: Noun, column: str, ids: Sequence[int]) -> dict[int, tuple[Any, int]]:
        table = noun.table
        where = [table.c[column].in_(ids), table.c.deleted_at == 0]
        if "closed_at" in table.c:
            where.append(table.c.closed_at == 0)
        rows = self._reader.conn.execute(
            select(
                table.c[column].label("key"),
                func.max(table.c.id).label("id"),
                func.count().label("many"),
            )
            .where(*where)
            .group_by(table.c[column])
        ).all()
        records = objects_by_id(self._reader, noun, [row.id for row in rows])
        return {row.key: (records[row.id], row.many) for row in rows if row.id in records}

    # -- together ----------------------------------------------------------------------------

    def _facts(self, occasion: Occasion) -> Facts:
        event = occasion.event
        dialog = self._dialogs.get(self._dialog_id(event))
        message = self._messages.get(self._message_id(event))
        contact = self._contacts.get(self._contact_id(event))
        keys = {
            "contact": contact.id if contact is not None else 0,
            "dialog": dialog.id if dialog is not None else 0,
            "message": message.id if message is not None else 0,
        }
        objects = self._objects_of(event, contact)
        keys |= {kind: one.id for kind, one in objects.items() if kind not in keys}
        more = {
            name: values.get(keys.get(name.partition(".")[0], 0))
            for name, values in self._more.items()
        }
        more |= self._fitting(event, contact)
        more["house.zone"] = self._zone
        now = occasion.now or self._reader.now
        if self._calendar is not None:
            more["calendar"] = self._calendar
            more["time.working"] = self._calendar.is_open(now)
            more["time.workday"] = bool(self._calendar.spans(self._calendar.day(now)))
        return Facts(
            now=now,
            event=event,
            trigger=occasion.trigger,
            dialog=dialog,
            message=message,
            contact=contact,
            objects=objects,
            more=more,
            changes=dict(occasion.changes) or changes_of(event),
            fill=filled,
        )

    def _key(self, kind: str, event: Event, contact: Contact | None) -> int:
        """Give under which key the open card stands: the person's own goes before the client's."""
        own = contact.id if contact is not None else 0
        return own if own in self._open[kind] else -self._client_id(event)

    def _fitting(self, event: Event, contact: Contact | None) -> dict[str, object]:
        """Count the open cards of each kind that the event may belong to, where it says none."""
        about = about_of(event).kind
        return {
            f"{kind}.fitting": many.get(self._key(kind, event, contact), 0)
            for kind, many in self._many.items()
            if kind != about
        }

    def _objects_of(self, event: Event, contact: Contact | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if contact is not None:
            found["contact"] = contact
        client = self._objects.get("client", {}).get(self._client_id(event))
        if client is not None:
            found["client"] = client
        for kind, owned in self._open.items():
            one = owned.get(self._key(kind, event, contact))
            if one is not None:
                found[kind] = one
        about = about_of(event)
        own = self._objects.get(about.kind, {}).get(about.id)
        if own is not None:
            found[about.kind] = own
        return found
