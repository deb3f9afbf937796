"""What a command's values point at must be there, and be seen by whoever gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, select, true

from crm_store.sight import visible
from crm_store.survivors import living_card
from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import teams, users
from crm_store.unit_of_work import UnitOfWork
from hub.commands import (
    ChangeClient,
    ChangeLead,
    ChangeObject,
    Command,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    UpdateContact,
)
from hub.errors import Invalid
from hub.properties import PropertyType, read_value

OF_KIND: Mapping[type[Command], tuple[str, str]] = {
    CreateClient: ("client", ""),
    CreateContact: ("contact", ""),
    CreateLead: ("lead", ""),
    ChangeClient: ("client", "client_id"),
    ChangeLead: ("lead", "lead_id"),
    UpdateContact: ("contact", "contact_id"),
    CreateObject: ("", ""),
    ChangeObject: ("", "object_id"),
}
"""The kind whose values a command gives ("": it says so itself), and which field names the object."""

HOUSE: Mapping[str, tuple[Table, str]] = {
    "user": (users, "there is no such colleague"),
    "team": (teams, "there is no such team"),
    "dialog": (dialogs, "there is no such dialog"),
}
OBJECT = "object"


def settle_references(uow: UnitOfWork, command: Command) -> Command:
    """Give a command whose values name the cards that live on, for those merged into them.

    Refuses values that name what is not there or is hidden from the actor; raises Invalid. What an
    object says already may stay, hidden or gone.
    """
    known = OF_KIND.get(type(command))
    values: Mapping[str, object] = getattr(command, "values", {})
    if known is None or not values:
        return command
    kind_name, key = known
    noun = uow.tx.nouns.get(kind_name or str(getattr(command, "kind", "")))
    if noun is None:
        return command
    given = {
        one.name: (one.ref, int(str(read_value(one, values[one.name]))))
        for one in noun.kind.properties
        if one.type is PropertyType.REF and one.editable and values.get(one.name)
    }
    if not given:
        return command
    row: Any = None
    if key:
        mine = noun.table.c.id == getattr(command, key)
        row = uow.conn.execute(select(noun.table).where(mine, visible(uow.viewer, noun))).first()
        if row is None:
            # Hidden or not there: what is said of it tells nothing of its values.
            return command
    living: dict[str, object] = {}
    for name, (kind, number) in given.items():
        if kind == OBJECT:
            named = name.replace("_id", "_kind")
            kind = str(values.get(named) or getattr(row, named, ""))
        if not number or getattr(row, name, None) == number:
            continue
        card = living_card(uow.conn, uow.tx.nouns[kind], number) if kind in uow.tx.nouns else number
        if card != number:
            living[name] = card
        if not uow.viewer.is_system and not _is_seen(uow, kind, card):
            words = HOUSE[kind][1] if kind in HOUSE else "there is no such object"
            raise Invalid(words, field=name)
    return replace(command, values={**values, **living}) if living else command  # type: ignore[call-arg]


def _is_seen(uow: UnitOfWork, kind: str, number: int) -> bool:
    if kind in HOUSE:
        table = HOUSE[kind][0]
        seen = uow.viewer.dialogs_clause() if table is dialogs else true()
    elif kind in uow.tx.nouns:
        table = uow.tx.nouns[kind].table
        seen = visible(uow.viewer, uow.tx.nouns[kind])
    else:
        # Stages, reasons and policies are judged where they are set.
        return True
    found = select(table.c.id).where(table.c.id == number, seen)
    return uow.conn.execute(found).first() is not None
