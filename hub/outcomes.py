"""What a try at the wire ended with, and when it is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from aiolimiter import AsyncLimiter

from crm_store.outgoing import UNSURE
from hub.capabilities import Capabilities
from hub.commands import SettleDelivery
from hub.errors import (
    AccountRefused,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Throttled,
    TooFast,
)
from hub.ids import DeliveryId, Micros
from hub.messages import DeliveryStatus, Sent

BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_LAST = timedelta(hours=1)
MAX_ATTEMPTS = 30
MAX_AGE = timedelta(days=2)
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try at the wire ended with."""

    status: DeliveryStatus
    sent: Sent = Sent()
    reason: str = ""
    text: str = ""
    code: str = ""
    retry_after: timedelta | None = None
    tried: bool = True


FORGOTTEN = Outcome(
    DeliveryStatus.UNKNOWN,
    reason="other",
    text="the provider no longer remembers the earlier attempt: a repeat might double it",
)


def backoff(attempt: int, jitter: float) -> timedelta:
    """Give how long to wait after a failed attempt: full jitter, doubling up to an hour."""
    ceiling: timedelta = min(BACKOFF_LAST, BACKOFF_FIRST * int(2 ** min(attempt, 16)))
    return max(timedelta(seconds=1), ceiling * jitter)


def judge(error: BaseException, capabilities: Capabilities) -> Outcome:
    """Say what an exception out of `Channel.send` means for the delivery."""
    text, code = str(error)[:400], type(error).__name__
    if isinstance(error, TemporaryFailure):
        kinds = (AccountRefused, TooFast, Throttled)
        return Outcome(
            DeliveryStatus.QUEUED,
            text=text,
            code=next((one.__name__ for one in kinds if isinstance(error, one)), code),
            retry_after=error.retry_after,
            tried=not isinstance(error, Throttled),
        )
    if isinstance(error, PermanentFailure):
        return Outcome(DeliveryStatus.FAILED, reason=error.reason.value, text=text, code=code)
    if isinstance(error, HubError) and not isinstance(error, OutcomeUnknown):
        return Outcome(DeliveryStatus.FAILED, reason="other", text=text, code=code)
    # We called the wire and never learned the answer. A stranger's words may hold secrets.
    text = text if isinstance(error, OutcomeUnknown) else code
    if capabilities.idempotent_send:
        return Outcome(DeliveryStatus.QUEUED, text=text, code=f"{UNSURE}{code}")
    return Outcome(DeliveryStatus.UNKNOWN, reason="other", text=text, code=code)


def limiter_of(rate_per_second: float) -> AsyncLimiter:
    """Give an account's limiter: a second's worth at once, or one call every so many seconds."""
    if rate_per_second >= 1:
        return AsyncLimiter(rate_per_second, 1)
    return AsyncLimiter(1, 1 / max(rate_per_second, 0.001))


def settling(
    delivery_id: DeliveryId,
    fence: int,
    outcome: Outcome,
    *,
    now: Micros,
    started: Micros,
    attempt: int = 0,
    since: int = 0,
) -> SettleDelivery:
    """Give the command that writes an outcome down: what was tried too long or too often has failed.

    `since` is when it was first tried.
    """
    status, reason, retry_at = outcome.status, outcome.reason, 0
    if status is DeliveryStatus.QUEUED:
        wait = outcome.retry_after or backoff(attempt, random.random())
        retry_at = now + int(wait.total_seconds() * US)
        too_old = since and now - since > MAX_AGE.total_seconds() * US
        if outcome.tried and (attempt >= MAX_ATTEMPTS or too_old):
            status, reason, retry_at = DeliveryStatus.FAILED, "expired", 0
    return SettleDelivery(
        delivery_id=delivery_id,
        fence=fence,
        status=status,
        external_ids=outcome.sent.external_ids,
        refused=tuple(outcome.sent.refused.items()),
        reason=reason,
        text=outcome.text,
        code=outcome.code,
        retry_at=Micros(retry_at),
        started_at=started,
        took_us=now - started,
        tried=outcome.tried,
    )
