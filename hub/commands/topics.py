"""Commands about what people subscribe to, and about subscriptions that have to be confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import NEVER, AccountId, AddressId, Micros
from hub.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTopic(Command):
    """Make (0) or change a topic; gives its id. A name that is there is refused.

    `confirm` asks for the button of a letter's page before a subscription counts: the letter
    leaves over `account_id` (0: the first mailbox), counts `valid_hours`, and at most
    `most_letters` are sent in that time. The words of the letter need `{{ confirm_url }}`; empty
    ones are the built-in ones. `public` puts it on everybody's page of subscriptions.
    """

    permission: ClassVar[str] = "mailings.send"

    topic_id: int = 0
    name: str = ""
    label_en: str = ""
    label_ru: str = ""
    about_en: str = ""
    about_ru: str = ""
    confirm: bool = True
    public: bool = True
    account_id: AccountId = AccountId(0)
    valid_hours: int = 72
    most_letters: int = 3
    subject_en: str = ""
    subject_ru: str = ""
    text_en: str = ""
    text_ru: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTopic(Command):
    """Take a topic out of the list; what people said about it stays."""

    permission: ClassVar[str] = "mailings.send"

    topic_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(Command):
    """Take a subscription to a topic; an unknown address becomes a person.

    Gives `given` where the topic needs no confirmation, `asked` where a letter with the button is
    on its way, `already` where the person is subscribed, `limited` where enough letters were
    sent, `suppressed` where the address takes none, `refused` where the person said no after
    `at`, `no_mailbox` where there is nothing to send it from. `how`, `evidence` (the words that
    were agreed to) and `ip` are kept as the proof.
    """

    permission: ClassVar[str] = "contacts.edit"

    address: Address
    topic: str
    how: str = "form"
    evidence: str = ""
    ip: str = ""
    language: str = ""
    at: Micros = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain(Command):
    """Send the letter of a subscription that was not confirmed once more; gives what Subscribe does."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmSubscription(Command):
    """Take the press of the button: the consent counts from now on; gives whether it was in time."""

    permission: ClassVar[str] = "contacts.edit"

    address_id: AddressId
    topic: str
    evidence: str = ""
    ip: str = ""
