"""A mailing that fails too often pauses itself; who lets it go on has it judged from there.

What was answered before somebody looked at the causes and pressed "Go on" says nothing of what comes
after: were it counted again, the mailing would stop at its next turn, whatever was mended meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, MetaData, Table, delete, exists, insert, select

from hub import Hub, UnitOfWork
from plugins.mailings.counting import COUNTS
from plugins.mailings.plans import Mailing
from plugins.mailings.tables import ID, finished, number, runs

LEAST_TO_JUDGE = 20
"""So many answers before a share of failures means anything."""
LEAST_UNKNOWN = 100
"""So many without an answer before they mean anything: a few killed workers leave some behind, and
that says nothing of the mailing; a line that answers nobody leaves all."""

judged = Table(
    "mailings_judged",
    MetaData(),
    Column("mailing_id", ID, primary_key=True, autoincrement=False),
    number("arrived"),
    number("failed"),
    number("unknown"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What had become of a mailing when it was let go on: how many each."""

    arrived: int = 0
    failed: int = 0
    unknown: int = 0


NOTHING = Judged()


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    judged.to_metadata(metadata)


def keep(uow: UnitOfWork, mailing_id: int, seen: Judged) -> None:
    """Write down from where a mailing is judged."""
    uow.execute(delete(judged).where(judged.c.mailing_id == mailing_id))
    uow.execute(
        insert(judged).values(
            mailing_id=mailing_id, arrived=seen.arrived, failed=seen.failed, unknown=seen.unknown
        )
    )


async def so_far(hub: Hub, mailing: Mailing) -> Judged:
    """Count what became of a mailing's occurrences up to now, those aside that are finished."""
    return judged_of(await COUNTS.exactly(hub, await _sends_of(hub, mailing)))


async def fault_of(hub: Hub, mailing: Mailing) -> str:
    """Say why a mailing should pause, "" where it may go on.

    Each letter of each occurrence that is not finished is judged apart: what went well before says
    nothing of a line that refuses everything now. After it was let go on they are judged together.
    """
    if not mailing.plan.fail_percent or not mailing.send_id:
        return ""
    row = await hub.store.first(
        select(judged.c.arrived, judged.c.failed, judged.c.unknown).where(
            judged.c.mailing_id == mailing.id
        )
    )
    since = Judged(**row) if row else NOTHING
    sends = await _sends_of(hub, mailing)
    for ids in [[one] for one in sends] if since == NOTHING else [sends]:
        numbers = await COUNTS.lately(hub, ids)
        if reason := too_many(numbers, mailing.plan.fail_percent, since):
            return reason
    return ""


async def _sends_of(hub: Hub, mailing: Mailing) -> list[int]:
    """Give the sends of the occurrences that are not finished, one for each letter of a chain."""
    over = exists().where(
        finished.c.mailing_id == runs.c.mailing_id, finished.c.occurrence == runs.c.occurrence
    )
    asked = select(runs.c.send_id).where(runs.c.mailing_id == mailing.id, ~over)
    rows = await hub.store.all(asked.order_by(runs.c.send_id))
    return [int(row["send_id"]) for row in rows]


def judged_of(numbers: Mapping[tuple[str, str], int]) -> Judged:
    """Add up what was answered, and what never was."""

    def count(*states: str) -> int:
        return sum(n for (status, _), n in numbers.items() if status in states)

    return Judged(
        arrived=count("sent", "delivered", "read"), failed=count("failed"), unknown=count("unknown")
    )


def too_many(numbers: Mapping[tuple[str, str], int], percent: int, since: Judged = NOTHING) -> str:
    """Say why a mailing should pause, "" where it may go on.

    Failures are a share of what was answered. What was never answered is judged apart, from a
    larger number on, for it may have arrived.
    """
    if not sum(n for (status, _), n in numbers.items() if status in ("queued", "claimed")):
        return ""
    found = judged_of(numbers)
    failed, unknown = max(0, found.failed - since.failed), max(0, found.unknown - since.unknown)
    # What had arrived may come back later: then it has failed, and arrived no more.
    answered = max(failed, found.arrived + found.failed - since.arrived - since.failed)
    if answered >= LEAST_TO_JUDGE and failed * 100 > answered * percent:
        return f"{failed} of {answered} failed"
    if unknown >= LEAST_UNKNOWN and unknown * 100 > (answered + unknown) * percent:
        return f"{unknown} of {answered + unknown} were not answered"
    return ""
