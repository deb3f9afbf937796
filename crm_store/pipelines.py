"""Pipelines with their stages and loss reasons: reading them, and setting them up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm_store import custom, stays
from crm_store.nouns import NOUNS
from crm_store.sql import locked
from crm_store.tables.interests import interests, loss_reasons, pipelines, stages
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer, once_a_read
from hub.commands import RemovePipeline, RemoveStage, SaveLossReason, SavePipeline, SaveStage
from hub.errors import Conflict, Invalid, NotFound
from hub.events import PipelineChanged
from hub.ids import PipelineId, StageId
from hub.nouns import INTERESTS
from hub.records.interests import LossReason, Pipeline, Point, Stage
from hub.terms import fold

MOST_STAGES = 30
MOST_POINTS = 30
COLOURS = ("", "red", "orange", "yellow", "green", "teal", "blue", "violet", "pink")
REQUIRABLE = tuple(
    one.name
    for one in INTERESTS.properties
    if one.editable and one.name not in ("title", "currency", "probability", "probability_from")
)
"""The properties that a stage may ask for."""


# -- reading -------------------------------------------------------------------------------


def all_pipelines(reader: Reader) -> list[Pipeline]:
    """Give every pipeline with its stages, in their order."""
    return list(_pipelines(reader))


_STAGES = select(stages).order_by(stages.c.position, stages.c.id)
_REASONS = select(loss_reasons).order_by(loss_reasons.c.position, loss_reasons.c.id)
_PIPELINES = select(pipelines).order_by(pipelines.c.position, pipelines.c.id)


@once_a_read
def _pipelines(reader: Reader) -> tuple[Pipeline, ...]:
    conn = reader.conn
    steps: dict[int, list[Stage]] = {}
    for row in conn.execute(_STAGES):
        steps.setdefault(row.pipeline_id, []).append(_stage(row))
    reasons: dict[int, list[LossReason]] = {}
    for row in conn.execute(_REASONS):
        reasons.setdefault(row.pipeline_id, []).append(LossReason(**row._mapping))
    return tuple(
        Pipeline(
            id=PipelineId(row.id),
            name=row.name,
            position=row.position,
            active=row.active,
            roles=tuple(row.roles),
            version=row.version,
            stages=tuple(steps.get(row.id, ())),
            reasons=tuple(reasons.get(row.id, ())),
        )
        for row in conn.execute(_PIPELINES)
    )


def usable(viewer: Viewer, pipeline: Pipeline) -> bool:
    """Say whether this viewer's role works in a pipeline."""
    return viewer.is_system or not pipeline.roles or viewer.role in pipeline.roles


def my_pipelines(reader: Reader) -> list[Pipeline]:
    """Give the pipelines that the reader works in."""
    return [one for one in all_pipelines(reader) if one.active and usable(reader.viewer, one)]


def pipeline(reader: Reader, pipeline_id: int) -> Pipeline:
    """Give one pipeline; raises NotFound."""
    found = next((one for one in all_pipelines(reader) if one.id == pipeline_id), None)
    if found is None:
        raise NotFound("there is no such pipeline")
    return found


def _stage(row: Any) -> Stage:
    return Stage(
        id=StageId(row.id),
        pipeline_id=PipelineId(row.pipeline_id),
        name=row.name,
        position=row.position,
        colour=row.colour,
        probability=row.probability,
        norm_us=row.norm_us,
        wip_limit=row.wip_limit,
        required=tuple(row.required),
        checklist=tuple(Point(**one) for one in row.checklist),
        allowed=tuple(StageId(int(one)) for one in row.allowed),
        version=row.version,
    )


# -- setting up ----------------------------------------------------------------------------


def _name(given: str) -> str:
    name = " ".join(given.split())[:200]
    if not name:
        raise Invalid("a name is needed", field="name")
    return name


FIRST_REASONS = (
    "Too expensive",
    "Chose a competitor",
    "Not needed any more",
    "Does not answer",
    "Another reason",
)
"""Why interests of a new pipeline may be lost, until the organisation says it in its own words:
without any reason nothing could be lost. The last one needs a comment."""


def save_pipeline(uow: UnitOfWork, command: SavePipeline) -> PipelineId:
    """Create or change a pipeline."""
    values = {
        "name": _name(command.name),
        "position": command.position,
        "active": command.active,
        "roles": list(command.roles),
    }
    pipeline_id = command.pipeline_id or PipelineId(uow.new_id())
    if command.pipeline_id:
        _lock(uow, pipeline_id)
        if not command.active and _others(uow, pipeline_id) == 0:
            raise Conflict("the last pipeline stays", what="last")
        uow.conn.execute(
            update(pipelines)
            .where(pipelines.c.id == pipeline_id)
            .values(version=pipelines.c.version + 1, **values)
        )
    else:
        uow.conn.execute(insert(pipelines).values(id=pipeline_id, **values))
        uow.conn.execute(
            insert(stages).values(
                id=uow.new_id(),
                pipeline_id=pipeline_id,
                name="New",
                name_folded="new",
                probability=10,
            )
        )
        for position, name in enumerate(FIRST_REASONS):
            uow.conn.execute(
                insert(loss_reasons).values(
                    id=uow.new_id(),
                    pipeline_id=pipeline_id,
                    name=name,
                    position=position,
                    needs_comment=name == FIRST_REASONS[-1],
                )
            )
    uow.record(PipelineChanged(pipeline_id=pipeline_id))
    return pipeline_id


def _lock(uow: UnitOfWork, pipeline_id: int) -> Any:
    row = uow.conn.execute(
        locked(uow.dialect, select(pipelines).where(pipelines.c.id == pipeline_id))
    ).first()
    if row is None:
        raise NotFound("there is no such pipeline")
    return row


def _others(uow: UnitOfWork, pipeline_id: int) -> int:
    count = select(func.count()).where(pipelines.c.id != pipeline_id, pipelines.c.active)
    return int(uow.conn.execute(count).scalar_one())


def remove_pipeline(uow: UnitOfWork, command: RemovePipeline) -> None:
    """Remove a pipeline that holds nothing."""
    _lock(uow, command.pipeline_id)
    if _others(uow, command.pipeline_id) == 0:
        raise Conflict("the last pipeline stays", what="last")
    held = select(interests.c.id).where(interests.c.pipeline_id == command.pipeline_id).limit(1)
    if uow.conn.execute(held).first() is not None:
        raise Conflict("there are interests in this pipeline: switch it off instead", what="used")
    for table in (stages, loss_reasons):
        uow.conn.execute(delete(table).where(table.c.pipeline_id == command.pipeline_id))
    uow.conn.execute(delete(pipelines).where(pipelines.c.id == command.pipeline_id))
    uow.record(PipelineChanged(pipeline_id=command.pipeline_id))


def save_stage(uow: UnitOfWork, command: SaveStage) -> StageId:
    """Create or change a stage, and keep the order without gaps."""
    _lock(uow, command.pipeline_id)
    rows = uow.conn.execute(
        select(stages.c.id)
        .where(stages.c.pipeline_id == command.pipeline_id)
        .order_by(stages.c.position, stages.c.id)
    )
    order = [int(one) for one in rows.scalars()]
    stage_id = command.stage_id or StageId(uow.new_id())
    if command.stage_id and stage_id not in order:
        raise NotFound("there is no such stage")
    if not command.stage_id and len(order) >= MOST_STAGES:
        raise Invalid(f"a pipeline has at most {MOST_STAGES} stages", field="name")
    values = _stage_values(command, {*order, stage_id}, _requirable(uow))
    if command.stage_id:
        done = update(stages).where(stages.c.id == stage_id)
        uow.conn.execute(done.values(version=stages.c.version + 1, **values))
    else:
        new = insert(stages).values(
            id=stage_id, pipeline_id=command.pipeline_id, position=len(order), **values
        )
        uow.conn.execute(new)
    if command.position >= 0 or not command.stage_id:
        order = [one for one in order if one != stage_id]
        order.insert(command.position if command.position >= 0 else len(order), stage_id)
    for position, one in enumerate(order):
        uow.conn.execute(update(stages).where(stages.c.id == one).values(position=position))
    uow.record(PipelineChanged(pipeline_id=command.pipeline_id))
    return stage_id


def _requirable(uow: UnitOfWork) -> set[str]:
    """Give what a stage may ask for: properties, and this organisation's own fields."""
    own = custom.customs(custom.whole(uow.conn, NOUNS["interest"]))
    return {*REQUIRABLE, *(one.name for one in own)}


def _stage_values(command: SaveStage, known: set[int], requirable: set[str]) -> dict[str, object]:
    if not 0 <= command.probability <= 100:
        raise Invalid("a probability is from 0 to 100", field="probability")
    if command.colour not in COLOURS:
        raise Invalid("there is no such colour", field="colour")
    unknown = [one for one in command.required if one not in requirable]
    if unknown:
        raise Invalid("a stage cannot ask for this property", field="required")
    if any(one not in known for one in command.allowed):
        raise Invalid("there is no such stage", field="allowed")
    points = [one for one in command.checklist if one.text.strip()][:MOST_POINTS]
    if len({one.id for one in points}) != len(points) or not all(one.id for one in points):
        raise Invalid("every point needs a mark of its own", field="checklist")
    return {
        "name": _name(command.name),
        "name_folded": fold(_name(command.name)),
        "colour": command.colour,
        "probability": command.probability,
        "norm_us": max(0, command.norm_us),
        "wip_limit": max(0, command.wip_limit),
        "required": list(dict.fromkeys(command.required)),
        "checklist": [
            {"id": one.id[:40], "text": one.text.strip()[:400], "required": one.required}
            for one in points
        ],
        # As texts: a reader of JSON may lose large numbers.
        "allowed": [str(one) for one in command.allowed],
    }


def remove_stage(uow: UnitOfWork, command: RemoveStage) -> None:
    """Remove a stage; what stands in it goes to another one."""
    row = uow.conn.execute(select(stages).where(stages.c.id == command.stage_id)).first()
    if row is None:
        raise NotFound("there is no such stage")
    _lock(uow, row.pipeline_id)
    others = uow.conn.execute(
        select(stages.c.id, stages.c.allowed).where(
            stages.c.pipeline_id == row.pipeline_id, stages.c.id != row.id
        )
    ).all()
    if not others:
        raise Conflict("the last stage stays", what="last")
    inside = select(interests.c.id).where(interests.c.stage_id == row.id)
    if uow.conn.execute(inside.limit(1)).first() is not None:
        if command.move_to not in {one.id for one in others}:
            raise Conflict("say where the interests of this stage go", what="used")
        uow.conn.execute(
            update(interests)
            .where(interests.c.stage_id == row.id)
            .values(stage_id=command.move_to, stage_since=uow.now, version=interests.c.version + 1)
        )
        stays.join_stages(uow, row.id, command.move_to)
    for one in others:
        if str(row.id) in one.allowed:
            left = [each for each in one.allowed if each != str(row.id)]
            uow.conn.execute(update(stages).where(stages.c.id == one.id).values(allowed=left))
    uow.conn.execute(delete(stages).where(stages.c.id == row.id))
    uow.record(PipelineChanged(pipeline_id=PipelineId(row.pipeline_id)))


def save_loss_reason(uow: UnitOfWork, command: SaveLossReason) -> int:
    """Create or change a reason of losing."""
    _lock(uow, command.pipeline_id)
    values = {
        "name": _name(command.name),
        "position": command.position,
        "needs_comment": command.needs_comment,
        "active": command.active,
    }
    if command.reason_id:
        done = uow.conn.execute(
            update(loss_reasons)
            .where(
                loss_reasons.c.id == command.reason_id,
                loss_reasons.c.pipeline_id == command.pipeline_id,
            )
            .values(**values)
        )
        if not done.rowcount:
            raise NotFound("there is no such reason")
    reason_id = command.reason_id or uow.new_id()
    if not command.reason_id:
        new = insert(loss_reasons).values(id=reason_id, pipeline_id=command.pipeline_id, **values)
        uow.conn.execute(new)
    uow.record(PipelineChanged(pipeline_id=command.pipeline_id))
    return reason_id
