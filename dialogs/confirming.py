"""Subscriptions that need a button: the letter that asks, sent once, and what the button does.

Somebody typed an address; whether it is his is not known before he pressed the button of a page
that only the letter names. Until then nothing is sent to it but this letter, and no more often
than the topic allows. What was agreed to, when and from where is in the log from the beginning.
"""

from __future__ import annotations

import html
import re
from typing import Any

from sqlalchemy import Row, select, update

from crm_store.consents import ASKED, GIVEN, give_consent, write_log
from crm_store.mailboxes import EMAIL, first_mailbox
from crm_store.people import create_contact
from crm_store.sql import locked, upsert
from crm_store.tables.consents import confirmations, consents, suppressions
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, contacts
from crm_store.tables.users import brands
from crm_store.topics import WORDS, of_name
from crm_store.unit_of_work import UnitOfWork
from dialogs.many import plan_many, send_many
from hub.commands import (
    AskAgain,
    ConfirmSubscription,
    CreateContact,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
    Subscribe,
)
from hub.errors import Invalid, NotFound
from hub.events import ConsentAsked
from hub.ids import AccountId, AddressId, ContactId
from hub.messages import Lane
from hub.records.topics import Topic

HOUR_US = 3_600_000_000
BETWEEN_US = 60_000_000
"""Two letters of one question are at least this far apart: a form is often sent twice."""
_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@[^\s@,;<>()\"]{1,180}\.[^\s@,;<>()\".]{2,63}")
HARD = ("bounced_hard", "complained", "by_hand", "imported")


def subscribe(uow: UnitOfWork, command: Subscribe) -> str:
    """Take a subscription; gives what became of it."""
    topic = of_name(uow.conn, command.topic)
    if topic is None:
        raise NotFound("there is no such topic: make it in the settings first")
    if command.how not in ("form", "api", "import", "hand", "message"):
        raise Invalid("this is no way to subscribe", field="how")
    kind, value = command.address.kind, command.address.value.strip()
    if kind == EMAIL:
        value = value.lower()
        if not _EMAIL.fullmatch(value):
            raise Invalid("this is not an e-mail address", field="email")
    elif topic.confirm:
        raise Invalid("only an e-mail address can be asked to confirm", field="kind")
    address = _address(uow, kind, value, command)
    return ask(uow, topic, address, command)


def _address(uow: UnitOfWork, kind: str, value: str, command: Subscribe) -> Row[Any]:
    """Give the address with its person, made where nobody had it."""
    mine = select(addresses).where(addresses.c.kind == kind, addresses.c.value == value)
    row = uow.conn.execute(locked(uow.dialect, mine)).first()
    if row is None or not row.contact_id:
        given = command.address
        made = CreateContact(name=given.name or value, addresses=(_of(given, value),))
        contact_id = create_contact(uow, made)
        if command.language:
            uow.conn.execute(
                update(contacts)
                .where(contacts.c.id == contact_id)
                .values(language=command.language[:40])
            )
        row = uow.conn.execute(locked(uow.dialect, mine)).one()
    return row


def _of(address: Any, value: str) -> Any:
    return type(address)(kind=address.kind, value=value, name=address.name)


def ask(uow: UnitOfWork, topic: Topic, address: Row[Any], command: Subscribe) -> str:
    """Ask the owner of an address, or take his word where the topic asks nobody."""
    word = _word(uow, address.contact_id, address.kind, topic.name)
    if word[1] == GIVEN:
        return "already"
    if word[1] and command.at and word[0] > command.at:
        # An old form that is read again lifts no newer refusal.
        return "refused"
    said = GiveConsent(
        contact_id=ContactId(address.contact_id),
        channel=address.kind,
        topic=topic.name,
        how=command.how,
        evidence=command.evidence,
        ip=command.ip,
        at=command.at,
    )
    if not topic.confirm:
        return "given" if give_consent(uow, said) else "refused"
    if word[1] and command.how == "import":
        return "refused"
    if _stopped(uow, address):
        return "suppressed"
    row = _row(uow, topic, address, command)
    write_log(uow, said, address.kind, topic.name, ASKED)
    return _letter(uow, topic, address, row)


def ask_again(uow: UnitOfWork, command: AskAgain) -> str:
    """Send the letter once more, where there is a question; a late one begins anew."""
    topic = of_name(uow.conn, command.topic)
    address = uow.conn.execute(
        locked(uow.dialect, select(addresses).where(addresses.c.id == command.address_id))
    ).first()
    row = _known(uow, command.address_id, command.topic)
    if topic is None or address is None or row is None:
        raise NotFound("nobody was asked this")
    if row.state != "waiting":
        return "already"
    if _stopped(uow, address):
        return "suppressed"
    if row.expires_at <= uow.now:
        row = _begin(uow, topic, row.id)
    return _letter(uow, topic, address, row)


def confirm_subscription(uow: UnitOfWork, command: ConfirmSubscription) -> bool:
    """Let the consent count; what was agreed to, and both moments, are its evidence."""
    row = _known(uow, command.address_id, command.topic)
    if row is None or row.state != "waiting" or row.expires_at <= uow.now:
        return False
    address = uow.conn.execute(
        select(addresses).where(addresses.c.id == command.address_id)
    ).first()
    if address is None or not address.contact_id:
        return False
    uow.conn.execute(
        update(confirmations).where(confirmations.c.id == row.id).values(state="confirmed")
    )
    first = f"asked {row.asked_at // 1_000_000} {row.ip}: {row.evidence}".strip()
    give_consent(
        uow,
        GiveConsent(
            contact_id=ContactId(address.contact_id),
            channel=address.kind,
            topic=command.topic,
            how="double_opt_in",
            evidence="\n".join(one for one in (command.evidence, first) if one),
            ip=command.ip,
        ),
    )
    return True


# -- the question ----------------------------------------------------------------------------------


def _word(uow: UnitOfWork, contact_id: int, kind: str, topic: str) -> tuple[int, str]:
    """Give the person's newest word about it, and when it was said."""
    words = uow.conn.execute(
        select(consents.c.at, consents.c.state).where(
            consents.c.contact_id == contact_id,
            consents.c.channel.in_({kind, ""}),
            consents.c.topic.in_({topic, ""}),
        )
    ).all()
    return max(((row.at, row.state) for row in words), default=(0, ""))


def _stopped(uow: UnitOfWork, address: Row[Any]) -> bool:
    """Whoever complained, or whose address is dead, is not written to because of a form."""
    reasons = uow.conn.execute(
        select(suppressions.c.reason).where(suppressions.c.address_id == address.id)
    ).scalars()
    return bool(address.blocked) or bool(set(HARD) & set(reasons))


def _known(uow: UnitOfWork, address_id: int, topic: str) -> Row[Any] | None:
    return uow.conn.execute(
        locked(
            uow.dialect,
            select(confirmations).where(
                confirmations.c.address_id == address_id, confirmations.c.topic == topic
            ),
        )
    ).first()


def _row(uow: UnitOfWork, topic: Topic, address: Row[Any], command: Subscribe) -> Row[Any]:
    values = {
        "contact_id": address.contact_id,
        "state": "waiting",
        "language": _language(uow, address.contact_id, command.language),
        "how": command.how,
        "evidence": command.evidence[:4000],
        "ip": command.ip[:100],
    }
    fresh = {"id": uow.new_id(), "address_id": address.id, "topic": topic.name, **values}
    uow.conn.execute(upsert(uow.dialect, confirmations).on_conflict_do_nothing(), [fresh])
    row = _known(uow, address.id, topic.name)
    if row is None:
        raise NotFound("the question is gone")
    uow.conn.execute(update(confirmations).where(confirmations.c.id == row.id).values(**values))
    if row.state != "waiting" or row.expires_at <= uow.now:
        return _begin(uow, topic, row.id)
    return uow.conn.execute(select(confirmations).where(confirmations.c.id == row.id)).one()


def _begin(uow: UnitOfWork, topic: Topic, number: int) -> Row[Any]:
    """Begin a question anew: its time and its letters are counted from here."""
    uow.conn.execute(
        update(confirmations)
        .where(confirmations.c.id == number)
        .values(
            state="waiting",
            asked_at=uow.now,
            expires_at=uow.now + topic.valid_hours * HOUR_US,
            letters=0,
        )
    )
    return uow.conn.execute(select(confirmations).where(confirmations.c.id == number)).one()


def _language(uow: UnitOfWork, contact_id: int, given: str) -> str:
    known = uow.conn.execute(
        select(contacts.c.language).where(contacts.c.id == contact_id)
    ).scalar()
    house = uow.conn.execute(select(brands.c.language).order_by(brands.c.id)).scalar()
    return "ru" if (given or known or house or "en").lower().startswith("ru") else "en"


# -- the letter ------------------------------------------------------------------------------------


def _letter(uow: UnitOfWork, topic: Topic, address: Row[Any], row: Row[Any]) -> str:
    """Send one letter of a question, where it may have another."""
    if row.letters >= topic.most_letters or (row.letters and row.letter_at + BETWEEN_US > uow.now):
        return "limited"
    account_id = topic.account_id or first_mailbox(uow.conn, uow.channels)
    if not account_id:
        return "no_mailbox"
    # The number of a try is the number of its send: one letter each, whatever is repeated.
    plan = PlanMany(
        mailing_id=topic.id,
        occurrence=topic.version * 10_000 + row.tries,
        title=topic.label(row.language),
        topic=topic.name,
        advertising=False,
        contents=tuple(_content(uow, topic, one) for one in ("en", "ru")),
    )
    send_id, contents = plan_many(uow, plan)
    one = ManyRecipient(
        contact_id=ContactId(address.contact_id),
        address_id=AddressId(address.id),
        account_id=AccountId(account_id),
        content_id=contents[1 if row.language == "ru" else 0],
    )
    queued = send_many(uow, SendMany(send_id=send_id, recipients=(one,)))
    # He waits for it before his mailbox: no mailing may stand before it. A list is a mailing.
    lane = Lane.MAILING if row.how == "import" else Lane.TRIGGER
    uow.conn.execute(
        update(deliveries)
        .where(
            deliveries.c.send_id == send_id,
            TO_MANY,
            deliveries.c.address_id == address.id,
            deliveries.c.status == "queued",
        )
        .values(lane=lane.order)
    )
    uow.conn.execute(
        update(confirmations)
        .where(confirmations.c.id == row.id)
        .values(
            letters=confirmations.c.letters + 1,
            tries=confirmations.c.tries + 1,
            letter_at=uow.now,
        )
    )
    uow.record(
        ConsentAsked(
            contact_id=ContactId(address.contact_id),
            channel=address.kind,
            topic=topic.name,
            how=row.how,
            letters=row.letters + 1,
        )
    )
    return "asked" if queued.queued else "suppressed"


def _content(uow: UnitOfWork, topic: Topic, language: str) -> ManyContent:
    subject, text = WORDS[language]
    if language == "ru":
        subject, text = topic.subject_ru or subject, topic.text_ru or text
    else:
        subject, text = topic.subject_en or subject, topic.text_en or text
    brand = uow.conn.execute(select(brands.c.name).order_by(brands.c.id)).scalar() or ""
    for name, value in (
        ("[topic]", topic.label(language)),
        ("[house]", brand),
        ("[hours]", str(topic.valid_hours)),
    ):
        subject, text = subject.replace(name, plain(value)), text.replace(name, plain(value))
    return ManyContent(
        variant=language,
        subject=subject,
        text=text,
        html=laid_out(text, "confirm_url"),
        tracks_clicks=False,
    )


def plain(value: str) -> str:
    """Give a name that stands in a template as itself."""
    return value.replace("{", "(").replace("}", ")")


def laid_out(text: str, place: str) -> str:
    """Lay a letter's words out: paragraphs, and the address that is filled in as something to press."""
    link = f'<a href="{{{{ {place} }}}}" style="font-weight:600">{{{{ {place} }}}}</a>'
    mark = re.compile(r"\{\{\s*" + place + r"\s*\}\}")
    parts = []
    for block in text.strip().split("\n\n"):
        # The mark of the address is put back after the words were made harmless.
        words = html.escape(block, quote=False).replace("\n", "<br>")
        parts.append(f"<p>{mark.sub(link, words)}</p>")
    body = "".join(parts)
    return f'<html><body style="font-family:sans-serif;line-height:1.5">{body}</body></html>'
