"""Policies of deadlines: what is promised for which requests, and which one applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from crm_store import custom
from crm_store.nouns import NOUNS, Noun
from crm_store.tables.calendars import calendars
from crm_store.tables.requests import sla_policies
from crm_store.tables.users import brands
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import RemoveSlaPolicy, SaveSlaPolicy
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.events import SlaPolicyChanged
from hub.filters import Moment, Use, compile_predicate, parse
from hub.ids import CalendarId, SlaPolicyId, UserId
from hub.nouns import REQUESTS
from hub.properties import empty_value
from hub.records.requests import SlaPolicy

PAUSES = ("waiting", "on_hold")
MOST_MINUTES = 60 * 24 * 366


class _Facts:
    """A request as a filter sees it, before or after it is written."""

    def __init__(self, values: Mapping[str, object], custom: Mapping[str, object]) -> None:
        self._values = values
        self.custom = custom

    def __getattr__(self, name: str) -> object:
        prop = REQUESTS.property(name)
        return self._values.get(name) or (
            prop.choices[0].value if prop.choices else empty_value(prop.type)
        )

    def change(self, field: str) -> None:
        """Nothing is said to have changed."""


def all_policies(reader: Reader) -> list[SlaPolicy]:
    """Give every policy in the order in which they are asked."""
    rows = reader.conn.execute(select(sla_policies).order_by(sla_policies.c.position))
    return [_record(row) for row in rows]


def one(reader: Reader, policy_id: SlaPolicyId) -> SlaPolicy:
    """Give a policy; raises NotFound."""
    row = reader.conn.execute(select(sla_policies).where(sla_policies.c.id == policy_id)).first()
    if row is None:
        raise NotFound("there is no such policy")
    return _record(row)


def _record(row: Row[Any]) -> SlaPolicy:
    return SlaPolicy(
        id=SlaPolicyId(row.id),
        name=row.name,
        position=row.position,
        active=row.active,
        filter=row.filter,
        calendar_id=CalendarId(row.calendar_id),
        first_minutes=row.first_minutes,
        next_minutes=row.next_minutes,
        solution_minutes=row.solution_minutes,
        warn_minutes=row.warn_minutes,
        pause_statuses=tuple(row.pause_statuses),
        escalate_to=UserId(row.escalate_to),
        tell_client=row.tell_client,
        version=row.version,
    )


def applying(uow: UnitOfWork, values: Mapping[str, object]) -> SlaPolicy | None:
    """Give the policy of a request; None where nothing is promised."""
    rows = uow.conn.execute(
        select(sla_policies).where(sla_policies.c.active).order_by(sla_policies.c.position)
    )
    noun = custom.whole(uow.conn, NOUNS["request"])
    known = noun.kind.registered()
    facts = _Facts(*_parted(uow, noun, values))
    moment = Moment(now=uow.now, me=uow.viewer.user_id)
    for row in rows:
        try:
            if not row.filter or compile_predicate(parse(row.filter, known, Use.FACT), known)(
                facts, moment
            ):
                return _record(row)
        except HubError:
            # A filter over a field that is gone applies to nothing.
            continue
    return None


def _parted(
    uow: UnitOfWork, noun: Noun, values: Mapping[str, object]
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Part a request's own values from those of custom fields, stored ones under the new ones."""
    own, more = custom.split(values)
    number = int(str(values.get("id") or 0))
    stored: Mapping[str, object] = custom.values_of(uow.conn, noun, [number]).get(number, {})
    new = custom.read(noun, more) if more else {}
    return own, {**stored, **{name.removeprefix(custom.PREFIX): one for name, one in new.items()}}


def by_id(uow: UnitOfWork, policy_id: int) -> SlaPolicy | None:
    """Give a policy, None where it is gone."""
    row = uow.conn.execute(select(sla_policies).where(sla_policies.c.id == policy_id)).first()
    return _record(row) if row is not None else None


def save_policy(uow: UnitOfWork, command: SaveSlaPolicy) -> SlaPolicyId:
    """Make a policy, or change one."""
    row = None
    if command.policy_id:
        row = uow.conn.execute(
            select(sla_policies).where(sla_policies.c.id == command.policy_id)
        ).first()
        if row is None:
            raise NotFound("there is no such policy")
        if command.version is not None and command.version != row.version:
            raise Conflict("the policy was changed meanwhile", what="version")
    values = _values(uow, command, new=row is None)
    if row is None:
        brand_id = uow.conn.execute(select(brands.c.id).order_by(brands.c.id).limit(1)).scalar()
        policy_id = SlaPolicyId(uow.new_id())
        uow.conn.execute(
            insert(sla_policies).values(
                id=policy_id,
                brand_id=brand_id,
                **{"position": 1000, "pause_statuses": list(PAUSES), **values},
            )
        )
    else:
        policy_id = SlaPolicyId(row.id)
        uow.conn.execute(
            update(sla_policies)
            .where(sla_policies.c.id == policy_id)
            .values(version=sla_policies.c.version + 1, **values)
        )
    uow.record(SlaPolicyChanged(policy_id=policy_id))
    return policy_id


def _values(uow: UnitOfWork, command: SaveSlaPolicy, *, new: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    name = " ".join((command.name or "").split())[:400]
    if (new or command.name is not None) and not name:
        raise Invalid("a name is needed", field="name")
    if name:
        values["name"] = name
    for field in ("first_minutes", "next_minutes", "solution_minutes", "warn_minutes"):
        minutes = getattr(command, field)
        if minutes is not None:
            if not 0 <= minutes <= MOST_MINUTES:
                raise Invalid("a promise lasts from no minutes to a year", field=field)
            values[field] = minutes
    if command.filter is not None:
        if command.filter:
            noun = custom.whole(uow.conn, NOUNS["request"])
            parse(command.filter, noun.kind.registered(), Use.FACT)
        values["filter"] = dict(command.filter)
    if command.calendar_id is not None:
        known = uow.conn.execute(
            select(calendars.c.id).where(calendars.c.id == command.calendar_id)
        ).first()
        if command.calendar_id and known is None:
            raise Invalid("there is no such calendar", field="calendar_id")
        values["calendar_id"] = command.calendar_id
    if command.pause_statuses is not None:
        if not set(command.pause_statuses) <= set(PAUSES):
            raise Invalid("the clock can stand in: waiting, on_hold", field="pause_statuses")
        values["pause_statuses"] = sorted(set(command.pause_statuses))
    for field in ("position", "active", "escalate_to", "tell_client"):
        given = getattr(command, field)
        if given is not None:
            values[field] = given
    return values


def remove_policy(uow: UnitOfWork, command: RemoveSlaPolicy) -> None:
    """Delete a policy."""
    done = uow.conn.execute(delete(sla_policies).where(sla_policies.c.id == command.policy_id))
    if not done.rowcount:
        raise NotFound("there is no such policy")
    uow.record(SlaPolicyChanged(policy_id=command.policy_id, removed=True))
