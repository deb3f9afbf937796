"""Filing what came in: an arrival that cannot be filed is put aside with its reason.

Nobody behind it waits for it: a mailbox goes on, a provider does not ask again for days.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from crm_store.failures import is_passing
from hub.channel import Batch
from hub.errors import HubError
from hub.kept_arrivals import put_aside
from hub.messages import Arrival
from hub.records.system import Account

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.filing")
TRIES = 3
"""Two processes that meet over the same row pass each other at the second time."""


async def file_arrivals(
    runtime: Runtime, account: Account, arrivals: Sequence[Arrival], *, judged: bool = False
) -> list[Any]:
    """File arrivals in one transaction; gives each one's result after the commit.

    A person let `judged` ones in: no screen is asked. Raises what it fails with.
    """
    for left in range(TRIES - 1, -1, -1):
        try:
            return await runtime.receive(account, arrivals, judged=judged)
        except IntegrityError:
            if not left:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.05))
    raise AssertionError("the last try returns or raises")


async def file_batch(runtime: Runtime, account: Account, batch: Batch) -> None:
    """File a pulled batch and its mark together.

    Where that fails for good each arrival is filed by itself, and those that still cannot be are
    quarantined as they came. Raises what passes by itself (nothing is filed then, and the mark
    stays) and what the hub says of the account.
    """
    try:
        await runtime.receive(account, batch.arrivals, mark=batch.mark, poison=batch.poison)
    except Exception as error:
        if is_passing(error) or isinstance(error, HubError):
            raise
        log.warning("batch_not_filed account=%d error=%s", account.id, type(error).__name__)
    else:
        return
    _, channel = await runtime.channel_host.get(account.id)
    aside = []
    for arrival in batch.arrivals:
        try:
            await file_arrivals(runtime, account, [arrival])
        except Exception as error:
            if is_passing(error):
                raise
            log.warning("arrival_quarantined account=%d error=%s", account.id, type(error).__name__)
            words = f"{type(error).__name__}: {error}"
            aside.append(put_aside(account.id, channel, arrival, words))
    await runtime.receive(account, (), mark=batch.mark, poison=batch.poison, aside=aside)
