"""What is due: filling the outbox batch by batch, the winner of a test, a pause at too many failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_

from hub import AccountId, Hub, HubError, ManyRecipient, Member, Micros
from plugins.mailings.audience import audience_of, kind_of
from plugins.mailings.commands import FillMailing, RepeatMailing, SteerMailing
from plugins.mailings.contents import contents_of, steps_of
from plugins.mailings.finishing import finish, told
from plugins.mailings.judging import fault_of
from plugins.mailings.plans import Mailing, moment, part_of, read_mailing
from plugins.mailings.starters import eyes_of
from plugins.mailings.tables import mailings, with_run
from plugins.mailings.times import LATE_US, next_occurrence, wall_clock
from plugins.mailings.wordings import HOUR_US, better, chosen_at, wordings_of

BATCH = 500
BATCHES_A_TICK = 40
ZONES_US = 14 * HOUR_US
"""So much earlier it is a day in the world's earliest zone."""
LOOK_AGAIN_US = 300 * 1_000_000
"""So often it is looked who came into the segment of a mailing for newcomers."""


async def tick(hub: Hub, payload: Mapping[str, Any]) -> None:
    """Look what is due, and then what is over."""
    open_states = ("scheduled", "filling", "sending")
    # What was told as finished has nothing to be judged by any more.
    going = or_(mailings.c.state != "sending", ~told())
    rows = await hub.store.all(with_run().where(mailings.c.state.in_(open_states), going))
    faults: list[Exception] = []
    for row in rows:
        # A fault of one stops nobody else's; the job says that there was one.
        try:
            await turn(hub, read_mailing(row))
        except Exception as error:  # noqa: BLE001 - raised below, after the others' turns
            faults.append(error)
    # Last, so that what repeats has its next occurrence before this one is put away.
    await finish(hub)
    if faults:
        raise faults[0]


async def turn(hub: Hub, mailing: Mailing) -> None:
    """Do what is due of one mailing; what cannot be done pauses it, with the reason."""
    if mailing.state == "scheduled" and mailing.due_at > hub.now():
        # What waits for its next time may still be sending for the last one.
        if mailing.started_at:
            await judge(hub, mailing)
        return
    # A look for newcomers is never late: nothing was promised for its moment.
    late = mailing.state == "scheduled" and hub.now() - mailing.due_at > LATE_US
    if late and not mailing.looks:
        await hub.do(SteerMailing(mailing_id=mailing.id, state="paused", reason="late"))
        return
    try:
        if mailing.state in ("scheduled", "filling"):
            await fill(hub, mailing)
        await judge(hub, mailing)
        await come_round(hub, mailing)
    except HubError as error:
        reason = str(error)[:300]
        await hub.do(SteerMailing(mailing_id=mailing.id, state="paused", reason=reason))


async def come_round(hub: Hub, mailing: Mailing) -> None:
    """Plan the next occurrence of what repeats, once everybody of this one is in the outbox."""
    plan = mailing.plan
    if not plan.repeat or plan.repeat == "enter":
        return
    row = await hub.store.first(with_run().where(mailings.c.id == mailing.id))
    if row is None or row["state"] != "sending":
        return
    now = read_mailing(row)
    zone = (await hub.brand()).time_zone or "UTC"
    number, due_at = next_occurrence(
        plan, zone, hub.now(), now.occurrence, begun=mailing.started_at or mailing.due_at
    )
    if not number:
        return
    if plan.local:
        # Not in the past: what is still in time in one zone would be late by the earliest one.
        due_at = max(hub.now(), due_at - ZONES_US)
    await hub.do(
        RepeatMailing(
            mailing_id=mailing.id,
            unless_past=now.occurrence,
            occurrence=number,
            due_at=due_at,
            contents=await contents_of(hub, plan),
            steps=await steps_of(hub, plan),
        )
    )


async def fill(hub: Hub, mailing: Mailing) -> None:
    """Put people into the outbox until everybody is there, or this turn is over."""
    # The numbers are the hub's own, the people those whom the one who let it go sees.
    eyes = await eyes_of(hub, mailing)
    segment = await audience_of(eyes, mailing)
    account_id = mailing.plan.accounts[0]
    kind = await kind_of(hub, account_id)
    brand = await hub.brand()
    cursor, phase, winner = mailing.cursor, mailing.phase, mailing.winner
    # Each batch is one more version; whoever else changes the mailing ends this turn.
    for version in range(mailing.version, mailing.version + BATCHES_A_TICK):
        if phase == 2 and not winner:
            due = await chosen_at(hub, mailing)
            if not due or hub.now() < due:
                return
            winner = await winner_of(hub, mailing)
        people = await eyes.audience(
            segment, channel=kind, account_id=AccountId(account_id), after=cursor, limit=BATCH
        )
        recipients = _recipients(mailing, account_id, people, phase, winner, brand.time_zone)
        over = len(people) < BATCH
        enters = mailing.plan.repeat == "enter"
        step = FillMailing(
            mailing_id=mailing.id,
            version=version,
            # Who comes into the segment later gets it too: the walk begins anew.
            cursor=0 if over and enters else people[-1].contact_id if people else cursor,
            phase=2 if over and phase == 1 else phase,
            recipients=tuple(recipients),
            done=over and phase != 1 and not enters,
            again_at=hub.now() + LOOK_AGAIN_US if over and enters and phase != 1 else 0,
            winner=winner,
        )
        await hub.do(step)
        if over:
            return
        cursor = step.cursor


def _recipients(
    mailing: Mailing,
    account_id: int,
    people: Sequence[Member],
    phase: int,
    winner: int,
    house_zone: str,
) -> list[ManyRecipient]:
    """Give each person the first account of the order, and the words of his part."""
    plan = mailing.plan
    found = []
    for person in people:
        part = part_of(plan, person.contact_id, mailing.id)
        # The second pass is for everybody: who got one of the two is known, who came since is not.
        if part == "rest" and phase == 1:
            continue
        content = winner if phase == 2 else mailing.contents[1 if part == "b" else 0]
        due_at = 0
        if plan.at and plan.local:
            due_at = moment(
                wall_clock(plan, mailing.occurrence), person.time_zone or house_zone or "UTC"
            )
        found.append(
            ManyRecipient(
                contact_id=person.contact_id,
                address_id=person.address_id,
                # The hub looks along the send's order where this one cannot be gone.
                account_id=AccountId(account_id),
                content_id=content,
                due_at=Micros(due_at),
                aside=part == "out",
            )
        )
    return found


async def winner_of(hub: Hub, mailing: Mailing) -> int:
    """Give the words that more people followed, whatever the channel."""
    return better(await wordings_of(hub, mailing)).content_id


async def judge(hub: Hub, mailing: Mailing) -> None:
    """Pause a mailing that fails too often; the page names the errors."""
    if reason := await fault_of(hub, mailing):
        await hub.do(SteerMailing(mailing_id=mailing.id, state="paused", reason=reason))
