"""How fast accounts send to many, and what the world asks of them."""

from __future__ import annotations

from pydantic import Field

from hub import Body, Id, Shape, Word


class Kinds(Body):
    """The kinds of advertising that need an erid in this house."""

    kinds: list[Word]


class Limits(Body):
    """How fast an account may send to many, and what a message costs (minor units)."""

    per_minute: int = Field(default=0, description="Most messages in `minutes`; 0: any.")
    minutes: int = Field(default=1, ge=1, le=1440, description="1 is a minute, 60 an hour.")
    per_day: int = 0
    warm_first: int = Field(default=0, description="How many leave on the first day of a warm-up.")
    warm_percent: int = Field(default=0, description="How many per cent more each day after.")
    warm_from: Word = Field(default="", description="Its first day, 2027-03-10.")
    price: int = 0
    currency: Word = ""


class AccountLimits(Shape):
    """The limits of one account."""

    account_id: Id
    per_minute: int
    minutes: int
    per_day: int
    warm_first: int
    warm_percent: int
    warm_from: str
    price: int
    currency: str


class Check(Shape):
    """What the world asks of a sender; `add` is the exact text to put somewhere."""

    name: str
    ok: bool
    text: str
    add: str


class Sender(AccountLimits):
    """An account that sends, with the checks of its sender."""

    title: str
    checks: list[Check]


class Senders(Shape):
    """Every account that sends."""

    items: list[Sender]
