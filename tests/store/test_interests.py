"""Interests: gates and moves, races, sums of lines, likelihood, co-executors, the funnel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_store import objects
from crm_store.boards import stage_heaps
from crm_store.funnel import FunnelQuery, funnel
from crm_store.interest_moves import lacks
from crm_store.interest_particulars import particulars
from crm_store.leads import begun_of
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.pipelines import all_pipelines
from hub import (
    AddCoExecutor,
    ChangeObject,
    Conflict,
    ContactId,
    ConvertLead,
    CreateContact,
    CreateObject,
    CreateUser,
    EraseContact,
    FinishTask,
    Interest,
    InterestId,
    Invalid,
    LeadId,
    Line,
    LoseInterest,
    MoveInterest,
    NotFound,
    Participant,
    Pipeline,
    PipelineId,
    Point,
    RemoveCoExecutor,
    RemoveObject,
    RemovePipeline,
    RemoveStage,
    ReopenInterest,
    SaveField,
    SaveLossReason,
    SavePipeline,
    SaveRole,
    SaveStage,
    Scope,
    SetInterestLines,
    SetInterestPeople,
    StageId,
    TaskId,
    TickPoint,
    UndoConversion,
    UpdateAccount,
    UserId,
    WinInterest,
)
from hub.commands import CountFunnels
from hub.properties import LARGEST
from tests.houses import House, house, message

INTEREST = NOUNS["interest"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def sales(home: House) -> Pipeline:
    found: Pipeline = (await home.user.read(all_pipelines))[0]
    return found


async def one(home: House, interest_id: int) -> Interest:
    found: Interest = await home.user.read(objects.one, INTEREST, interest_id)
    return found


async def made(home: House, **values: object) -> InterestId:
    command = CreateObject(kind="interest", values={"title": "Boats", **values})
    return InterestId((await home.user.do(command))[0])


async def moved(home: House, interest_id: InterestId, stage: int, **more: Any) -> None:
    await home.user.do(MoveInterest(interest_id=interest_id, stage_id=StageId(stage), **more))


async def test_an_interest_begins_in_the_first_stage_and_goes_to_won(home: House) -> None:
    stages = (await sales(home)).stages
    assert [one.name for one in stages][:2] == ["New", "Qualification"]
    sent = (await home.receive(message("1", text="boats?")))[0]
    command = CreateObject(kind="interest", dialog_id=sent.dialog_id)
    interest_id = InterestId((await home.user.do(command))[0])
    found = await one(home, interest_id)
    assert (found.title, found.stage_id, found.probability) == ("boats?", stages[0].id, 10)
    assert found.owner_id == home.user.actor.id
    assert found.contact_id == (await home.user.dialog(sent.dialog_id)).contact_id
    await moved(home, interest_id, stages[2].id)
    assert (await one(home, interest_id)).probability == stages[2].probability
    await home.user.do(WinInterest(interest_id=interest_id))
    found = await one(home, interest_id)
    assert (found.status, found.probability, found.closed_at > 0) == ("won", 100, True)
    with pytest.raises(Conflict):
        await moved(home, interest_id, stages[0].id)
    await home.user.do(ReopenInterest(interest_id=interest_id))
    found = await one(home, interest_id)
    assert (found.status, found.closed_at, found.probability) == ("in_work", 0, 50)


async def test_what_was_won_by_mistake_has_come_no_further(home: House) -> None:
    stages = (await sales(home)).stages
    interest_id = await made(home, probability="65")
    await home.user.do(WinInterest(interest_id=interest_id))
    query = FunnelQuery(pipeline_id=stages[0].pipeline_id)
    assert [one.count for one in (await home.user.read(funnel, query)).steps] == [1] * len(stages)
    await home.user.do(ReopenInterest(interest_id=interest_id))
    found = await one(home, interest_id)
    assert (found.probability, found.probability_from) == (65, "hand")
    assert [one.count for one in (await home.user.read(funnel, query)).steps][:2] == [1, 0]


async def test_what_was_made_and_won_at_once_remembers_how_far_it_came(home: House) -> None:
    stages = (await sales(home)).stages
    interest_id = InterestId(home.user.new_id())
    await home.user.do(
        CreateObject(
            kind="interest",
            object_id=interest_id,
            values={"title": "Boats", "stage_id": str(stages[1].id)},
        ),
        MoveInterest(interest_id=interest_id, stage_id=stages[3].id),
        WinInterest(interest_id=interest_id),
    )
    query = FunnelQuery(pipeline_id=stages[0].pipeline_id)
    await home.user.do(ReopenInterest(interest_id=interest_id))
    reached = [1, 1, 1, 1] + [0] * (len(stages) - 4)
    assert [one.count for one in (await home.user.read(funnel, query)).steps] == reached


async def test_a_round_through_another_pipeline_leads_no_further(home: House) -> None:
    line = await sales(home)
    first, second, third = line.stages[:3]
    allowed = SaveStage(pipeline_id=line.id, stage_id=first.id, name="New", allowed=(second.id,))
    await home.user.do(allowed)
    other = (await home.user.do(SavePipeline(name="Service")))[0]
    begun = SaveStage(pipeline_id=PipelineId(other), name="Begun")
    elsewhere = (await home.user.do(begun))[0]
    interest_id = await made(home)
    await moved(home, interest_id, elsewhere)
    with pytest.raises(Conflict, match="does not lead there"):
        await moved(home, interest_id, third.id)
    await moved(home, interest_id, second.id)


async def test_a_gate_names_what_is_missing_and_opens_when_it_is_there(home: House) -> None:
    first, second, third = (await sales(home)).stages[:3]
    points = (Point(id="call", text="Called", required=True), Point(id="tea", text="Tea"))
    await home.user.do(
        SaveStage(
            pipeline_id=first.pipeline_id,
            stage_id=first.id,
            name="New",
            checklist=points,
            allowed=(second.id,),
        ),
        SaveStage(
            pipeline_id=first.pipeline_id,
            stage_id=second.id,
            name="Qualified",
            required=("amount", "next_step"),
        ),
    )
    interest_id = await made(home)
    with pytest.raises(Conflict) as refused:
        await moved(home, interest_id, third.id)
    assert refused.value.what == "forbidden"
    with pytest.raises(Conflict) as refused:
        await moved(home, interest_id, second.id)
    assert refused.value.what == "missing"
    assert refused.value.details == {"fields": ["amount", "next_step"], "points": ["Called"]}
    await home.user.do(
        ChangeObject(
            kind="interest", object_id=interest_id, values={"amount": "100", "next_step": "Call"}
        ),
        TickPoint(interest_id=interest_id, point="call"),
    )
    await moved(home, interest_id, second.id)
    # Won is behind every stage: it asks for what any of them needs, and for points of its own.
    other = await made(home)
    with pytest.raises(Conflict) as refused:
        await home.user.do(WinInterest(interest_id=other))
    assert refused.value.details == {"fields": ["amount", "next_step"], "points": ["Called"]}
    asked = await home.user.read(lacks, other)
    assert (asked[0], [one.id for one in asked[1]]) == (("amount", "next_step"), ["call"])
    assert await home.user.read(lacks, interest_id, third.id) == ((), ())
    # Going back asks for nothing; a point that is not here cannot be ticked.
    await home.user.do(TickPoint(interest_id=await made(home), point="tea"))
    with pytest.raises(NotFound):
        await home.user.do(TickPoint(interest_id=interest_id, point="call"))
    await moved(home, interest_id, first.id)


async def test_a_stage_may_ask_for_a_field_of_ones_own(home: House) -> None:
    first, second = (await sales(home)).stages[:2]
    await home.user.do(SaveField(kind="interest", label="Boat", type="line"))
    stage = SaveStage(
        pipeline_id=first.pipeline_id,
        stage_id=second.id,
        name="Qualified",
        required=("custom.boat", "amount"),
    )
    await home.user.do(stage)
    with pytest.raises(Invalid):
        await home.user.do(replace(stage, required=("custom.ship",)))
    interest_id = await made(home)
    with pytest.raises(Conflict) as refused:
        await moved(home, interest_id, second.id)
    assert refused.value.details["fields"] == ["custom.boat", "amount"]
    values = {"custom.boat": "Yawl", "amount": "5"}
    await home.user.do(ChangeObject(kind="interest", object_id=interest_id, values=values))
    await moved(home, interest_id, second.id)


async def test_a_number_beyond_what_is_kept_is_refused(home: House) -> None:
    line = await sales(home)
    for number in (2**63, 2**200):
        with pytest.raises(Invalid, match="too large"):
            await home.user.do(SaveStage(pipeline_id=line.id, name="Late", norm_us=number))


async def test_a_full_stage_takes_nobody_in_until_one_goes(home: House) -> None:
    line = await sales(home)
    first, second, third = line.stages[:3]
    await home.user.do(
        SaveStage(pipeline_id=line.id, stage_id=second.id, name="Qualified", wip_limit=2)
    )
    cards = [await made(home) for _ in range(4)]
    answers = await asyncio.gather(
        *(moved(home, one, second.id) for one in cards), return_exceptions=True
    )
    refused = [one for one in answers if isinstance(one, Conflict)]
    assert [one.what for one in refused] == ["full", "full"]
    assert refused[0].details["limit"] == 2
    inside = [one for one, answer in zip(cards, answers, strict=True) if answer not in refused]
    outside = [one for one in cards if one not in inside]
    # What is won or lost takes no place.
    await home.user.do(WinInterest(interest_id=InterestId(inside[0])))
    await moved(home, outside[0], second.id)
    with pytest.raises(Conflict):
        await moved(home, outside[1], second.id)
    await moved(home, inside[1], third.id)
    await moved(home, outside[1], second.id)
    with pytest.raises(Conflict, match="full"):
        await home.user.do(ReopenInterest(interest_id=InterestId(inside[0])))
    assert first.wip_limit == 0


async def test_of_two_who_move_at_once_one_is_told_where_it_went(home: House) -> None:
    stages = (await sales(home)).stages
    interest_id = await made(home)
    seen = stages[0].id
    answers = await asyncio.gather(
        moved(home, interest_id, stages[1].id, seen=seen),
        moved(home, interest_id, stages[2].id, seen=seen),
        return_exceptions=True,
    )
    [refused] = [one for one in answers if one is not None]
    assert isinstance(refused, Conflict)
    assert refused.what == "moved"
    found = await one(home, interest_id)
    assert refused.details == {"stage_id": str(found.stage_id), "by": str(home.user.actor.id)}


async def test_lines_sum_up_and_the_amount_is_theirs(home: House) -> None:
    interest_id = await made(home, amount="5")
    lines = (
        Line(name="Boat", quantity=2000, price=150_050),
        Line(name="Rope, m", quantity=1500, price=333),
        Line(name=" ", quantity=1, price=1),
    )
    await home.user.do(SetInterestLines(interest_id=interest_id, lines=lines))
    found = await one(home, interest_id)
    assert found.amount == 300_100 + 500
    assert (await home.user.read(particulars, interest_id)).lines == lines[:2]
    with pytest.raises(Invalid):
        await home.user.do(
            ChangeObject(kind="interest", object_id=interest_id, values={"amount": "1"})
        )
    await home.user.do(SetInterestLines(interest_id=interest_id, lines=()))
    await home.user.do(ChangeObject(kind="interest", object_id=interest_id, values={"amount": "1"}))


async def test_probability_is_of_the_stage_of_the_past_or_by_hand(home: House) -> None:
    stages = (await sales(home)).stages
    for n in range(12):
        past = await made(home)
        await moved(home, past, stages[1].id)
        if n < 9:
            await home.user.do(WinInterest(interest_id=past))
        else:
            await home.user.do(LoseInterest(interest_id=past, reason_id=1))
    interest_id = await made(home, probability_from="statistics")
    assert (await one(home, interest_id)).probability == 75
    await moved(home, interest_id, stages[3].id)
    # Won ones passed there too, the lost ones did not.
    assert (await one(home, interest_id)).probability == stages[3].probability
    change = {"probability": "33"}
    await home.user.do(ChangeObject(kind="interest", object_id=interest_id, values=change))
    found = await one(home, interest_id)
    assert (found.probability, found.probability_from) == (33, "hand")
    await moved(home, interest_id, stages[0].id)
    assert (await one(home, interest_id)).probability == 33
    change = {"probability_from": "stage"}
    await home.user.do(ChangeObject(kind="interest", object_id=interest_id, values=change))
    assert (await one(home, interest_id)).probability == 10


async def test_a_loss_says_why(home: House) -> None:
    pipeline = await sales(home)
    interest_id = await made(home)
    other = pipeline.reasons[-1]
    assert other.needs_comment
    for reason, comment in ((0, ""), (999, ""), (other.id, "  ")):
        with pytest.raises(Invalid):
            await home.user.do(
                LoseInterest(interest_id=interest_id, reason_id=reason, comment=comment)
            )
    await home.user.do(LoseInterest(interest_id=interest_id, reason_id=other.id, comment="moved"))
    found = await one(home, interest_id)
    assert (found.status, found.loss_comment, found.probability) == ("lost", "moved", 0)
    new = SaveLossReason(pipeline_id=pipeline.id, name="Too far")
    assert (await home.user.do(new))[0] in [one.id for one in (await sales(home)).reasons]


async def test_a_co_executor_without_access_is_asked_about(home: House) -> None:
    interest_id = await made(home)
    hire = CreateUser(email="a@example.com", name="A", role="auditor")
    helper = UserId((await home.user.do(hire))[0])
    await home.user.do(AddCoExecutor(interest_id=interest_id, user_id=helper, role="Lawyer"))
    sent = (await home.receive(message("1")))[0]
    hidden = InterestId(
        (await home.user.do(CreateObject(kind="interest", dialog_id=sent.dialog_id)))[0]
    )
    assert (await home.user.read(particulars, interest_id)).helpers[0].access is False
    agents = await home.system.do(
        CreateUser(email="b@example.com", name="B", role="agent"),
        CreateUser(email="c@example.com", name="C", role="agent"),
    )
    await home.user.do(UpdateAccount(account_id=home.pigeon, members=(UserId(agents[0]),)))
    other = UserId(agents[1])
    ask = AddCoExecutor(interest_id=hidden, user_id=other)
    with pytest.raises(Conflict) as refused:
        await home.user.do(ask)
    assert refused.value.what == "no_access"
    theirs = home.system.as_user(other)
    await home.user.do(AddCoExecutor(interest_id=hidden, user_id=other, grant=True))
    assert (await theirs.read(objects.one, INTEREST, hidden)).id == hidden
    await home.user.do(RemoveCoExecutor(interest_id=hidden, user_id=other))
    with pytest.raises(NotFound):
        await theirs.read(objects.one, INTEREST, hidden)


async def test_people_take_part_in_roles(home: House) -> None:
    interest_id = await made(home)
    contact = ContactId((await home.user.do(CreateContact(name="Anna")))[0])
    people = (Participant(contact_id=contact, role="decides"),)
    await home.user.do(SetInterestPeople(interest_id=interest_id, people=people))
    assert (await home.user.read(particulars, interest_id)).people == people
    with pytest.raises(NotFound):
        await home.user.do(
            SetInterestPeople(
                interest_id=interest_id, people=(Participant(contact_id=ContactId(5)),)
            )
        )


async def test_who_takes_part_unseen_goes_on_to(home: House) -> None:
    interest_id = await made(home)
    made_ones = await home.user.do(CreateContact(name="Anna"), CreateContact(name="Boris"))
    anna, boris = [Participant(contact_id=ContactId(one), role="buys") for one in made_ones]
    await home.user.do(SetInterestPeople(interest_id=interest_id, people=(anna, boris)))
    await home.user.do(SaveRole(name="narrow", based_on="agent", scopes={"contacts": Scope.OWN}))
    [agent] = await home.user.do(CreateUser(email="a@example.com", name="Ada", role="narrow"))
    theirs = home.system.as_user(UserId(agent))
    await theirs.do(SetInterestPeople(interest_id=interest_id, people=(anna,)))
    assert (await home.user.read(particulars, interest_id)).people == (anna, boris)


async def test_pipelines_are_set_up_and_keep_what_is_in_them(home: House) -> None:
    first = await sales(home)
    with pytest.raises(Conflict):
        await home.user.do(RemovePipeline(pipeline_id=first.id))
    new = (await home.user.do(SavePipeline(name="Service", roles=("supervisor",))))[0]
    stage = (await home.user.do(SaveStage(pipeline_id=new, name="Then", position=0)))[0]
    service = next(one for one in await home.user.read(all_pipelines) if one.id == new)
    assert [one.name for one in service.stages] == ["Then", "New"]
    # Something can be lost in it from the start.
    assert [one.needs_comment for one in service.reasons] == [False] * 4 + [True]
    with pytest.raises(Invalid):
        await made(home, pipeline_id=new)
    interest_id = await made(home)
    await home.user.do(SavePipeline(pipeline_id=new, name="Service"))
    await moved(home, interest_id, stage)
    with pytest.raises(Conflict):
        await home.user.do(RemoveStage(stage_id=stage))
    left = next(one for one in service.stages if one.id != stage)
    await home.user.do(RemoveStage(stage_id=stage, move_to=left.id))
    assert (await one(home, interest_id)).stage_id == left.id
    with pytest.raises(Conflict):
        await home.user.do(RemovePipeline(pipeline_id=new))
    for wrong in ({"probability": 101}, {"required": ("status",)}, {"allowed": (StageId(9),)}):
        with pytest.raises(Invalid):
            await home.user.do(SaveStage(pipeline_id=new, name="x", **wrong))  # type: ignore[arg-type]


async def test_the_funnel_counts_who_came_how_far_and_its_lists_agree(home: House) -> None:
    stages = (await sales(home)).stages
    far = [0, 0, 1, 2, 4]
    for n, last in enumerate(far):
        interest_id = await made(home, amount=str(100 * (n + 1)), source="Fair" if n else "Site")
        if last:
            home.world.offset_us += 3_600_000_000
            await moved(home, interest_id, stages[last].id)
    await home.user.do(WinInterest(interest_id=interest_id))
    lost = await made(home)
    await home.user.do(LoseInterest(interest_id=lost, reason_id=1))
    query = FunnelQuery(pipeline_id=stages[0].pipeline_id)
    found = await home.user.read(funnel, query)
    assert [one.count for one in found.steps] == [6, 3, 2, 1, 1]
    assert [one.conversion for one in found.steps] == [100, 50, 67, 50, 100]
    assert found.steps[1].sums[0].amount == 30_000 + 40_000 + 50_000
    assert found.steps[0].median_us >= 3_600_000_000
    assert (found.began, found.won, found.lost, found.reasons) == (6, 1, 1, ((1, 1),))
    for step in found.steps:
        tree = {"field": "interest.reached", "operator": "contains", "value": step.stage.name}
        assert await home.user.read(objects.count, INTEREST, ObjectQuery(filter=tree)) == step.count
    cut = FunnelQuery(
        pipeline_id=query.pipeline_id, source="fair", owner_id=UserId(home.user.actor.id)
    )
    assert [one.count for one in (await home.user.read(funnel, cut)).steps] == [4, 3, 2, 1, 1]
    late = FunnelQuery(pipeline_id=query.pipeline_id, since=home.system.now() + 1_000_000)
    assert [one.count for one in (await home.user.read(funnel, late)).steps] == [0] * 5


async def test_who_comes_to_a_stage_again_reached_it_once(home: House) -> None:
    line = await sales(home)
    first, second, third = line.stages[:3]
    interest_id = await made(home, amount="100")
    for stage in (second, first, second, third, second):
        await moved(home, interest_id, stage.id)
    query = FunnelQuery(pipeline_id=line.id)
    found = await home.user.read(funnel, query)
    assert [(one.count, [sum.amount for sum in one.sums]) for one in found.steps[:3]] == [
        (1, [10_000]),
        (1, [10_000]),
        (1, [10_000]),
    ]
    await home.user.do(RemoveStage(stage_id=third.id, move_to=second.id))
    found = await home.user.read(funnel, query)
    assert [one.count for one in found.steps] == [1, 1, 0, 0]


async def test_a_lead_becomes_client_contact_and_interest_and_is_taken_back(home: House) -> None:
    sent = (await home.receive(message("1", text="boats?")))[0]
    lead_id = LeadId((await home.user.do(CreateObject(kind="lead", dialog_id=sent.dialog_id)))[0])
    convert = ConvertLead(lead_id=lead_id, name="Boats Ltd", interest="Three boats", amount=5000)
    client_id = (await home.user.do(convert))[0]
    page = await home.user.read(objects.page, INTEREST, ObjectQuery())
    [found] = page.items
    assert (found.title, found.client_id, found.lead_id) == ("Three boats", client_id, lead_id)
    assert found.amount == 5000
    assert await home.user.read(objects.of_dialog, INTEREST, sent.dialog_id) == [found]
    assert await home.user.read(begun_of, lead_id) == {found.id: "Three boats"}
    await home.user.do(UndoConversion(lead_id=lead_id))
    assert await home.user.read(begun_of, lead_id) == {}
    assert await home.user.read(objects.count, INTEREST, ObjectQuery()) == 0
    await home.user.do(convert)
    [found] = (await home.user.read(objects.page, INTEREST, ObjectQuery())).items
    await moved(home, found.id, (await sales(home)).stages[1].id)
    with pytest.raises(Conflict) as refused:
        await home.user.do(UndoConversion(lead_id=lead_id))
    assert refused.value.what == "worked_on"
    await home.user.do(EraseContact(contact_id=found.contact_id))
    assert (await one(home, found.id)).title == ""


async def test_the_next_step_is_the_nearest_task(home: House) -> None:
    interest_id = await made(home)
    about = {"object_kind": "interest", "object_id": str(interest_id)}
    day = 86_400_000_000

    async def step() -> tuple[str, int]:
        found = await one(home, interest_id)
        return found.next_step, int(found.next_step_at)

    async def task(title: str, due_at: int) -> TaskId:
        values = {"title": title, "due_at": due_at, **about}
        return TaskId((await home.user.do(CreateObject(kind="task", values=values)))[0])

    later = await task("Send the offer", 30 * day + 3)
    assert await step() == ("Send the offer", 30 * day)
    call = await task("Call", 20 * day + 5)
    assert await step() == ("Call", 20 * day)
    await home.user.do(FinishTask(task_id=call))
    assert await step() == ("Send the offer", 30 * day)
    await home.user.do(FinishTask(task_id=call, undo=True))
    assert (await step())[0] == "Call"
    moved = ChangeObject(kind="task", object_id=call, values={"title": "Visit", "due_at": 40 * day})
    await home.user.do(moved)
    assert (await step())[0] == "Send the offer"
    await home.user.do(RemoveObject(kind="task", object_id=later))
    assert await step() == ("Visit", 40 * day)
    # What somebody wrote by hand stays his.
    own = ChangeObject(
        kind="interest", object_id=interest_id, values={"next_step": "Think about it"}
    )
    await home.user.do(own)
    await home.user.do(FinishTask(task_id=call))
    assert (await step())[0] == "Think about it"


async def test_sums_of_the_largest_amounts_are_bounded(home: House) -> None:
    line = await sales(home)
    for _ in range(2):
        await made(home, amount=LARGEST, currency="EUR")
    await made(home, amount=5, currency="RUB")
    heaps = await home.user.read(stage_heaps, ObjectQuery())
    found = await home.user.read(funnel, FunnelQuery(pipeline_id=line.id))
    for sums in (heaps[line.stages[0].id].sums, found.steps[0].sums):
        assert {one.currency: one.amount for one in sums} == {"EUR": LARGEST, "RUB": 5}
    await home.system.do(CountFunnels())
    found = await home.user.read(funnel, FunnelQuery(pipeline_id=line.id))
    assert {one.amount for one in found.steps[0].sums} == {LARGEST, 5}
