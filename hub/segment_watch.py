"""Looks at watched segments every few minutes: who came and who went becomes facts for rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from crm_store.tables.segments import segments
from hub.commands import RefreshSegment
from hub.errors import HubError
from hub.extensions import Job
from hub.objects import SYSTEM

if TYPE_CHECKING:
    from hub.api import Hub
    from hub.runtime import Runtime

EVERY = timedelta(minutes=5)


def watch_job(runtime: Runtime) -> Job:
    """Give the job."""

    async def run(hub: Hub, payload: Mapping[str, Any]) -> None:
        ids = await runtime.database.read(
            lambda conn: list(
                conn.execute(
                    select(segments.c.id).where(segments.c.watched, segments.c.removed_at == 0)
                ).scalars()
            )
        )
        for number in ids:
            after = 0
            while True:
                try:
                    command = RefreshSegment(segment_id=number, after=after)
                    ((_, _, after),) = await runtime.do(SYSTEM, None, (command,))
                except HubError:
                    # A field that its filter asks for is gone: its page says so.
                    break
                if not after:
                    break

    return Job(name="segments.watch", run=run, every=EVERY)
