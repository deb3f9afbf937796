"""Commands about who may be whom: pairs, what was said in a message, who is no client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ClientId, DialogId, MessageId, SaidId


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshDuplicates(Command):
    """Look for the likenesses of some cards again (the hub does that by itself)."""

    kind: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectDuplicate(Command):
    """Remember that two contacts, or two clients, are not one."""

    permission: ClassVar[str] = "contacts.edit"

    kind: str
    a_id: int
    b_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSaid(Command):
    """Note the phones and e-mails that people told in messages (the hub does that by itself)."""

    message_ids: tuple[MessageId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeAnswers(Command):
    """Take what people answered to `AskDetails` onto their cards (the hub does that by itself).

    Gives how many of the messages told something.
    """

    message_ids: tuple[MessageId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleSaid(Command):
    """Say what an address told in a message is: the person's own (`take`), or not.

    What an answer put onto the card stays there, or is taken off again. Raises Conflict where it belongs to somebody else: then the two may be one.
    """

    permission: ClassVar[str] = "contacts.edit"

    said_id: SaidId
    take: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside(Command):
    """Remember of dialogs' addresses that they are no clients; an empty reason forgets it.

    `reason` is private, spam or supplier.
    """

    permission: ClassVar[str] = "contacts.edit"

    dialog_ids: tuple[DialogId, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongTo(Command):
    """Say of dialogs' people that they belong to a client; 0 makes a new client of each."""

    permission: ClassVar[str] = "contacts.edit"

    dialog_ids: tuple[DialogId, ...]
    client_id: ClientId = ClientId(0)
