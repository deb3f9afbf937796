"""Counts the classes of clients: every night, and when somebody asks for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm_store import client_classes as store
from hub.commands import ClassifyClients, SettleClasses
from hub.extensions import Job
from hub.ids import ClientId

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.runtime import Runtime

log = logging.getLogger("hub.class_counting")

PAUSE = 0.01


def class_job(runtime: Runtime) -> Job:
    """Give the job."""

    async def run(hub: Any, payload: Mapping[str, Any]) -> None:
        await count(runtime.handle(hub.actor))

    return Job(name=store.JOB, run=run, every=timedelta(days=1), timeout=timedelta(minutes=15))


async def count(system: BoundHub) -> None:
    """Give all clients their classes, a batch at a time; one that was stopped begins anew."""
    found = await system.read(store.borders)
    after, batches = ClientId(0), 0
    while True:
        command = ClassifyClients(
            after=after,
            since=found.since,
            until=found.until,
            months=found.rules.months,
            currency=found.currency,
            a_from=found.a_from,
            b_from=found.b_from,
            x_percent=found.rules.x_percent,
            y_percent=found.rules.y_percent,
        )
        (after,) = await system.do(command)
        if not after:
            break
        batches += 1
        await asyncio.sleep(PAUSE)
    await system.do(
        SettleClasses(
            until=found.until,
            months=found.rules.months,
            currency=found.currency,
            whole=found.whole,
        )
    )
    log.info("classes_counted batches=%d", batches)
