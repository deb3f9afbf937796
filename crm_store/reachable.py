"""Who can be reached on a kind of address, and where: what a plugin's command asks as it works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, case, or_, select

from crm_store.refusals import is_shut, refusals
from crm_store.rows import among, listed
from crm_store.sight import visible_people
from crm_store.sql import unindexed
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.ids import AddressId, ContactId
from hub.records.segments import Reachable


def reachable(
    uow: UnitOfWork, preferred: Mapping[int, int], kind: str
) -> dict[ContactId, Reachable]:
    """Give where each person takes something of a kind: at the preferred address, else at his first.

    `preferred` names an address by its person, 0 for none. Who is not there any more is left out;
    of whom who acts may not see, nothing more is said.
    """
    dialect = uow.conn.dialect.name
    seen = and_(visible_people(uow.viewer), contacts.c.merged_into == 0)
    there = dict(
        uow.conn.execute(
            select(contacts.c.id, case((seen, 1), else_=0)).where(
                among(dialect, contacts.c.id, "people"),
                or_(contacts.c.deleted_at == 0, contacts.c.merged_into > 0),
            ),
            {"people": listed(dialect, sorted(preferred))},
        ).all()
    )
    shown = sorted(who for who, is_seen in there.items() if is_seen)
    chosen = _addresses(uow, shown, preferred, kind) if shown else {}
    why = refusals(uow.conn, list(chosen.items()), channel=kind, topic="", account_id=0)
    return {
        ContactId(who): Reachable(
            address_id=AddressId(chosen.get(who, 0)),
            refusal=why.get((who, chosen.get(who, 0)), ""),
            seen=bool(is_seen),
        )
        for who, is_seen in there.items()
    }


def _addresses(
    uow: UnitOfWork, people: Sequence[int], preferred: Mapping[int, int], kind: str
) -> dict[int, int]:
    """Give the address of each person that takes something: the preferred one, else his first."""
    dialect = uow.conn.dialect.name
    rows = uow.conn.execute(
        select(addresses.c.contact_id, addresses.c.id)
        .where(
            among(dialect, addresses.c.contact_id, "people"),
            unindexed(addresses.c.kind) == kind,
            ~is_shut(),
        )
        .order_by(addresses.c.id),
        {"people": listed(dialect, people)},
    )
    chosen: dict[int, int] = {}
    for row in rows:
        if row.id == preferred[row.contact_id]:
            chosen[row.contact_id] = row.id
        else:
            chosen.setdefault(row.contact_id, row.id)
    return chosen
