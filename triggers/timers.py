"""Time: which facts make a rule wait, which end the waiting, and what a timer is when it is due.

Everything here is pure but for the readers of due rows at the end. A slot holds one waiting: the
dialog that we owe an answer, say; the episode ("waiting since") is part of the run's key, so that
one episode fires once, whatever is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hub.events import Event
from hub.ids import (
    ContactId,
    DialogId,
    Micros,
    bounded_key,
)
from hub.objects import Ref
from hub.properties import value_of
from hub.records.dialogs import DialogStatus
from hub.records.rules import RuleTimer
from hub.rules import Facts
from triggers.book import Book, Entry
from triggers.evaluate import due_after
from triggers.fields import of_card
from triggers.loading import about_of
from triggers.plans import Arm, Cancel, PlannedTimer
from triggers.times import date_time, next_time

WAITING = frozenset(
    {
        "message.received",
        "message.queued",
        "dialog.opened",
        "dialog.assigned",
        "dialog.status_changed",
    }
)
"""Facts of dialogs that begin or end a waiting."""

NEEDS = frozenset({"dialog"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCame(Event):
    """A time came for a rule; never in the journal, the run is on record."""

    type: ClassVar[str] = "time.came"

    dialog_id: DialogId = DialogId(0)
    contact_id: ContactId = ContactId(0)
    object_kind: str = ""
    object_id: int = 0


def concerns(book: Book, event: Event) -> bool:
    """Say whether a fact may begin or end a waiting of some rule."""
    if event.type in WAITING:
        return bool(book.timed or book.cancels)
    if event.type == "object.changed" or event.type.endswith(".created"):
        return "date" in book.timed or "changed" in book.cancels
    return False


# -- beginning ---------------------------------------------------------------------------------


def arms(book: Book, facts: Facts) -> list[Arm]:
    """Give what rules begin to wait for with a fact."""
    found: list[PlannedTimer | None] = []
    for name, make in (
        ("no_answer.ours", _ours),
        ("no_answer.client", _client),
        ("not_taken", _taken),
        ("window.closing", _window),
    ):
        for entry in book.timed.get(name, ()):
            if facts.dialog is not None and facts.event.at >= entry.compiled.rule.enabled_at:
                found.append(make(entry, facts))  # noqa: PERF401
    if facts.event.type == "object.changed" or facts.event.type.endswith(".created"):
        found += [_date(entry, facts) for entry in book.timed.get("date", ())]
    return [Arm(timer=one) for one in found if one is not None]


def _waiting(
    entry: Entry, facts: Facts, word: str, since: object, due_at: int
) -> PlannedTimer | None:
    dialog = facts.dialog
    assert dialog is not None
    return PlannedTimer(
        rule_id=entry.compiled.rule.id,
        version=entry.compiled.rule.version,
        kind="moment",
        slot=f"d{dialog.id}:{word}:{entry.number}",
        episode=f"d{dialog.id}:{word}:{since}",
        due_at=Micros(due_at),
        dialog_id=dialog.id,
        contact_id=dialog.contact_id,
        about=Ref(kind="dialog", id=dialog.id),
        event_id=facts.event.id,
        depth=facts.event.cause.depth,
        data={"when": entry.number, "moment": entry.when.moment, "since": str(since)},
    )


def _ours(entry: Entry, facts: Facts) -> PlannedTimer | None:
    event, dialog = facts.event, facts.dialog
    if event.type != "message.received" or getattr(event, "automated", False) or dialog is None:
        return None
    since = dialog.waiting_since
    if not since:
        return None
    when = entry.when
    due = due_after(facts, when.after, working=when.working, since=since)
    return _waiting(entry, facts, "ours", since, due)


def _client(entry: Entry, facts: Facts) -> PlannedTimer | None:
    event = facts.event
    if event.type != "message.queued" or getattr(event, "automated", False):
        return None
    when = entry.when
    due = due_after(facts, when.after, working=when.working, since=event.at)
    return _waiting(entry, facts, "client", getattr(event, "message_id", 0), due)


def _taken(entry: Entry, facts: Facts) -> PlannedTimer | None:
    event, dialog = facts.event, facts.dialog
    assert dialog is not None
    opens = event.type == "dialog.opened"
    left = event.type == "dialog.assigned" and not getattr(event, "user_id", 1)
    again = event.type == "dialog.status_changed" and getattr(event, "before", "") == "closed"
    if dialog.assignee_id or not (opens or left or again):
        return None
    when = entry.when
    due = due_after(facts, when.after, working=when.working, since=event.at)
    return _waiting(entry, facts, "taken", event.id, due)


def _window(entry: Entry, facts: Facts) -> PlannedTimer | None:
    dialog = facts.dialog
    if facts.event.type != "message.received" or dialog is None or not dialog.window_until:
        return None
    until = dialog.window_until
    return _waiting(entry, facts, "window", until, max(until - entry.when.after, 1))


def _date(entry: Entry, facts: Facts) -> PlannedTimer | None:
    kind, _ = of_card(entry.when.field)
    about = about_of(facts.event)
    record = facts.objects.get(kind)
    if record is None or about != Ref(kind=kind, id=record.id):
        return None
    if facts.event.type == "object.changed" and entry.when.field not in facts.changes:
        return None
    return date_timer(entry, record, facts.now)


def date_timer(entry: Entry, record: Any, now: int, after: int = 0) -> PlannedTimer | None:
    """Give the timer of a card's date; one whose date is gone or over is armed for never."""
    when = entry.when
    kind, name = of_card(when.field)
    stored = int(str(value_of(record, name) or 0))
    due = date_time(stored, when.offset, when.at, when.zone, yearly=when.yearly, after=after or now)
    gone = bool(getattr(record, "deleted_at", 0))
    return PlannedTimer(
        rule_id=entry.compiled.rule.id,
        version=entry.compiled.rule.version,
        kind="moment",
        slot=f"{kind}{record.id}:date:{entry.number}",
        episode=f"{kind}{record.id}:date:{due}",
        due_at=Micros(0) if gone else due,
        about=Ref(kind=kind, id=record.id),
        contact_id=int(getattr(record, "contact_id", 0) or 0),
        data={"when": entry.number, "moment": "date"},
    )


def schedule_timer(entry: Entry, after: int) -> PlannedTimer:
    """Give the timer of a schedule's next time."""
    due = next_time(entry.when.cron, entry.when.zone, after)
    return PlannedTimer(
        rule_id=entry.compiled.rule.id,
        version=entry.compiled.rule.version,
        kind="schedule",
        slot=f"schedule:{entry.number}",
        episode=f"schedule{entry.number}:{due}",
        due_at=due,
        data={"when": entry.number, "moment": "schedule"},
    )


def each_timer(entry: Entry, row: RuleTimer, kind: str, number: int, now: int) -> PlannedTimer:
    """Give the timer of one object of a schedule: due now, worked off with the others."""
    return PlannedTimer(
        rule_id=row.rule_id,
        version=row.version,
        kind="moment",
        slot=bounded_key(f"{row.episode}:{kind}{number}", 200),
        episode=f"{row.episode}:{kind}{number}",
        due_at=Micros(now),
        dialog_id=number if kind == "dialog" else 0,
        about=Ref(kind=kind, id=number),
        data={"when": entry.number, "moment": "schedule"},
    )


def settle_timer(entry: Entry, facts: Facts) -> PlannedTimer:
    """Give the timer of a burst: it moves with each change and fires once, after the last."""
    about = about_of(facts.event)
    key = f"{about.kind}{about.id}"
    if facts.dialog is not None and about.kind in ("", "message"):
        key = f"dialog{facts.dialog.id}"
    return PlannedTimer(
        rule_id=entry.compiled.rule.id,
        version=entry.compiled.rule.version,
        kind="settle",
        slot=f"{key}:settle:{entry.number}",
        episode=f"{key}:settle:{facts.event.id}",
        due_at=Micros(facts.event.at + entry.when.settle),
        dialog_id=facts.dialog_id,
        contact_id=facts.contact.id if facts.contact is not None else 0,
        about=about,
        event_id=facts.event.id,
        depth=facts.event.cause.depth,
        data={
            "when": entry.number,
            "moment": entry.when.moment,
            "changes": {name: list(pair) for name, pair in facts.changes.items()},
        },
        keep=True,
    )


def settling(book: Book, facts: Facts) -> list[Arm]:
    """Give the bursts that an event begins or prolongs."""
    found = []
    event = facts.event
    for word, entry in book.settling.get(event.type, ()):
        own = event.cause.kind == "rule" and event.cause.id == entry.compiled.rule.id
        if own or event.at < entry.compiled.rule.enabled_at or not word.test(event):
            continue
        if word.holds is None or word.holds(facts):
            found.append(Arm(timer=settle_timer(entry, facts)))
    return found


# -- ending ------------------------------------------------------------------------------------


def cancels(book: Book, event: Event) -> list[Cancel]:
    """Give the waitings that a fact ends."""
    found: list[Cancel] = []
    dialog, number = event.dialog, event.id
    machine = bool(getattr(event, "automated", False))

    def end(reason: str, *words: str) -> None:
        slots = tuple(
            f"d{dialog}:{word}:{entry.number}"
            for word, name in _WORDS
            if word in words
            for entry in book.timed.get(name, ())
        )
        if slots or reason in book.cancels:
            found.append(
                Cancel(
                    reason=reason,
                    before_event=number,
                    dialog_id=dialog,
                    slots=tuple(sorted(set(slots))),
                )
            )

    match event.type:
        case "message.received" if not machine:
            end("client_answers", "client")
        case "message.queued" if not machine:
            end("agent_answers", "ours")
        case "dialog.assigned" if getattr(event, "user_id", 0):
            end("assigned", "taken")
        case "dialog.status_changed":
            end("status_changes")
            if getattr(event, "after", "") == "closed":
                end("closed", "ours", "client", "taken", "window")
        case "object.changed" if "changed" in book.cancels:
            found.append(Cancel(reason="changed", before_event=number, about=about_of(event)))
    return found


_WORDS = (
    ("ours", "no_answer.ours"),
    ("client", "no_answer.client"),
    ("taken", "not_taken"),
    ("window", "window.closing"),
)


def still(entry: Entry, row: RuleTimer, facts: Facts) -> str:
    """Say why a waiting that is due is not true any more; "" where it is."""
    since = str(row.data.get("since", ""))
    dialog = facts.dialog
    moment = entry.when.moment
    if moment in ("no_answer.ours", "no_answer.client", "not_taken", "window.closing"):
        if dialog is None or dialog.status is DialogStatus.CLOSED:
            return "the dialog is closed"
        if moment == "no_answer.ours" and str(dialog.waiting_since) != since:
            return "it was answered"
        if moment == "not_taken" and dialog.assignee_id:
            return "somebody took it"
        if moment == "window.closing" and str(dialog.window_until) != since:
            return "the client wrote again"
    return ""
