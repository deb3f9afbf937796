"""Records of consent and suppression."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import AddressId, ContactId, Micros, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """One word of a person about advertising, as it was given, with its evidence.

    `days` belongs to the state "limited": at most one message in so many days, 0 for as it comes.
    """

    id: int
    channel: str
    topic: str
    state: str
    at: Micros
    how: str
    evidence: str
    ip: str
    user_id: UserId
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Why an address takes no advertising."""

    address_id: AddressId
    kind: str
    value: str
    reason: str
    count: int
    at: Micros
    text: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a person stands: the newest word for each channel and topic, the log, the addresses.

    `days` is not 0 where the person wants at most one advertising message in so many days.
    """

    contact_id: ContactId
    current: tuple[ConsentEntry, ...]
    log: tuple[ConsentEntry, ...]
    suppressions: tuple[Suppression, ...]
    days: int = 0
