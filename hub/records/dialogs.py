"""Records of dialogs and of what was said in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.ids import (
    AccountId,
    AddressId,
    AttachmentId,
    ContactId,
    DeliveryId,
    DialogId,
    MergeId,
    MessageId,
    Micros,
    QuarantineId,
    TeamId,
    UserId,
)
from hub.objects import Actor, Cause


class DialogStatus(StrEnum):
    """Where a dialog stands: new, open, waiting for the client, snoozed, closed."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Direction(StrEnum):
    """Which way an entry of a dialog went; a note stays inside, a call is a call."""

    IN = "in"
    OUT = "out"
    NOTE = "note"
    CALL = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """One dialog as the list shows it; `unread` and `draft` are the asking user's own.

    `window_until` is when the reply window closes on a channel that has one, 0 where it never
    opened.
    """

    id: DialogId
    account_id: AccountId
    channel: str
    contact_id: ContactId
    address_id: AddressId
    contact_name: str
    address: str
    address_kind: str
    subject: str
    status: DialogStatus
    assignee_id: UserId
    team_id: TeamId
    priority: int
    snoozed_until: Micros
    created_at: Micros
    closed_at: Micros
    last_at: Micros
    last_message_id: MessageId
    last_direction: str
    preview: str
    waiting_since: Micros
    last_inbound_at: Micros
    inbound_count: int
    message_count: int
    failed: bool
    group: bool
    thread_key: str
    merged_into: DialogId
    version: int
    tags: tuple[str, ...] = ()
    unread: int = 0
    draft: str = ""
    muted: bool = False
    window_until: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogMerge:
    """Two dialogs that became one, and can be two again; `subject` is that of the merged one."""

    id: MergeId
    survivor_id: DialogId
    merged_id: DialogId
    subject: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRecord:
    """A file of a message or a card; `state` is ready, pending or failed, or card for a card's."""

    id: AttachmentId
    message_id: MessageId
    name: str
    media_type: str
    size: int
    state: str
    content_id: str
    inline: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name on a message's To, Cc or Bcc line."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """The entry that a message answers, as a line above it; no `text` where it was taken back."""

    id: MessageId
    author_name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of a dialog.

    `text` is what the person wrote, `full_text` and `html` what came (loaded on demand, ""
    in lists; `has_html` and `has_quote` say whether there is more). `status` and `reason` are
    the delivery's, "" for what came in. `late` marks a message that arrived out of order.
    `quoted` is what it answers, where its channel shows that to the person.
    """

    id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    direction: Direction
    author: Actor
    author_name: str
    text: str
    subject: str
    at: Micros
    received_at: Micros
    status: str
    reason: str
    reason_text: str
    automated: bool
    cause: Cause
    external_id: str
    reply_to: MessageId
    has_html: bool
    has_quote: bool
    late: bool
    unsupported: str
    due_at: Micros
    edited_at: Micros
    deleted_at: Micros
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    attachments: tuple[AttachmentRecord, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()
    mentions: tuple[UserId, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    full_text: str = ""
    html: str = ""
    quoted: Quoted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """A shown fact of a dialog, as a line between its messages."""

    event_id: int
    at: Micros
    type: str
    actor: Actor
    actor_name: str
    cause: Cause
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A window of a dialog: at most 50 entries, oldest first, and whether there are more."""

    dialog: Dialog
    messages: tuple[Message, ...]
    history: tuple[HistoryLine, ...]
    has_older: bool
    has_newer: bool
    read_up_to: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the asking user has not sent yet."""

    dialog_id: DialogId
    mode: str
    text: str
    attachments: tuple[AttachmentId, ...]
    reply_to: MessageId
    updated_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at the wire."""

    started_at: Micros
    took_us: int
    outcome: str
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one person, with every attempt made."""

    id: DeliveryId
    message_id: MessageId
    dialog_id: DialogId
    account_id: AccountId
    lane: str
    status: str
    due_at: Micros
    fence: int
    attempts: tuple[Attempt, ...]
    attempt_count: int
    reason: str
    reason_text: str
    idempotency_key: str
    held: bool
    created_at: Micros
    sent_at: Micros
    delivered_at: Micros
    read_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What `Receive` gives back: the message's place, and whether it was new."""

    message_id: MessageId
    dialog_id: DialogId
    contact_id: ContactId
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineItem:
    """One input that nobody could read, with its raw bytes on demand."""

    id: QuarantineId
    account_id: AccountId
    received_at: Micros
    source: str
    state: str
    error: str
    trace: str
    size: int
    attempts: int
    raw: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    url: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogQuery:
    """What the inbox list asks for.

    `view` is mine, unassigned, mentions, all, waiting, snoozed, closed, failed or a saved
    view's number; `before` continues after the last row of the page before (keyset paging).
    `address` is the exact value of the person's address, of the kind `address_kind`.
    `sort` is newest, oldest_waiting or deadline. `filter` is a tree of the filter language.
    """

    view: str = "all"
    account_id: AccountId = AccountId(0)
    channel: str = ""
    team_id: TeamId = TeamId(0)
    assignee_id: UserId = UserId(0)
    contact_id: ContactId = ContactId(0)
    address_kind: str = ""
    address: str = ""
    tag: str = ""
    text: str = ""
    filter: Mapping[str, object] | None = None
    sort: str = "newest"
    before: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogPage:
    """A page of dialogs, and the key with which the next one is asked for ("" at the end)."""

    dialogs: tuple[Dialog, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One found message with its dialog and the matched line."""

    dialog: Dialog
    message_id: MessageId
    at: Micros
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """What a search found, by kind."""

    messages: tuple[SearchHit, ...]
    dialogs: tuple[Dialog, ...]
    contacts: tuple[object, ...]
    next: str = ""
