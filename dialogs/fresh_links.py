"""A fresh link to the page of subscriptions, for whoever lost his or has one that is too old.

Somebody types an address; nobody is told whether it is known. Where it is, one service letter goes
to it, and only who reads that mailbox can do anything.
"""

from __future__ import annotations

from sqlalchemy import select, update

from crm_store.mailboxes import EMAIL, first_mailbox
from crm_store.sql import locked
from crm_store.tables.consents import suppressions
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, contacts
from crm_store.tables.users import accounts, brands
from crm_store.unit_of_work import UnitOfWork
from dialogs.confirming import laid_out, plain
from dialogs.many import plan_many, send_many
from hub.commands import ManyContent, ManyRecipient, PlanMany, SendMany, SendPreferences
from hub.ids import AccountId, AddressId, ContactId
from hub.messages import Lane

BETWEEN_US = 600_000_000
"""Two letters to one address are at least ten minutes apart, whoever asks."""
TITLE = {"en": "Link to your subscriptions", "ru": "Ссылка на ваши подписки"}
WORDS = {
    "en": (
        "Hello!\n\nSomebody, most likely you, asked for a link to the subscriptions of this address. "
        "Here you choose what you get and how often, or leave:\n{{ unsubscribe_url }}\n\n"
        "If it was not you, do nothing: nothing has changed.\n\n[house]"
    ),
    "ru": (
        "Здравствуйте!\n\nКто-то, скорее всего вы, попросил ссылку на подписки этого адреса. Здесь вы "
        "выбираете, что и как часто получать, или отписываетесь:\n{{ unsubscribe_url }}\n\n"
        "Если это были не вы, ничего делать не нужно: ничего не изменилось.\n\n[house]"
    ),
}


def send_preferences(uow: UnitOfWork, command: SendPreferences) -> bool:
    """Send the letter where the address is known and takes letters; gives whether it leaves."""
    value = command.address.value.strip().lower()
    if command.address.kind != EMAIL or not value:
        return False
    mine = select(addresses).where(addresses.c.kind == EMAIL, addresses.c.value == value)
    address = uow.conn.execute(locked(uow.dialect, mine)).first()
    if address is None or not address.contact_id or _dead(uow, address.id):
        return False
    account_id = _account(uow, address.contact_id, address.id)
    if not account_id or _lately(uow, address.contact_id, address.id):
        return False
    known = uow.conn.execute(
        select(contacts.c.language).where(contacts.c.id == address.contact_id)
    ).scalar()
    language = "ru" if (known or command.language or "en").lower().startswith("ru") else "en"
    plan = PlanMany(
        mailing_id=address.id,
        # Each letter is a send of its own.
        occurrence=uow.now,
        title=TITLE[language],
        advertising=False,
        need_consent=False,
        contents=(_content(uow, language),),
    )
    send_id, (content_id,) = plan_many(uow, plan)
    one = ManyRecipient(
        contact_id=ContactId(address.contact_id),
        address_id=AddressId(address.id),
        account_id=AccountId(account_id),
        content_id=content_id,
    )
    queued = send_many(uow, SendMany(send_id=send_id, recipients=(one,)))
    # He waits for it before his mailbox: no mailing may stand before it.
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.send_id == send_id, TO_MANY, deliveries.c.status == "queued")
        .values(lane=Lane.TRIGGER.order)
    )
    return bool(queued.queued)


def _dead(uow: UnitOfWork, address_id: int) -> bool:
    reasons = uow.conn.execute(
        select(suppressions.c.reason).where(suppressions.c.address_id == address_id)
    ).scalars()
    return "bounced_hard" in set(reasons)


def _account(uow: UnitOfWork, contact_id: int, address_id: int) -> int:
    """Give the account that wrote to him last, else the first mailbox."""
    found = uow.conn.execute(
        select(deliveries.c.account_id)
        .join(accounts, accounts.c.id == deliveries.c.account_id)
        .where(
            deliveries.c.contact_id == contact_id,
            TO_MANY,
            deliveries.c.address_id == address_id,
            ~accounts.c.removed,
            ~accounts.c.paused,
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    ).scalar()
    return int(found or 0) or first_mailbox(uow.conn, uow.channels)


def _lately(uow: UnitOfWork, contact_id: int, address_id: int) -> bool:
    newest = uow.conn.execute(
        select(deliveries.c.created_at)
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .where(
            deliveries.c.contact_id == contact_id,
            TO_MANY,
            many_sends.c.mailing_id == address_id,
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    ).scalar()
    return newest is not None and newest + BETWEEN_US > uow.now


def _content(uow: UnitOfWork, language: str) -> ManyContent:
    brand = uow.conn.execute(select(brands.c.name).order_by(brands.c.id)).scalar() or ""
    text = WORDS[language].replace("[house]", plain(brand)).strip()
    return ManyContent(
        variant=language,
        subject=TITLE[language],
        text=text,
        html=laid_out(text, "unsubscribe_url"),
        tracks_clicks=False,
    )
