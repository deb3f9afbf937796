"""Bytes that are kept before the command that names them: what becomes of them if that fails.

What a command refused is named by no row, and goes at once. Any other failure may be one of the
answer alone: a database that dies while it commits has written the rows or not. Such bytes stay,
and the hourly sweep (hub/upkeep.py) takes those that no row names after a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crm_store.blobs import BlobStore
from hub.errors import HubError


@asynccontextmanager
async def naming(blobs: BlobStore, *names: str) -> AsyncIterator[None]:
    """Carry out inside what names some bytes; raises what that raises."""
    try:
        yield
    except HubError:
        for one in names:
            await asyncio.to_thread(blobs.remove, one)
        raise
