"""Speaking to a person wherever that is allowed, and asking him for what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class AskDetails(Command):
    """Ask the person of a dialog for what his card lacks, once; gives the message's id.

    `questions` are the words for `name`, `phone` and `email`; those are asked whose answer is not
    known, below `text`. What he answers within a week goes onto the card, unverified. Raises
    Conflict `asked` where this dialog was asked before, `group` where several people write in it, and
    `nothing_missing`.
    """

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    text: str = ""
    questions: Mapping[str, str] = field(default_factory=dict)


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
