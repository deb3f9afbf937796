"""Who gets a dialog: somebody who works, takes new ones, is not away and has a place left.

A dialog that should be given out stands in a queue of rows, written where it began or came back.
Giving out locks the desks of all who are asked, in one order, before places are counted: two
dialogs at once never fill one place twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, select, update

from crm_store.absences import substitutes
from crm_store.calendars import working
from crm_store.desks import MODES, WAYS, people_away, route_of
from crm_store.sql import locked
from crm_store.tables.desks import routes, routing
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import clients, contacts
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import lock_dialog
from dialogs.places import Place, Places, why_nobody
from dialogs.waiting import queue
from dialogs.workflow import set_assignee
from hub.calendars import Calendar
from hub.commands import RouteDialog, RouteWaiting
from hub.errors import Invalid
from hub.events import DialogRouted
from hub.ids import DialogId, Micros, TeamId, UserId
from hub.objects import Cause
from hub.records.desks import RoutingRule

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
LOOKED_THROUGH = 2000
"""How many of the waiting one round looks at; those without hope cost it nothing."""

LOOKED_BACK = 20
"""Of how many dialogs of a person is looked who answered last."""


# -- commands ------------------------------------------------------------------------------


def route_dialog(uow: UnitOfWork, command: RouteDialog) -> UserId:
    """Give one dialog out now; where nobody is found it waits."""
    if command.mode and command.mode not in WAYS:
        raise Invalid(f"one of {', '.join(WAYS)}", field="mode")
    dialog = lock_dialog(uow, command.dialog_id)
    if dialog.assignee_id and not command.again:
        return UserId(dialog.assignee_id)
    wish = _Wish(mode=command.mode, team_id=command.team_id, last_days=command.last_days)
    giving = _Giving(uow)
    rule = giving.rule(dialog, wish)
    if not rule.is_on:
        return UserId(0)
    passed = [UserId(dialog.assignee_id)] if dialog.assignee_id else []
    return giving.give(dialog, rule, wish, passed)


def route_waiting(uow: UnitOfWork, command: RouteWaiting) -> int:
    """Give out what waits, the oldest first, then pass on what nobody answered."""
    giving = _Giving(uow)
    given = 0
    queued = uow.conn.execute(
        select(routing, dialogs.c.account_id, dialogs.c.team_id.label("its_team"))
        .join(dialogs, dialogs.c.id == routing.c.dialog_id)
        .where(routing.c.state == "waiting")
        .order_by(routing.c.since, routing.c.dialog_id)
        .limit(LOOKED_THROUGH)
    ).all()
    for row in queued:
        if giving.is_hopeless(row):
            continue
        dialog = _lock_now(uow, row.dialog_id)
        if dialog is not None:
            given += giving.retry(dialog)
        if given >= command.limit:
            return given
    late = uow.conn.execute(
        select(routing.c.dialog_id)
        .where(routing.c.forward_at > 0, routing.c.forward_at <= uow.now)
        .order_by(routing.c.forward_at)
        .limit(command.limit)
    ).scalars()
    for dialog_id in late.all():
        dialog = _lock_now(uow, dialog_id)
        if dialog is not None:
            given += giving.forward(dialog)
    return given


def _lock_now(uow: UnitOfWork, dialog_id: int) -> Row[Any] | None:
    """Lock a dialog; what somebody works on at this moment is left for later."""
    statement = select(dialogs).where(dialogs.c.id == dialog_id)
    return uow.conn.execute(locked(uow.dialect, statement, skip=True)).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What was asked for one dialog, beside what is set for its account or team."""

    mode: str = ""
    team_id: TeamId = TeamId(0)
    last_days: int = 0


class _Giving:
    """One round of giving out: what is known of people is read once and kept up to date."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._places = Places(uow)
        self._rules: dict[tuple[int, int], RoutingRule] = {}
        self._calendars: dict[int, Calendar] = {}
        self._exhausted: dict[tuple[int, int, str], str] = {}

    def is_hopeless(self, row: Row[Any]) -> bool:
        """Say whether this round knows already that nobody is there, and it was said before."""
        key = (row.account_id, row.team_id or row.its_team, row.mode)
        return bool(row.reason) and self._exhausted.get(key) == row.reason

    def retry(self, dialog: Row[Any]) -> int:
        """Give out a dialog of the queue; gives 1 where somebody got it."""
        row = self._queued(dialog.id)
        if row is None or row.state != "waiting":
            return 0
        wish = _wish(row)
        rule = self.rule(dialog, wish)
        gone = dialog.assignee_id in people_away(self._uow.conn, self._uow.now)
        if not dialog.is_open or dialog.merged_into or not (rule.is_on or gone):
            self._forget(dialog.id)
            return 0
        if dialog.assignee_id and not gone:
            place = self._places.of(dialog.account_id, TeamId(0)).get(UserId(dialog.assignee_id))
            if place is not None and place.ready and not place.away:
                # It came back to somebody who is there: it stays with him, even beyond his places.
                self._settle(dialog, rule, wish, place.user_id)
                return 0
        return int(bool(self.give(dialog, rule, wish, [])))

    def forward(self, dialog: Row[Any]) -> int:
        """Pass a dialog on whose turn was too long; gives 1 where somebody else got it."""
        row = self._queued(dialog.id)
        if row is None or row.state != "given":
            return 0
        wish = _wish(row)
        rule = self.rule(dialog, wish)
        if not dialog.is_open or dialog.assignee_id != row.user_id or not rule.idle_minutes:
            # Done, or in other hands by somebody's own decision.
            self._forget(dialog.id)
            return 0
        began = max(row.since, dialog.waiting_since) if dialog.waiting_since else self._uow.now
        again = self._idle_until(rule, began)
        if again > self._uow.now:
            queue(self._uow, dialog.id, forward_at=again)
            return 0
        passed = [UserId(one) for one in (*row.passed, row.user_id)]
        if self.give(dialog, rule, wish, passed):
            return 1
        # Nobody else is there: it stays, and is offered round again after the same time.
        again = self._idle_until(rule, self._uow.now)
        queue(self._uow, dialog.id, state="given", forward_at=again, passed=[])
        return 0

    def give(
        self, dialog: Row[Any], rule: RoutingRule, wish: _Wish, passed: Sequence[UserId]
    ) -> UserId:
        """Find somebody and give him a dialog; gives 0 and says why where nobody is found."""
        team = wish.team_id or TeamId(dialog.team_id)
        people = self._places.of(dialog.account_id, team)
        chosen, reason = self._choose(dialog, rule, team, people, passed)
        if chosen is None:
            if not (rule.owner_first or rule.last_days):
                self._exhausted[dialog.account_id, team, wish.mode] = reason
            return self._nobody(dialog, wish, reason, passed)
        uow = self._uow
        why = replace(uow, cause=Cause(kind="routing", depth=uow.cause.depth, text=reason))
        set_assignee(why, dialog, chosen.user_id, wish.team_id or None)
        why.record(
            DialogRouted(
                dialog_id=DialogId(dialog.id),
                user_id=chosen.user_id,
                team_id=team,
                reason=reason,
                before_user_id=passed[-1] if passed else UserId(0),
            )
        )
        self._places.take(chosen.user_id)
        uow.conn.execute(
            update(routes)
            .where(routes.c.kind == rule.kind, routes.c.subject_id == rule.subject_id)
            .values(last_user_id=chosen.user_id)
        )
        self._settle(dialog, rule, wish, chosen.user_id, passed)
        return chosen.user_id

    # -- choosing --------------------------------------------------------------------------

    def _choose(
        self,
        dialog: Row[Any],
        rule: RoutingRule,
        team: TeamId,
        people: dict[UserId, Place],
        passed: Sequence[UserId],
    ) -> tuple[Place | None, str]:
        if rule.calendar_id and not self._calendar(rule.calendar_id).is_open(self._uow.now):
            return None, "closed"
        stand_ins = substitutes(self._uow.conn, self._uow.now)
        asked = [] if passed else [("", UserId(dialog.assignee_id))] if dialog.assignee_id else []
        asked += self._first(dialog, rule)
        everybody = self._places.of(dialog.account_id, TeamId(0)) if asked else {}
        for way, who in asked:
            place = everybody.get(who)
            if way and place is not None and place.is_free and who not in passed:
                return place, way
            instead = everybody.get(UserId(stand_ins.get(who, 0)))
            if instead is not None and instead.is_free and instead.user_id not in passed:
                return instead, "substitute"
        if rule.mode == "nobody":
            return None, "away"
        free = [one for one in people.values() if one.is_free and one.user_id not in passed]
        if not free:
            return None, why_nobody(people.values())
        if rule.mode == "least_busy":
            return min(free, key=lambda one: (one.load, one.last_given_at, one.user_id)), rule.mode
        if rule.mode == "in_order":
            return self._next_in_order(rule, team, free), rule.mode
        return min(free, key=lambda one: (one.last_given_at, one.user_id)), rule.mode

    def _calendar(self, calendar_id: int) -> Calendar:
        if calendar_id not in self._calendars:
            self._calendars[calendar_id] = working(self._uow.conn, calendar_id)
        return self._calendars[calendar_id]

    def _idle_until(self, rule: RoutingRule, since: int) -> int:
        """Give when a turn is too long; hours in which nobody works do not count."""
        idle = rule.idle_minutes * MINUTE_US
        if rule.calendar_id and self._calendar(rule.calendar_id).works:
            return self._calendar(rule.calendar_id).add_working(Micros(since), idle)
        return since + idle

    def _first(self, dialog: Row[Any], rule: RoutingRule) -> Iterator[tuple[str, UserId]]:
        if rule.owner_first:
            owner = self._uow.conn.execute(
                select(clients.c.owner_id)
                .join(contacts, contacts.c.client_id == clients.c.id)
                .where(contacts.c.id == dialog.contact_id)
            ).scalar()
            if owner:
                yield "owner", UserId(owner)
        if rule.last_days:
            theirs = (
                select(dialogs.c.id)
                .where(dialogs.c.contact_id == dialog.contact_id)
                .order_by(dialogs.c.last_at.desc())
                .limit(LOOKED_BACK)
            )
            last = self._uow.conn.execute(
                select(messages.c.author_id)
                .where(
                    messages.c.dialog_id.in_(self._uow.conn.execute(theirs).scalars().all()),
                    messages.c.at > self._uow.now - rule.last_days * DAY_US,
                    messages.c.direction == "out",
                    messages.c.author_kind == "user",
                )
                .order_by(messages.c.at.desc())
                .limit(1)
            ).scalar()
            if last:
                yield "last", UserId(last)

    def _next_in_order(self, rule: RoutingRule, team: TeamId, free: Sequence[Place]) -> Place:
        last = self._uow.conn.execute(
            select(routes.c.last_user_id).where(
                routes.c.kind == rule.kind, routes.c.subject_id == rule.subject_id
            )
        ).scalar()
        in_order = sorted(free, key=lambda one: one.user_id)
        return next((one for one in in_order if one.user_id > (last or 0)), in_order[0])

    # -- who -------------------------------------------------------------------------------

    def rule(self, dialog: Row[Any], wish: _Wish) -> RoutingRule:
        """Give what counts for a dialog: what is set, and what was asked for it beyond that."""
        key = (dialog.account_id, wish.team_id or dialog.team_id)
        if key not in self._rules:
            self._rules[key] = route_of(self._uow.conn, *key)
        rule = self._rules[key]
        if wish.mode in MODES:
            return replace(rule, mode=wish.mode, owner_first=False, last_days=0)
        if wish.mode == "owner":
            return replace(rule, mode="nobody", owner_first=True, last_days=0)
        if wish.mode == "last":
            return replace(rule, mode="nobody", owner_first=False, last_days=wish.last_days)
        return rule

    def _queued(self, dialog_id: int) -> Row[Any] | None:
        return self._uow.conn.execute(
            select(routing).where(routing.c.dialog_id == dialog_id)
        ).first()

    # -- writing ---------------------------------------------------------------------------

    def _settle(
        self,
        dialog: Row[Any],
        rule: RoutingRule,
        wish: _Wish,
        user_id: UserId,
        passed: Sequence[UserId] = (),
    ) -> None:
        if not rule.idle_minutes:
            self._forget(dialog.id)
            return
        queue(
            self._uow,
            dialog.id,
            state="given",
            since=self._uow.now,
            forward_at=self._idle_until(rule, self._uow.now),
            user_id=user_id,
            passed=[int(one) for one in passed],
            reason="",
            **_asked(wish),
        )

    def _nobody(
        self, dialog: Row[Any], wish: _Wish, reason: str, passed: Sequence[UserId]
    ) -> UserId:
        """Leave a dialog on the list, and say once why."""
        if passed:
            return UserId(0)
        uow = self._uow
        if dialog.assignee_id:
            # Whoever had it is away: it is nobody's now, and can be seen to be.
            set_assignee(uow, dialog, UserId(0), None)
        known = uow.conn.execute(
            select(routing.c.reason).where(
                routing.c.dialog_id == dialog.id, routing.c.state == "waiting"
            )
        ).scalar()
        if known == reason:
            return UserId(0)
        if known is None:
            fresh = {"state": "waiting", "since": uow.now, "forward_at": 0}
            queue(uow, dialog.id, reason=reason, **fresh, **_asked(wish))
        else:
            queue(uow, dialog.id, reason=reason)
        team = wish.team_id or TeamId(dialog.team_id)
        uow.record(DialogRouted(dialog_id=DialogId(dialog.id), team_id=team, reason=reason))
        return UserId(0)

    def _forget(self, dialog_id: int) -> None:
        self._uow.conn.execute(routing.delete().where(routing.c.dialog_id == dialog_id))


def _wish(row: Row[Any]) -> _Wish:
    return _Wish(mode=row.mode, team_id=TeamId(row.team_id), last_days=row.last_days)


def _asked(wish: _Wish) -> dict[str, Any]:
    return {"mode": wish.mode, "team_id": wish.team_id, "last_days": wish.last_days}
