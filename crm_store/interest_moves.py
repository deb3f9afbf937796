"""An interest's way: from stage to stage through the gates, to won or lost, and back to work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from crm_store import custom, object_writes, objects
from crm_store.interests import INTEREST, reader_of
from crm_store.pipelines import all_pipelines, usable
from crm_store.sql import locked
from crm_store.stays import (
    enter,
    last_mover,
    last_stage,
    leave,
    likelihood,
    pass_over,
    unpass,
)
from crm_store.tables.interests import interest_ticks, interests, stages
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import LoseInterest, MoveInterest, ReopenInterest, WinInterest
from hub.errors import Conflict, Invalid
from hub.events import InterestLost, InterestReopened, InterestStageChanged, InterestWon
from hub.ids import InterestId, PipelineId, StageId
from hub.properties import empty_value, value_of
from hub.records.interests import Pipeline, Point, Stage

FAR = 1_000_000
"""Behind every stage: where a won interest has come."""


def _open(uow: UnitOfWork, interest_id: InterestId) -> Any:
    row = object_writes.lock(uow, INTEREST, interest_id)
    if row.deleted_at:
        raise Conflict("this is in the bin", what="removed")
    if row.status != "in_work":
        raise Conflict("this interest is closed", what="closed", details={"status": row.status})
    return row


def _place(known: list[Pipeline], stage_id: int) -> tuple[Pipeline, Stage]:
    for one in known:
        found = one.stage(stage_id)
        if found is not None:
            return one, found
    raise Invalid("there is no such pipeline or stage for you", field="stage_id")


def move_interest(uow: UnitOfWork, command: MoveInterest) -> None:
    """Move an interest; every objection says what is in the way."""
    row = _open(uow, command.interest_id)
    if row.stage_id == command.stage_id:
        return
    if command.seen and command.seen != row.stage_id:
        raise Conflict(
            "somebody moved it meanwhile",
            what="moved",
            details={"stage_id": str(row.stage_id), "by": str(last_mover(uow, row.id))},
        )
    known = all_pipelines(reader_of(uow))
    before_line, before = _place(known, row.stage_id)
    line, stage = _place([one for one in known if usable(uow.viewer, one)], command.stage_id)
    same = line.id == before_line.id
    # A round through another pipeline leads no further than the stage it left.
    stood = before if same else last_stage(uow.conn, row.id, line)
    if stood is not None and stood.id != stage.id and not _leads(stood, stage):
        raise Conflict(
            "this stage does not lead there",
            what="forbidden",
            details={"stage_id": str(stage.id)},
        )
    forward = stood is None or stage.position > stood.position
    if forward:
        _gate(uow, row, line, stood, stage.position)
    make_room(uow, stage)
    if forward:
        pass_over(uow, row.id, line, stood.position if stood else -1, stage.position)
    enter(uow, row.id, stage.id)
    values: dict[str, object] = {
        "pipeline_id": line.id,
        "stage_id": stage.id,
        "stage_since": uow.now,
    }
    if row.probability_from == "stage":
        values["probability"] = stage.probability
    elif row.probability_from == "statistics":
        values["probability"] = likelihood(uow, stage, row.owner_id)
    object_writes.change(uow, INTEREST, row, values)
    uow.record(
        InterestStageChanged(
            interest_id=command.interest_id,
            pipeline_id=line.id,
            stage_id=stage.id,
            before=before.id,
        )
    )


def _leads(before: Stage, after: Stage) -> bool:
    return not before.allowed or after.id in before.allowed


def make_room(uow: UnitOfWork, stage: Stage) -> None:
    """Raise Conflict where a stage holds as many interests in work as it may."""
    if not stage.wip_limit:
        return
    # Two who come at once would both see the last place.
    uow.conn.execute(locked(uow.dialect, select(stages.c.id).where(stages.c.id == stage.id)))
    held = uow.conn.execute(
        select(func.count()).where(
            interests.c.stage_id == stage.id,
            interests.c.status == "in_work",
            interests.c.deleted_at == 0,
        )
    ).scalar_one()
    if held >= stage.wip_limit:
        raise Conflict(
            "this stage is full: finish something in it first",
            what="full",
            details={"stage_id": str(stage.id), "limit": stage.wip_limit},
        )


def _gate(uow: UnitOfWork, row: Any, line: Pipeline, before: Stage | None, position: int) -> None:
    """Raise Conflict where something is missing to come as far as a position."""
    record = objects.records(reader_of(uow), INTEREST, [row])[0]
    fields, points = _lacks(reader_of(uow), record, line, before, position)
    if fields or points:
        raise Conflict(
            "something is missing for this step",
            what="missing",
            details={"fields": fields, "points": [one.text for one in points]},
        )


def lacks(
    reader: Reader, interest_id: int, stage_id: int = 0
) -> tuple[tuple[str, ...], tuple[Point, ...]]:
    """Give what an interest lacks to come to a stage, 0 to be won: properties, and points to tick."""
    record = objects.one(reader, INTEREST, interest_id)
    known = all_pipelines(reader)
    now_line, now = _place(known, record.stage_id)
    line, position = now_line, FAR
    stood: Stage | None = now
    if stage_id:
        line, stage = _place(known, stage_id)
        position = stage.position
        if line.id != now_line.id:
            stood = last_stage(reader.conn, interest_id, line)
    fields, points = _lacks(reader, record, line, stood, position)
    return tuple(fields), tuple(points)


def _lacks(
    reader: Reader, record: Any, line: Pipeline, before: Stage | None, position: int
) -> tuple[list[str], list[Point]]:
    asked = {
        name: None for stage in line.stages if stage.position <= position for name in stage.required
    }
    known = {one.name: one for one in custom.whole(reader.conn, INTEREST).kind.properties}
    fields = [
        name
        for name in asked
        if name in known and value_of(record, name) in (None, empty_value(known[name].type))
    ]
    if before is None or not any(one.required for one in before.checklist):
        return fields, []
    ticked = select(interest_ticks.c.point).where(
        interest_ticks.c.interest_id == record.id, interest_ticks.c.stage_id == before.id
    )
    done = set(reader.conn.execute(ticked).scalars())
    return fields, [one for one in before.checklist if one.required and one.id not in done]


def win_interest(uow: UnitOfWork, command: WinInterest) -> None:
    """Close an interest as won."""
    row = _open(uow, command.interest_id)
    line, stage = _place(all_pipelines(reader_of(uow)), row.stage_id)
    # Won is further than every stage: what any of them asks for is asked for here.
    _gate(uow, row, line, stage, FAR)
    pass_over(uow, row.id, line, stage.position, FAR)
    _close(uow, row, "won", {"probability": 100})
    uow.record(InterestWon(interest_id=command.interest_id, pipeline_id=line.id, stage_id=stage.id))


def lose_interest(uow: UnitOfWork, command: LoseInterest) -> None:
    """Close an interest as lost."""
    row = _open(uow, command.interest_id)
    line, stage = _place(all_pipelines(reader_of(uow)), row.stage_id)
    reason = next((one for one in line.reasons if one.id == command.reason_id and one.active), None)
    if reason is None:
        if not any(one.active for one in line.reasons):
            raise Invalid(
                "this pipeline has no reason for a loss: add one in Settings, Pipelines",
                field="reason_id",
            )
        raise Invalid("choose why it was lost", field="reason_id")
    comment = " ".join(command.comment.split())[:400]
    if reason.needs_comment and not comment:
        raise Invalid("this reason needs a comment", field="comment")
    values = {"probability": 0, "loss_reason_id": reason.id, "loss_comment": comment}
    _close(uow, row, "lost", values)
    uow.record(
        InterestLost(
            interest_id=command.interest_id,
            pipeline_id=line.id,
            stage_id=stage.id,
            reason_id=reason.id,
        )
    )


def _close(uow: UnitOfWork, row: Any, status: str, values: dict[str, object]) -> None:
    leave(uow, row.id)
    uow.conn.execute(
        update(interests).where(interests.c.id == row.id).values(open_probability=row.probability)
    )
    object_writes.change(uow, INTEREST, row, {"status": status, "closed_at": uow.now, **values})


def reopen_interest(uow: UnitOfWork, command: ReopenInterest) -> None:
    """Take a closed interest into work again."""
    row = object_writes.lock(uow, INTEREST, command.interest_id)
    if row.status == "in_work":
        raise Conflict("this interest is in work", what="open")
    _, stage = _place(all_pipelines(reader_of(uow)), row.stage_id)
    make_room(uow, stage)
    # Winning said of every stage that it was reached.
    unpass(uow, row.id, row.closed_at)
    chance = stage.probability
    if row.probability_from == "hand":
        chance = row.open_probability or chance
    elif row.probability_from == "statistics":
        chance = likelihood(uow, stage, row.owner_id)
    values: dict[str, object] = {
        "status": "in_work",
        "closed_at": 0,
        "loss_reason_id": 0,
        "loss_comment": "",
        "stage_since": uow.now,
        "probability": chance,
    }
    enter(uow, row.id, stage.id)
    object_writes.change(uow, INTEREST, row, values)
    uow.record(
        InterestReopened(
            interest_id=command.interest_id,
            pipeline_id=PipelineId(row.pipeline_id),
            stage_id=StageId(row.stage_id),
        )
    )
