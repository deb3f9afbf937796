"""An answer to a mailing: from then on the mailing stands above it in an ordinary dialog.

A letter answers what it names; a message in a messenger answers what it names (as a pressed button
does), else the newest mailing that reached its writer over the same account in the last days. The mailing's message row is made now and not
when it was sent, under the id of its delivery, so that it stands where it belongs in time and its
receipts move it as they move any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Row,
    Select,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from crm_store.many_places import had_left
from crm_store.rendering import render
from crm_store.rows import among, listed
from crm_store.search_index import index_messages
from crm_store.sql import upsert
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.many import many_contents, many_sends, many_steps, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries, parts
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork, cause_data
from crm_store.wording import of_people
from dialogs.many_answered import ANSWER
from dialogs.many_return import as_answered
from dialogs.matching import references_of
from hub.commands import Receive
from hub.errors import HubError
from hub.events import MailingAnswered
from hub.ids import ContactId, DeliveryId, DialogId
from hub.objects import ActorKind, Cause
from hub.records.dialogs import Received

DAYS_US = 14 * 86_400_000_000
REACHED = ("sent", "delivered", "read", "unknown")


def heed_answers(
    uow: UnitOfWork, batch: Sequence[Receive], places: Sequence[Received], letters: Sequence[bool]
) -> None:
    """Find what of a batch answers a mailing, and put the mailing above it."""
    asked = [
        (command, place, letter)
        for command, place, letter in zip(batch, places, letters, strict=True)
        if not command.message.automated
    ]
    by_name = _named(uow, [one for one, _, letter in asked if letter or one.message.in_reply_to])
    by_person = _newest(uow, [(one, place) for one, place, letter in asked if not letter])
    for command, place, letter in asked:
        found = [by_name.get((command.account_id, name)) for name in references_of(command)]
        row = next((one for one in found if one is not None), None)
        if row is not None and not letter and row.contact_id != place.contact_id:
            row = None
        if row is None and not letter:
            row = by_person.get((command.account_id, place.contact_id))
        if row is not None:
            _answered(uow, row, place, command.account_id)


def _named(uow: UnitOfWork, commands: Sequence[Receive]) -> Mapping[tuple[int, str], Row[Any]]:
    names = {name for one in commands for name in references_of(one)}
    if not names:
        return {}
    rows = uow.conn.execute(
        select(deliveries, parts.c.external_id, parts.c.account_id.label("over"))
        .join(parts, parts.c.delivery_id == deliveries.c.id)
        .where(
            parts.c.account_id.in_({one.account_id for one in commands}),
            parts.c.external_id.in_(sorted(names)),
            TO_MANY,
        )
    )
    return {(row.over, row.external_id): row for row in rows}


def _newest(
    uow: UnitOfWork, asked: Sequence[tuple[Receive, Received]]
) -> Mapping[tuple[int, int], Row[Any]]:
    people = {int(place.contact_id) for _, place in asked}
    if not people:
        return {}
    since = uow.now - DAYS_US
    rows = uow.conn.execute(
        _newest_of(uow.dialect), {"people": listed(uow.dialect, sorted(people)), "since": since}
    )
    found: dict[tuple[int, int], tuple[int, Row[Any]]] = {}
    for row in rows:
        ways = [(row.passed_over, row.passed_at or 0)]
        if row.status in REACHED:
            ways.append((row.account_id, row.sent_at))
        for account_id, at in ways:
            key = account_id, row.contact_id
            if at > since and at >= found.get(key, (0, row))[0]:
                found[key] = at, row
    return {key: row for key, (_, row) in found.items()}


@cache
def _newest_of(dialect: str) -> Select[Any]:
    # Every group of messages asks this: made once, and its text is that of the index. What left on
    # a way that was given up, for nobody told that it arrived, may be answered all the same.
    passed = (many_steps.c.delivery_id == deliveries.c.id) & had_left()
    reached = deliveries.c.status.in_([literal_column(f"'{one}'") for one in REACHED])
    since: BindParameter[int] = bindparam("since")
    return (
        select(
            deliveries,
            many_steps.c.account_id.label("passed_over"),
            many_steps.c.at.label("passed_at"),
        )
        .outerjoin(many_steps, passed)
        .where(
            among(dialect, deliveries.c.contact_id, "people"),
            TO_MANY,
            or_(and_(reached, deliveries.c.sent_at > since), many_steps.c.at > since),
        )
        .order_by(deliveries.c.id)
    )


def _answered(uow: UnitOfWork, row: Row[Any], place: Received, account_id: int) -> None:
    send = uow.conn.execute(select(many_sends).where(many_sends.c.id == row.send_id)).one()
    if not send.mailing_id:
        return  # A letter that was only tried out (dialogs/many_tests.py).
    first = uow.conn.execute(
        upsert(uow.dialect, many_touches)
        .on_conflict_do_nothing()
        .returning(many_touches.c.delivery_id),
        [
            {"delivery_id": row.id, "n": ANSWER, "first_at": uow.now, "last_at": uow.now,
             "count": 1, "machine": False, "account_id": account_id}
        ],
    ).all()  # fmt: skip
    if not first:
        return
    if not row.message_id:
        _stand_above(uow, as_answered(uow, row, account_id), send, place)
    uow.record(
        MailingAnswered(
            mailing_id=send.mailing_id,
            delivery_id=DeliveryId(row.id),
            contact_id=ContactId(row.contact_id),
            dialog_id=DialogId(place.dialog_id),
        )
    )


def _stand_above(uow: UnitOfWork, row: Any, send: Row[Any], place: Received) -> None:
    content = uow.conn.execute(
        select(many_contents).where(many_contents.c.id == row.content_id)
    ).first()
    to = uow.conn.execute(
        select(addresses.c.value, addresses.c.name).where(addresses.c.id == row.address_id)
    ).first()
    text = subject = ""
    extra: dict[str, Any] = {"formatting": True} if _is_formatted(uow, row.account_id) else {}
    if content is not None:
        words = (content.text, content.subject, *content.links)
        own_fields = any(".custom." in one for one in words)
        person = of_people(uow.conn, [row.contact_id], uow.now, own_fields=own_fields).get(
            row.contact_id
        )
        values = {**(person.texts if person is not None else {}), "unsubscribe_url": "…",
                  "view_url": "…"}  # fmt: skip
        values |= {f"link_{n}": _filled(one, values) for n, one in enumerate(content.links, 1)}
        text, subject = (_filled(one, values) for one in (content.text, content.subject))
        text = text or content.template
        extra["buttons"] = [
            [_filled(label, values), payload, _filled(url, values)]
            for label, payload, url in content.buttons
        ]
    # Sent before its answer came, whatever the clocks of the two said.
    answered_at = uow.conn.execute(
        select(messages.c.at).where(messages.c.id == place.message_id)
    ).scalar()
    at = min(row.sent_at or uow.now, answered_at or uow.now, uow.now)
    uow.conn.execute(
        insert(messages).values(
            id=row.id, dialog_id=place.dialog_id, account_id=row.account_id,
            contact_id=place.contact_id, direction="out", author_kind=ActorKind.MAILING.value,
            author_id=send.mailing_id, author_name=send.title[:400], text=text, subject=subject[:400],
            reply_to=0, at=at, received_at=uow.now, status=row.status, automated=True,
            people={"to": [[to.value, to.name]]} if to is not None else {},
            cause=cause_data(Cause(kind="mailing", id=send.mailing_id, text=send.title)),
            extra=extra,
        )
    )  # fmt: skip
    uow.conn.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(message_id=row.id, dialog_id=place.dialog_id)
    )
    # It bumps nothing: only the count says that there is a line more.
    uow.conn.execute(
        update(dialogs)
        .where(dialogs.c.id == place.dialog_id)
        .values(message_count=dialogs.c.message_count + 1)
    )
    index_messages(uow.conn, [(row.id, f"{subject}\n{text}")])


def _is_formatted(uow: UnitOfWork, account_id: int) -> bool:
    channel = uow.conn.execute(select(accounts.c.channel).where(accounts.c.id == account_id))
    capabilities = uow.channels.get(channel.scalar() or "")
    return capabilities is not None and capabilities.formatting


def _filled(template: str, values: Mapping[str, str]) -> str:
    try:
        return render(template, values).text
    except HubError:
        return template
