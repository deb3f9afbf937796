"""Retention at work: the leased job that carries active rules out, every night and on demand."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm_store import retention as store
from crm_store.retention import JOB
from hub.commands import RunJob, SweepRetention
from hub.extensions import Job
from hub.ids import RetentionId

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.runtime import Runtime

log = logging.getLogger("hub.retaining")

SLICE_SECONDS = 60.0
PAUSE = 0.01


def retention_job(runtime: Runtime) -> Job:
    """Give the job: without a rule's id it does them all."""

    async def run(hub: Any, payload: Mapping[str, Any]) -> None:
        system = runtime.handle(hub.actor)
        rules = await system.read(store.all_rules)
        wanted = str(payload.get("rule_id", ""))
        for rule in rules:
            if rule.active and wanted in ("", str(rule.id)):
                await sweep(system, rule.id, SLICE_SECONDS)

    return Job(name=JOB, run=run, every=timedelta(days=1), timeout=timedelta(minutes=5))


async def sweep(system: BoundHub, rule_id: RetentionId, seconds: float = 0) -> int:
    """Carry one rule out, for some seconds or (0) to its end; gives how much it removed."""
    until = time.monotonic() + seconds if seconds else float("inf")
    removed = 0
    while time.monotonic() < until:
        count = int((await system.do(SweepRetention(rule_id=rule_id)))[0])
        removed += count
        if not count:
            if removed:
                log.info("retention_swept rule=%d removed=%d", rule_id, removed)
            return removed
        await asyncio.sleep(PAUSE)
    await system.do(RunJob(name=JOB, payload={"rule_id": str(rule_id)}, key=str(rule_id)))
    return removed
