"""Asking a person for what his card lacks, once in a dialog, and taking the answer.

What he answers goes onto the card unverified, says where it is from, and is taken off again by
one button (`SettleSaid`). What could not be read is said in the dialog, for a colleague to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from crm_store.people import update_contact
from crm_store.sameness import said_addresses as told_in
from crm_store.sameness import said_name
from crm_store.sql import locked
from crm_store.survivors import lock_contact
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.duplicates import asked_details, said_addresses
from crm_store.tables.people import addresses, clients
from crm_store.unit_of_work import UnitOfWork, cause_data, cause_from
from crm_store.unlinked import ANSWER, note_said, take_said
from dialogs.access import lock_dialog
from dialogs.compose import send_message
from hub.commands import AskDetails, NoteSaid, SendMessage, TakeAnswers, UpdateContact
from hub.errors import Conflict
from hub.events import DetailsAnswered
from hub.ids import ContactId, DialogId, MessageId
from hub.messages import Lane
from hub.placeholders import names_of

KINDS = ("name", "phone", "email")
WAITS_US = 7 * 86_400_000_000
"""For how long what the person writes is taken as an answer."""


def ask_details(uow: UnitOfWork, command: AskDetails) -> MessageId:
    """Ask for what is empty on the card; gives the message's id."""
    dialog = lock_dialog(uow, command.dialog_id)
    if dialog.is_group:
        raise Conflict("several people write in this dialog", what="group")
    before = select(asked_details.c.dialog_id).where(asked_details.c.dialog_id == dialog.id)
    if uow.conn.execute(before).first() is not None:
        raise Conflict("the person of this dialog was asked before", what="asked")
    person = lock_contact(uow, ContactId(dialog.contact_id))
    asked = {one: said for one in KINDS if (said := command.questions.get(one, "").strip())}
    kinds = [one for one in _missing(uow, person) if one in asked]
    if not kinds:
        raise Conflict("nothing that is asked for is missing on the card", what="nothing_missing")
    lines = [command.text.strip(), *(asked[one] for one in kinds)]
    message_id = send_message(
        uow,
        SendMessage(
            dialog_id=DialogId(dialog.id),
            text="\n".join(one for one in lines if one),
            automated=True,
            lane=Lane.TRIGGER,
            cause=command.cause,
            actor=command.actor,
        ),
    )
    uow.conn.execute(
        insert(asked_details).values(
            dialog_id=dialog.id,
            message_id=message_id,
            kinds=kinds,
            name_before=person.name if "name" in kinds else "",
            cause=cause_data(uow.cause),
            at=uow.now,
        )
    )
    return message_id


def _missing(uow: UnitOfWork, person: Row[Any]) -> list[str]:
    """Give what a person's card, and that of a client who is a person, does not tell."""
    known = set(
        uow.conn.execute(
            select(func.substr(addresses.c.normal, 1, 2))
            .where(addresses.c.contact_id == person.id, addresses.c.normal != "")
            .distinct()
        ).scalars()
    )
    client = uow.conn.execute(
        select(clients.c.phone, clients.c.email).where(
            clients.c.id == person.client_id, ~clients.c.organisation
        )
    ).first()
    there = {
        "name": bool(names_of(person.name).first),
        "phone": "p:" in known or bool(client is not None and client.phone),
        "email": "e:" in known or bool(client is not None and client.email),
    }
    return [one for one in KINDS if not there[one]]


# -- the answer -----------------------------------------------------------------------------


def take_answers(uow: UnitOfWork, command: TakeAnswers) -> int:
    """Take what people answered; gives how many messages told something."""
    note_said(uow, NoteSaid(message_ids=command.message_ids))
    found = uow.conn.execute(
        locked(
            uow.dialect,
            select(
                asked_details,
                messages.c.id.label("answer_id"),
                messages.c.text,
                dialogs.c.contact_id,
            )
            .join(dialogs, dialogs.c.id == asked_details.c.dialog_id)
            .join(messages, messages.c.dialog_id == asked_details.c.dialog_id)
            .where(
                messages.c.id.in_(command.message_ids),
                messages.c.direction == "in",
                ~messages.c.automated,
                messages.c.deleted_at == 0,
                messages.c.contact_id == dialogs.c.contact_id,
                messages.c.received_at >= asked_details.c.at,
                messages.c.received_at < asked_details.c.at + WAITS_US,
                asked_details.c.state != "done",
            )
            .order_by(messages.c.id),
        )
    ).all()
    states: dict[int, str] = {}
    told = 0
    for row in found:
        state = states.get(row.dialog_id, row.state)
        if state != "done":
            taken, states[row.dialog_id] = _take(uow, row, state)
            told += bool(taken)
    return told


def _take(uow: UnitOfWork, row: Row[Any], state: str) -> tuple[list[str], str]:
    """Take one answer; gives what was taken, and what becomes of the question."""
    inner = UnitOfWork(
        uow.tx,
        actor=uow.actor,
        cause=cause_from(row.cause),
        viewer=uow.viewer,
        carry_out=uow.carry_out,
    )
    person = lock_contact(inner, ContactId(row.contact_id))
    taken = _take_addresses(inner, row, ContactId(person.id))
    missing = [one for one in _missing(inner, person) if one in row.kinds]
    if "name" in missing and (name := said_name(row.text)):
        _take_name(inner, row, name)
        taken.insert(0, "name")
        missing.remove("name")
    after = "noted" if missing else "done"
    if taken or state == "open":
        inner.record(
            DetailsAnswered(
                dialog_id=DialogId(row.dialog_id),
                contact_id=ContactId(person.id),
                message_id=MessageId(row.answer_id),
                taken=tuple(taken),
                missing=tuple(missing),
            )
        )
    if after != state:
        inner.conn.execute(
            update(asked_details)
            .where(asked_details.c.dialog_id == row.dialog_id)
            .values(state=after)
        )
    return taken, after


def _take_addresses(uow: UnitOfWork, row: Row[Any], contact_id: ContactId) -> list[str]:
    """Put the addresses of an answer onto the card; those of somebody else are left open."""
    told: Mapping[str, str] = {f"{kind[0]}:{value}": kind for kind, value in told_in(row.text)}
    wanted = [normal for normal, kind in told.items() if kind in row.kinds]
    rows: Sequence[Row[Any]] = uow.conn.execute(
        select(said_addresses).where(
            said_addresses.c.dialog_id == row.dialog_id,
            said_addresses.c.normal.in_(wanted),
            said_addresses.c.state == "open",
        )
    ).all()
    taken: dict[str, None] = {}
    for one in rows:
        try:
            take_said(uow, one, contact_id, state=ANSWER)
        except Conflict:
            continue
        taken[one.kind] = None
    return [one for one in KINDS if one in taken]


def _take_name(uow: UnitOfWork, row: Row[Any], name: str) -> None:
    """Name the person, and keep the old name for whoever takes this back."""
    update_contact(uow, UpdateContact(contact_id=ContactId(row.contact_id), name=name))
    uow.conn.execute(
        insert(said_addresses).values(
            id=uow.new_id(),
            dialog_id=row.dialog_id,
            message_id=row.answer_id,
            kind="name",
            value=name,
            normal="n:",
            state=ANSWER,
            at=uow.now,
        )
    )
