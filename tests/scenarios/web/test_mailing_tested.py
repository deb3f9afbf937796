"""What is judged anew each time a mailing comes round: two wordings, and how much fails."""

from __future__ import annotations

from functools import partial
from typing import Any

from hub import (
    AccountId,
    Address,
    CreateContact,
    GiveConsent,
    PermanentFailure,
    RejectReason,
    SetSendingLimits,
    TouchMany,
    UpdateAccount,
)
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.plans import read_plan
from plugins.mailings.results import funnel_of
from plugins.mailings.times import untimely
from tests.houses import US, World, until
from tests.scenarios.web.house import House
from tests.scenarios.web.test_mailing_times import DAY, HOUR, _has_sent, house, ticked, world
from tests.scenarios.web.test_mailings import _draft, _own, _ready

__all__ = ["house", "world"]
PEOPLE = 60
"""So many that chance leaves nobody without a part in a test of two wordings."""
TWO = [{"subject": "A", "text": "One"}, {"subject": "B", "text": "[Two](https://b.example)"}]


async def _second_wins(house: House, world: World, number: int, before: int) -> Any:
    """Let people follow the link of the second wording; gives the mailing with its winner."""
    second = [one.id for one in world.sent[before:] if one.subject == "B"]
    await _own(house).do(*(TouchMany(delivery_id=one, n=1) for one in second))
    assert (await ticked(house, number)).winner == 0
    world.offset_us += 2 * HOUR + 60 * US
    return await ticked(house, number)


async def test_wordings_compete_from_when_their_letters_left_and_anew_each_time(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, PEOPLE)
    number = await _draft(
        house, segment, account, variants=TWO, share=50, winner_hours=2, repeat="day"
    )
    stop = partial(UpdateAccount, account_id=AccountId(account))
    await send(_own(house), await mailing_of(_own(house), str(number)))
    await house.system.do(stop(paused=True))
    tested = (await ticked(house, number)).planned
    # Whatever held the letters up: what nobody has got yet is not chosen from.
    world.offset_us += 3 * HOUR
    assert (await ticked(house, number)).winner == 0
    await house.system.do(stop(paused=False))
    await until(partial(_has_sent, world, tested))
    one = await _second_wins(house, world, number, 0)
    await until(partial(_has_sent, world, PEOPLE))
    assert {one.subject for one in world.sent[tested:]} == {"B"}
    assert (one.state, one.occurrence) == ("scheduled", 1)
    world.offset_us += DAY
    one = await ticked(house, number)
    assert (one.state, one.winner) == ("filling", 0)
    await until(partial(_has_sent, world, PEOPLE + tested))
    one = await _second_wins(house, world, number, PEOPLE)
    await until(partial(_has_sent, world, 2 * PEOPLE))
    assert {one.subject for one in world.sent[PEOPLE + tested :]} == {"B"}


async def test_who_comes_after_two_wordings_competed_gets_the_better_one(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, PEOPLE)
    number = await _draft(
        house, segment, account, variants=TWO, share=50, winner_hours=2, hold_out=20, repeat="enter"
    )
    await send(_own(house), await mailing_of(_own(house), str(number)))
    tested = (await ticked(house, number)).planned
    await until(partial(_has_sent, world, tested))
    one = await _second_wins(house, world, number, 0)
    assert one.planned + one.held_out == PEOPLE
    for n in range(20):
        address = Address(kind="email", value=f"late{n}@example.org")
        (late,) = await house.system.do(CreateContact(name=f"Late {n}", addresses=(address,)))
        await house.system.do(GiveConsent(contact_id=late, how="form"))
    world.offset_us += 600 * US
    one = await ticked(house, number)
    assert one.planned + one.held_out == PEOPLE + 20
    assert (await funnel_of(_own(house), one)).planned == one.planned
    await until(partial(_has_sent, world, one.planned))
    assert {one.subject for one in world.sent[tested:]} == {"B"}


async def test_a_line_that_refuses_everything_stops_a_mailing_that_went_well_before(
    house: House, world: World
) -> None:
    segment, account = await _ready(house, 60)
    number = await _draft(house, segment, account, repeat="day", fail_percent=60)
    await send(_own(house), await mailing_of(_own(house), str(number)))
    await ticked(house, number)
    await until(partial(_has_sent, world, 60))
    # A day later all is refused: of both days together that never were more than half.
    world.outcomes = [PermanentFailure(RejectReason.OTHER, "closed")] * 60
    world.offset_us += DAY
    await house.system.do(SetSendingLimits(account_id=AccountId(account), per_day=30))

    async def paused() -> bool:
        return bool((await ticked(house, number)).state == "paused")

    await until(paused)
    assert "failed" in (await mailing_of(_own(house), str(number))).reason


def test_times_that_do_not_go_with_two_wordings_are_said_before() -> None:
    local = {"at": "2027-03-10T09:00", "local": True, "variants": TWO}
    daily = {"repeat": "day", "winner_hours": 24, "variants": TWO}
    assert len(untimely(read_plan(local))) == len(untimely(read_plan(daily))) == 1
    assert untimely(read_plan({**daily, "winner_hours": 4})) == []
    assert untimely(read_plan({**local, "variants": TWO[:1]})) == []
