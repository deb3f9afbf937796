"""Who a mailing is for, and which sends it has made."""

from __future__ import annotations

from sqlalchemy import select

from hub import AccountId, Hub, NotFound, Segment
from plugins.mailings.plans import Mailing
from plugins.mailings.tables import runs


async def audience_of(hub: Hub, mailing: Mailing) -> Segment:
    """Give who shall get it: the segment without the others, as it is when it is asked.

    Raises NotFound where it was removed meanwhile.
    """
    known = {one.id: one for one in await hub.segments()}
    wanted = known.get(mailing.plan.segment_id)
    if wanted is None:
        raise NotFound("its segment was removed: make one like it, for another segment")
    without = tuple(one for one in mailing.plan.without if one in known)
    if not without:
        return wanted
    return Segment(id=0, name=wanted.name, static=False, any_of=(wanted.id,), not_in=without)


async def sends_of(hub: Hub, mailing: Mailing) -> list[int]:
    """Give every send of a mailing: its occurrences and the steps of its chain."""
    rows = await hub.store.all(select(runs.c.send_id).where(runs.c.mailing_id == mailing.id))
    return sorted({*(int(row["send_id"]) for row in rows), mailing.send_id} - {0})


async def kind_of(hub: Hub, account_id: int) -> str:
    """Give the kind of addresses of an account."""
    account = await hub.account(AccountId(account_id))
    capabilities = hub.capabilities(account.channel)
    return capabilities.address_kind if capabilities is not None else ""
