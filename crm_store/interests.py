"""Interests: how they are made and changed, and how likely they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm_store import object_writes
from crm_store.habits import PEOPLE, Habits
from crm_store.nouns import NOUNS, Noun
from crm_store.pipelines import all_pipelines, usable
from crm_store.stays import enter, likelihood, pass_over
from crm_store.survivors import living_of
from crm_store.tables.interests import interest_lines
from crm_store.tables.people import contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import CreateObject
from hub.errors import Invalid, NotFound
from hub.events import InterestCreated
from hub.ids import ClientId, InterestId
from hub.records.interests import Pipeline, Stage

INTEREST = NOUNS["interest"]


class InterestHabits(Habits):
    """An interest begins in a stage, is its maker's own, and knows how likely it is."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make an interest; `values` may also name its pipeline and stage."""
        values = dict(command.values)
        wanted = {name: values.pop(name, 0) or 0 for name in ("pipeline_id", "stage_id", "lead_id")}
        lead_id = living_of(uow.conn, "lead", _number(wanted["lead_id"], "lead_id"))
        if lead_id:
            object_writes.lock(uow, NOUNS["lead"], lead_id)
        pipeline, stage = first_stage(
            uow,
            _number(wanted["pipeline_id"], "pipeline_id"),
            _number(wanted["stage_id"], "stage_id"),
        )
        making = _Making(pipeline, stage, lead_id, command)
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
