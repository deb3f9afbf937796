"""Interests: how they are made and changed, what they are for, and who works on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, not_, or_, select

from crm_store import object_writes, objects
from crm_store.habits import Habits
from crm_store.nouns import NOUNS, Noun
from crm_store.pipelines import all_pipelines, usable
from crm_store.sight import visible_people
from crm_store.sql import upsert
from crm_store.stays import enter, likelihood, pass_over
from crm_store.tables.interests import (
    interest_helpers,
    interest_lines,
    interest_people,
    interest_ticks,
    interests,
)
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import contacts
from crm_store.tables.users import roles, users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, viewer_of
from hub.commands import (
    AddCoExecutor,
    CreateObject,
    RemoveCoExecutor,
    SetInterestLines,
    SetInterestPeople,
    TickPoint,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import InterestChecklistDone, InterestCreated
from hub.ids import ClientId, ContactId, InterestId, Micros, PipelineId, StageId, UserId
from hub.objects import ActorKind
from hub.properties import LARGEST
from hub.records.interests import (
    CoExecutor,
    Line,
    Participant,
    Particulars,
    Pipeline,
    Stage,
    Tick,
)

INTEREST = NOUNS["interest"]
MOST_LINES = 200
MOST_PEOPLE = 50
PEOPLE = (ActorKind.USER, ActorKind.TOKEN)


class InterestHabits(Habits):
    """An interest begins in a stage, is its maker's own, and knows how likely it is."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make an interest; `values` may also name its pipeline and stage."""
        values = dict(command.values)
        wanted = {name: values.pop(name, 0) or 0 for name in ("pipeline_id", "stage_id", "lead_id")}
        if wanted["lead_id"]:
            object_writes.lock(uow, NOUNS["lead"], _number(wanted["lead_id"], "lead_id"))
        pipeline, stage = first_stage(
            uow,
            _number(wanted["pipeline_id"], "pipeline_id"),
            _number(wanted["stage_id"], "stage_id"),
        )
        making = _Making(pipeline, stage, _number(wanted["lead_id"], "lead_id"), command)
        return making.create(uow, noun, values)

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Keep amount and probability true to where they come from."""
        new = dict(values)
        if "amount" in new and new["amount"] != row.amount and _has_lines(uow, row.id):
            raise Invalid("the amount is the sum of the lines", field="amount")
        return {**new, **_probable(uow, row, new)}


class _Making(Habits):
    """The making of one interest, in the stage that was chosen for it."""

    def __init__(
        self, pipeline: Pipeline, stage: Stage, lead_id: int, command: CreateObject
    ) -> None:
        self._pipeline, self._stage, self._lead_id = pipeline, stage, lead_id
        self._command = command

    def create(self, uow: UnitOfWork, noun: Noun, values: Mapping[str, object]) -> int:  # type: ignore[override]
        """Make it."""
        command = self._command
        return super().create(
            uow,
            noun,
            CreateObject(
                kind=command.kind,
                values=values,
                dialog_id=command.dialog_id,
                object_id=command.object_id,
            ),
        )

    def fresh(
        self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Give the stage and what follows from it."""
        owner = values.get("owner_id") or (uow.actor.id if uow.actor.kind in PEOPLE else 0)
        found: dict[str, object] = {
            "pipeline_id": self._pipeline.id,
            "stage_id": self._stage.id,
            "stage_since": uow.now,
            "lead_id": self._lead_id,
            "owner_id": owner,
        }
        if values.get("contact_id") and not values.get("client_id"):
            found["client_id"] = uow.conn.execute(
                select(contacts.c.client_id).where(contacts.c.id == values["contact_id"])
            ).scalar() or ClientId(0)
        source = str(values.get("probability_from") or "")
        if values.get("probability"):
            found["probability"] = _percent(values["probability"])
            found["probability_from"] = "hand"
        elif source == "statistics":
            found["probability"] = likelihood(uow, self._stage, int(str(owner)))
        else:
            found["probability"] = self._stage.probability
        return found

    def created(self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]) -> None:
        """Begin the first stay."""
        pass_over(uow, object_id, self._pipeline, -1, self._stage.position)
        enter(uow, object_id, self._stage.id)
        uow.record(
            InterestCreated(
                interest_id=InterestId(object_id),
                pipeline_id=self._pipeline.id,
                stage_id=self._stage.id,
                client_id=ClientId(int(str(values.get("client_id") or 0))),
                dialog_id=self._command.dialog_id,
            )
        )


def _number(given: object, field: str) -> int:
    try:
        return int(str(given or 0))
    except ValueError:
        raise Invalid("an id is needed", field=field) from None


def reader_of(uow: UnitOfWork) -> Reader:
    """Give the eyes of whoever acts."""
    return Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)


def first_stage(uow: UnitOfWork, pipeline_id: int, stage_id: int) -> tuple[Pipeline, Stage]:
    """Give where a new interest begins; without a wish the first stage of the first pipeline."""
    known = [
        one
        for one in all_pipelines(reader_of(uow))
        if one.active and one.stages and usable(uow.viewer, one)
    ]
    for one in known:
        if stage_id:
            found = one.stage(stage_id)
            if found is not None:
                return one, found
        elif one.id == pipeline_id or not pipeline_id:
            return one, one.stages[0]
    field = "stage_id" if stage_id else "pipeline_id"
    raise Invalid("there is no such pipeline or stage for you", field=field)


def _probable(uow: UnitOfWork, row: Any, new: Mapping[str, object]) -> dict[str, object]:
    """Give the probability after a change: by hand where somebody wrote it."""
    source = str(new.get("probability_from", row.probability_from))
    written = "probability" in new and new["probability"] != row.probability
    if written and source == row.probability_from:
        source = "hand"
    if source == "hand":
        return {
            "probability": _percent(new.get("probability", row.probability)),
            "probability_from": "hand",
        }
    stage = stage_of(uow, row)
    owner = int(str(new.get("owner_id", row.owner_id)))
    chance = likelihood(uow, stage, owner) if source == "statistics" else stage.probability
    return {"probability": chance, "probability_from": source}


def _percent(given: object) -> int:
    chance = int(str(given))
    if not 0 <= chance <= 100:
        raise Invalid("a probability is from 0 to 100", field="probability")
    return chance


def stage_of(uow: UnitOfWork, row: Any) -> Stage:
    """Give the stage that an interest is in."""
    for one in all_pipelines(reader_of(uow)):
        found = one.stage(row.stage_id)
        if found is not None:
            return found
    raise NotFound("there is no such stage")


def _has_lines(uow: UnitOfWork, interest_id: int) -> bool:
    found = select(interest_lines.c.position).where(interest_lines.c.interest_id == interest_id)
    return uow.conn.execute(found.limit(1)).first() is not None


# -- what it has beyond its row --------------------------------------------------------------


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


def interests_of(uow: UnitOfWork, contact_id: ContactId, dialog_ids: list[int]) -> list[int]:
    """Give every interest that may hold words of a person: his own, and those of his dialogs."""
    linked = select(dialog_links.c.object_id).where(
        dialog_links.c.kind == "interest", dialog_links.c.dialog_id.in_(dialog_ids)
    )
    found = select(interests.c.id).where(
        or_(interests.c.contact_id == contact_id, interests.c.id.in_(linked))
    )
    return list(uow.conn.execute(found).scalars())


def forget(uow: UnitOfWork, contact_id: ContactId, dialog_ids: list[int]) -> int:
    """Leave no words of an erased person in interests; their sums and stages stay."""
    ids = interests_of(uow, contact_id, dialog_ids)
    uow.conn.execute(delete(interest_people).where(interest_people.c.contact_id == contact_id))
    uow.conn.execute(
        interest_lines.update().where(interest_lines.c.interest_id.in_(ids)).values(name="")
    )
    return object_writes.blank(uow, INTEREST, ids)
