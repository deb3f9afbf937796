"""What an interest has beyond its row: lines, people, co-executors and ticked points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, not_, select, update

from crm_store import object_writes, objects
from crm_store.habits import PEOPLE
from crm_store.interests import INTEREST, stage_of
from crm_store.nouns import NOUNS
from crm_store.sight import visible_people
from crm_store.sql import upsert
from crm_store.tables.interests import (
    interest_helpers,
    interest_lines,
    interest_people,
    interest_ticks,
    interests,
)
from crm_store.tables.people import contacts
from crm_store.tables.users import roles, users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, viewer_of
from hub.commands import (
    AddCoExecutor,
    RemoveCoExecutor,
    SetInterestLines,
    SetInterestPeople,
    TickPoint,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import InterestChecklistDone
from hub.ids import ContactId, InterestId, Micros, PipelineId, StageId, UserId
from hub.properties import LARGEST
from hub.records.interests import CoExecutor, Line, Participant, Particulars, Tick

MOST_LINES = 200
MOST_PEOPLE = 50


def particulars(reader: Reader, interest_id: int) -> Particulars:
    """Give lines, people, co-executors and ticks of an interest that the reader may see."""
    objects.one(reader, INTEREST, interest_id)
    conn = reader.conn

    def rows(table: Any, order: Any) -> list[Any]:
        found = select(table).where(table.c.interest_id == interest_id).order_by(order)
        return list(conn.execute(found))

    return Particulars(
        lines=tuple(
            Line(name=one.name, quantity=one.quantity, price=one.price)
            for one in rows(interest_lines, interest_lines.c.position)
        ),
        people=tuple(
            Participant(contact_id=ContactId(one.contact_id), role=one.role)
            for one in rows(interest_people, interest_people.c.contact_id)
        ),
        helpers=tuple(
            CoExecutor(
                user_id=UserId(one.user_id),
                role=one.role,
                since=Micros(one.since),
                access=one.access,
            )
            for one in rows(interest_helpers, interest_helpers.c.since)
        ),
        ticks=tuple(
            Tick(
                stage_id=StageId(one.stage_id),
                point=one.point,
                done_by=UserId(one.done_by),
                done_at=Micros(one.done_at),
            )
            for one in rows(interest_ticks, interest_ticks.c.done_at)
        ),
    )


def set_lines(uow: UnitOfWork, command: SetInterestLines) -> int:
    """Write the lines; the amount is their sum. Gives it."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    if len(command.lines) > MOST_LINES:
        raise Invalid(f"at most {MOST_LINES} lines", field="lines")
    kept = [one for one in command.lines if one.name.strip()]
    total = sum(one.sum for one in kept)
    if any(abs(one) > LARGEST for line in kept for one in (line.quantity, line.price, line.sum)):
        raise Invalid("this number is too large", field="lines")
    if abs(total) > LARGEST:
        raise Invalid("this number is too large", field="lines")
    uow.conn.execute(delete(interest_lines).where(interest_lines.c.interest_id == row.id))
    if kept:
        uow.conn.execute(
            insert(interest_lines),
            [
                {
                    "interest_id": row.id,
                    "position": n,
                    "name": " ".join(one.name.split())[:400],
                    "quantity": one.quantity,
                    "price": one.price,
                }
                for n, one in enumerate(kept)
            ],
        )
    object_writes.touch(uow, INTEREST, row, {"amount": total if kept else row.amount})
    return total


def set_people(uow: UnitOfWork, command: SetInterestPeople) -> None:
    """Write who takes part; those whom the actor does not see take part as before."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    people = interest_people.c
    unseen = uow.conn.execute(
        select(people.contact_id)
        .join(contacts, contacts.c.id == people.contact_id)
        .where(people.interest_id == row.id, not_(visible_people(uow.viewer)))
    )
    kept = set(unseen.scalars())
    wanted = {
        one.contact_id: one.role.strip()[:200]
        for one in command.people
        if one.contact_id not in kept
    }
    if len(wanted) > MOST_PEOPLE:
        raise Invalid(f"at most {MOST_PEOPLE} contact persons", field="people")
    for one in wanted:
        object_writes.lock(uow, NOUNS["contact"], one)
    uow.conn.execute(
        delete(interest_people).where(
            people.interest_id == row.id, people.contact_id.notin_(sorted(kept))
        )
    )
    if wanted:
        uow.conn.execute(
            insert(interest_people),
            [
                {"interest_id": row.id, "contact_id": one, "role": role}
                for one, role in wanted.items()
            ],
        )
    object_writes.touch(uow, INTEREST, row, {})


def add_helper(uow: UnitOfWork, command: AddCoExecutor) -> None:
    """Let a second colleague in; asks whether to open what that colleague may not see."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    who = uow.conn.execute(
        select(users.c.active, roles)
        .join(roles, roles.c.name == users.c.role)
        .where(users.c.id == command.user_id)
    ).first()
    if who is None or not who.active:
        raise NotFound("there is no such colleague")
    theirs = viewer_of(uow.conn, command.user_id, who)
    seen = uow.conn.execute(
        select(interests.c.id).where(interests.c.id == row.id, objects.visible(theirs, INTEREST))
    ).first()
    sees = seen is not None and theirs.may(INTEREST.kind.read)
    if not sees and not command.grant:
        raise Conflict("this colleague may not see the interest: open it?", what="no_access")
    values = {"role": command.role.strip()[:200], "access": not sees}
    uow.conn.execute(
        upsert(uow.dialect, interest_helpers)
        .values(interest_id=row.id, user_id=command.user_id, since=uow.now, **values)
        .on_conflict_do_update(index_elements=["interest_id", "user_id"], set_=values)
    )
    object_writes.touch(uow, INTEREST, row, {})


def remove_helper(uow: UnitOfWork, command: RemoveCoExecutor) -> None:
    """Take a second colleague off."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    uow.conn.execute(
        delete(interest_helpers).where(
            interest_helpers.c.interest_id == row.id,
            interest_helpers.c.user_id == command.user_id,
        )
    )
    object_writes.touch(uow, INTEREST, row, {})


def tick_point(uow: UnitOfWork, command: TickPoint) -> None:
    """Tick a point of the stage's checklist, or untick it."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    points = {one.id for one in stage_of(uow, row).checklist}
    if command.point not in points:
        raise NotFound("there is no such point here")
    here = (interest_ticks.c.interest_id == row.id) & (interest_ticks.c.stage_id == row.stage_id)
    ticked = set(uow.conn.execute(select(interest_ticks.c.point).where(here)).scalars())
    same = here & (interest_ticks.c.point == command.point)
    uow.conn.execute(delete(interest_ticks).where(same))
    if command.done:
        uow.conn.execute(
            insert(interest_ticks).values(
                interest_id=row.id,
                stage_id=row.stage_id,
                point=command.point,
                done_by=uow.actor.id if uow.actor.kind in PEOPLE else 0,
                done_at=uow.now,
            )
        )
        if points - ticked == {command.point}:
            uow.record(
                InterestChecklistDone(
                    interest_id=InterestId(row.id),
                    pipeline_id=PipelineId(row.pipeline_id),
                    stage_id=StageId(row.stage_id),
                )
            )
    object_writes.touch(uow, INTEREST, row, {})


def forget_particulars(uow: UnitOfWork, ids: Sequence[int], people: Sequence[int]) -> None:
    """Leave no words in the lines of interests, and no erased people among those of any."""
    uow.conn.execute(delete(interest_people).where(interest_people.c.contact_id.in_(people)))
    uow.conn.execute(
        update(interest_lines).where(interest_lines.c.interest_id.in_(ids)).values(name="")
    )
