"""What a start finds on its way out: old things are held, so that nothing old leaves unasked."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from crm_store.holding import ALIVE, alive_at, hold_everything, hold_older
from crm_store.journal import set_meta
from hub.ids import NEVER
from hub.records.system import Held

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.holding")
US = 1_000_000
NOTHING = Held(deliveries=0, jobs=0, webhooks=0, oldest_at=NEVER)


def hold_late(runtime: Runtime) -> Held:
    """Hold what is older than the installation allows, where the hub was away for that long.

    Called before the workers start. A hub that is alive in another process, or was a short
    while ago, holds nothing.
    """
    now = runtime.now()
    allowed = int(timedelta(hours=runtime.settings.hold_after_hours) / timedelta(microseconds=1))
    with runtime.database.administer() as conn:
        last = alive_at(conn)
        if not last or now - last <= allowed:
            return NOTHING
        held = hold_older(conn, now - allowed, now)
    _tell("held_late_start", held, away_hours=(now - last) // (3600 * US))
    return held


def hold_restored(runtime: Runtime) -> Held:
    """Hold everything outgoing of a database that was just restored."""
    now = runtime.now()
    with runtime.database.administer() as conn:
        held = hold_everything(conn, now)
        set_meta(conn, ALIVE, str(now))
    _tell("held_restore", held)
    return held


def _tell(event: str, held: Held, **more: int) -> None:
    words = " ".join(f"{name}={value}" for name, value in more.items())
    log.warning(
        "%s deliveries=%d jobs=%d webhooks=%d %s",
        event,
        held.deliveries,
        held.jobs,
        held.webhooks,
        words,
    )
