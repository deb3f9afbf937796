"""Whether a person can be written to from an account: blocked us, allowed us, or not known.

It is a property of the pair: who blocks one bot may go on talking to another. What is kept with
the address is the newest word and its instant; the journal has every word, as proof of consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from crm_store.sql import locked
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from hub.events import AddressChanged
from hub.ids import AccountId, AddressId, ContactId

KEY = "accounts"
BLOCKED, ALLOWED = "blocked", "allowed"


def state_of(profile: Mapping[str, Any], account_id: int) -> tuple[str, int]:
    """Give `blocked`, `allowed` or "", and since when."""
    found = profile.get(KEY, {}).get(str(account_id), {})
    return str(found.get("state", "")), int(found.get("at", 0))


def set_state(uow: UnitOfWork, address_id: int, account_id: int, state: str, at: int = 0) -> bool:
    """Note the person's newest word on an account; False where a newer one is known."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(addresses.c.profile, addresses.c.contact_id).where(addresses.c.id == address_id),
        )
    ).first()
    if row is None:
        return False
    before, since = state_of(row.profile, account_id)
    at = at or uow.now
    if before == state or since > at:
        return False
    accounts = {**row.profile.get(KEY, {}), str(account_id): {"state": state, "at": at}}
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.id == address_id)
        .values(profile={**row.profile, KEY: accounts})
    )
    uow.record(
        AddressChanged(
            address_id=AddressId(address_id),
            contact_id=ContactId(row.contact_id),
            what=f"peer_{state}",
            account_id=AccountId(account_id),
        )
    )
    return True
