"""Whom a mailing reaches over which account of its order, and what it costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hub import (
    AccountId,
    Capabilities,
    Hub,
    ManyContent,
    Micros,
    Reach,
    Segment,
    is_countable,
    with_addresses,
)
from plugins.mailings.audience import audience_of
from plugins.mailings.contents import capabilities_of, contents_of, steps_of
from plugins.mailings.plans import Mailing, Plan, first_moment, money

SAMPLE = 30
"""So many of the people are filled in to count the parts of a message."""
TOKEN_LENGTH, CLICK_LENGTH = 120, 30
"""About as long is the signed part of a link to unsubscribe, and just so long that of a counted one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """How an audience goes: by each account of the order so many, at what price.

    `prices` are what it costs where everybody's first way arrives, `most` where nobody's does before
    his last one: what left in vain is paid for too. `reach` is what each account reaches alone, with
    the reasons. What is `estimated` is about so many.
    """

    total: int = 0
    reach: tuple[tuple[str, Reach], ...] = ()
    estimated: bool = False
    ways: tuple[tuple[str, int, str], ...] = ()
    prices: tuple[tuple[str, int], ...] = ()
    most: tuple[tuple[str, int], ...] = ()

    @property
    def reached(self) -> int:
        """How many are reached at all."""
        return sum(n for _, n, _ in self.ways)


async def path_of(hub: Hub, mailing: Mailing, *, exact: bool = True) -> Path:
    """Say how the audience goes over the order of accounts, and what it costs.

    Not `exact`, it is an estimate where there are very many people, and there at once.
    """
    segment = await audience_of(hub, mailing)
    accounts, kinds, templated = [], [], set()
    for number in mailing.plan.accounts:
        capabilities = await capabilities_of(hub, number)
        if capabilities is not None:
            account = await hub.account(AccountId(number))
            accounts.append(account)
            kinds.append(capabilities.address_kind)
            if _as_template(mailing.plan, capabilities):
                templated.add(account.id)
    plan, zone = mailing.plan, (await hub.brand()).time_zone or "UTC"
    found = await hub.reaches(
        segment,
        channels=kinds,
        topic=mailing.plan.topic,
        advertising=mailing.plan.advertising,
        accounts=[one.id for one in accounts],
        templated=templated,
        cap=(plan.cap_count, plan.cap_days),
        at=Micros(first_moment(plan, zone, hub.now())),
        exact=exact,
    )
    limits = {one.account_id: one for one in await hub.sending_limits()}
    ways, prices, most = [], Counter[str](), Counter[str]()
    for account, n, reach in zip(accounts, found.in_order, found.each, strict=True):
        own = limits.get(account.id)
        # Of the first account are all whom it reaches; the later ones are gone to from others too.
        mine = reach.reached
        if own is None or not own.price or not mine:
            ways.append((account.title, n, ""))
            continue
        parts = await parts_of(hub, mailing.plan, account.id, segment)
        price = own.price * sum(parts)
        prices[own.currency] += price * n
        most[own.currency] += price * mine
        # Where a message is several for its provider, it is said how many.
        many = " + ".join(map(str, parts)) if max(parts) > 1 else ""
        words = money(price * n, own.currency) + (f", ×{many}" if many else "")
        ways.append((account.title, n, words if n else ""))
    return Path(
        total=found.total,
        reach=tuple(zip((one.title for one in accounts), found.each, strict=True)),
        estimated=found.estimated,
        ways=tuple(ways),
        prices=tuple(sorted(prices.items())),
        most=tuple(sorted(most.items())),
    )


def _as_template(plan: Plan, capabilities: Capabilities) -> bool:
    """Say whether a template of the provider leaves over an account: it goes where a window is shut."""
    return bool(plan.template) and capabilities.templates and not capabilities.html


async def parts_of(hub: Hub, plan: Plan, account_id: int, segment: Segment) -> list[int]:
    """Give in how many parts each letter of a mailing leaves, at most among some of its people."""
    first = plan.accounts[0] == account_id if plan.accounts else False
    people = await hub.audience(segment, channel="", limit=SAMPLE)
    known = [await hub.values(contact_id=one.contact_id) for one in people]
    link = hub.public_url("/u/" + "x" * TOKEN_LENGTH)
    found = []
    for contents in (await contents_of(hub, plan), *(await steps_of(hub, plan))):
        own = [one for one in contents if one.account_id == (0 if first else account_id)]
        texts = [
            hub.fill(
                as_counted(hub, one), {**each.texts, "unsubscribe_url": link, "view_url": link}
            ).text
            for one in own
            for each in known
        ]
        counted = [await hub.measure(AccountId(account_id), text) for text in texts]
        found.append(max((one.parts for one in counted if one is not None), default=1))
    return found


def as_counted(hub: Hub, content: ManyContent) -> str:
    """Give the words with links as long as they leave, where they are counted."""
    if not content.tracks_clicks or content.html or content.template:
        return content.text
    counted = hub.public_url("/c/" + "x" * CLICK_LENGTH)
    return with_addresses(content.text, lambda one: counted if is_countable(one) else one)
