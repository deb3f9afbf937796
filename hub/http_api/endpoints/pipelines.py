"""Pipelines: their stages and loss reasons."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import pipelines as reads
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import interests as s
from hub.ids import PipelineId, StageId
from hub.records.interests import Point
from hub.shapes import GivenId

router = rights.router("Interests")

Key = Annotated[GivenId, Path(alias="pipeline_id", description="The pipeline.")]
StageKey = Annotated[GivenId, Path(alias="stage_id", description="The stage.")]
ReasonKey = Annotated[GivenId, Path(alias="reason_id", description="The reason.")]


async def _shown(caller: Caller, pipeline_id: int) -> s.PipelineShape:
    return s.PipelineShape.model_validate(await caller.hub.read(reads.pipeline, pipeline_id))


@router.get("/pipelines", summary="List pipelines")
async def pipelines(caller: rights.MayViewInterests) -> list[s.PipelineShape]:
    """Give every pipeline with its stages and loss reasons, in their order."""
    found = await caller.hub.read(reads.all_pipelines)
    return [s.PipelineShape.model_validate(one) for one in found]


@router.post("/pipelines", status_code=201, summary="Add a pipeline")
async def create(caller: rights.MayManagePipelines, body: s.SavePipeline) -> s.PipelineShape:
    """Make a pipeline with a first stage."""
    made = await caller.hub.do(_saving(body, 0))
    return await _shown(caller, made[0])


@router.put("/pipelines/{pipeline_id}", summary="Change a pipeline", responses=failures(409))
async def change(
    caller: rights.MayManagePipelines, pipeline_id: Key, body: s.SavePipeline
) -> s.PipelineShape:
    """Rename it, order it, switch it off, say who uses it."""
    await caller.hub.do(_saving(body, pipeline_id))
    return await _shown(caller, pipeline_id)


def _saving(body: s.SavePipeline, pipeline_id: int) -> c.SavePipeline:
    return c.SavePipeline(
        pipeline_id=PipelineId(pipeline_id),
        name=body.name,
        position=body.position,
        active=body.active,
        roles=tuple(body.roles),
    )


@router.delete(
    "/pipelines/{pipeline_id}",
    status_code=204,
    summary="Remove a pipeline",
    responses=failures(409),
)
async def remove(caller: rights.MayManagePipelines, pipeline_id: Key) -> Response:
    """Remove a pipeline in which no interest is."""
    await caller.hub.do(c.RemovePipeline(pipeline_id=PipelineId(pipeline_id)))
    return Response(status_code=204)


@router.post("/pipelines/{pipeline_id}/stages", status_code=201, summary="Add a stage")
async def add_stage(
    caller: rights.MayManagePipelines, pipeline_id: Key, body: s.SaveStage
) -> s.PipelineShape:
    """Make a stage."""
    await caller.hub.do(_stage(body, pipeline_id, 0))
    return await _shown(caller, pipeline_id)


@router.put("/pipelines/{pipeline_id}/stages/{stage_id}", summary="Change a stage")
async def change_stage(
    caller: rights.MayManagePipelines, pipeline_id: Key, stage_id: StageKey, body: s.SaveStage
) -> s.PipelineShape:
    """Set a stage up anew; position -1 leaves it where it is."""
    await caller.hub.do(_stage(body, pipeline_id, stage_id))
    return await _shown(caller, pipeline_id)


def _stage(body: s.SaveStage, pipeline_id: int, stage_id: int) -> c.SaveStage:
    return c.SaveStage(
        pipeline_id=PipelineId(pipeline_id),
        stage_id=StageId(stage_id),
        name=body.name,
        position=body.position,
        colour=body.colour,
        probability=body.probability,
        norm_us=body.norm_us,
        wip_limit=body.wip_limit,
        required=tuple(body.required),
        checklist=tuple(
            Point(id=one.id, text=one.text, required=one.required) for one in body.checklist
        ),
        allowed=tuple(StageId(one) for one in body.allowed),
    )


@router.delete(
    "/pipelines/{pipeline_id}/stages/{stage_id}",
    summary="Remove a stage",
    responses=failures(409),
)
async def remove_stage(
    caller: rights.MayManagePipelines,
    pipeline_id: Key,
    stage_id: StageKey,
    move_to: Annotated[
        GivenId | None, Query(description="The stage where its interests go.")
    ] = None,
) -> s.PipelineShape:
    """Remove a stage; what stands in it goes to another one."""
    await caller.hub.do(c.RemoveStage(stage_id=StageId(stage_id), move_to=StageId(move_to or 0)))
    return await _shown(caller, pipeline_id)


@router.post("/pipelines/{pipeline_id}/reasons", status_code=201, summary="Add a loss reason")
async def add_reason(
    caller: rights.MayManagePipelines, pipeline_id: Key, body: s.SaveReason
) -> s.PipelineShape:
    """Make a reason of losing."""
    await caller.hub.do(_reason(body, pipeline_id, 0))
    return await _shown(caller, pipeline_id)


@router.put("/pipelines/{pipeline_id}/reasons/{reason_id}", summary="Change a loss reason")
async def change_reason(
    caller: rights.MayManagePipelines, pipeline_id: Key, reason_id: ReasonKey, body: s.SaveReason
) -> s.PipelineShape:
    """Rename a reason, order it, or offer it no more."""
    await caller.hub.do(_reason(body, pipeline_id, reason_id))
    return await _shown(caller, pipeline_id)


def _reason(body: s.SaveReason, pipeline_id: int, reason_id: int) -> c.SaveLossReason:
    return c.SaveLossReason(
        pipeline_id=PipelineId(pipeline_id),
        reason_id=reason_id,
        name=body.name,
        position=body.position,
        needs_comment=body.needs_comment,
        active=body.active,
    )
