"""Letters of a mailbox in small batches, read on while the last batch is taken in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from channels.email.imap import UIDS_PER_FETCH, Letter, MailSource
from channels.email.marks import Mark

T = TypeVar("T")


async def ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Give items one after another, and make the next while the last one is worked on."""
    coming = asyncio.ensure_future(anext(items, None))
    try:
        while (one := await coming) is not None:
            coming = asyncio.ensure_future(anext(items, None))
            yield one
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await items.aclose()


async def letters_of(
    source: MailSource, uids: list[int], here: Mark
) -> AsyncIterator[tuple[list[Letter], int]]:
    """Read one list of letters in small batches, each with the number up to which it goes."""
    entries = await source.entries(uids)
    # Letters deleted meanwhile are nothing to wait for.
    end = uids[min(len(uids), UIDS_PER_FETCH) - 1]
    wanted = [one for one in entries if here.wants(one.uid, one.arrived)]
    while wanted:
        letters, last = await source.fetch(wanted)
        wanted = [one for one in wanted if one.uid > last]
        yield letters, last if wanted else end
        if not wanted:
            return
    yield [], end
