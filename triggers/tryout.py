"""Trying a rule without doing anything: on a past event, on typed values, on the last days.

A plan is data, so a dry run is the run itself, not carried out. Facts are those of the journal;
what history does not hold (a counter, a status) is judged as it is today, and said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import select

from crm_store.journal import events_after, last_event, visible
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.rules import rule_runs
from crm_store.viewer import Reader
from hub.commands import Command
from hub.errors import NotFound
from hub.events import Event, EventRegistry
from hub.filters import Moment
from hub.ids import AccountId, DialogId, EventId, Micros, RuleId, UserId
from hub.records.rules import Judged, Rule
from hub.rules import Facts
from triggers import explain
from triggers.book import Book
from triggers.definition import Definition
from triggers.evaluate import match, run_of
from triggers.examples import judge_values
from triggers.loading import Loader, Occasion, changes_of
from triggers.vocabulary import Vocabulary

PAGE = 500
MOST_EVENTS = 200_000
MOST_SHOWN = 50
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """One action of a dry run: what it would do, or why it would not."""

    action: str
    state: str
    reason: str = ""
    acts: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a rule would have done with one event, clause by clause."""

    event_id: EventId = EventId(0)
    trigger: str = ""
    dialog_id: DialogId = DialogId(0)
    at: Micros = Micros(0)
    heard: bool = True
    reason: str = ""
    judged: Judged | None = None
    fires: bool = False
    would: tuple[Would, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What a rule would have done in the last days: how often, and the newest cases."""

    judged: int
    fired: int
    cases: tuple[Tried, ...]
    whole: bool
    """False where there were more facts than a dry run looks at."""


def draft(definition: Definition, rule: Rule | None = None) -> Rule:
    """Give a rule to try that may not be written yet."""
    if rule is not None:
        return replace(rule, name=definition.name)
    return Rule(
        id=RuleId(0),
        name=definition.name,
        position=0,
        enabled=True,
        paused="",
        paused_detail="",
        version=0,
        definition={},
        author_id=UserId(0),
        created_at=Micros(0),
        updated_at=Micros(0),
        enabled_at=Micros(0),
        removed_at=Micros(0),
        account_id=AccountId(0),
        recipe="",
        slot="",
        errors_in_row=0,
    )


def on_event(
    reader: Reader, words: Vocabulary, rule: Rule, definition: Definition, event: Event
) -> Tried:
    """Try a rule on a past event."""
    book = Book(words, [(rule, definition)])
    needs = definition.needs | {"dialog", "message", "contact"}
    facts = Loader(reader, needs).load(
        [Occasion(event=event, now=event.at or reader.now, changes=changes_of(event))]
    )[0]
    return _tried(book, rule, definition, facts)


def _tried(book: Book, rule: Rule, definition: Definition, facts: Facts) -> Tried:
    event = facts.event
    heard = _heard(book.words, definition, facts)
    timed = next((one for one in definition.when if book.words.moments[one.moment].timed), None)
    moment = heard or (timed.moment if timed is not None else "")
    named = replace(facts, trigger=moment)
    judged = explain.judge(definition.condition, named, Moment(now=facts.now), book.words)
    reason = ""
    if not heard:
        reason = "this event is none that the rule begins with"
        if timed is not None:
            reason = "the rule begins with a time: judged as if it came now"
    elif event.cause.kind == "rule" and event.cause.id == rule.id and rule.id:
        reason, heard = "a rule does not hear what it did itself", ""
    fires = bool(moment) and judged.verdict and not judged.error
    would: tuple[Would, ...] = ()
    if fires:
        planned = run_of(book.words, book.rules[rule.id], named, cause="dry")
        reason = reason or planned.error
        would = tuple(
            Would(
                action=one.action,
                state=one.state or "would",
                reason=one.reason,
                acts=tuple(told(each) for each in one.commands),
            )
            for one in planned.steps
        )
    return Tried(
        event_id=event.id,
        trigger=moment,
        dialog_id=facts.dialog_id,
        at=event.at,
        heard=bool(heard),
        reason=reason or judged.error,
        judged=judged,
        fires=fires,
        would=would,
    )


def _heard(words: Vocabulary, definition: Definition, facts: Facts) -> str:
    for one in definition.when:
        moment = words.moments[one.moment]
        if moment.fact != facts.event.type or not moment.test(facts.event):
            continue
        if moment.holds is None or moment.holds(facts):
            return one.moment
    return ""


def told(command: Command) -> dict[str, object]:
    """Give a command as data that people can read."""
    found: dict[str, object] = {"command": type(command).__name__}
    for one in fields(command):
        value = getattr(command, one.name)
        if one.name in ("actor", "cause", "wire_text", "wire_html") or value in ("", 0, (), None):
            continue
        if isinstance(value, Mapping):
            found[one.name] = {str(key): explain.shown(each) for key, each in value.items()}
        elif hasattr(value, "__dataclass_fields__"):
            found[one.name] = str(value)[:200]
        else:
            found[one.name] = explain.shown(value)
    return found


def on_values(words: Vocabulary, definition: Definition, values: Mapping[str, object]) -> Tried:
    """Try a rule on typed values of fields; nothing of it needs to exist."""
    judged = judge_values(definition, values, words)
    return Tried(
        trigger=definition.when[0].moment,
        judged=judged,
        fires=judged.verdict and not judged.error,
        reason=judged.error,
        would=tuple(
            Would(
                action=one.action, state="waiting" if one.wait else "would", acts=(dict(one.given),)
            )
            for one in definition.steps
        )
        if judged.verdict
        else (),
    )


def on_days(
    reader: Reader,
    registry: EventRegistry,
    words: Vocabulary,
    rule: Rule,
    definition: Definition,
    days: int = 7,
) -> Days:
    """Say how often a rule would have fired in the last days, with the newest cases."""
    book = Book(words, [(replace(rule, enabled_at=Micros(0)), definition)])
    types = sorted(book.by_fact)
    after = event_at(reader, reader.now - days * DAY_US) - 1
    last = last_event(reader.conn)
    judged = fired = looked = 0
    cases: list[Tried] = []
    made: dict[str, int] = {}
    while types and after < last and looked < MOST_EVENTS:
        events, place = events_after(reader.conn, registry, after, PAGE, types)
        if place == after:
            break
        after, looked = place, looked + len(events)
        events = visible(reader, events)
        occasions = [Occasion(event=one, now=one.at) for one in events]
        for facts in Loader(reader, definition.needs).load(occasions):
            for one in match(book, facts):
                if one.mark and not _mark(made, one.mark, facts.now, definition):
                    continue
                fired += 1
                cases.append(_tried(book, rule, definition, facts))
                del cases[:-MOST_SHOWN]
        judged += len(events)
    whole = looked < MOST_EVENTS
    return Days(judged=judged, fired=fired, cases=tuple(reversed(cases)), whole=whole)


def _mark(made: dict[str, int], mark: str, now: int, definition: Definition) -> bool:
    """Keep "once per" as the engine would have."""
    after = definition.guards.again_after
    if mark in made and not (after and made[mark] <= now - after):
        return False
    made[mark] = now
    return True


# -- why did this not fire -----------------------------------------------------------------------


def event_at(reader: Reader, at: int) -> int:
    """Give the first fact at or after an instant, by halving: numbers and instants rise together."""
    low, high = 1, last_event(reader.conn) + 1
    while low < high:
        middle = (low + high) // 2
        row = reader.conn.execute(
            select(journal.c.id, journal.c.at)
            .where(journal.c.id >= middle)
            .order_by(journal.c.id)
            .limit(1)
        ).first()
        if row is not None and row.at < at:
            low = row.id + 1
        else:
            high = middle
    return low


def why_not(
    reader: Reader,
    registry: EventRegistry,
    words: Vocabulary,
    rule: Rule,
    definition: Definition,
    dialog_id: DialogId,
    limit: int = 10,
) -> list[Tried]:
    """Judge a rule again on what happened last in a dialog, the newest first."""
    if not reader.conn.execute(
        select(dialogs.c.id).where(dialogs.c.id == dialog_id, reader.viewer.dialogs_clause())
    ).first():
        raise NotFound("there is no such dialog")
    found: dict[int, Event] = {}
    for at in _instants(reader, dialog_id):
        start = event_at(reader, at)
        rows = reader.conn.execute(
            select(journal.c.id)
            .where(
                journal.c.id >= start,
                journal.c.id < start + PAGE,
                journal.c.at <= at + 1_000_000,
                journal.c.dialog_id == dialog_id,
            )
            .order_by(journal.c.id)
        )
        for number in rows.scalars():
            events, _ = events_after(reader.conn, registry, number - 1, 1)
            found |= {one.id: one for one in events if one.id == number}
    tried = []
    fired = _fired(reader, rule.id, sorted(found))
    seen = {one.id for one in visible(reader, list(found.values()))}
    for number in sorted(seen, reverse=True):
        one = on_event(reader, words, rule, definition, found[number])
        if not one.heard:
            continue
        if number in fired:
            one = replace(one, reason="it fired: see its run")
        elif one.fires:
            one = replace(one, reason=_because(rule, definition, found[number]))
        tried.append(one)
        if len(tried) >= limit:
            break
    return tried


def _fired(reader: Reader, rule_id: int, ids: Sequence[int]) -> set[int]:
    rows = reader.conn.execute(
        select(rule_runs.c.event_id).where(
            rule_runs.c.rule_id == rule_id, rule_runs.c.event_id.in_(ids)
        )
    )
    return set(rows.scalars())


def _because(rule: Rule, definition: Definition, event: Event) -> str:
    """Say what kept a rule from firing although its conditions hold today."""
    if rule.removed_at:
        return "the rule was removed"
    if not rule.enabled:
        return "the rule is switched off"
    if rule.paused:
        return f"the rule is paused ({rule.paused})"
    if event.at < rule.enabled_at:
        return "the rule was switched on later"
    if definition.guards.once_per:
        return f"it fires once per {definition.guards.once_per}, and had fired"
    return "a rule before it says stop, or the conditions did not hold at that time"


def _instants(reader: Reader, dialog_id: DialogId) -> list[int]:
    """Give when something happened in a dialog: its last messages, its shown facts."""
    said = reader.conn.execute(
        select(messages.c.received_at)
        .where(messages.c.dialog_id == dialog_id)
        .order_by(messages.c.at.desc(), messages.c.id.desc())
        .limit(20)
    )
    shown = reader.conn.execute(
        select(journal.c.at)
        .where(journal.c.dialog_id == dialog_id, journal.c.shown)
        .order_by(journal.c.id.desc())
        .limit(20)
    )
    return sorted({*said.scalars(), *shown.scalars()}, reverse=True)[:20]
