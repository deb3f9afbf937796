"""Of cards that were merged into one another: the card that lives on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, bindparam, select

from crm_store.nouns import Noun
from crm_store.objects import visible_people
from crm_store.sql import locked
from crm_store.tables.people import contacts, merges
from crm_store.unit_of_work import UnitOfWork
from hub.errors import Conflict, NotFound
from hub.ids import ContactId

MOST_MERGES = 50


def living(conn: Connection, contact_id: ContactId) -> ContactId:
    """Give the contact that one was merged into, or itself."""
    return ContactId(survivor_of(conn, contacts, contact_id))


def survivor_of(conn: Connection, table: Table, object_id: int) -> int:
    """Follow merges of contacts or clients to the card that lives on."""
    for _ in range(MOST_MERGES):
        further = conn.execute(_merged_into(table), {"card": object_id}).scalar()
        if not further:
            break
        object_id = int(further)
    return object_id


def merged_into(conn: Connection, kind: str, object_id: int) -> int:
    """Give what a card of a kind became a part of, whose own row does not say it; or 0."""
    statement = select(merges.c.survivor_id).where(
        merges.c.kind == kind, merges.c.merged_id == object_id, merges.c.undone_at == 0
    )
    return int(conn.execute(statement).scalar() or 0)


def living_of(conn: Connection, kind: str, object_id: int) -> int:
    """Follow the merges of such a card to the one that lives on."""
    for _ in range(MOST_MERGES):
        further = merged_into(conn, kind, object_id)
        if not further:
            break
        object_id = further
    return object_id


def living_card(conn: Connection, noun: Noun, object_id: int) -> int:
    """Follow the merges of a contact, a client or a lead to the card that lives on; any other
    object is itself."""
    if noun.kind.name in ("contact", "client"):
        return survivor_of(conn, noun.table, object_id)
    return living_of(conn, noun.kind.name, object_id) if noun.kind.name == "lead" else object_id


def with_merged(conn: Connection, kind: str, ids: Sequence[int]) -> list[int]:
    """Give such cards with all that were merged into them."""
    found, newest = list(ids), list(ids)
    while newest:
        merged = select(merges.c.merged_id).where(
            merges.c.kind == kind, merges.c.survivor_id.in_(newest), merges.c.undone_at == 0
        )
        newest = sorted({*conn.execute(merged).scalars()} - {*found})
        found += newest
    return found


@cache
def _merged_into(table: Table) -> Select[Any]:
    return select(table.c.merged_into).where(table.c.id == bindparam("card"))


def lock_contact(uow: UnitOfWork, contact_id: ContactId) -> Row[Any]:
    """Lock a contact's row, of a merged one that of the card that lives on."""
    for _ in range(MOST_MERGES):
        row = uow.conn.execute(
            locked(
                uow.dialect,
                select(contacts).where(contacts.c.id == contact_id, visible_people(uow.viewer)),
            )
        ).first()
        if row is None:
            raise NotFound("there is no such contact")
        if not row.merged_into:
            return row
        contact_id = ContactId(row.merged_into)
    raise NotFound("there is no such contact")


def refuse_merged(into: int) -> None:
    """Refuse work on a card that became a part of another one."""
    if into:
        raise Conflict(
            "this card was merged into another one: undo the merge instead",
            what="merged",
            details={"into": str(into)},
        )
