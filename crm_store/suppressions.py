"""Addresses that take nothing: suppressed by hand or by what came of sending, and released."""

from __future__ import annotations

import re

from sqlalchemy import case, delete, select, update

from crm_store.consents import known
from crm_store.sql import upsert
from crm_store.tables.consents import suppressions
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.commands import ReleaseAddress, SuppressAddress
from hub.errors import Invalid, NotFound, RejectReason
from hub.events import AddressReleased, AddressSuppressed
from hub.ids import AddressId, ContactId
from hub.messages import DeliveryStatus
from hub.objects import ActorKind

REASONS = (
    "bounced_hard",
    "bounced_soft",
    "complained",
    "blocked",
    "operator_refused",
    "by_hand",
    "imported",
)
IN_A_ROW_US = 30 * 86_400_000_000
"""Within how long one fault of an address after another is a row of them."""
_STATUS = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")


def _owner_seen(uow: UnitOfWork, address_id: AddressId) -> None:
    """Raise NotFound where an address is not there, or belongs to a person who is not seen."""
    if uow.viewer.is_system:
        return
    owner = select(addresses.c.contact_id).where(addresses.c.id == address_id)
    try:
        known(uow, ContactId(uow.conn.execute(owner).scalar() or 0))
    except NotFound:
        raise NotFound("there is no such address") from None


def suppress_address(uow: UnitOfWork, command: SuppressAddress) -> bool:
    """Suppress an address for a reason; gives whether that is new."""
    if command.reason not in REASONS:
        raise Invalid("there is no such reason", field="reason")
    _owner_seen(uow, command.address_id)
    new = suppress(uow, command.address_id, command.reason, command.text)
    _take_back(uow, command.address_id)
    return new


def _take_back(uow: UnitOfWork, address_id: int) -> None:
    """Put what a worker has claimed for an address into the queue again: the claim asks once more.

    There it ends with its reason, or goes the person's next way.
    """
    contact_id = uow.conn.execute(
        select(addresses.c.contact_id).where(addresses.c.id == address_id)
    ).scalar()
    uow.conn.execute(
        update(deliveries)
        .where(
            deliveries.c.contact_id == contact_id,
            TO_MANY,
            deliveries.c.address_id == address_id,
            deliveries.c.status == DeliveryStatus.CLAIMED.value,
        )
        .values(status=DeliveryStatus.QUEUED.value, fence=deliveries.c.fence + 1, leased_until=0)
    )


def suppress(uow: UnitOfWork, address_id: int, reason: str, text: str = "") -> bool:
    """Write a reason down, or count it once more."""
    row = uow.conn.execute(
        select(addresses.c.contact_id).where(addresses.c.id == address_id)
    ).first()
    if row is None:
        return False
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    # Mail tells of no delivery: a full mailbox of long ago is over when no other followed soon.
    again = case((suppressions.c.at < uow.now - IN_A_ROW_US, 1), else_=suppressions.c.count + 1)
    before = uow.conn.execute(
        select(suppressions.c.count).where(
            suppressions.c.address_id == address_id, suppressions.c.reason == reason
        )
    ).scalar()
    uow.conn.execute(
        upsert(uow.dialect, suppressions).on_conflict_do_update(
            index_elements=["address_id", "reason"],
            set_={"count": again, "at": uow.now, "text": text[:400]},
        ),
        [
            {
                "address_id": address_id,
                "reason": reason,
                "count": 1,
                "at": uow.now,
                "text": text[:400],
                "user_id": uow.actor.id if by_person else 0,
            }
        ],
    )
    if before is None:
        uow.record(
            AddressSuppressed(
                contact_id=ContactId(row.contact_id),
                address_id=AddressId(address_id),
                reason=reason,
            )
        )
    return before is None


def release_address(uow: UnitOfWork, command: ReleaseAddress) -> bool:
    """Take a reason away; gives whether it was there."""
    _owner_seen(uow, command.address_id)
    return release(uow, command.address_id, command.reason)


def release(uow: UnitOfWork, address_id: int, reason: str) -> bool:
    """Forget one reason of an address."""
    where = (suppressions.c.address_id == address_id) & (suppressions.c.reason == reason)
    row = uow.conn.execute(
        select(addresses.c.contact_id)
        .join(suppressions, suppressions.c.address_id == addresses.c.id)
        .where(where)
    ).first()
    if row is None:
        return False
    uow.conn.execute(delete(suppressions).where(where))
    uow.record(
        AddressReleased(
            contact_id=ContactId(row.contact_id), address_id=AddressId(address_id), reason=reason
        )
    )
    return True


def learn_from_failure(uow: UnitOfWork, address_id: int, reason: str, text: str) -> None:
    """Note what a final failure says of its address; only the code of a bounce is believed.

    A letter that was too large, or refused for what it said, never hurts its address.
    """
    verdict = bounce_of(reason, text)
    if verdict and address_id:
        suppress(uow, address_id, verdict, text)


def bounce_of(reason: str, text: str) -> str:
    """Give the reason of a suppression for a failed delivery, "" for none (RFC 3463)."""
    if reason == RejectReason.OPERATOR_REFUSED.value:
        return reason
    code = _STATUS.search(text)
    if code is not None:
        kind, subject, detail = code[1], code[2], code[3]
        if (subject, detail) in (("1", "7"), ("1", "8")):
            # These speak of the sender's own address (RFC 3463 section 3.2).
            return ""
        if kind == "4" or (subject, detail) in (("2", "2"), ("4", "1"), ("4", "7")):
            return "bounced_soft"
        return "bounced_hard" if subject == "1" or (subject, detail) == ("2", "1") else ""
    return "bounced_hard" if reason == RejectReason.INVALID_ADDRESS.value else ""


def learn_from_arrival(uow: UnitOfWork, address_id: int) -> None:
    """A delivery between them ends a row of soft bounces."""
    uow.conn.execute(
        delete(suppressions).where(
            suppressions.c.address_id == address_id, suppressions.c.reason == "bounced_soft"
        )
    )
