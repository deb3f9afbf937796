"""Who a mailing is for, and which sends it has made."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import select

from hub import AccountId, Hub, NotFound, Segment, UsedBy
from plugins.mailings.plans import Mailing, Plan, read_mailing
from plugins.mailings.tables import mailings, runs


def _(text: str) -> str:
    return text


GONE = _("its segment was removed: put it back, or make one like it for another segment")
UNKNOWN_TOPIC = _("The settings hold no such topic: people read its name as it is written here")
USED_IN = ("draft", "scheduled", "filling", "sending", "paused")
"""States in which a mailing may still ask who is in a segment."""


async def audience_of(hub: Hub, mailing: Mailing) -> Segment:
    """Give who shall get it: the segment without the others, as it is when it is asked.

    Raises NotFound where one of them is gone: who was to be left out must not get it for that.
    """
    known = {one.id: one for one in await hub.segments()}
    wanted = known.get(mailing.plan.segment_id)
    without = mailing.plan.without
    if wanted is None or not known.keys() >= set(without):
        raise NotFound(GONE)
    if not without:
        return wanted
    return Segment(id=0, name=wanted.name, static=False, any_of=(wanted.id,), not_in=without)


async def missing(hub: Hub, plan: Plan) -> list[str]:
    """Say what of its audience and its way a plan lacks."""
    known = {one.id for one in await hub.segments()}
    found = [] if plan.segment_id in known else [_("Choose who shall get it")]
    if not known >= set(plan.without):
        text = _("A segment whose people were to be left out is gone: look who gets it, and save")
        found.append(text)
    return found if plan.accounts else [*found, _("Choose a channel")]


async def unknown_topic(hub: Hub, name: str) -> str:
    """Say what of a topic is not kept in the settings, with the one that was meant; "" for nothing."""
    known = [one.name for one in await hub.topics()]
    if not name or name in known:
        return ""
    folded = {one.casefold(): one for one in known}
    meant = get_close_matches(name.casefold(), folded, n=1)
    return f"{name} → {folded[meant[0]]}?" if meant else name


async def sends_of(hub: Hub, mailing: Mailing) -> list[int]:
    """Give every send of a mailing: its occurrences and the steps of its chain."""
    rows = await hub.store.all(select(runs.c.send_id).where(runs.c.mailing_id == mailing.id))
    return sorted({*(int(row["send_id"]) for row in rows), mailing.send_id} - {0})


async def sends_of_each(hub: Hub, wanted: Sequence[Mailing]) -> dict[int, list[int]]:
    """Give the same for each of many mailings, asked at once."""
    found = {one.id: {one.send_id} - {0} for one in wanted}
    rows = await hub.store.all(
        select(runs.c.mailing_id, runs.c.send_id).where(runs.c.mailing_id.in_(list(found)))
    )
    for row in rows:
        found[row["mailing_id"]].add(int(row["send_id"]))
    return {number: sorted(sends) for number, sends in found.items()}


async def kind_of(hub: Hub, account_id: int) -> str:
    """Give the kind of addresses of an account."""
    account = await hub.account(AccountId(account_id))
    capabilities = hub.capabilities(account.channel)
    return capabilities.address_kind if capabilities is not None else ""


async def segment_uses(hub: Hub, segment_id: int) -> list[UsedBy]:
    """Give the mailings that have not asked a segment for the last time, the newest first."""
    rows = await hub.store.all(
        select(mailings).where(mailings.c.state.in_(USED_IN)).order_by(mailings.c.id.desc())
    )
    found = [read_mailing({**row, "occurrence": 0}) for row in rows]
    return [
        UsedBy(title=one.title, path=f"/p/mailings/{one.id}")
        for one in found
        if segment_id in (one.plan.segment_id, *one.plan.without)
    ]
