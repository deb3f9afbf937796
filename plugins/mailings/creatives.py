"""The creatives that were marked, for the register of advertising."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from hub import Hub
from plugins.mailings.doing import all_mailings
from plugins.mailings.plans import US
from plugins.mailings.results import funnel_of


async def creatives(hub: Hub) -> str:
    """Give every marked mailing with its dates and counts as CSV, for the register."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["mailing", "kind", "advertiser", "inn", "erid", "started", "sent"])
    for one in await all_mailings(hub):
        plan = one.plan
        if plan.ad_kind and one.started_at:
            day = datetime.fromtimestamp(one.started_at / US, UTC).date().isoformat()
            sent = (await funnel_of(hub, one)).sent
            row = [one.title, plan.ad_kind, plan.advertiser, plan.inn, plan.erid, day, sent]
            # A title that begins like a formula is text all the same.
            writer.writerow([f"'{x}" if str(x)[:1] in tuple("=+-@") else x for x in row])
    return out.getvalue()
