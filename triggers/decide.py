"""Deciding: facts of the journal and due timers become a plan for one transaction. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, tuple_

from crm_store import objects
from crm_store.dialogs import page as dialog_page
from crm_store.journal import events_by_id
from crm_store.objects import ObjectQuery
from crm_store.tables.rules import rule_marks
from crm_store.tables.users import users
from crm_store.viewer import Reader
from hub.events import Event, EventRegistry
from hub.filters import Moment
from hub.ids import ContactId, DialogId, EventId
from hub.records.dialogs import DialogQuery
from hub.records.rules import RuleTimer
from hub.rules import Facts
from triggers import timer_rows, timers
from triggers.book import Book, Entry
from triggers.compiled import Values
from triggers.evaluate import Match, match, part_of, run_of, until_stop
from triggers.fields import of_card
from triggers.loading import Loader, Occasion, about_of, changes_of
from triggers.plans import Arm, Item, Misses, PlannedRun, Settle

DULL = frozenset({"rule.changed", "rule.paused", "field.changed"})
PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What shall be done, up to which fact it was decided, and whether the rules have changed."""

    items: tuple[Item, ...] = ()
    read_to: EventId = EventId(0)
    judged: bool = False
    reload: bool = False


def decide(
    reader: Reader, book: Book, events: Sequence[Event], read_to: int, known: int = 0
) -> Decision:
    """Judge facts in their order.

    A change of the rules ends the plan, unless the book has it: it was read behind `known`.
    A plan ends before the second fact of a person with whom it acts already: that one is judged
    when what the first one did is there to see.
    """
    heard: list[Event] = []
    reload = False
    for event in events:
        if event.type in DULL:
            if event.id <= known:
                continue
            read_to, reload = event.id, True
            break
        if book.hears(event) or timers.concerns(book, event):
            heard.append(event)
    if not heard:
        return Decision(read_to=EventId(read_to), reload=reload)
    needs: set[str] = set()
    for event in heard:
        needs |= book.needs.get(event.type, frozenset())
        if timers.concerns(book, event):
            needs |= timers.NEEDS | _date_kinds(book) | _timed_needs(book)
    occasions = [Occasion(event=one, now=reader.now) for one in heard]
    loaded = Loader(reader, needs).load(occasions)
    matched = [match(book, facts) for facts in loaded]
    marks = _made_marks(reader, [one for each in matched for one in each])
    items: list[Item] = []
    held: dict[int, int] = {}
    busy: set[tuple[str, int]] = set()
    for n, facts in enumerate(loaded):
        keys = _keys(facts)
        if busy & keys:
            read_to, reload = heard[n].id - 1, False
            break
        free = []
        for one in matched[n]:
            if one.mark and not _again(one, marks, reader.now):
                rule_id = one.entry.compiled.rule.id
                held[rule_id] = held.get(rule_id, 0) + 1
            else:
                free.append(one)
        items += timers.cancels(book, facts.event)
        planned = _plans(book, facts, until_stop(free))
        if any(isinstance(one, PlannedRun) for one in planned):
            busy |= keys
        items += planned
        items += timers.settling(book, facts)
        if timers.concerns(book, facts.event):
            items += timers.arms(book, facts)
    if held:
        items.append(Misses(held=held))
    return Decision(items=tuple(items), read_to=EventId(read_to), judged=True, reload=reload)


def _timed_needs(book: Book) -> frozenset[str]:
    """Working time, where some waiting is counted in it."""
    entries = [one for each in book.timed.values() for one in each]
    return frozenset({"hours"}) if any(one.when.working for one in entries) else frozenset()


def _date_kinds(book: Book) -> set[str]:
    return {of_card(one.when.field)[0] for one in book.timed.get("date", ())}


def _keys(facts: Facts) -> set[tuple[str, int]]:
    """Give the names under which an event's person and objects are worked on in order."""
    about = about_of(facts.event)
    found = {(about.kind, about.id)} if about.kind not in ("", "message") else set()
    if facts.dialog_id:
        found.add(("dialog", facts.dialog_id))
    if facts.contact is not None:
        found.add(("contact", facts.contact.id))
    return found


def _plans(book: Book, facts: Facts, matches: Iterable[Match]) -> list[Item]:
    found: list[Item] = []
    for one in matches:
        compiled, when = one.entry.compiled, one.entry.when
        compiled.hits += 1
        named = replace(facts, trigger=when.moment)
        found.append(
            run_of(book.words, compiled, named, cause=f"e{facts.event.id}", error=one.error)
        )
    return found


def _made_marks(reader: Reader, matches: Iterable[Match]) -> dict[tuple[int, str], int]:
    """Give when guards of these rules were made, by rule and mark."""
    wanted = {(one.entry.compiled.rule.id, one.mark) for one in matches if one.mark}
    found: dict[tuple[int, str], int] = {}
    for part in _chunks(sorted(wanted), 300):
        rows = reader.conn.execute(
            select(rule_marks).where(tuple_(rule_marks.c.rule_id, rule_marks.c.mark).in_(part))
        )
        found |= {(row.rule_id, row.mark): row.at for row in rows}
    return found


def _chunks(given: list[tuple[int, str]], size: int) -> list[list[tuple[int, str]]]:
    return [given[n : n + size] for n in range(0, len(given), size)]


def _again(one: Match, marks: dict[tuple[int, str], int], now: int) -> bool:
    """Say whether a guard lets a rule run (again)."""
    compiled = one.entry.compiled
    at = marks.get((compiled.rule.id, one.mark))
    if at is None:
        return True
    after = compiled.definition.guards.again_after
    return bool(after) and at <= now - after


# -- timers ------------------------------------------------------------------------------------


def decide_timers(
    reader: Reader,
    book: Book,
    registry: EventRegistry,
    rows: Sequence[RuleTimer],
    read_to: int,
) -> Decision:
    """Judge what is due: each is run, moved or dropped with a reason."""
    known = events_by_id(reader.conn, registry, timer_rows.causes(rows))
    taken: list[tuple[RuleTimer, Entry | None]] = []
    occasions: list[Occasion] = []
    needs: set[str] = set()
    items: list[Item] = []
    busy: set[tuple[str, int]] = set()
    for row in rows:
        entry = _entry(book, row)
        if row.kind == "schedule":
            items += _schedule(reader, row, entry)
            continue
        event = known.get(row.event_id) or _event(row)
        if row.kind != "step" and entry is None:
            items.append(Settle(timer_id=row.id, reason="the rule says something else now"))
            continue
        compiled = book.rules[row.rule_id]
        keys: set[tuple[str, int]] = {("dialog", row.dialog_id), ("contact", row.contact_id)}
        keys = {one for one in keys if one[1]}
        if busy & keys:
            continue
        busy |= keys
        needs |= compiled.definition.needs | timers.NEEDS | {row.subject_kind}
        taken.append((row, entry))
        occasions.append(
            Occasion(
                event=event,
                trigger=str(row.data.get("trigger") or row.data.get("moment") or ""),
                now=reader.now,
                changes=_changes(row) or changes_of(event),
            )
        )
    for (row, entry), facts in zip(taken, Loader(reader, needs).load(occasions), strict=True):
        items += _due(book, row, entry, facts)
    return Decision(items=tuple(items), read_to=EventId(read_to), judged=True)


def _entry(book: Book, row: RuleTimer) -> Entry | None:
    """Give the rule's own "when" that a timer was armed by, None where it says so no more."""
    number = row.data.get("when")
    compiled = book.rules.get(row.rule_id)
    if compiled is None or not isinstance(number, int):
        return None
    if number >= len(compiled.definition.when):
        return None
    when = compiled.definition.when[number]
    if when.moment != row.data.get("moment"):
        return None
    return Entry(compiled, number, when, compiled.judge, (*compiled.order, number))


def _event(row: RuleTimer) -> Event:
    return timers.TimeCame(
        at=row.due_at,
        dialog_id=DialogId(row.dialog_id),
        contact_id=ContactId(row.contact_id),
        object_kind=row.subject_kind,
        object_id=row.subject_id,
    )


def _changes(row: RuleTimer) -> dict[str, tuple[object, object]]:
    given = row.data.get("changes")
    if not isinstance(given, dict):
        return {}
    return {str(name): (pair[0], pair[1]) for name, pair in given.items()}


def _schedule(reader: Reader, row: RuleTimer, entry: Entry | None) -> list[Item]:
    """A schedule came: one run, or one timer for each object; then its next time."""
    if entry is None:
        return [Settle(timer_id=row.id, reason="the rule says something else now")]
    when = entry.when
    found: list[Item] = []
    if when.each:
        found += [
            Arm(timer=timers.each_timer(entry, row, when.each, number, reader.now))
            for number in _each(reader, entry)
        ]
    else:
        # A time without an object is worked off like one of an object that is nothing.
        single = timers.each_timer(entry, row, "", 0, reader.now)
        found.append(Arm(timer=single))
    found.append(Settle(timer_id=row.id))
    found.append(Arm(timer=timers.schedule_timer(entry, reader.now)))
    return found


def _each(reader: Reader, entry: Entry) -> list[int]:
    when = entry.when
    if when.each == "user":
        rows = reader.conn.execute(select(users.c.id).where(users.c.active).order_by(users.c.id))
        return list(rows.scalars())[: when.most]
    found: list[int] = []
    before = ""
    while len(found) < when.most:
        limit = min(PAGE, when.most - len(found))
        if when.each == "dialog":
            shown = dialog_page(
                reader,
                DialogQuery(view="everything", filter=when.each_filter, before=before, limit=limit),
            )
            found += [one.id for one in shown.dialogs]
            before = shown.next
        else:
            query = ObjectQuery(filter=when.each_filter, before=before, limit=limit)
            listed = objects.page(reader, reader.nouns[when.each], query)
            found += [one.id for one in listed.items]
            before = listed.next
        if not before:
            break
    return found


def _due(book: Book, row: RuleTimer, entry: Entry | None, facts: Facts) -> list[Item]:
    compiled = book.rules[row.rule_id]
    if row.kind == "step":
        if row.step >= len(compiled.definition.steps):
            return [Settle(timer_id=row.id, reason="the rule has no such step any more")]
        return [
            part_of(
                book.words,
                compiled,
                facts,
                cause=row.episode,
                step=row.step,
                occurrence=row.occurrence,
                timer_id=row.id,
            )
        ]
    assert entry is not None
    gone = timers.still(entry, row, facts)
    if gone:
        return [Settle(timer_id=row.id, reason=gone)]
    found: list[Item] = []
    if entry.when.moment == "date":
        moved, again = _date_due(entry, row, facts)
        if moved:
            return [Settle(timer_id=row.id), *again]
        found += again
    moment = Moment(now=facts.now)
    try:
        holds = compiled.judge(Values(facts, book.words.fields), moment)
        error = ""
    except Exception as failure:  # noqa: BLE001 - a plugin's field may raise anything
        holds, error = True, f"{type(failure).__name__}: {failure}"[:400]
    if not holds:
        return [Settle(timer_id=row.id, reason="the conditions do not hold"), *found]
    compiled.hits += 1
    planned = run_of(book.words, compiled, facts, cause=row.episode, error=error)
    return [replace(planned, timer_id=row.id), *found]


def _date_due(entry: Entry, row: RuleTimer, facts: Facts) -> tuple[bool, list[Item]]:
    """Compare a date that is due with the card as it is now; gives what is armed instead."""
    kind, _ = of_card(entry.when.field)
    record = facts.objects.get(kind)
    if record is None:
        return True, []
    planned = timers.date_timer(entry, record, facts.now, after=row.due_at - 1)
    if planned is None or planned.due_at != row.due_at:
        return True, [Arm(timer=planned)] if planned is not None and planned.due_at else []
    if not entry.when.yearly:
        return False, []
    following = timers.date_timer(entry, record, facts.now, after=row.due_at)
    return False, [Arm(timer=following)] if following is not None else []
