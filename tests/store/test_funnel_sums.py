"""What is kept of the funnel, and what is asked of marked days, is what counting all of it gives."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from crm_store import funnel as funnels
from crm_store.funnel import FunnelQuery, funnel
from crm_store.funnel_sums import _kept
from crm_store.pipelines import all_pipelines
from crm_store.tables.funnels import funnel_marks, funnel_sums
from crm_store.tables.interests import interest_stays, interests
from hub import (
    ChangeObject,
    Conflict,
    CountFunnels,
    CreateObject,
    Funnel,
    InterestId,
    LoseInterest,
    Micros,
    MoveInterest,
    PipelineId,
    RemoveObject,
    RemoveStage,
    ReopenInterest,
    SavePipeline,
    StageId,
    UserId,
    WinInterest,
)
from hub.properties import DAY
from tests.houses import House, house


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def count(home: House) -> None:
    """Do what the background does."""
    while (await home.system.do(CountFunnels()))[0]:
        pass


async def marked(home: House) -> int:
    rows = select(func.count()).select_from(funnel_marks)
    return await home.user.read(lambda reader: reader.conn.execute(rows).scalar_one())


async def test_what_is_kept_is_what_all_interests_give(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(7)
    line = (await home.user.read(all_pipelines))[0]
    stages = [one.id for one in line.stages]
    second = PipelineId((await home.user.do(SavePipeline(name="Rent")))[0])
    [other] = next(one for one in await home.user.read(all_pipelines) if one.id == second).stages
    begin = int(home.system.now())
    made: list[InterestId] = []

    async def step() -> None:
        chosen = dice.choice(made) if made else InterestId(0)
        match dice.randrange(9) if made else 0:
            case 0 | 1:
                values = {
                    "title": "x",
                    "amount": str(dice.randrange(50)),
                    "currency": dice.choice(("RUB", "EUR")),
                    "source": dice.choice(("Fair", "Site", "")),
                    "stage_id": str(dice.choice(stages)),
                }
                made.append(
                    InterestId(
                        (await home.user.do(CreateObject(kind="interest", values=values)))[0]
                    )
                )
            case 2 | 3:
                stage = StageId(dice.choice([*stages, other.id]))
                await home.user.do(MoveInterest(interest_id=chosen, stage_id=stage))
            case 4:
                await home.user.do(WinInterest(interest_id=chosen))
            case 5:
                await home.user.do(LoseInterest(interest_id=chosen, reason_id=1))
            case 6:
                await home.user.do(ReopenInterest(interest_id=chosen))
            case 7:
                values = {"amount": "7", "source": "Fair", "owner_id": "0"}
                name = dice.choice(list(values))
                change = ChangeObject(
                    kind="interest", object_id=chosen, values={name: values[name]}
                )
                await home.user.do(change)
            case _:
                restore = dice.random() < 0.5
                await home.user.do(RemoveObject(kind="interest", object_id=chosen, restore=restore))

    async def agree() -> None:
        now = int(home.system.now())
        for query in (
            FunnelQuery(pipeline_id=line.id),
            FunnelQuery(pipeline_id=second),
            FunnelQuery(pipeline_id=line.id, since=Micros((begin + now) // 2)),
            FunnelQuery(pipeline_id=line.id, since=Micros(begin + DAY), until=Micros(now - DAY)),
            FunnelQuery(pipeline_id=line.id, owner_id=UserId(home.user.actor.id)),
            FunnelQuery(pipeline_id=line.id, source="fair", until=Micros(now)),
            FunnelQuery(pipeline_id=line.id, source="fair", owner_id=UserId(home.user.actor.id)),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(funnels, "sees_all", lambda viewer, noun: False)
                asked: Funnel = await home.user.read(funnel, query)
            assert await home.user.read(funnel, query) == asked, query

    for _ in range(8):
        for _ in range(8):
            home.world.offset_us += dice.choice((0, DAY // 5, DAY, 9 * DAY))
            try:
                await step()
            except Conflict:  # It is closed, in the bin, or there already.
                continue
        if dice.random() < 0.5:
            await home.system.do(CountFunnels(limit=dice.randrange(1, 5)))
        await agree()
    assert len(made) > 8
    await home.user.do(RemoveStage(stage_id=stages[1], move_to=stages[2]))
    assert await marked(home)
    await count(home)
    assert not await marked(home)
    await agree()


async def test_a_write_past_every_command_marks_the_days_it_touches(home: House) -> None:
    values = {"title": "x", "amount": "5"}
    number = (await home.user.do(CreateObject(kind="interest", values=values)))[0]
    row = interests.c.id == number
    for written in (
        update(interests).where(row).values(amount=7),
        update(interests).where(row).values(created_at=interests.c.created_at - 3 * DAY),
        update(interest_stays).where(interest_stays.c.interest_id == number).values(left_at=1),
        interest_stays.delete().where(interest_stays.c.interest_id == number),
        interests.delete().where(row),
    ):
        await count(home)
        assert not await marked(home)
        with home.runtime.database.administer() as conn:
            conn.execute(written)
        assert await marked(home), written
    await count(home)
    kept = select(func.count()).select_from(funnel_sums)
    assert await home.user.read(lambda reader: reader.conn.execute(kept).scalar_one()) == 0


async def test_who_writes_while_a_day_is_counted_leaves_it_marked(
    home: House, database_kind: str
) -> None:
    if database_kind != "postgres":
        pytest.skip("SQLite has one writer at a time")
    number = (await home.user.do(CreateObject(kind="interest", values={"title": "x"})))[0]
    assert await marked(home)
    with home.runtime.database.administer() as conn:
        conn.execute(update(interests).where(interests.c.id == number).values(amount=7))
        await count(home)
    assert await marked(home)


async def test_what_changes_no_sum_marks_nothing(home: House) -> None:
    number = (await home.user.do(CreateObject(kind="interest", values={"title": "x"})))[0]
    await count(home)
    for values in ({"title": "y"}, {"source": ""}):
        await home.user.do(ChangeObject(kind="interest", object_id=number, values=values))
    assert not await marked(home)


@pytest.mark.parametrize(
    ("first", "last", "marks", "expected"),
    [
        (3, 20, [], [(1, 3, 20)]),
        (30, 70, [], [(1, 30, 32), (32, 32, 64), (1, 64, 70)]),
        (32, 128, [70, 71], [(32, 32, 64), (1, 64, 96), (32, 96, 128)]),
        (0, 64, [1, 40], [(1, 0, 32), (1, 32, 64)]),
    ],
)
def test_a_period_takes_whole_stretches_where_nothing_is_marked(
    first: int, last: int, marks: list[int], expected: list[tuple[int, int, int]]
) -> None:
    assert _kept(first, last, frozenset(marks)) == expected
