"""What is known of one person in a send."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import NEVER, AccountId, AddressId, ContactId, DeliveryId, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to a person in a send: `passed` with the reason, or the state it ended with.

    `told` is what the provider said of a way after it was passed (delivered, read, failed with
    `text`), and `told_at` when: the state of the way that stands is its own.
    """

    send_id: int
    contact_id: ContactId
    delivery_id: DeliveryId
    account_id: AccountId
    state: str
    address_id: AddressId = AddressId(0)
    reason: str = ""
    text: str = ""
    at: Micros = NEVER
    sent_at: Micros = NEVER
    told: str = ""
    told_at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """How fast an account may send to many (`per_minute` in `minutes`), and what a message costs.

    A warm-up lets `warm_first` leave on its first day and so many per cent more each day after,
    up to `per_day` (0: until the warm-up is ended). `price` is in minor units of `currency`.
    """

    account_id: AccountId
    per_minute: int = 0
    minutes: int = 1
    per_day: int = 0
    warm_from: Micros = NEVER
    warm_first: int = 0
    warm_percent: int = 0
    price: int = 0
    currency: str = ""
