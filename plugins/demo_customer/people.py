"""The simulated people: they read, type, answer, and now and then one comes for the first time.

What a person says follows from the message answered alone, so that whoever asks twice hears it
once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from hub import (
    Account,
    Address,
    DeliveryReceipt,
    DeliveryStatus,
    Dialog,
    DialogQuery,
    Direction,
    Hub,
    InboundMessage,
    Message,
    Micros,
    OutboundMessage,
    Presence,
    PresenceKind,
)
from plugins.demo_customer.phrases import NEWCOMERS, PHRASES, Newcomer

MESSENGER, MAIL = "demo_messenger", "demo_mail"
CHANNELS = (MESSENGER, MAIL)
TYPING_SECONDS = (2.0, 6.0)
READ_SECONDS = 1.5
MOST_TURNS = 4
MOST_OPEN = 30
"""So that a demo left alone over a weekend is not buried."""

ONE_IN = 3


def number(*parts: object) -> int:
    """Give a number that looks random and is the same every time."""
    text = ":".join(str(one) for one in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def is_russian(text: str) -> bool:
    """Say whether a text has Cyrillic letters."""
    return any("а" <= one <= "я" or one == "ё" for one in text.casefold())


async def answer(hub: Hub, sent: OutboundMessage, external_id: str) -> None:
    """Read one message of ours, think, type, write back."""
    account = await hub.account(sent.account_id)
    pace = float(str(account.settings.get("pause", 1.0)))
    await asyncio.sleep(READ_SECONDS * pace)
    await _receipts(hub, account, external_id)
    if not account.settings.get("answers", True) or sent.automated:
        return
    thread = await hub.thread(sent.dialog_id, limit=60)
    words = _next_words(sent, thread.messages)
    if not words:
        return
    dialog = thread.dialog
    person = Address(kind=dialog.address_kind, value=dialog.address, name=dialog.contact_name)
    low, high = TYPING_SECONDS
    seconds = low + number("pace", sent.message_id) % 1000 / 1000 * (high - low)
    for _ in range(3):
        typing = Presence(sender=person, kind=PresenceKind.TYPING, thread_key=dialog.thread_key)
        await hub.receive(account.id, [typing])
        await asyncio.sleep(seconds * pace / 3)
    await hub.receive(account.id, [_reply(sent, external_id, dialog, person, words, hub.now())])


async def _receipts(hub: Hub, account: Account, external_id: str) -> None:
    steps = [DeliveryStatus.DELIVERED]
    if account.channel != MAIL:
        steps.append(DeliveryStatus.READ)
    for status in steps:
        await hub.receive(
            account.id,
            [
                DeliveryReceipt(
                    dedupe_key=f"{external_id}:{status.value}",
                    external_id=external_id,
                    status=status,
                    at=hub.now(),
                )
            ],
        )


def _next_words(sent: OutboundMessage, messages: Sequence[Message]) -> str:
    """Choose what to say; nothing once the talk is over, or where something newer was sent."""
    ours = [one for one in messages if one.direction is Direction.OUT]
    if ours and ours[-1].id != sent.message_id:
        return ""
    turns = sum(
        1
        for one in messages
        if one.direction is Direction.IN and one.external_id.startswith("demo-reply:")
    )
    phrases = PHRASES["ru" if is_russian(sent.text) else "en"]
    asks = "?" in sent.text
    if turns >= MOST_TURNS and not asks:
        return ""
    kind = "closing" if turns >= MOST_TURNS - 1 else "details" if asks else "thanks"
    choices = phrases[kind]
    return choices[number(kind, sent.message_id) % len(choices)]


def _reply(
    sent: OutboundMessage,
    external_id: str,
    dialog: Dialog,
    person: Address,
    words: str,
    now: Micros,
) -> InboundMessage:
    is_mail = dialog.channel == MAIL
    return InboundMessage(
        dedupe_key=f"demo-reply:{sent.message_id}",
        external_id=f"demo-reply:{sent.message_id}",
        sender=person,
        text=words,
        subject=_re(dialog.subject) if is_mail else "",
        in_reply_to=external_id,
        thread_key=dialog.thread_key,
        sent_at=now,
        language="ru" if is_russian(words) else "en",
    )


def _re(subject: str) -> str:
    return subject if subject.casefold().startswith("re:") else f"Re: {subject}"


async def newcomer(hub: Hub) -> None:
    """Let somebody new write, sometimes; it is asked every minute."""
    slot = hub.now() // 60_000_000
    accounts = [
        one
        for name in CHANNELS
        for one in await hub.accounts(name)
        if one.settings.get("newcomers", True) and not one.paused
    ]
    if not accounts or number("come", slot) % ONE_IN:
        return
    account = accounts[number("where", slot) % len(accounts)]
    page = await hub.dialogs(DialogQuery(view="all", limit=MOST_OPEN))
    if len(page.dialogs) >= MOST_OPEN:
        return
    wanted = str(account.settings.get("language", "both"))
    choices = [one for one in NEWCOMERS if wanted in ("both", one.language)]
    person = choices[number("who", slot) % len(choices)]
    await hub.receive(account.id, [_first_words(account, person, slot, hub.now())])


def _first_words(account: Account, person: Newcomer, slot: int, now: Micros) -> InboundMessage:
    is_mail = account.channel == MAIL
    value = f"{person.login}.{slot % 10_000}"
    return InboundMessage(
        dedupe_key=f"demo-new:{slot}",
        external_id=f"demo-new:{slot}",
        sender=Address(
            kind="email" if is_mail else account.channel,
            value=f"{value}@customer.example" if is_mail else value,
            name=person.name,
        ),
        text=person.text,
        subject=person.subject if is_mail else "",
        sent_at=now,
        language=person.language,
    )
