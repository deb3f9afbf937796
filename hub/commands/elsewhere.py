"""Speaking to a person wherever that is allowed, not in one dialog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId, ContactId, DialogId
from hub.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class SendElsewhere(Command):
    """Send an automatic message to a person by the first way that is open; gives its id.

    `channels` are kinds of channels in the order in which they are tried (empty: where the person
    wrote last). A way is open where the channel takes it, its reply window is open, the person
    does not refuse it and, for `advertising` (about `topic`), consented. `but` is a dialog in
    which it is not said. Raises Conflict `no_way` where no way is open.
    """

    permission: ClassVar[str] = "dialogs.answer"

    contact_id: ContactId
    text: str
    subject: str = ""
    channels: tuple[str, ...] = ()
    but: DialogId = DialogId(0)
    advertising: bool = False
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardMessage(Command):
    """Send words on to the address of somebody who is to know of them; gives the message's id.

    It is an automatic message like any other: the same ceilings end a talk of two machines.
    """

    permission: ClassVar[str] = "dialogs.answer"

    account_id: AccountId
    to: Address
    text: str
    subject: str = ""
