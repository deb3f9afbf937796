"""`стоп` and `stop`, in every channel: a person's refusal of advertising, said in a message.

Only a message that is nothing but such a word counts; an automatic answer never does.
"""

from __future__ import annotations

from crm_store.consents import give_consent, withdraw_consent
from crm_store.unit_of_work import UnitOfWork
from hub.commands import GiveConsent, WithdrawConsent
from hub.ids import ContactId, MessageId
from hub.messages import InboundMessage

LONGEST = 40
STOP = frozenset(
    {
        "стоп",
        "stop",
        "стопрассылка",
        "stopall",
        "стоп рассылка",
        "stop all",
        "стоп всё",
        "стоп все",
        "отказ",
        "отказаться",
        "отказываюсь",
        "не присылайте",
        "не пишите",
        "отписка",
        "отписаться",
        "отпишите",
        "отпишите меня",
        "отменить подписку",
        "unsubscribe",
        "unsubscribe me",
        "opt out",
        "optout",
    }
)
AGAIN = frozenset({"подписаться", "подпишите меня", "subscribe", "unstop"})
_EDGES = " \t\r\n.!,;:/\"'«»()-"


def word_of(text: str) -> str:
    """Give a short message as it is compared: lower case, without marks around it (`/stop`)."""
    if len(text) > LONGEST:
        return ""
    return " ".join(text.strip(_EDGES).lower().split())


def heed(uow: UnitOfWork, message: InboundMessage, message_id: MessageId, contact_id: int) -> None:
    """Withdraw (or give again) the consent of who wrote nothing but such a word."""
    word = word_of(message.text or message.subject)
    if not word or message.automated or not contact_id:
        return
    evidence = f"message {message_id}"
    if word in STOP:
        withdraw_consent(
            uow,
            WithdrawConsent(
                contact_id=ContactId(contact_id),
                channel=message.sender.kind,
                how="message",
                evidence=evidence,
            ),
        )
    elif word in AGAIN:
        give_consent(
            uow,
            GiveConsent(
                contact_id=ContactId(contact_id),
                channel=message.sender.kind,
                how="message",
                evidence=evidence,
            ),
        )
