"""Evaluation: which rules an event fires, and what they would do. Pure.

All rules of an event judge one frozen snapshot. The same facts give the same plan, so a preview
is the run itself, not carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.commands import Command
from hub.errors import HubError
from hub.filters import Moment
from hub.ids import Micros, TimerId, bounded_key
from hub.objects import MAX_DEPTH, Actor, ActorKind, Cause
from hub.rules import Facts, Held
from triggers import explain
from triggers.book import Book, Compiled, Entry, MomentIndex
from triggers.compiled import Values
from triggers.definition import Definition, Step
from triggers.loading import about_of
from triggers.plans import PlannedRun, PlannedStep, PlannedTimer
from triggers.times import day_of, quiet_until
from triggers.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule whose conditions hold (or could not be judged: `error`), and its guard's mark."""

    entry: Entry
    error: str = ""
    mark: str = ""


def match(book: Book, facts: Facts) -> list[Match]:
    """Give the rules that an event fires, in the order of the list, before their guards."""
    indexes = book.by_fact.get(facts.event.type)
    if not indexes:
        return []
    values = Values(facts, book.words.fields)
    moment = Moment(now=facts.now)
    found: list[Match] = []
    for index in indexes.values():
        if index.word.test(facts.event) and (index.word.holds is None or index.word.holds(facts)):
            found += _of_moment(index, values, moment)
    found = [one for one in found if _counts(one.entry.compiled, facts)]
    found.sort(key=lambda one: one.entry.order)
    once: dict[int, Match] = {}
    for one in found:
        # Two moments of one rule may be the same event: it fires once.
        once.setdefault(one.entry.compiled.rule.id, one)
    return [
        replace(one, mark=mark_of(one.entry.compiled.definition, facts)) for one in once.values()
    ]


def _of_moment(index: MomentIndex, values: Values, moment: Moment) -> list[Match]:
    index.judged += 1
    found: list[Match] = []
    for bucket in index.buckets(values):
        try:
            found += [Match(entry=one) for one in bucket.matching(values, moment)]
        except Exception:  # noqa: BLE001 - found below, and charged to its rule
            for one in bucket.candidates(values):
                error = _error_of(one, values, moment)
                if error is not None:
                    found.append(Match(entry=one, error=error))
    return found


def _error_of(entry: Entry, values: Values, moment: Moment) -> str | None:
    """Judge one rule apart: "" where it holds, None where it does not, else what it raised."""
    try:
        return "" if entry.judge(values, moment) else None
    except Exception as error:  # noqa: BLE001 - a plugin's field may raise anything
        return f"{type(error).__name__}: {error}"[:400]


def _counts(compiled: Compiled, facts: Facts) -> bool:
    """A rule hears what happened since it was switched on, and never its own echo."""
    rule, event = compiled.rule, facts.event
    if event.at < rule.enabled_at:
        return False
    if event.type == "rule.asked":
        return bool(event.subject.id == rule.id)
    return not (event.cause.kind == "rule" and event.cause.id == rule.id)


def mark_of(definition: Definition, facts: Facts) -> str:
    """Give the mark that a rule's "once per" makes, "" where it may fire every time."""
    dialog, contact = facts.dialog_id, facts.contact.id if facts.contact else 0
    client = facts.contact.client_id if facts.contact else 0
    about = about_of(facts.event)
    today = day_of(facts.now, str(facts.more.get("house.zone") or "UTC"))
    match definition.guards.once_per:
        case "dialog":
            return f"dialog:{dialog}" if dialog else ""
        case "dialog_day":
            return f"dialog:{dialog}:{today}" if dialog else ""
        case "object":
            return f"{about.kind}:{about.id}"
        case "contact":
            return f"contact:{contact}" if contact else ""
        case "contact_day":
            return f"contact:{contact}:{today}" if contact else ""
        case "client":
            return f"client:{client}" if client else ""
    return ""


def until_stop(matches: Iterable[Match]) -> list[Match]:
    """Keep the rules up to and with the first that says "stop after this"."""
    found = []
    for one in matches:
        found.append(one)
        if one.entry.compiled.definition.stop and not one.error:
            break
    return found


def run_of(
    words: Vocabulary, compiled: Compiled, facts: Facts, *, cause: str, error: str = ""
) -> PlannedRun:
    """Plan a run from its first step."""
    definition = compiled.definition
    planned = _empty_run(words, compiled, facts, cause=cause)
    if error:
        return replace(planned, error=f"a condition could not be judged: {error}")
    if planned.depth > MAX_DEPTH:
        text = f"stopped: {MAX_DEPTH} automatic acts in a row came before this one"
        return replace(planned, error=text)
    guards = definition.guards
    planned = replace(
        planned,
        mark=mark_of(definition, facts),
        mark_after=guards.again_after,
        most_an_hour=guards.most_an_hour,
        most_a_day=guards.most_a_day,
    )
    return with_steps(compiled, facts, planned, start=0)


def _empty_run(words: Vocabulary, compiled: Compiled, facts: Facts, *, cause: str) -> PlannedRun:
    rule, event = compiled.rule, facts.event
    judged = explain.judge(compiled.definition.condition, facts, Moment(now=facts.now), words)
    return PlannedRun(
        rule_id=rule.id,
        rule_name=rule.name,
        version=rule.version,
        cause=cause,
        step=0,
        occurrence=0,
        trigger=facts.trigger,
        event_id=event.id,
        dialog_id=facts.dialog_id,
        contact_id=facts.contact.id if facts.contact is not None else 0,
        about=about_of(event),
        depth=event.cause.depth + 1,
        why=explain.to_data(judged),
    )


def with_steps(
    compiled: Compiled, facts: Facts, planned: PlannedRun, *, start: int, fired: bool = False
) -> PlannedRun:
    """Plan the steps from one on, up to the next that must wait.

    `fired` says that the first one has waited already. The run's own step is 0 at first, and the
    step's number, counted from 1, of a later part.
    """
    steps: list[PlannedStep] = []
    timers: list[PlannedTimer] = []
    definition = compiled.definition
    values = Values(facts, compiled.book_fields)
    for number in range(start, len(definition.steps)):
        step = definition.steps[number]
        waited = fired and number == start
        if step.wait and not waited:
            timers.append(_later(compiled, facts, planned, number, step.wait, step))
            steps.append(PlannedStep(action=step.action, state="waiting"))
            break
        until = _quiet_until(compiled, step, facts)
        if until:
            # What waited already gets a name of its own: its first one is taken by this run.
            named = replace(planned, cause=f"{planned.cause}~") if waited else planned
            timers.append(replace(_later(compiled, facts, named, number, 0, step), due_at=until))
            reason = "quiet hours of the person"
            steps.append(PlannedStep(action=step.action, state="waiting", reason=reason))
            break
        steps.append(_plan(compiled, number, step, facts, values, planned))
        done = planned.occurrence + 1 if waited else 1
        if step.every and done < step.times:
            again = replace(planned, occurrence=done)
            timers.append(_later(compiled, facts, again, number, step.every, step))
    number = start + 1 if fired else 0
    return replace(planned, step=number, steps=tuple(steps), timers=tuple(timers))


def _quiet_until(compiled: Compiled, step: Step, facts: Facts) -> Micros:
    """Give when the person's quiet hours are over, 0 where the step may be done now."""
    quiet = compiled.definition.guards.quiet
    if quiet is None or not compiled.actions[step.action].speaks:
        return Micros(0)
    own = facts.contact.time_zone if facts.contact is not None else ""
    return quiet_until(facts.now, quiet, own or str(facts.more.get("house.zone") or "UTC"))


def _later(
    compiled: Compiled,
    facts: Facts,
    planned: PlannedRun,
    number: int,
    wait: int,
    step: Step,
) -> PlannedTimer:
    occurrence = planned.occurrence if step.every and planned.occurrence else 0
    directly = planned.cause == f"e{facts.event.id}"
    return PlannedTimer(
        rule_id=planned.rule_id,
        version=planned.version,
        kind="step",
        slot=bounded_key(f"{planned.cause}:{number}:{occurrence}", 200),
        episode=planned.cause,
        step=number,
        occurrence=occurrence,
        # A first wait counts from what happened, not from when the engine came to it.
        due_at=due_after(
            facts,
            wait,
            working=step.working,
            since=facts.now if planned.timer_id or not directly else facts.event.at,
        ),
        dialog_id=planned.dialog_id,
        contact_id=planned.contact_id,
        about=planned.about,
        event_id=planned.event_id,
        depth=planned.depth - 1,
        cancel_on=f",{','.join(step.cancel_on)}," if step.cancel_on else "",
        data={"trigger": planned.trigger},
    )


def due_after(facts: Facts, length: int, *, working: bool = False, since: int = 0) -> Micros:
    """Give the instant a while after another one, by the clock or in working time."""
    begun = since or facts.now
    calendar = facts.more.get("calendar")
    if working and calendar is not None:
        return Micros(calendar.add_working(Micros(begun), length))  # type: ignore[attr-defined]
    return Micros(begun + length)


def _plan(
    compiled: Compiled,
    number: int,
    step: Step,
    facts: Facts,
    values: Values,
    planned: PlannedRun,
) -> PlannedStep:
    judge = compiled.step_judges[number]
    name = step.action
    try:
        if judge is not None and not judge(values, Moment(now=facts.now)):
            return PlannedStep(action=name, state="skipped", reason="its own condition is not met")
        commands = compiled.actions[name].plan(facts, step.params)
    except Held as error:
        return PlannedStep(action=name, state="held", reason=str(error)[:400])
    except HubError as error:
        return PlannedStep(action=name, state="failed", reason=str(error)[:400])
    except Exception as error:  # noqa: BLE001 - a plugin's action may raise anything
        text = f"{type(error).__name__}: {error}"
        return PlannedStep(action=name, state="failed", reason=text[:400])
    return PlannedStep(action=name, commands=signed(commands, planned))


def signed(commands: Sequence[Command], planned: PlannedRun) -> tuple[Command, ...]:
    """Put the rule's name under its commands: who acts, and what provoked it."""
    actor = Actor(kind=ActorKind.RULE, id=planned.rule_id, name=planned.rule_name)
    cause = Cause(
        kind="rule",
        id=planned.rule_id,
        event=planned.event_id,
        depth=planned.depth,
        text=planned.rule_name,
    )
    return tuple(replace(one, actor=actor, cause=cause) for one in commands)


def part_of(
    words: Vocabulary,
    compiled: Compiled,
    facts: Facts,
    *,
    cause: str,
    step: int,
    occurrence: int,
    timer_id: TimerId,
) -> PlannedRun:
    """Plan a later part of a run; raises Held where the conditions do not hold any more."""
    planned = replace(
        _empty_run(words, compiled, facts, cause=cause),
        step=step + 1,
        occurrence=occurrence,
        timer_id=timer_id,
    )
    if planned.depth > MAX_DEPTH:
        return replace(planned, error="stopped: too many automatic acts in a row")
    if step < len(compiled.definition.steps) and compiled.definition.steps[step].recheck:
        judged = explain.from_data(planned.why)
        if judged.error:
            return replace(planned, error=f"a condition could not be judged: {judged.error}")
        if not judged.verdict:
            return replace(
                planned,
                steps=(
                    PlannedStep(
                        action=compiled.definition.steps[step].action,
                        state="held",
                        reason="the conditions do not hold any more",
                    ),
                ),
            )
    return with_steps(compiled, facts, planned, start=step, fired=True)
