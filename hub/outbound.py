"""What happens to a message between the author and the outbox: the transforms, in order.

The composer's preview and the real send run the same pipeline over the same snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crm_store import accounts as account_reads
from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import people as people_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub.capabilities import Capabilities
from hub.commands import SendMessage
from hub.errors import HubError, Invalid
from hub.extensions import OutboundFacts, OutboundTransform, Reject
from hub.ids import DeliveryId, MessageId, UserId
from hub.messages import Address, OutboundMessage
from hub.objects import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message as it will leave, and which transforms changed it."""

    message: OutboundMessage
    changed_by: tuple[str, ...]


def facts_for(
    reader: Reader, command: SendMessage, channels: Mapping[str, Capabilities]
) -> OutboundFacts:
    """Read the snapshot that transforms may look at."""
    dialog = dialog_reads.one(reader, command.dialog_id)
    capabilities = channels.get(dialog.channel)
    author = None
    if command.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
        author = user_reads.user(reader, UserId(command.actor.id))
    answered = None
    answers = command.reply_to or dialog.last_message_id
    if answers:
        try:
            answered = message_reads.one(reader, MessageId(answers), whole=False)
        except HubError:
            answered = None
    contact = people_reads.contact(reader, dialog.contact_id)
    brand = user_reads.brand(reader)
    return OutboundFacts(
        dialog=dialog,
        contact=contact,
        account=account_reads.account(reader, dialog.account_id),
        brand=brand,
        author=author,
        answered=answered,
        language=contact.language or brand.language,
        html=capabilities is not None and capabilities.html,
        letters=capabilities is not None and capabilities.subject,
    )


def transform(
    message: OutboundMessage, facts: OutboundFacts, transforms: Sequence[OutboundTransform]
) -> Prepared:
    """Run the pipeline; raises Invalid with the words of a transform that rejects."""
    changed = []
    for one in sorted(transforms, key=lambda each: each.order):
        try:
            after = one.apply(message, facts)
        except Reject as error:
            raise Invalid(str(error), field="text") from error
        if after != message:
            changed.append(one.name)
            message = after
    return Prepared(message=message, changed_by=tuple(changed))


def prepare(
    reader: Reader,
    command: SendMessage,
    transforms: Sequence[OutboundTransform],
    channels: Mapping[str, Capabilities],
) -> SendMessage:
    """Fill in what a message will be on the wire, before the transaction opens."""
    if not transforms or command.template:
        return command
    facts = facts_for(reader, command, channels)
    to = command.to or Address(kind=facts.dialog.address_kind, value=facts.dialog.address)
    before = OutboundMessage(
        id=DeliveryId(0),
        message_id=command.message_id,
        dialog_id=command.dialog_id,
        account_id=facts.dialog.account_id,
        to=to,
        text=command.text,
        html=command.html,
        subject=command.subject,
        lane=command.lane,
        automated=command.automated,
        cause=command.cause,
    )
    prepared = transform(before, facts, transforms)
    after = prepared.message
    return replace(
        command,
        subject=after.subject,
        wire_text=after.text if after.text != command.text else "",
        wire_html=after.html if after.html != command.html else "",
        changed_by=prepared.changed_by,
    )
