"""A person put into a mailing by a rule: the welcome chain of whoever asked for the price, say.

He gets it as everybody does: consent, caps, quiet hours and the order of channels are asked, who is
kept out to compare stays out, and nobody gets it twice, however often the rule runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel
from pydantic import Field as Param

from hub import (
    AccountId,
    Action,
    ActionHeld,
    AddressId,
    Command,
    Conflict,
    ContactId,
    Facts,
    Handler,
    Hub,
    Job,
    ManyRecipient,
    Micros,
    RunJob,
    Segment,
    UnitOfWork,
)
from plugins.mailings.audience import kind_of
from plugins.mailings.commands import mailing_in, put_in, when_aside, write
from plugins.mailings.doing import all_mailings, mailing_of
from plugins.mailings.finishing import was_told
from plugins.mailings.holdouts import keep_out
from plugins.mailings.plans import Mailing, moment, part_of, read_mailing
from plugins.mailings.tables import mailings, with_run
from plugins.mailings.times import wall_clock

JOB = "mailings.join"
EVERYBODY = Segment(id=0, name="", static=False)
GOES = ("scheduled", "filling", "sending", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinMailing(Command):
    """Put one person into a mailing that goes on; gives whether he gets it, or waits for it."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    recipient: ManyRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToJoin(Command):
    """Have a person put into a mailing; raises Conflict where it is over."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    contact_id: ContactId


class Join(Action):
    """Put the person into a mailing that goes on."""

    name = "join"
    label = "add to a mailing"
    translations: ClassVar = {"ru": "добавить в рассылку"}
    group = "words"
    writes: ClassVar = {}
    needs = frozenset({"dialog", "contact"})

    class Params(BaseModel):
        """Which one."""

        mailing: str = Param(
            title="Mailing",
            pattern="^[0-9]{1,19}$",
            json_schema_extra={"ref": "mailing", "translations": {"ru": "Рассылка"}},
        )

    @classmethod
    async def references(cls, hub: Hub) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Mailings that have begun and go on, for who may see them."""
        if not await hub.may("mailings.view"):
            return {}
        found = [(str(one.id), one.title) for one in await all_mailings(hub) if one.state in GOES]
        return {"mailing": found}

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Queue it, once for a person."""
        if facts.contact is None:
            raise ActionHeld("nobody is known here")
        return [AskToJoin(mailing_id=int(params.mailing), contact_id=facts.contact.id)]


def job() -> Job:
    """What the action asks for."""
    return Job(name=JOB, run=join)


def handlers() -> tuple[Handler, ...]:
    """Who carries it out."""
    return Handler(command=JoinMailing, handle=put), Handler(command=AskToJoin, handle=ask)


def ask(uow: UnitOfWork, command: AskToJoin) -> None:
    """Queue it, once for a person; the run of a rule says where the mailing is over."""
    # It is only looked at: rules do not wait for one another, nor for what is being sent.
    row = uow.execute(with_run().where(mailings.c.id == command.mailing_id)).first()
    if row is None or read_mailing(row._mapping).state not in GOES:
        raise Conflict("this mailing does not go on", what="over")
    payload: dict[str, object] = {
        "mailing_id": str(command.mailing_id),
        "contact_id": str(command.contact_id),
    }
    key = f"{command.mailing_id}:{command.contact_id}"
    uow.give(RunJob(name=JOB, payload=payload, key=key))


async def join(hub: Hub, payload: Mapping[str, Any]) -> None:
    """Find the person's first way, and put him in."""
    mailing = await mailing_of(hub, str(payload["mailing_id"]))
    contact = await hub.contact(ContactId(int(payload["contact_id"])))
    if mailing.state not in GOES:
        # It ended since the rule ran: there is nothing to put him into, and nothing to try again.
        return
    account_id, address_id = await _first_way(hub, mailing, contact.id)
    due_at = mailing.due_at if mailing.state == "scheduled" and not mailing.looks else 0
    if mailing.plan.at and mailing.plan.local:
        house = (await hub.brand()).time_zone or "UTC"
        due_at = moment(wall_clock(mailing.plan, mailing.occurrence), contact.time_zone or house)
    await hub.do(
        JoinMailing(
            mailing_id=mailing.id,
            recipient=ManyRecipient(
                contact_id=contact.id,
                address_id=address_id,
                account_id=AccountId(account_id),
                content_id=_words(mailing, contact.id),
                due_at=Micros(due_at),
                aside=part_of(mailing.plan, contact.id, mailing.id) == "out",
            ),
        )
    )


async def _first_way(hub: Hub, mailing: Mailing, contact_id: ContactId) -> tuple[int, AddressId]:
    """Give the first account of the order on which he has an address, and the one that is taken
    of each person of a segment; without any the first account, and none."""
    for account_id in mailing.plan.accounts:
        kind = await kind_of(hub, account_id)
        account = AccountId(account_id)
        for one in await hub.audience(
            EVERYBODY, channel=kind, account_id=account, after=contact_id - 1, limit=1
        ):
            if one.contact_id == contact_id and one.address_id:
                return account_id, one.address_id
    return mailing.plan.accounts[0], AddressId(0)


def _words(mailing: Mailing, contact_id: int) -> int:
    """Give the wording of his part; while none is chosen the others get the first one."""
    part = part_of(mailing.plan, contact_id, mailing.id)
    if part == "rest" and mailing.winner:
        return mailing.winner
    return mailing.contents[1 if part == "b" else 0]


def put(uow: UnitOfWork, command: JoinMailing) -> bool:
    """Write his row and those of the later letters, unless he is there or it is over."""
    mailing = mailing_in(uow, command.mailing_id)
    if mailing.state not in GOES or was_told(uow, mailing.id, mailing.occurrence):
        raise Conflict("this mailing does not go on", what="state")
    made = put_in(uow, mailing, (command.recipient,))
    if made.known:
        return False
    if made.aside:
        kept_out = keep_out(uow, mailing, when_aside(made, (command.recipient,)))
        write(uow, mailing.id, "", held_out=mailing.held_out + kept_out)
        return False
    write(uow, mailing.id, "joined", planned=mailing.planned + 1)
    return bool(made.queued)
