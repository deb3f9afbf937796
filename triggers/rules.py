"""Rules as rows: writing, ordering, switching, versions; reading them with what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from crm_store.notices import tell
from crm_store.sql import locked
from crm_store.tables.rules import rule_hours, rule_runs, rule_timers, rule_versions, rules
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    AskRule,
    CancelTimer,
    MoveRule,
    PauseRule,
    RemoveRule,
    RestoreRule,
    SaveRule,
    SwitchRule,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import RuleAsked, RuleChanged, RulePaused
from hub.ids import AccountId, Micros, RuleId, UserId
from hub.objects import ActorKind, Ref
from hub.records.rules import Rule, RuleVersion
from triggers.times import local_midnight

HOUR_US = 3_600_000_000
STEP = 1024
"""Rules stand this far apart, so that one is moved between two others by writing one row."""


# -- writing -----------------------------------------------------------------------------------


def save_rule(uow: UnitOfWork, command: SaveRule) -> RuleId:
    """Write a rule; the definition was read and put in order before (hub/prepare.py)."""
    definition = dict(command.definition)
    name = str(definition.get("name", ""))[:400]
    author = uow.actor.id if uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN) else 0
    if not command.rule_id:
        return _new(uow, command, definition, name, author)
    row = _lock(uow, command.rule_id)
    if command.version is not None and command.version != row.version:
        raise Conflict(
            "the rule was changed meanwhile", what="version", details={"version": row.version}
        )
    values: dict[str, Any] = {"name": name, "updated_at": uow.now}
    changed = dict(row.definition) != definition
    if changed and command.armed == "ask":
        _ask_about_armed(uow, row.id)
    version = row.version + 1 if changed else row.version
    if changed:
        values |= {"definition": definition, "version": version, "author_id": author}
        _keep_version(uow, row.id, version, definition, author)
    if command.enabled is not None:
        values |= _switch(uow, row, enabled=command.enabled)
    elif row.paused:
        # What was paused because of what it said gets another chance.
        values |= {"paused": "", "paused_detail": "", "errors_in_row": 0}
    uow.conn.execute(update(rules).where(rules.c.id == row.id).values(**values))
    if changed and command.armed == "cancel":
        uow.conn.execute(delete(rule_timers).where(rule_timers.c.rule_id == row.id))
    elif changed:
        # Schedules and dates are armed anew by the engine; delayed steps go on.
        uow.conn.execute(
            delete(rule_timers).where(
                rule_timers.c.rule_id == row.id, rule_timers.c.kind == "schedule"
            )
        )
    uow.record(RuleChanged(rule_id=RuleId(row.id), what="saved", version=version))
    return RuleId(row.id)


def _new(
    uow: UnitOfWork, command: SaveRule, definition: dict[str, Any], name: str, author: int
) -> RuleId:
    rule_id = RuleId(uow.new_id())
    last = uow.conn.execute(select(func.coalesce(func.max(rules.c.position), 0))).scalar_one()
    enabled = bool(command.enabled)
    uow.conn.execute(
        insert(rules).values(
            id=rule_id,
            name=name,
            position=last + STEP,
            enabled=enabled,
            version=1,
            definition=definition,
            author_id=author,
            account_id=command.account_id,
            recipe=command.recipe,
            slot=command.slot,
            created_at=uow.now,
            updated_at=uow.now,
            enabled_at=uow.now if enabled else 0,
        )
    )
    _keep_version(uow, rule_id, 1, definition, author)
    uow.record(RuleChanged(rule_id=rule_id, what="made", version=1))
    return rule_id


def _ask_about_armed(uow: UnitOfWork, rule_id: int) -> None:
    """Refuse a change that says nothing about what the rule waits to do."""
    rows = uow.conn.execute(
        select(rule_timers.c.kind, func.count().label("n"))
        .where(
            rule_timers.c.rule_id == rule_id,
            rule_timers.c.kind != "schedule",
            # Dates of cards are worked out anew by themselves.
            ~rule_timers.c.slot.contains(":date:"),
        )
        .group_by(rule_timers.c.kind)
    ).all()
    counts = {row.kind: int(row.n) for row in rows}
    if counts:
        steps = counts.get("step", 0)
        waiting = sum(counts.values())
        raise Conflict(
            f"the rule waits to do {waiting} things: say whether they are kept or called off",
            what="armed",
            details={"waiting": waiting, "steps": steps},
        )


def _keep_version(
    uow: UnitOfWork, rule_id: int, version: int, definition: Mapping[str, Any], author: int
) -> None:
    uow.conn.execute(
        insert(rule_versions).values(
            rule_id=rule_id, version=version, definition=definition, author_id=author, at=uow.now
        )
    )


def _lock(uow: UnitOfWork, rule_id: int, *, removed: bool = False) -> Row[Any]:
    row = uow.conn.execute(locked(uow.dialect, select(rules).where(rules.c.id == rule_id))).first()
    if row is None or (row.removed_at and not removed):
        raise NotFound("there is no such rule")
    return row


def _switch(uow: UnitOfWork, row: Row[Any], *, enabled: bool) -> dict[str, Any]:
    values: dict[str, Any] = {"enabled": enabled, "paused": "", "paused_detail": ""}
    values["errors_in_row"] = 0
    if enabled and not (row.enabled and not row.paused):
        # It hears what happens from now on, not what it slept through.
        values["enabled_at"] = uow.now
    return values


def switch_rule(uow: UnitOfWork, command: SwitchRule) -> None:
    """Switch a rule on or off."""
    row = _lock(uow, command.rule_id)
    if bool(row.enabled) is command.enabled and not row.paused:
        return
    values = _switch(uow, row, enabled=command.enabled)
    uow.conn.execute(update(rules).where(rules.c.id == row.id).values(updated_at=uow.now, **values))
    what = "on" if command.enabled else "off"
    uow.record(RuleChanged(rule_id=RuleId(row.id), what=what, version=row.version))


def move_rule(uow: UnitOfWork, command: MoveRule) -> None:
    """Put a rule before another."""
    moved = _lock(uow, command.rule_id)
    standing = uow.conn.execute(
        locked(
            uow.dialect,
            select(rules.c.id, rules.c.position)
            .where(rules.c.removed_at == 0, rules.c.id != moved.id)
            .order_by(rules.c.position, rules.c.id),
        )
    ).all()
    place = len(standing)
    if command.before:
        place = next((n for n, one in enumerate(standing) if one.id == command.before), -1)
        if place < 0:
            raise NotFound("there is no such rule to stand before")
    ids = [one.id for one in standing]
    ids.insert(place, moved.id)
    was = {one.id: one.position for one in standing} | {moved.id: moved.position}
    for n, number in enumerate(ids, start=1):
        if was[number] != n * STEP:
            uow.conn.execute(update(rules).where(rules.c.id == number).values(position=n * STEP))
    uow.record(RuleChanged(rule_id=RuleId(moved.id), what="moved", version=moved.version))


def remove_rule(uow: UnitOfWork, command: RemoveRule) -> None:
    """Put a rule away, or bring it back switched off."""
    row = _lock(uow, command.rule_id, removed=True)
    if bool(row.removed_at) is not command.restore:
        return
    if command.restore:
        values: dict[str, Any] = {"removed_at": 0, "enabled": False}
    else:
        values = {"removed_at": uow.now, "enabled": False}
        uow.conn.execute(delete(rule_timers).where(rule_timers.c.rule_id == row.id))
    uow.conn.execute(update(rules).where(rules.c.id == row.id).values(**values))
    what = "restored" if command.restore else "removed"
    uow.record(RuleChanged(rule_id=RuleId(row.id), what=what, version=row.version))


def restore_version(uow: UnitOfWork, command: RestoreRule) -> int:
    """Make an earlier version the newest."""
    row = _lock(uow, command.rule_id)
    found = uow.conn.execute(
        select(rule_versions.c.definition).where(
            rule_versions.c.rule_id == row.id, rule_versions.c.version == command.version
        )
    ).scalar()
    if found is None:
        raise NotFound("there is no such version")
    save_rule(uow, SaveRule(rule_id=RuleId(row.id), definition=found, armed=command.armed))
    return int(uow.conn.execute(select(rules.c.version).where(rules.c.id == row.id)).scalar_one())


def ask_rule(uow: UnitOfWork, command: AskRule) -> None:
    """Put on record that somebody wants a rule to run; the engine hears it."""
    row = _lock(uow, command.rule_id)
    if not row.enabled or row.paused:
        raise Conflict("this rule is switched off", what="off")
    words = {str(one.get("event")) for one in row.definition.get("when", ())}
    if "asked" not in words:
        raise Invalid("this rule is not run by hand", field="rule_id")
    if not command.dialog_id and not command.about.id:
        raise Invalid("say on what it shall run", field="dialog_id")
    uow.record(
        RuleAsked(
            rule_id=RuleId(row.id),
            dialog_id=command.dialog_id,
            about_kind=command.about.kind,
            about_id=command.about.id,
        )
    )


def pause_rule(uow: UnitOfWork, command: PauseRule) -> None:
    """Pause a rule that cannot work."""
    row = _lock(uow, command.rule_id)
    pause(uow, row, command.reason, command.detail)


def pause(uow: UnitOfWork, row: Row[Any], reason: str, detail: str) -> None:
    """Write a pause, once."""
    if row.paused:
        return
    uow.conn.execute(
        update(rules).where(rules.c.id == row.id).values(paused=reason, paused_detail=detail[:2000])
    )
    uow.record(RulePaused(rule_id=RuleId(row.id), reason=reason))
    tell(uow, _owners(uow, row.author_id), "rule.paused", Ref(kind="rule", id=row.id))


def _owners(uow: UnitOfWork, author_id: int) -> list[int]:
    """Whoever wrote the rule; where he is gone, the administrators."""
    active = select(users.c.id).where(users.c.active)
    found = uow.conn.execute(active.where(users.c.id == author_id)).scalars().all()
    if not found:
        found = uow.conn.execute(active.where(users.c.role == "administrator")).scalars().all()
    return list(found)


def cancel_timer(uow: UnitOfWork, command: CancelTimer) -> None:
    """Take a timer away."""
    done = uow.conn.execute(delete(rule_timers).where(rule_timers.c.id == command.timer_id))
    if not done.rowcount:
        raise NotFound("this is not waited for any more")


# -- reading -----------------------------------------------------------------------------------


def active_rules(reader: Reader) -> list[Rule]:
    """Give the rules that judge what happens now, in their order, without their figures."""
    rows = reader.conn.execute(
        select(rules)
        .where(rules.c.enabled, rules.c.paused == "", rules.c.removed_at == 0)
        .order_by(rules.c.position, rules.c.id)
    )
    return [_record(row) for row in rows]


def all_rules(reader: Reader, *, removed: bool = False) -> list[Rule]:
    """Give every rule in the order of the list, with what each did today."""
    reader.viewer.need("rules.view")
    rows = reader.conn.execute(
        select(rules)
        .where(rules.c.removed_at > 0 if removed else rules.c.removed_at == 0)
        .order_by(rules.c.position, rules.c.id)
    ).all()
    return _with_figures(reader, rows)


def rule(reader: Reader, rule_id: RuleId) -> Rule:
    """Give one rule; raises NotFound."""
    reader.viewer.need("rules.view")
    row = reader.conn.execute(select(rules).where(rules.c.id == rule_id)).first()
    if row is None:
        raise NotFound("there is no such rule")
    return _with_figures(reader, [row])[0]


def versions(reader: Reader, rule_id: RuleId) -> list[RuleVersion]:
    """Give the versions of a rule, the newest first."""
    reader.viewer.need("rules.view")
    rows = reader.conn.execute(
        select(rule_versions)
        .where(rule_versions.c.rule_id == rule_id)
        .order_by(rule_versions.c.version.desc())
        .limit(200)
    )
    return [
        RuleVersion(
            rule_id=RuleId(row.rule_id),
            version=row.version,
            definition=row.definition,
            author_id=UserId(row.author_id),
            at=Micros(row.at),
        )
        for row in rows
    ]


def habits(reader: Reader, now: int, days: int = 7) -> dict[int, int]:
    """Give how many times an hour each rule ran at most in the last days."""
    since = now // HOUR_US - days * 24
    rows = reader.conn.execute(
        select(rule_hours.c.rule_id, func.max(rule_hours.c.runs).label("most"))
        .where(rule_hours.c.hour >= since, rule_hours.c.hour < now // HOUR_US)
        .group_by(rule_hours.c.rule_id)
    )
    return {row.rule_id: row.most for row in rows}


def _with_figures(reader: Reader, rows: Sequence[Row[Any]]) -> list[Rule]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    begun = local_midnight(reader.now, "UTC") // HOUR_US
    figures: dict[int, dict[str, Any]] = {number: {} for number in ids}
    for row in reader.conn.execute(
        select(
            rule_hours.c.rule_id,
            func.sum(rule_hours.c.runs).label("runs"),
            func.sum(rule_hours.c.failures).label("failures"),
        )
        .where(rule_hours.c.rule_id.in_(ids), rule_hours.c.hour >= begun)
        .group_by(rule_hours.c.rule_id)
    ):
        figures[row.rule_id] |= {"runs_today": int(row.runs), "failures_today": int(row.failures)}
    for last in reader.conn.execute(
        select(rule_runs.c.rule_id, func.max(rule_runs.c.at).label("at"))
        .where(rule_runs.c.rule_id.in_(ids))
        .group_by(rule_runs.c.rule_id)
    ):
        figures[last.rule_id]["last_run_at"] = Micros(last.at)
    for armed in reader.conn.execute(
        select(rule_timers.c.rule_id, func.count().label("n"))
        .where(rule_timers.c.rule_id.in_(ids))
        .group_by(rule_timers.c.rule_id)
    ):
        figures[armed.rule_id]["waiting"] = armed.n
    return [_record(row, **figures[row.id]) for row in rows]


def _record(row: Row[Any], **figures: Any) -> Rule:
    return Rule(
        id=RuleId(row.id),
        name=row.name,
        position=row.position,
        enabled=row.enabled,
        paused=row.paused,
        paused_detail=row.paused_detail,
        version=row.version,
        definition=row.definition,
        author_id=UserId(row.author_id),
        created_at=Micros(row.created_at),
        updated_at=Micros(row.updated_at),
        enabled_at=Micros(row.enabled_at),
        removed_at=Micros(row.removed_at),
        account_id=AccountId(row.account_id),
        recipe=row.recipe,
        slot=row.slot,
        errors_in_row=row.errors_in_row,
        **figures,
    )
