"""Speaking to a person by the first way that is open: his dialogs, then addresses to write first to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from crm_store.objects import visible_people
from crm_store.refusals import refusals
from crm_store.tables.dialogs import dialogs
from crm_store.tables.people import addresses, contacts
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.compose import send_message
from dialogs.surgery import start_dialog
from hub.commands import ForwardMessage, SendElsewhere, SendMessage, StartDialog
from hub.errors import Conflict, HubError, NotFound
from hub.ids import AccountId, DialogId, MessageId
from hub.messages import Address, Lane

ENDS = frozenset({"automated", "too_many_automatic"})
"""Guards against machines: what one of them refuses is tried nowhere else."""
MOST_WAYS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    channel: str
    account_id: int
    address: Address
    address_id: int
    dialog_id: int = 0


def send_elsewhere(uow: UnitOfWork, command: SendElsewhere) -> MessageId:
    """Send by the first way that is open."""
    seen = uow.conn.execute(
        select(contacts.c.id).where(contacts.c.id == command.contact_id, visible_people(uow.viewer))
    ).scalar()
    if seen is None:
        raise NotFound("there is no such contact")
    reasons: list[str] = []
    for way in _ways(uow, command):
        if command.advertising and _refused(uow, command, way):
            reasons.append(f"{way.channel}: no consent")
            continue
        savepoint = uow.conn.begin_nested()
        mark = uow.tx.mark()
        try:
            found = _send(uow, command, way)
        except HubError as error:
            savepoint.rollback()
            uow.tx.go_back(mark)
            if isinstance(error, Conflict) and error.what in ENDS:
                raise
            reasons.append(f"{way.channel}: {error}")
            continue
        savepoint.commit()
        return found
    why = "; ".join(reasons[:5]) or "no address of this person is known there"
    raise Conflict(f"no way to this person is open ({why})", what="no_way")


def _send(uow: UnitOfWork, command: SendElsewhere, way: _Way) -> MessageId:
    dialog_id = DialogId(way.dialog_id)
    if not dialog_id:
        dialog_id = start_dialog(
            uow,
            StartDialog(
                account_id=AccountId(way.account_id),
                to=way.address,
                subject=command.subject,
                contact_id=command.contact_id,
            ),
        )
    said = SendMessage(
        dialog_id=dialog_id,
        text=command.text,
        subject=command.subject,
        automated=True,
        lane=Lane.TRIGGER,
        cause=command.cause,
        actor=command.actor,
    )
    return send_message(uow, said)


def _refused(uow: UnitOfWork, command: SendElsewhere, way: _Way) -> bool:
    return bool(
        refusals(
            uow.conn,
            [(command.contact_id, way.address_id)],
            channel=way.address.kind,
            topic=command.topic,
            account_id=way.account_id,
        )
    )


def _ways(uow: UnitOfWork, command: SendElsewhere) -> Iterator[_Way]:
    """Give the ways in their order: by the wished channels, then where he wrote last."""
    talks = _talks(uow, command)
    # Also where it is not to be said: another dialog there would be the same place.
    there = {(one.account_id, one.address_id) for one in talks}
    talks = [one for one in talks if not command.but or one.dialog_id != command.but]
    firsts = [one for one in _firsts(uow, command) if (one.account_id, one.address_id) not in there]
    ways = [*talks, *firsts]
    if command.channels:
        wished = {name: n for n, name in enumerate(command.channels)}
        ways = [one for one in ways if one.channel in wished]
        ways.sort(key=lambda one: wished[one.channel])
    yield from ways


def _talks(uow: UnitOfWork, command: SendElsewhere) -> list[_Way]:
    rows = uow.conn.execute(
        select(
            dialogs.c.id,
            dialogs.c.channel,
            dialogs.c.account_id,
            dialogs.c.address_id,
            addresses.c.kind,
            addresses.c.value,
            addresses.c.name,
        )
        .join(addresses, addresses.c.id == dialogs.c.address_id)
        .join(accounts, accounts.c.id == dialogs.c.account_id)
        .where(
            dialogs.c.contact_id == command.contact_id,
            dialogs.c.merged_into == 0,
            addresses.c.contact_id == command.contact_id,
            ~accounts.c.removed,
            uow.viewer.dialogs_clause(),
        )
        .order_by(dialogs.c.last_at.desc(), dialogs.c.id.desc())
        .limit(MOST_WAYS)
    )
    found: dict[tuple[int, int], _Way] = {}
    for row in rows:
        # What is not to be said in a dialog is not said in another one of the same place either.
        way = _Way(
            channel=row.channel,
            account_id=row.account_id,
            address=Address(kind=row.kind, value=row.value, name=row.name),
            address_id=row.address_id,
            dialog_id=row.id,
        )
        if row.id == command.but:
            found[row.account_id, row.address_id] = way
        found.setdefault((row.account_id, row.address_id), way)
    return list(found.values())


def _firsts(uow: UnitOfWork, command: SendElsewhere) -> list[_Way]:
    known = uow.conn.execute(
        select(addresses).where(
            addresses.c.contact_id == command.contact_id, addresses.c.blocked == ""
        )
    ).all()
    found = []
    rows = uow.conn.execute(select(accounts).where(~accounts.c.removed).order_by(accounts.c.id))
    for account in rows:
        able = uow.channels.get(account.channel)
        if able is None or not able.initiates or not uow.viewer.sees_account(account.id):
            continue
        found += [
            _Way(
                channel=account.channel,
                account_id=account.id,
                address=Address(kind=one.kind, value=one.value, name=one.name),
                address_id=one.id,
            )
            for one in known
            if one.kind == able.address_kind
        ]
    return found


def forward_message(uow: UnitOfWork, command: ForwardMessage) -> MessageId:
    """Open a dialog with an address, and put the words into its outbox."""
    dialog_id = start_dialog(
        uow,
        StartDialog(account_id=command.account_id, to=command.to, subject=command.subject),
    )
    said = SendMessage(
        dialog_id=dialog_id,
        text=command.text,
        subject=command.subject,
        automated=True,
        lane=Lane.TRIGGER,
        cause=command.cause,
        actor=command.actor,
    )
    return send_message(uow, said)
