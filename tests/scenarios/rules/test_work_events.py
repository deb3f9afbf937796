"""Rules that begin with work: a task that is overdue, a checklist that is done, a form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store import objects, request_checklists
from crm_store.pipelines import all_pipelines
from crm_store.tables.journal import journal
from crm_store.tables.requests import notices
from hub import (
    ChangeChecklist,
    ChangeObject,
    CreateObject,
    FinishTask,
    Micros,
    MoveInterest,
    Point,
    RemindOfTasks,
    SaveStage,
    SetRequestStatus,
    TickPoint,
)
from tests.houses import message
from tests.scenarios.rules.house import US, Ruled, ruled

HOUR = 3600
TELL: dict[str, Any] = {"action": "crm_actions.notify"}


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[Ruled]:
    async with ruled(tmp_path, database_url) as one:
        yield one


async def count(world: Ruled, kind: str) -> int:
    """How often a fact stands in the journal."""
    from sqlalchemy import func, select

    statement = select(func.count()).where(journal.c.type == kind)
    found = await world.home.runtime.database.read(lambda conn: conn.execute(statement).scalar())
    return int(found)


async def told(world: Ruled) -> list[tuple[str, int]]:
    """What colleagues were told of by rules."""
    from sqlalchemy import select

    statement = select(notices.c.object_kind, notices.c.object_id).where(
        notices.c.kind == "rule.told"
    )
    return [
        (row.object_kind, row.object_id)
        for row in await world.home.runtime.database.read(
            lambda conn: conn.execute(statement).all()
        )
    ]


async def test_a_task_is_overdue_once_for_each_date(world: Ruled) -> None:
    await world.rule(when=[{"event": "task.overdue"}], then=[TELL])
    user = world.home.user
    due = Micros(world.home.world.now() + HOUR * US)
    values = {"due_at": due, "owner_id": user.actor.id}
    late, done, moved = [
        (await user.do(CreateObject(kind="task", values={"title": one, **values})))[0]
        for one in ("Late", "Done", "Moved")
    ]
    await user.do(FinishTask(task_id=done))
    later = {"due_at": Micros(due + HOUR * US)}
    await user.do(ChangeObject(kind="task", object_id=moved, values=later))

    async def look(seconds: float) -> None:
        await world.later(seconds)
        for _ in range(2):
            await world.home.system.do(RemindOfTasks())
        await world.settle()

    await look(HOUR + 1)
    assert await told(world) == [("task", late)]
    # Taken back, a task that was done when its date came is overdue too.
    await user.do(FinishTask(task_id=done, undo=True))
    await look(1)
    assert sorted(await told(world)) == sorted([("task", late), ("task", done)])
    # Another date is another promise.
    again = {"due_at": Micros(world.home.world.now() + HOUR * US)}
    await user.do(ChangeObject(kind="task", object_id=late, values=again))
    await look(2 * HOUR)
    assert await count(world, "task.overdue") == 4


async def test_a_checklist_that_is_done_begins_a_rule(world: Ruled) -> None:
    done = [{"event": "request.checklist_done"}, {"event": "interest.checklist_done"}]
    await world.rule(when=done, then=[TELL])
    user = world.home.user
    dialog = (await world.home.receive(message("1", "anna")))[0].dialog_id
    me = {"owner_id": user.actor.id}
    request = (await user.do(CreateObject(kind="request", values=me, dialog_id=dialog)))[0]
    await user.do(ChangeChecklist(request_id=request, add=("look", "pay")))
    first, last = [one.id for one in await user.read(request_checklists.checklist, request)]
    await user.do(ChangeChecklist(request_id=request, tick=(first,)))
    await world.settle()
    assert await told(world) == []
    for _ in range(2):
        await user.do(ChangeChecklist(request_id=request, tick=(last,)))
    await world.settle()
    assert await told(world) == [("request", request)]

    [line] = await user.read(all_pipelines)
    stage = line.stages[0]
    points = (Point(id="call", text="Call"), Point(id="tea", text="Tea"))
    await user.do(
        SaveStage(pipeline_id=line.id, stage_id=stage.id, name=stage.name, checklist=points)
    )
    values = {"title": "Boat", **me}
    interest = (await user.do(CreateObject(kind="interest", values=values, dialog_id=dialog)))[0]
    await user.do(TickPoint(interest_id=interest, point="call"))
    await world.settle()
    assert len(await told(world)) == 1
    await user.do(TickPoint(interest_id=interest, point="tea"))
    await user.do(TickPoint(interest_id=interest, point="tea"))
    await world.settle()
    assert await told(world) == [("request", request), ("interest", interest)]


async def test_a_stage_that_was_left_and_a_status_that_was_reached(world: Ruled) -> None:
    user = world.home.user
    [line] = await user.read(all_pipelines)
    first, second, third = (one.id for one in line.stages[:3])
    left = {"field": "interest.stage", "operator": "changed_from", "value": str(first)}
    await world.rule(when=[{"event": "interest.stage_changed"}], if_=left, then=[TELL])
    solved = {"field": "request.status", "operator": "changed_to", "value": "solved"}
    await world.rule(when=[{"event": "request.status_changed"}], if_=solved, then=[TELL])
    done = {"field": "task.status", "operator": "changed_from", "value": "open"}
    await world.rule(when=[{"event": "task.status_changed"}], if_=done, then=[TELL])
    dialog = (await world.home.receive(message("1", "anna")))[0].dialog_id
    me = {"owner_id": user.actor.id}

    async def make(kind: str, **values: Any) -> Any:
        command = CreateObject(kind=kind, values={**me, **values}, dialog_id=dialog)
        return (await user.do(command))[0]

    interest, request = await make("interest", title="Boat"), await make("request")
    task = await make("task", title="Call")
    await user.do(
        MoveInterest(interest_id=interest, stage_id=second),
        MoveInterest(interest_id=interest, stage_id=third),
        SetRequestStatus(request_id=request, status="in_work"),
        SetRequestStatus(request_id=request, status="solved", solution="ok"),
        FinishTask(task_id=task),
        FinishTask(task_id=task, undo=True),
    )
    await world.settle()
    assert sorted(await told(world)) == sorted(
        [("interest", interest), ("request", request), ("task", task)]
    )


async def test_rules_that_tag_one_client_at_once_lose_no_tag(world: Ruled) -> None:
    for tag in ("one", "two", "three"):
        await world.rule(
            name=tag,
            when=[{"event": "client.changed"}],
            if_={"field": "client.source", "operator": "equals", "value": "fair"},
            then=[{"action": "crm_actions.tag_client", "params": {"tags": [tag]}}],
        )
    hub = world.home.user
    number = (await hub.do(CreateObject(kind="client", values={"name": "Anna"})))[0]
    await hub.do(ChangeObject(kind="client", object_id=number, values={"source": "fair"}))
    await world.settle()
    found = await hub.read(objects.one, objects.NOUNS["client"], number)
    assert set(found.tags) == {"one", "two", "three"}
