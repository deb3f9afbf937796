"""Roles: reading them, and making ones of one's own.

The five of the house belong to it: a release changes them, and nobody else does. A role of one's
own is a copy that knows what it was copied from, and which rights there were when it was saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from crm_store.sql import locked
from crm_store.tables.users import accounts, roles, users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, Viewer, viewer_of
from hub.commands import RemoveRole, SaveRole
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.events import RoleChanged
from hub.ids import AccountId, UserId
from hub.records.system import RoleRecord
from hub.roles import PERMISSIONS, ROLES, Scope

LONGEST = 100
ACCOUNT_SCOPES = ("all", "accounts")


def all_roles(reader: Reader) -> list[RoleRecord]:
    """Give every role: those of the house in their order, then one's own by name."""
    counted = {
        row.role: row.number
        for row in reader.conn.execute(
            select(users.c.role, func.count().label("number")).group_by(users.c.role)
        )
    }
    order = {name: n for n, name in enumerate(ROLES)}
    found = [_record(row, counted) for row in reader.conn.execute(select(roles))]
    return sorted(found, key=lambda one: (order.get(one.name, len(order)), one.name.casefold()))


def role(reader: Reader, name: str) -> RoleRecord:
    """Give one role."""
    found = next((one for one in all_roles(reader) if one.name == name), None)
    if found is None:
        raise NotFound("there is no such role")
    return found


def _record(row: Any, counted: Mapping[str, int]) -> RoleRecord:
    new = () if row.builtin else tuple(one for one in PERMISSIONS if one not in row.known)
    return RoleRecord(
        name=row.name,
        permissions=frozenset(row.permissions),
        scope=row.scope,
        scopes={name: Scope(value) for name, value in row.scopes.items()},
        account_scopes={
            AccountId(int(number)): Scope(value) for number, value in row.account_scopes.items()
        },
        builtin=row.builtin,
        based_on=row.based_on,
        new_rights=new,
        users=counted.get(row.name, 0),
        version=row.version,
    )


def eyes_of(reader: Reader, role_name: str, user_id: UserId) -> Viewer:
    """Give the rights that a role would give to a user."""
    row = reader.conn.execute(select(roles).where(roles.c.name == role_name)).first()
    if row is None:
        raise NotFound("there is no such role")
    return viewer_of(reader.conn, user_id, row)


# -- commands ------------------------------------------------------------------------------


def need_reach(uow: UnitOfWork, role_name: str) -> None:
    """Refuse to touch whoever may do more than the actor: nobody lifts himself by another."""
    if uow.viewer.is_system:
        return
    row = uow.conn.execute(select(roles.c.permissions).where(roles.c.name == role_name)).first()
    if row is not None:
        _need_all(uow, row.permissions)


def _need_all(uow: UnitOfWork, rights: Iterable[str]) -> None:
    beyond = sorted(one for one in rights if not uow.viewer.may(one))
    if beyond:
        raise NotAllowed(f"this would give rights that you do not have: {', '.join(beyond)}")


def save_role(uow: UnitOfWork, command: SaveRole) -> int:
    """Make or change a role of one's own; gives its version."""
    name = " ".join(command.name.split())
    if not name or len(name) > LONGEST:
        raise Invalid(f"a name has 1 to {LONGEST} letters", field="name")
    row = uow.conn.execute(locked(uow.dialect, select(roles).where(roles.c.name == name))).first()
    if row is None:
        return _make(uow, name, command)
    if row.builtin:
        raise Conflict("a role of the house stays as it is: make a copy", what="builtin")
    if command.based_on and command.version is None:
        raise Conflict("there is a role of this name already", what="name")
    if command.version is not None and command.version != row.version:
        raise Conflict(
            "the role was changed meanwhile", what="version", details={"version": row.version}
        )
    values = _values(uow, command)
    # Also what was there before: a stronger role is not bent by a weaker person.
    _need_all(uow, [*row.permissions, *values.get("permissions", ())])
    uow.conn.execute(
        update(roles)
        .where(roles.c.name == name)
        .values(version=row.version + 1, known=sorted(PERMISSIONS), **values)
    )
    _tell(uow, name, set(row.permissions), set(values.get("permissions", row.permissions)))
    return int(row.version) + 1


def _make(uow: UnitOfWork, name: str, command: SaveRole) -> int:
    if command.version is not None:
        raise NotFound("there is no such role")
    base = uow.conn.execute(select(roles).where(roles.c.name == command.based_on)).first()
    if base is None:
        raise Invalid("say which role this is a copy of", field="based_on")
    if any(
        one.casefold() == name.casefold()
        for one in uow.conn.execute(select(roles.c.name)).scalars()
    ):
        raise Conflict("there is a role of this name already", what="name")
    values = {
        "permissions": sorted(base.permissions),
        "scope": base.scope,
        "scopes": base.scopes,
        "account_scopes": base.account_scopes,
    } | _values(uow, command)
    _need_all(uow, values["permissions"])
    uow.conn.execute(
        insert(roles).values(
            name=name,
            builtin=False,
            # Of a copy's copy the role of the house is remembered.
            based_on=base.name if base.builtin else base.based_on,
            known=sorted(PERMISSIONS),
            **values,
        )
    )
    _tell(uow, name, set(), set(values["permissions"]))
    return 1


def _values(uow: UnitOfWork, command: SaveRole) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if command.permissions is not None:
        unknown = sorted(command.permissions - PERMISSIONS.keys())
        if unknown:
            raise Invalid(f"there is no right {unknown[0]!r}", field="permissions")
        values["permissions"] = sorted(command.permissions)
    if command.scope is not None:
        if command.scope not in ACCOUNT_SCOPES:
            raise Invalid(f"one of {', '.join(ACCOUNT_SCOPES)}", field="scope")
        values["scope"] = command.scope
    if command.scopes is not None:
        values["scopes"] = {name: Scope(one).value for name, one in command.scopes.items()}
    if command.account_scopes is not None:
        known = set(uow.conn.execute(select(accounts.c.id)).scalars())
        if not known.issuperset(command.account_scopes):
            raise Invalid("there is no such account", field="account_scopes")
        values["account_scopes"] = {
            str(number): Scope(one).value for number, one in command.account_scopes.items()
        }
    return values


def _tell(uow: UnitOfWork, name: str, before: set[str], after: set[str]) -> None:
    uow.record(
        RoleChanged(
            role=name, added=tuple(sorted(after - before)), taken=tuple(sorted(before - after))
        )
    )


def remove_role(uow: UnitOfWork, command: RemoveRole) -> None:
    """Delete a role that nobody has."""
    row = uow.conn.execute(
        locked(uow.dialect, select(roles).where(roles.c.name == command.name))
    ).first()
    if row is None:
        raise NotFound("there is no such role")
    if row.builtin:
        raise Conflict("a role of the house stays", what="builtin")
    _need_all(uow, row.permissions)
    number = uow.conn.execute(
        select(func.count()).select_from(users).where(users.c.role == command.name)
    ).scalar_one()
    if number:
        raise Conflict(
            "colleagues have this role: give them another one first",
            what="role_in_use",
            details={"users": number},
        )
    uow.conn.execute(delete(roles).where(roles.c.name == command.name))
    uow.record(RoleChanged(role=command.name, removed=True, taken=tuple(sorted(row.permissions))))
