"""Setting support levels up: adding, renaming, ordering and removing them."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from crm_store.custom_acts import slug
from crm_store.sql import lock_names
from crm_store.support_levels import levels_of
from crm_store.tables.people import clients
from crm_store.tables.requests import requests, support_levels
from crm_store.unit_of_work import UnitOfWork
from hub.commands import RemoveSupportLevel, SaveSupportLevel
from hub.errors import Conflict, Invalid, NotFound
from hub.events import FieldChanged
from hub.ids import FieldId

MOST_LEVELS = 30
_ROOM = 41
"""Keeps the names that are locked here apart from those of others."""


def save_level(uow: UnitOfWork, command: SaveSupportLevel) -> str:
    """Add a level, or change what one is called and where it stands; gives its word."""
    label = " ".join(command.label.split())[:200]
    if not label:
        raise Invalid("a name is needed", field="label")
    lock_names(uow.conn, _ROOM, ["levels"])
    known = levels_of(uow.conn)
    values = {"label": label, "label_ru": " ".join(command.label_ru.split())[:200]}
    if command.name:
        if command.name not in {one.name for one in known}:
            raise NotFound("there is no such support level")
        changed = values if command.position < 0 else {**values, "position": command.position}
        done = update(support_levels).where(support_levels.c.name == command.name)
        uow.conn.execute(done.values(**changed))
        name = command.name
    else:
        if len(known) >= MOST_LEVELS:
            raise Invalid(f"there are at most {MOST_LEVELS} support levels", field="label")
        name = _free(slug(label), {one.name for one in known})
        last = max((one.position for one in known), default=0)
        position = command.position if command.position >= 0 else last + 1
        uow.conn.execute(insert(support_levels).values(name=name, position=position, **values))
    _say(uow)
    return name


def remove_level(uow: UnitOfWork, command: RemoveSupportLevel) -> None:
    """Remove a level; requests and clients that have it get another one."""
    lock_names(uow.conn, _ROOM, ["levels"])
    known = {one.name for one in levels_of(uow.conn)}
    if command.name not in known:
        raise NotFound("there is no such support level")
    if len(known) == 1:
        raise Conflict("the last support level stays", what="last")
    for table in (requests, clients):
        held = table.c.level == command.name
        if uow.conn.execute(select(table.c.id).where(held).limit(1)).first() is None:
            continue
        if command.move_to not in known - {command.name}:
            raise Conflict("say which level its requests and clients get", what="used")
        uow.conn.execute(
            update(table).where(held).values(level=command.move_to, version=table.c.version + 1)
        )
    uow.conn.execute(delete(support_levels).where(support_levels.c.name == command.name))
    _say(uow)


def _free(name: str, taken: set[str]) -> str:
    name = name[:46]
    found, n = name, 2
    while found in taken:
        found, n = f"{name}_{n}", n + 1
    return found


def _say(uow: UnitOfWork) -> None:
    """Let every process know that requests and clients have other choices now."""
    for kind in ("request", "client"):
        uow.record(FieldChanged(field_id=FieldId(0), object_kind=kind, what="changed"))
