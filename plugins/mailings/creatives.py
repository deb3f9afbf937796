"""The creatives that were marked, for the register of advertising."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import select

from hub import Hub
from plugins.mailings.audience import sends_of
from plugins.mailings.doing import all_mailings
from plugins.mailings.marks import creatives_of
from plugins.mailings.plans import US, Mailing
from plugins.mailings.results import funnel_of
from plugins.mailings.tables import runs


async def creatives(hub: Hub) -> str:
    """Give every creative of marked mailings with its dates and counts as CSV, for the register.

    A row is one creative: a wording (A, B), its short words for other channels (A2, B2), a later
    letter of a chain (1, 2). `sent` counts the whole mailing's, `sent of it` the creative's.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            "mailing",
            "kind",
            "advertiser",
            "inn",
            "erid",
            "started",
            "sent",
            "creative",
            "sent of it",
        ]
    )
    for one in await all_mailings(hub):
        plan = one.plan
        if not (plan.ad_kind and one.started_at):
            continue
        day = datetime.fromtimestamp(one.started_at / US, UTC).date().isoformat()
        sent = (await funnel_of(hub, one)).sent
        left = await _left(hub, one)
        for name, erid in creatives_of(plan):
            row = [one.title, plan.ad_kind, plan.advertiser, plan.inn, erid, day, sent, name]
            # A title that begins like a formula is text all the same.
            told = [f"'{x}" if str(x)[:1] in tuple("=+-@") else x for x in row]
            writer.writerow([*told, left.get(name, 0)])
    return out.getvalue()


async def _left(hub: Hub, mailing: Mailing) -> Counter[str]:
    """Give how many of each creative left, over all sends of a mailing."""
    numbers = await hub.send_contents(await sends_of(hub, mailing))
    wordings = sum(1 for one in mailing.plan.variants if one.text.strip())
    found: Counter[str] = Counter()
    for row in await hub.store.all(
        select(runs.c.step, runs.c.contents).where(runs.c.mailing_id == mailing.id)
    ):
        # Those of the first channel come first, then the same wordings for each other channel.
        own = wordings if row["step"] == 0 else 1
        for n, number in enumerate(row["contents"]):
            name = str(row["step"]) if row["step"] else chr(ord("A") + n % own)
            found[name if n < own else f"{name}2"] += numbers.get(int(number), (0, 0))[0]
    return found
