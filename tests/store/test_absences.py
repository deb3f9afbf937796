"""Absence and handover: what changes hands, and that exactly what is still there comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import absences as reads
from crm_store.leads import LEAD
from crm_store.objects import ObjectQuery, page
from hub import (
    AssignDialog,
    CarryMoves,
    Conflict,
    CreateLead,
    CreateUser,
    DialogId,
    DialogQuery,
    EndAbsence,
    HandOver,
    Invalid,
    LeadId,
    Micros,
    NotAllowed,
    RegisterAbsence,
    RejectLead,
    RouteWaiting,
    SaveRole,
    Scope,
    SetDesk,
    SetDialogStatus,
    TurnAbsences,
    UndoHandover,
    UserId,
)
from hub.handle import BoundHub
from tests.houses import US, House, house, message

DAY = 86_400 * US


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def person(home: House, name: str, role: str = "agent") -> BoundHub:
    made = await home.user.do(CreateUser(email=f"{name}@office.example", name=name, role=role))
    return home.system.as_user(UserId(made[0]))


def number(hub: BoundHub) -> UserId:
    return UserId(hub.actor.id)


async def works(home: House, who: BoundHub, count: int) -> tuple[list[DialogId], list[int]]:
    """Somebody's open dialogs and leads."""
    dialogs, leads = [], []
    for n in range(count):
        came = (await home.receive(message(f"{who.actor.id}-{n}", f"p{who.actor.id}-{n}")))[0]
        await home.user.do(AssignDialog(dialog_id=came.dialog_id, user_id=number(who)))
        dialogs.append(came.dialog_id)
        values = {"title": f"lead {n}", "owner_id": number(who)}
        leads.append((await home.user.do(CreateLead(values=values)))[0])
    return dialogs, leads


async def owners(home: House, dialogs: list[DialogId]) -> list[int]:
    return [(await home.user.dialog(one)).assignee_id for one in dialogs]


async def lead_owners(home: House) -> set[int]:
    found = await home.user.read(page, LEAD, ObjectQuery())
    return {one.owner_id for one in found.items}


async def turn(home: House) -> None:
    await home.system.do(TurnAbsences())
    while (await home.system.do(CarryMoves(limit=2)))[0]:
        pass


async def test_an_absence_hands_over_and_takes_back_what_is_still_there(home: House) -> None:
    vera, boris, carl = [await person(home, one) for one in ("vera", "boris", "carl")]
    dialogs, _ = await works(home, vera, 3)
    now = home.world.now()
    made = await vera.do(
        RegisterAbsence(
            from_at=Micros(now + DAY),
            to_at=Micros(now + 3 * DAY),
            substitute_id=number(boris),
            what=("dialogs", "intake", "lead"),
        )
    )
    await turn(home)
    assert await owners(home, dialogs) == [number(vera)] * 3
    home.world.offset_us += DAY + US
    await turn(home)
    assert await owners(home, dialogs) == [number(boris)] * 3
    assert await lead_owners(home) == {number(boris)}
    assert set(await home.user.read(reads.away_now)) == {number(vera)}
    assert (await home.user.read(reads.absence, made[0])).moves == {"moved": 6}
    # One is taken over by a third, one is closed: what is still where it was put comes back.
    await home.user.do(AssignDialog(dialog_id=dialogs[0], user_id=number(carl)))
    home.world.offset_us += 2 * DAY
    await turn(home)
    assert await owners(home, dialogs) == [number(carl), number(vera), number(vera)]
    assert await lead_owners(home) == {number(vera)}
    found = await home.user.read(reads.absence, made[0])
    assert (found.state, found.moves) == ("ended", {"returned": 5, "skipped": 1})
    assert await home.user.read(reads.away_now) == {}


async def test_what_went_on_from_a_substitute_who_is_away_comes_back_too(home: House) -> None:
    vera, boris, carl = [await person(home, one) for one in ("vera", "boris", "carl")]
    hers, _ = await works(home, vera, 2)
    his, _ = await works(home, boris, 1)
    now = home.world.now()
    for who, instead, days in ((vera, boris, 1), (boris, carl, 3)):
        times = {"from_at": Micros(now), "to_at": Micros(now + days * DAY)}
        away = RegisterAbsence(substitute_id=number(instead), what=("dialogs", "lead"), **times)
        await who.do(away)
        await turn(home)
    assert await owners(home, hers + his) == [number(carl)] * 3
    home.world.offset_us += DAY + US
    await turn(home)
    assert await owners(home, hers + his) == [number(vera)] * 2 + [number(carl)]
    home.world.offset_us += 2 * DAY
    await turn(home)
    assert await owners(home, hers + his) == [number(vera)] * 2 + [number(boris)]
    assert await lead_owners(home) == {number(vera), number(boris)}


async def test_new_and_returning_dialogs_go_to_the_substitute(home: House) -> None:
    vera, boris = [await person(home, one) for one in ("vera", "boris")]
    dialogs, _ = await works(home, vera, 1)
    await boris.do(SetDesk(status_id=1))
    await home.user.do(SetDialogStatus(dialog_id=dialogs[0], status="closed"))
    now = home.world.now()
    await vera.do(
        RegisterAbsence(
            from_at=Micros(now),
            to_at=Micros(now + DAY),
            substitute_id=number(boris),
            what=("intake",),
        )
    )
    assert await owners(home, dialogs) == [number(vera)]
    await home.receive(message("again", f"p{vera.actor.id}-0"))
    await home.system.do(RouteWaiting())
    assert await owners(home, dialogs) == [number(boris)]
    history = (await home.user.thread(dialogs[0])).history
    assert [one.data["reason"] for one in history if one.type == "dialog.routed"] == ["substitute"]
    # Nobody stands in for the substitute: then it is nobody's, and can be seen to be.
    await boris.do(RegisterAbsence(from_at=Micros(now), to_at=Micros(now + DAY), kind="sick"))
    await home.user.do(SetDialogStatus(dialog_id=dialogs[0], status="closed"))
    await home.receive(message("third", f"p{vera.actor.id}-0"))
    await home.system.do(RouteWaiting())
    assert await owners(home, dialogs) == [0]


async def test_access_of_the_substitute_lasts_as_long_as_the_absence(home: House) -> None:
    scopes = {"dialogs": Scope.OWN, "leads": Scope.OWN}
    await home.user.do(SaveRole(name="own", based_on="agent", scopes=scopes))
    vera, boris = [await person(home, one, "own") for one in ("vera", "boris")]
    dialogs, _ = await works(home, vera, 2)
    everything = DialogQuery(view="everything")
    assert (await boris.dialogs(everything)).dialogs == ()
    now = home.world.now()
    made = await vera.do(
        RegisterAbsence(
            from_at=Micros(now),
            to_at=Micros(now + DAY),
            substitute_id=number(boris),
            access=True,
        )
    )
    assert {one.id for one in (await boris.dialogs(everything)).dialogs} == set(dialogs)
    assert len((await boris.read(page, LEAD, ObjectQuery())).items) == 2
    await vera.do(EndAbsence(absence_id=made[0]))
    assert (await boris.dialogs(everything)).dialogs == ()


async def test_absences_are_registered_by_oneself_or_by_who_may(home: House) -> None:
    vera, boss = await person(home, "vera"), await person(home, "boss", "supervisor")
    now = home.world.now()
    times = {"from_at": Micros(now + DAY), "to_at": Micros(now + 2 * DAY)}
    with pytest.raises(NotAllowed):
        await vera.do(RegisterAbsence(user_id=number(boss), **times))
    made = await boss.do(RegisterAbsence(user_id=number(vera), **times))
    with pytest.raises(Conflict):
        await vera.do(RegisterAbsence(**times))
    for wrong in (
        {"to_at": Micros(now + DAY)},
        {"kind": "party"},
        {"what": ("dialogs",)},
        {"what": ("cake",), "substitute_id": number(boss)},
        {"substitute_id": number(vera)},
    ):
        with pytest.raises(Invalid):
            await vera.do(RegisterAbsence(**{**times, **wrong}))  # type: ignore[arg-type]
    await vera.do(EndAbsence(absence_id=made[0]))
    assert (await home.user.read(reads.absence, made[0])).state == "cancelled"


async def test_all_work_goes_whoever_wrote_the_absence_down(home: House) -> None:
    vera, boris = await person(home, "vera"), await person(home, "boris")
    own = dict.fromkeys(("dialogs", "leads"), Scope.OWN)
    await home.user.do(SaveRole(name="narrow", based_on="supervisor", scopes=own))
    head = await person(home, "head", "narrow")
    dialogs, _ = await works(home, vera, 1)
    now = home.world.now()
    times = {"from_at": Micros(now), "to_at": Micros(now + DAY)}
    whom = {"user_id": number(vera), "substitute_id": number(boris)}
    await head.do(RegisterAbsence(what=("dialogs", "lead"), **whom, **times))
    await turn(home)
    assert await owners(home, dialogs) == [number(boris)]
    assert await lead_owners(home) == {number(boris)}


async def test_a_handover_is_counted_carried_out_and_undone(home: House) -> None:
    vera, boris, carl = [await person(home, one) for one in ("vera", "boris", "carl")]
    dialogs, leads = await works(home, vera, 4)
    await home.user.do(SetDialogStatus(dialog_id=dialogs[3], status="closed"))
    only = {"lead": {"field": "lead.title", "operator": "in", "value": ["lead 0", "lead 1"]}}
    what = ("dialogs", "lead")
    counted = await home.user.read(reads.preview, number(vera), what, only)
    assert counted == {"dialogs": 3, "lead": 2}
    # What is done stays with whoever did it.
    await home.user.do(RejectLead(lead_id=LeadId(leads[3]), reason="a joke"))
    counted = await home.user.read(reads.preview, number(vera), what, {})
    assert counted == {"dialogs": 3, "lead": 3}
    rejected = {"lead": {"field": "lead.status", "operator": "in", "value": ["rejected"]}}
    counted = await home.user.read(reads.preview, number(vera), what, rejected)
    assert counted == {"dialogs": 3, "lead": 1}
    with pytest.raises(NotAllowed):
        await vera.do(HandOver(from_id=number(vera), to_id=number(boris), what=what))
    command = HandOver(from_id=number(vera), to_id=number(boris), what=what, filters=only)
    made = await home.user.do(command)
    found = await home.user.read(reads.handover, made[0])
    assert (found.total, found.moves, found.state) == (5, {"planned": 5}, "running")
    await turn(home)
    found = await home.user.read(reads.handover, made[0])
    assert (found.moves, found.state) == ({"moved": 5}, "done")
    assert await owners(home, dialogs) == [number(boris)] * 3 + [number(vera)]
    await home.user.do(AssignDialog(dialog_id=dialogs[0], user_id=number(carl)))
    await home.user.do(UndoHandover(handover_id=made[0]))
    await turn(home)
    assert await owners(home, dialogs) == [number(carl)] + [number(vera)] * 3
    assert await lead_owners(home) == {number(vera)}
    with pytest.raises(Conflict):
        await home.user.do(UndoHandover(handover_id=made[0]))
    with pytest.raises(Conflict):
        await home.user.do(HandOver(from_id=number(carl), to_id=number(vera), what=("lead",)))
    assert len(leads) == 4
