"""Commands about messages: taking them in, sending them, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from hub.commands.base import Command
from hub.errors import NotFound
from hub.ids import (
    NEVER,
    AccountId,
    AttachmentId,
    DeliveryId,
    DialogId,
    MessageId,
    Micros,
    QuarantineId,
    UserId,
)
from hub.messages import (
    Address,
    Arrival,
    Attachment,
    Button,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Lane,
)

if TYPE_CHECKING:
    from hub.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive(Command):
    """Take one customer's message in; a repeat of its dedupe key changes nothing.

    `hint` is a plugin's opinion about the dialog, rechecked by the handler; `proof` is the
    dialog named by a token of ours that was verified. Files lie in the blob store already:
    `blobs` gives (blob id, sha256, size) per attachment, empty where a file must be fetched.
    `label` is what a classifier says it is about: name, reason, confidence, by.
    Gives the `Received` record.
    """

    account_id: AccountId
    message: InboundMessage
    hint: DialogId = DialogId(0)
    proof: DialogId = DialogId(0)
    blobs: tuple[tuple[str, str, int], ...] = ()
    raw_blob: str = ""
    label: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMessage(Command):
    """Say what a message is about; overrules what a classifier said. "" takes the label off."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReceipt(Command):
    """Move a delivery by the provider's later word; parked where the send is not settled yet."""

    account_id: AccountId
    receipt: DeliveryReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordArrival(Command):
    """Record an edit, a delete, a reaction, a pressed button, a call or a peer's change."""

    account_id: AccountId
    arrival: Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceMark(Command):
    """Move a pull channel's mark, in the same transaction as the arrivals before it."""

    account_id: AccountId
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(Command):
    """Keep raw bytes that nobody could read, with the reason, so that they can be replayed."""

    account_id: AccountId
    raw: bytes = field(repr=False)
    error: str
    trace: str = ""
    source: str = "webhook"
    headers: tuple[tuple[str, str], ...] = ()
    url: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleQuarantine(Command):
    """Mark a quarantined input replayed or dropped, or note that it failed again."""

    permission: ClassVar[str] = "accounts.manage"

    quarantine_id: QuarantineId
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Command):
    """Answer in a dialog: one message row, one delivery row, one fact, in one transaction.

    `message_id` 0 lets the handler make one. `idempotency_key` makes a repeated request
    harmless: it gives the first message again. `seen_message_id` is the newest message the
    sender had seen: if something arrived after it and `send_anyway` is not set, the handler
    raises Conflict `newer_messages` (the send guard). `due_at` delays the send (undo, send
    later). `then` sets the dialog's status after sending ("" leaves it). `wire_text` and
    `wire_html` are what the transforms named in `changed_by` made of it; the runtime fills
    them before the transaction. `advertising` (about `topic`) is refused where the person did not
    consent. `service` is an automatic message that answers nobody (a code, a receipt a program asked
    for): the guard against two machines lets it pass. `suggested` names the suggestion that it began as, `<plugin>:<key>`.
    """

    permission: ClassVar[str] = "dialogs.answer"

    dialog_id: DialogId
    text: str = ""
    html: str = ""
    subject: str = ""
    to: Address | None = None
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    attachments: tuple[AttachmentId, ...] = ()
    buttons: tuple[Button, ...] = ()
    reply_to: MessageId = MessageId(0)
    template: str = ""
    template_language: str = ""
    template_values: tuple[tuple[str, str], ...] = ()
    message_id: MessageId = MessageId(0)
    idempotency_key: str = ""
    seen_message_id: MessageId = MessageId(0)
    send_anyway: bool = False
    due_at: Micros = NEVER
    then: str = ""
    lane: Lane = Lane.AGENT
    automated: bool = False
    service: bool = False
    advertising: bool = False
    topic: str = ""
    wire_text: str = ""
    wire_html: str = ""
    changed_by: tuple[str, ...] = ()
    suggested: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSend(Command):
    """Take a message back that has not been claimed yet; raises Conflict once it is on its way."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleSend(Command):
    """Give a still queued message another time to leave."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId
    due_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDelivery(Command):
    """Send a failed message again; an unknown one only with `even_if_unknown`."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId
    even_if_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDeliveries(Command):
    """Lease up to `limit` due deliveries of one account, the most urgent lane first.

    Where `ahead` is given, the lane of mailings is counted apart: up to so many of it, beside up to
    `limit` of the others.
    """

    account_id: AccountId
    worker: str
    limit: int
    lease_us: int
    agent_only: bool = False
    ahead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSending(Command):
    """Commit that the wire is about to be called: from here on an interruption is unknown.

    `charged` is how many messages the provider will count, 0 where nobody counts them.
    """

    delivery_id: DeliveryId
    fence: int
    lease_us: int
    charged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDeliveries(Command):
    """Commit that the wire is about to be called for claimed deliveries; gives those that may go.

    Each is named with its fencing number and how many messages the provider will count (0 where
    nobody counts them). One whose lease is lost is left out, and so is one whose account or mailing
    was stopped meanwhile: it waits again or is over. What is `returned`, by id and fencing number,
    goes back to the queue unsent.
    """

    deliveries: tuple[tuple[DeliveryId, int, int], ...]
    lease_us: int
    returned: tuple[tuple[DeliveryId, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleDelivery(Command):
    """Write what became of one attempt; a late settle still records the external ids."""

    delivery_id: DeliveryId
    fence: int
    status: DeliveryStatus
    external_ids: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    text: str = ""
    code: str = ""
    retry_at: Micros = NEVER
    started_at: Micros = NEVER
    took_us: int = 0
    tried: bool = True
    """Whether anybody was called; what our own limits held up waits again, and is no attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireLeases(Command):
    """Give expired claims back to the queue and call expired sends unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHeld(Command):
    """After a restore or a late start: let held outgoing things go, or drop them.

    `ids` name single messages by their deliveries; without any it is all of the kind.
    """

    permission: ClassVar[str] = "system.manage"

    kind: str
    release: bool
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(Command):
    """Write a note that only colleagues see; mentioned users are told."""

    permission: ClassVar[str] = "dialogs.note"

    dialog_id: DialogId
    text: str
    mentions: tuple[UserId, ...] = ()
    attachments: tuple[AttachmentId, ...] = ()
    message_id: MessageId = MessageId(0)
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadAttachment(Command):
    """Keep an uploaded file until a message, a note or a card takes it; gives its id.

    `blob` is what the blob store said of the bytes: id, sha256, size. `kind` is that of the card
    that will have it: who may change such cards may bring it then.
    """

    permission: ClassVar[str] = "dialogs.note"

    file: Attachment
    blob: tuple[str, str, int]
    dialog_id: DialogId = DialogId(0)
    kind: str = ""

    def needs(self, kinds: Mapping[str, Kind]) -> str:
        """Give the right to change the card that it is for, else that to write a note."""
        if self.kind and self.kind not in kinds:
            raise NotFound(f"there is no kind {self.kind!r}")
        return kinds[self.kind].write if self.kind else self.permission


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAttachment(Command):
    """Record that a referenced file was fetched (with its bytes) or could not be."""

    attachment_id: AttachmentId
    blob: tuple[str, str, int] = ("", "", 0)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchAttachment(Command):
    """Ask the vendor once more for a file that could not be fetched."""

    permission: ClassVar[str] = "dialogs.answer"

    attachment_id: AttachmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage(Command):
    """Remove one message from here for good; its tombstone keeps it from coming back."""

    permission: ClassVar[str] = "dialogs.delete"

    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage(Command):
    """Change a message of ours where the person has it; the text here follows when it is done."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractMessage(Command):
    """Take a message of ours back at the person's end; here it stays readable and is marked."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactToMessage(Command):
    """Show the person our reaction to a message; an empty one takes it away."""

    permission: ClassVar[str] = "dialogs.answer"

    message_id: MessageId
    emoji: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAct(Command):
    """Write what became of an edit, a take-back or a reaction at the provider.

    `verb` is edit, retract or react; `n` names the act: one that was replaced changes nothing.
    """

    message_id: MessageId
    verb: str
    n: str
    error: str = ""
