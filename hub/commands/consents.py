"""Commands about who may be sent advertising: a person's word, and addresses that take none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import NEVER, AddressId, ContactId, Micros
from hub.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent(Command):
    """Note that a person agreed to advertising; gives whether it counts.

    `channel` is a kind of address ("" means every one), `topic` what it is about ("" means
    everything). `how` says by what way (form, message, hand, import, link, double_opt_in),
    `evidence` is the proof in words. What an import says never lifts a refusal of the person.
    """

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    channel: str = ""
    topic: str = ""
    how: str = "hand"
    evidence: str = ""
    ip: str = ""
    at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsent(Command):
    """Note that a person wants no more of it, and end what waits to be sent to him at once."""

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    channel: str = ""
    topic: str = ""
    how: str = "hand"
    evidence: str = ""
    ip: str = ""
    at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBackWithdrawal(Command):
    """Let a person's newest refusal over one letter (`evidence`) count no more: all is as before.

    Nothing is given that was not given before; raises NotFound where there is no such refusal.
    """

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitAdvertising(Command):
    """Note that a person wants at most one advertising message in so many days, over all channels;
    gives whether that is new. 0 lifts it. The caps of mailings hold beside it."""

    permission: ClassVar[str] = "contacts.edit"

    contact_id: ContactId
    days: int
    how: str = "hand"
    evidence: str = ""
    ip: str = ""
    at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPreferences(Command):
    """Send a fresh link to the page of subscriptions to an address, where somebody is known by it;
    gives whether a letter is on its way. Whoever asked is never told which."""

    permission: ClassVar[str] = "contacts.edit"

    address: Address
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressAddress(Command):
    """Send no more advertising to an address: it bounced, complained, or a colleague says so."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    reason: str = "by_hand"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAddress(Command):
    """Let an address take advertising again, for one reason of its suppression."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    reason: str
