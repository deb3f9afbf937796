"""Interests: the resource of their kind, their ways, and what they have beyond their properties."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response

from crm_store.funnel import FunnelQuery, funnel
from crm_store.interest_particulars import particulars
from crm_store.nouns import NOUNS
from hub import commands as c
from hub.http_api import resource, rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.resource import Shapes
from hub.http_api.shapes import interests as s
from hub.ids import ContactId, InterestId, Micros, PipelineId, StageId, UserId
from hub.records.interests import Line, Participant
from hub.shapes import GivenId, GivenInstant

INTEREST = NOUNS["interest"]
SHAPES = Shapes(shown=s.Interest, create=s.CreateInterest, change=s.ChangeInterest)
Key = Annotated[GivenId, Path(alias="interest_id", description="The interest.")]

router = rights.router("Interests")


@router.get("/interests/funnel", summary="The funnel of a pipeline")
async def read_funnel(
    caller: rights.MayViewInterests,
    pipeline_id: Annotated[GivenId, Query(description="The pipeline.")],
    since: Annotated[GivenInstant | None, Query(description="Begun from here on.")] = None,
    until: Annotated[GivenInstant | None, Query(description="Begun before.")] = None,
    owner_id: Annotated[GivenId | None, Query(description="Of one colleague.")] = None,
    source: Annotated[str, Query(max_length=400, description="From one source.")] = "",
) -> s.FunnelShape:
    """Give how far interests came, what part went on, how long they stayed, and their sums."""
    query = FunnelQuery(
        pipeline_id=PipelineId(pipeline_id),
        since=since or Micros(0),
        until=until or Micros(0),
        owner_id=UserId(owner_id or 0),
        source=source,
    )
    found = await caller.hub.read(funnel, query)
    return s.FunnelShape(
        pipeline_id=str(found.pipeline.id),
        began=found.began,
        won=found.won,
        lost=found.lost,
        won_sums=[s.MoneyShape.model_validate(one) for one in found.won_sums],
        reasons=[s.LossCount(reason_id=str(one), count=count) for one, count in found.reasons],
        steps=[s.FunnelStepShape.model_validate(one) for one in found.steps],
    )


router.include_router(resource.resource(INTEREST, SHAPES, "Interests", "interest_id"))


async def _shown(caller: Caller, interest_id: int, response: Response) -> Any:
    return await resource.shown(caller, INTEREST, s.Interest, interest_id, response)


async def _more(caller: Caller, interest_id: int) -> s.Particulars:
    return s.Particulars.model_validate(await caller.hub.read(particulars, interest_id))


@router.post(
    "/interests/{interest_id}/move",
    summary="Move to a stage",
    responses=failures(409),
    response_model=s.Interest,
)
async def move(
    caller: rights.MayEditInterests, interest_id: Key, body: s.MoveInterest, response: Response
) -> Any:
    """Move it; 409 `moved`, `forbidden` or `missing` says in `details` what is in the way."""
    await caller.hub.do(
        c.MoveInterest(
            interest_id=InterestId(interest_id),
            stage_id=StageId(body.stage_id),
            seen=StageId(body.seen or 0),
        )
    )
    return await _shown(caller, interest_id, response)


@router.post(
    "/interests/{interest_id}/win",
    summary="Win",
    responses=failures(409),
    response_model=s.Interest,
)
async def win(caller: rights.MayEditInterests, interest_id: Key, response: Response) -> Any:
    """Close it as won."""
    await caller.hub.do(c.WinInterest(interest_id=InterestId(interest_id)))
    return await _shown(caller, interest_id, response)


@router.post(
    "/interests/{interest_id}/lose",
    summary="Lose",
    responses=failures(409),
    response_model=s.Interest,
)
async def lose(
    caller: rights.MayEditInterests, interest_id: Key, body: s.LoseInterest, response: Response
) -> Any:
    """Close it as lost, with a reason of its pipeline."""
    await caller.hub.do(
        c.LoseInterest(
            interest_id=InterestId(interest_id), reason_id=body.reason_id, comment=body.comment
        )
    )
    return await _shown(caller, interest_id, response)


@router.post(
    "/interests/{interest_id}/reopen",
    summary="Reopen",
    responses=failures(409),
    response_model=s.Interest,
)
async def reopen(caller: rights.MayEditInterests, interest_id: Key, response: Response) -> Any:
    """Take it into work again."""
    await caller.hub.do(c.ReopenInterest(interest_id=InterestId(interest_id)))
    return await _shown(caller, interest_id, response)


@router.get("/interests/{interest_id}/particulars", summary="Lines, people, co-executors, ticks")
async def read_particulars(caller: rights.MayViewInterests, interest_id: Key) -> s.Particulars:
    """Give what an interest has beyond its properties."""
    return await _more(caller, interest_id)


@router.put("/interests/{interest_id}/lines", summary="Set the lines of demand")
async def set_lines(
    caller: rights.MayEditInterests, interest_id: Key, body: s.SetLines
) -> s.Particulars:
    """Say what it is for; its amount is their sum from now on."""
    lines = tuple(Line(name=one.name, quantity=one.quantity, price=one.price) for one in body.lines)
    await caller.hub.do(c.SetInterestLines(interest_id=InterestId(interest_id), lines=lines))
    return await _more(caller, interest_id)


@router.put("/interests/{interest_id}/people", summary="Set who takes part")
async def set_people(
    caller: rights.MayEditInterests, interest_id: Key, body: s.SetPeople
) -> s.Particulars:
    """Say which contact persons take part, in which roles."""
    people = tuple(
        Participant(contact_id=ContactId(one.contact_id), role=one.role) for one in body.people
    )
    await caller.hub.do(c.SetInterestPeople(interest_id=InterestId(interest_id), people=people))
    return await _more(caller, interest_id)


@router.post(
    "/interests/{interest_id}/helpers", summary="Add a co-executor", responses=failures(409)
)
async def add_helper(
    caller: rights.MayEditInterests, interest_id: Key, body: s.AddHelper
) -> s.Particulars:
    """Let a second colleague in; 409 `no_access`: repeat with `grant` to open it."""
    await caller.hub.do(
        c.AddCoExecutor(
            interest_id=InterestId(interest_id),
            user_id=UserId(body.user_id),
            role=body.role,
            grant=body.grant,
        )
    )
    return await _more(caller, interest_id)


@router.delete(
    "/interests/{interest_id}/helpers/{user_id}", status_code=204, summary="Take one off"
)
async def remove_helper(
    caller: rights.MayEditInterests,
    interest_id: Key,
    user_id: Annotated[GivenId, Path(description="The colleague.")],
) -> Response:
    """Take a second colleague off."""
    await caller.hub.do(
        c.RemoveCoExecutor(interest_id=InterestId(interest_id), user_id=UserId(user_id))
    )
    return Response(status_code=204)


@router.post("/interests/{interest_id}/ticks", summary="Tick a point")
async def tick(
    caller: rights.MayEditInterests, interest_id: Key, body: s.TickPoint
) -> s.Particulars:
    """Tick a point of the checklist of the stage it is in, or untick it."""
    await caller.hub.do(
        c.TickPoint(interest_id=InterestId(interest_id), point=body.point, done=body.done)
    )
    return await _more(caller, interest_id)
