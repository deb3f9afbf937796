"""Small objects that plugins register; the core drives them. One class, one idea each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hub.commands.base import Command
from hub.errors import HubError
from hub.ids import Micros
from hub.messages import Button, InboundMessage, OutboundMessage

if TYPE_CHECKING:
    from hub.api import Hub, UnitOfWork
    from hub.records.dialogs import Dialog, Message
    from hub.records.people import Contact
    from hub.records.system import Account, Brand, User


class VerdictKind(StrEnum):
    """What a screen decides about an inbound message."""

    DROP = "drop"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A screen's decision with its reason; nothing vanishes silently."""

    kind: VerdictKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFacts:
    """What a transform may look at: a snapshot, the same for preview and for the real send.

    `letters` says that the channel writes letters (it has subjects), `html` that it takes HTML.
    """

    dialog: Dialog
    contact: Contact
    account: Account
    brand: Brand
    author: User | None
    answered: Message | None
    language: str
    html: bool
    letters: bool = False


class Reject(HubError):
    """Raised by a transform: this message must not leave; the text tells the author why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundTransform:
    """One step of the pipeline before the outbox, in `order`. Pure; may raise Reject.

    It is named in the message's why trail when it changed something.
    """

    name: str
    order: int
    apply: Callable[[OutboundMessage, OutboundFacts], OutboundMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Background work: the only place for a plugin's I/O that must survive a crash.

    `every` makes it periodic (one run at a time over all processes); without it, it runs when
    a `RunJob` command asks. `run` may be called again after a crash and must stand that.
    `given_up` gives what is to be put on record when it failed for the last time, so that nobody
    waits for it any longer.
    """

    name: str
    run: Callable[[Hub, Mapping[str, Any]], Awaitable[None]]
    every: timedelta | None = None
    timeout: timedelta = timedelta(minutes=5)
    max_attempts: int = 8
    given_up: Callable[[Mapping[str, Any]], Sequence[Command]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A plugin's command with the function that carries it out over the plugin's own tables.

    `handle` runs inside the transaction on the writer thread: no I/O, no waiting.
    """

    command: type[Command]
    handle: Callable[[UnitOfWork, Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What a plugin keeps in its tables that a rule of retention may remove once it is old.

    `name` is `<plugin>.<word>`, `label` what people choose it by. `due(before)` gives the question
    (a SQLAlchemy select) for the keys of what is older than an instant, `remove` removes a batch of such keys (a value,
    or a tuple of several) inside the transaction on the writer thread.
    """

    name: str
    label: str
    due: Callable[[Micros], Any]
    remove: Callable[[UnitOfWork, Sequence[Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A table of a plugin whose rows name people or clients and go where those go.

    Its key is `id`, a whole number; `contact_id` or `client_id` says whose a row is. When cards are
    merged the rows go over to the survivor, and back when that is undone. Where the table has a
    `dialog_id`, rows of a dialog follow its person when he is split off. A table that may name a person
    once only cannot follow: listen to the facts, and say what becomes of two rows of one person.
    """

    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelLine:
    """One line of a panel: a label, a value, and where a click goes."""

    label: str
    value: str = ""
    href: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A section of the card beside a dialog: data, not HTML. Smallest `order` first."""

    key: str
    title: str
    lines: tuple[PanelLine, ...] = ()
    empty: str = ""
    order: int = 100
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NavEntry:
    """An entry of the rail that leads to a plugin's page.

    Entries of one `key` share a place in the rail: each is a `tab` of it, smallest `order` first,
    and `keys` (as `G M`) goes there. A page belongs to it by the value `section` of that key.
    """

    key: str
    title: str
    path: str
    icon: str = "puzzle"
    permission: str = ""
    order: int = 100
    tab: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSection:
    """A section of an account's page for accounts of one channel (an embed snippet, say)."""

    channel: str
    title: str
    path: str
    order: int = 100


UiPart = NavEntry | AccountSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What a screen sees: the message and which account took it."""

    message: InboundMessage
    account_id: int
    channel: str
    blocked: str = ""
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifying:
    """What a classifier sees: an inbound message and which account took it."""

    message: InboundMessage
    account_id: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a message is about, always with the reason; `confidence` is a share of a hundred."""

    name: str
    reason: str
    confidence: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBy:
    """What makes use of an object, as people know it: its title, and the path of its page."""

    title: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A reply that a plugin proposes for a dialog, filled in for its client.

    `key` is the plugin's own name of it; it is kept with the message that began as this one.
    `html` is how a channel of letters shows the same words. `missing` names placeholders that still
    stand in the text. `files` are names shown before
    the choice; `attach` is the path under `/p/<plugin>/` that puts them into the composer.
    `slot` 1 to 9 is its Alt key. `favourite` says that the reader marked it as one of his. Greatest
    `score` first.
    """

    text: str
    reason: str = ""
    title: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    shortcut: str = ""
    folder: str = ""
    html: str = ""
    missing: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    files: tuple[str, ...] = ()
    attach: str = ""
    template: str = ""
    template_language: str = ""
    slot: int = 0
    score: float = 0.0
    favourite: bool = False
