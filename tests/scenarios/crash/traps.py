"""Traps: the process notes every hop that it passes, and dies at the one that is armed.

The product knows nothing of this: its functions are wrapped in the process that is to die.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm_store.blobs import BlobStore
from crm_store.database import Database
from crm_store.unit_of_work import Transaction
from hub.handlers import MANY, ONE
from hub.webhook_sender import WebhookSender
from tests.scenarios.crash.hops import AFTER, BEFORE, Death

NOTHING_DONE = frozenset({"ClaimDeliveries", "ClaimJobs", "ExpireLeases", "WakeDialogs"})
"""Commands that loops give again and again: a commit in which they found nothing is no hop."""


class Traps:
    """What was passed, and where to die."""

    def __init__(self, log: Path) -> None:
        self.armed: Death | None = None
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._known: set[str] = set()
        self._marks = threading.local()

    def passed(self, hop: str, side: str) -> None:
        """Note a hop; die where it is the armed one, like in a power cut."""
        if hop not in self._known:
            self._known.add(hop)
            os.write(self._log, f"{hop}\n".encode())
        if self.armed is not None and (self.armed.hop, self.armed.side) == (hop, side):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    # -- where they stand ------------------------------------------------------------------

    def set(self) -> None:
        """Wrap what commits and what the world sees; before a runtime is built."""
        for kind in list(MANY):
            MANY[kind] = self._marking(kind.__name__, MANY[kind])
        for kind in list(ONE):
            ONE[kind] = self._marking(kind.__name__, ONE[kind])
        for name, hop in (
            ("_queue", "webhook queued"),
            ("_claim", "webhook claimed"),
            ("_settle", "webhook settled"),
        ):
            setattr(WebhookSender, name, self._marking_group(hop, getattr(WebhookSender, name)))
        for name in ("_together", "_with_savepoints"):
            setattr(Database, name, self._committing(getattr(Database, name)))
        Transaction.write_journal = self._before_commit(Transaction.write_journal)  # type: ignore[method-assign]
        BlobStore.put = self.around("bytes", BlobStore.put)  # type: ignore[method-assign]
        WebhookSender._call = self.around_async("webhook posted", WebhookSender._call)  # type: ignore[method-assign]

    def around(self, hop: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            self.passed(hop, BEFORE)
            answer = function(*args, **more)
            self.passed(hop, AFTER)
            return answer

        return run

    def around_async(self, hop: str, function: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*args: Any, **more: Any) -> Any:
            self.passed(hop, BEFORE)
            answer = await function(*args, **more)
            self.passed(hop, AFTER)
            return answer

        return run

    # -- commits ---------------------------------------------------------------------------

    def _mark(self, hop: str) -> None:
        marks = getattr(self._marks, "now", None)
        if marks is not None:
            marks.add(hop)

    def _marking(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            answer = function(*args)
            found = any(answer) if isinstance(answer, tuple) else bool(answer)
            if found or name not in NOTHING_DONE:
                self._mark(name)
            return answer

        return run

    def _marking_group(self, hop: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(sender: Any, tx: Any, items: Any) -> Any:
            answer = function(sender, tx, items)
            if hop != "webhook claimed" or any(answer):
                self._mark(hop)
            return answer

        return run

    def _committing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(database: Any, group: Any) -> Any:
            self._marks.now = set()
            answer = function(database, group)
            for hop in sorted(self._marks.now):
                self.passed(hop, AFTER)
            return answer

        return run

    def _before_commit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(tx: Any) -> None:
            function(tx)
            for hop in sorted(getattr(self._marks, "now", ())):
                self.passed(hop, BEFORE)

        return run
