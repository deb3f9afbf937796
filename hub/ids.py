"""Identifiers: distinct types for the reader, one time-ordered number for the machine.

An id is a 63-bit integer made by us before the row is inserted: 42 bits of milliseconds since
2020-01-01 UTC, 9 bits of the worker's number (leased in the database, so two processes never
share one) and 12 bits of counter. Sorting by id therefore sorts by creation. In JSON and in
URLs an id is a string, because JavaScript loses integers above 2**53.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import NewType

AccountId = NewType("AccountId", int)
AddressId = NewType("AddressId", int)
AttachmentId = NewType("AttachmentId", int)
BlobId = NewType("BlobId", str)
BrandId = NewType("BrandId", int)
CalendarId = NewType("CalendarId", int)
ClientId = NewType("ClientId", int)
ContactId = NewType("ContactId", int)
DeliveryId = NewType("DeliveryId", int)
DialogId = NewType("DialogId", int)
EventId = NewType("EventId", int)
FieldId = NewType("FieldId", int)
ImportId = NewType("ImportId", int)
JobId = NewType("JobId", int)
InterestId = NewType("InterestId", int)
LeadId = NewType("LeadId", int)
MergeId = NewType("MergeId", int)
MessageId = NewType("MessageId", int)
NoticeId = NewType("NoticeId", int)
PasskeyId = NewType("PasskeyId", int)
PushDeviceId = NewType("PushDeviceId", int)
QuarantineId = NewType("QuarantineId", int)
ExportId = NewType("ExportId", int)
RetentionId = NewType("RetentionId", int)
RuleId = NewType("RuleId", int)
RunId = NewType("RunId", int)
RequestId = NewType("RequestId", int)
SlaPolicyId = NewType("SlaPolicyId", int)
SaidId = NewType("SaidId", int)
PipelineId = NewType("PipelineId", int)
StageId = NewType("StageId", int)
TagId = NewType("TagId", int)
TaskId = NewType("TaskId", int)
TeamId = NewType("TeamId", int)
TimerId = NewType("TimerId", int)
UserId = NewType("UserId", int)
WebhookId = NewType("WebhookId", int)

EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z in milliseconds of the Unix epoch."""

WORKER_BITS = 9
COUNTER_BITS = 12
MAX_WORKERS = 1 << WORKER_BITS

Micros = NewType("Micros", int)
"""An instant: integer microseconds since 1970-01-01 UTC."""

NEVER = Micros(0)
"""The instant that means "not set"; no column of ours is nullable in a key."""


KEY_LENGTH = 400
"""Characters of a key that others name things by: a dedupe key, an external id, an address."""


def bounded_key(key: str, most: int = KEY_LENGTH) -> str:
    """Give the form of a key that is stored and asked for, of at most `most` characters.

    A longer key is its beginning and a hash of the whole, so two of them that begin alike stay
    two; the form of a form is the form itself.
    """
    if len(key) <= most:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: most - len(digest) - 1]}:{digest}"


class IdMaker:
    """Makes ids for one worker number; safe to call from every thread.

    A clock that steps back does not break the order: the last millisecond is kept until the
    clock has passed it again.
    """

    def __init__(self, worker: int, now_us: Callable[[], Micros]) -> None:
        if not 0 <= worker < MAX_WORKERS:
            raise ValueError(f"worker number {worker} is outside 0..{MAX_WORKERS - 1}")
        self._worker = worker
        self._now_us = now_us
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def __call__(self) -> int:
        """Give the next id."""
        with self._lock:
            ms = self._now_us() // 1000 - EPOCH_MS
            if ms > self._last_ms:
                self._last_ms, self._counter = ms, 0
            else:
                self._counter += 1
                if self._counter >> COUNTER_BITS:
                    self._last_ms, self._counter = self._last_ms + 1, 0
            return (
                (self._last_ms << (WORKER_BITS + COUNTER_BITS))
                | (self._worker << COUNTER_BITS)
                | self._counter
            )


def id_for_instant(at: Micros) -> int:
    """Give the smallest id that an object made at `at` can have (for time-ranged key scans)."""
    return max(0, at // 1000 - EPOCH_MS) << (WORKER_BITS + COUNTER_BITS)
