"""A letter tried out: one row to one address, as a mailing's would leave, and counted nowhere.

Such a send belongs to no mailing (its number is 0) and its row to no person, so that no history,
no segment and no report knows it. It goes with the answers of agents: somebody waits for it.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert, select

from crm_store.sameness import normal_form
from crm_store.sql import upsert
from crm_store.tables.dialogs import blobs
from crm_store.tables.many import many_contents, many_sends
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_sender import closed_windows, sender_of, who_wrote
from dialogs.many_words import check_content, content_row
from hub.capabilities import Capabilities
from hub.commands import KeepFile, TryMany
from hub.errors import Conflict, Invalid, NotFound, Unsupported
from hub.events import DeliveriesQueued
from hub.messages import DeliveryStatus, Lane


def try_many(uow: UnitOfWork, command: TryMany) -> int:
    """Put the words into the outbox for one address; gives the id of their send."""
    capabilities = _capabilities(uow, command)
    content = replace(command.content, tracks_clicks=False, tracks_opens=False)
    check_content(content, command.advertising)
    address_id = _address(uow, command)
    if not capabilities.initiates and address_id not in who_wrote(
        uow, command.account_id, [address_id]
    ):
        raise Conflict("nobody at this address has written to this account yet", what="never_wrote")
    send_id, content_id = uow.new_id(), uow.new_id()
    uow.conn.execute(
        insert(many_sends).values(
            id=send_id,
            mailing_id=0,
            occurrence=send_id,
            title=command.title[:400],
            topic=command.topic[:100],
            advertising=command.advertising,
            need_consent=False,
            state="running",
            created_at=uow.now,
            user_id=uow.actor.id,
        )
    )
    uow.conn.execute(insert(many_contents), [content_row(content_id, send_id, content)])
    if closed_windows(uow, sender_of(uow, command.account_id), [(address_id, content_id)]):
        raise Conflict(
            "the reply window of this channel is closed: only a template can be sent",
            what="window_closed",
        )
    number = uow.new_id()
    uow.conn.execute(
        insert(deliveries).values(
            id=number,
            account_id=command.account_id,
            address_id=address_id,
            content_id=content_id,
            send_id=send_id,
            lane=Lane.AGENT.order,
            status=DeliveryStatus.QUEUED.value,
            due_at=uow.now,
            created_at=uow.now,
            idempotency_key="",
        )
    )
    uow.record(DeliveriesQueued(mailing_id=0, send_id=send_id, queued=1))
    return send_id


def _capabilities(uow: UnitOfWork, command: TryMany) -> Capabilities:
    account = uow.conn.execute(
        select(accounts).where(accounts.c.id == command.account_id, ~accounts.c.removed)
    ).first()
    if account is None or not uow.viewer.sees_account(account.id):
        raise NotFound("there is no such account")
    capabilities = uow.channels.get(account.channel)
    if capabilities is None or not capabilities.sends:
        raise Unsupported("sending")
    if command.to.kind != capabilities.address_kind:
        raise Invalid(
            f"this channel writes to addresses of kind {capabilities.address_kind}", field="to"
        )
    if not command.to.value.strip() or (command.to.kind == "email" and "@" not in command.to.value):
        raise Invalid(f"this is no address: {command.to.value}", field="to")
    return capabilities


def _address(uow: UnitOfWork, command: TryMany) -> int:
    """Find the address, or note it as nobody's: whoever writes from it first makes it his."""
    where = (addresses.c.kind == command.to.kind) & (addresses.c.value == command.to.value)
    uow.conn.execute(
        upsert(uow.dialect, addresses).on_conflict_do_nothing(),
        [
            {
                "id": uow.new_id(),
                "contact_id": 0,
                "kind": command.to.kind,
                "value": command.to.value,
                "normal": normal_form(command.to.kind, command.to.value),
                "profile": {},
                "created_at": uow.now,
            }
        ],
    )
    return int(uow.conn.execute(select(addresses.c.id).where(where)).scalar_one())


def keep_file(uow: UnitOfWork, command: KeepFile) -> str:
    """Name the bytes of a file, so that they are kept; gives the name that words refer to."""
    blob_id, sha256, size = command.blob
    uow.conn.execute(
        insert(blobs).values(
            id=blob_id, sha256=sha256, size=size, references_count=1, created_at=uow.now
        )
    )
    return blob_id
